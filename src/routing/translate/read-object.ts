import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'

/** A client's body. @throws GatewayError bad_request where it is no JSON object */
export function readObject(body: Buffer): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw refuse(`Invalid JSON payload: ${error.message}`, 'request_body')
  }
  if (!isJsonObject(parsed)) throw refuse('the body must be a JSON object.', 'request_body')
  return parsed
}
