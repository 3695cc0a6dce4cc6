import type { IncomingMessage } from 'node:http'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { isJsonObject } from '../core/json.ts'
import type { JsonObject } from '../core/json.ts'
import { requireUtf8, scanObject } from '../core/json-spans.ts'
import { readBody } from './read-body.ts'

/** Far more than any description of a batch or a session has. */
const MAX_OBJECT_BYTES = 1024 * 1024

/** Reads a small request's body as a JSON object; told once. At most 1 MB, whatever larger bodies may have. */
export function readObject(
  request: IncomingMessage,
  maxBytes: number,
  done: (body: JsonObject | GatewayError) => void,
): void {
  readBody(request, Math.min(maxBytes, MAX_OBJECT_BYTES), (body) =>
    done(body instanceof GatewayError ? body : parsed(body)),
  )
}

function parsed(body: Buffer): JsonObject | GatewayError {
  let value: unknown
  try {
    requireUtf8(body)
    // Bounds its depth: deeper than that it could be read, but not be written again.
    scanObject(body)
    value = JSON.parse(body.toString())
  } catch (error) {
    if (error instanceof SyntaxError) return invalid(error.message)
    return asGatewayError(error)
  }
  return isJsonObject(value) ? value : invalid('expected an object')
}

function invalid(why: string): GatewayError {
  return new GatewayError('bad_request', `Invalid JSON payload: ${why}`, {
    status: 400,
    source: 'client',
    param: 'request_body',
  })
}
