import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RouteContext } from '../gateway.ts'
import { sendError, sendJson, wildcardText } from '../json-reply.ts'

/** LiteLLM's constant: clients sort by it, and no model here has a date of its own. */
const CREATED = 1_677_610_602

/** OpenAI's list of models: the names that a request may ask for. */
export function modelRoutes(app: FastifyInstance, { directory, redact }: RouteContext): void {
  const names = new Set(directory.listed)
  const list = { data: directory.listed.map((name) => modelObject(name)), object: 'list' }
  for (const prefix of ['', '/v1']) {
    app.get(`${prefix}/models`, (_, reply) => sendJson(reply, 200, list))
    // A wildcard, since model names may hold a slash.
    app.get(`${prefix}/models/*`, (request, reply) => {
      const name = wildcardText(request.params)
      if (names.has(name)) return sendJson(reply, 200, modelObject(name))
      const message = `The model '${name.slice(0, 256)}' does not exist. Call \`/v1/models\` to view available models for your key.`
      const error = new GatewayError('not_found', message, { status: 404, source: 'client', param: 'model' })
      return sendError(reply, error, redact, redact(message))
    })
  }
}

function modelObject(id: string): JsonObject {
  return { id, object: 'model', created: CREATED, owned_by: 'openai' }
}
