import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import { isUnhealthy } from '../../health/engine/eligibility.ts'
import type { RouteContext } from '../gateway.ts'
import { groupMembers } from '../group-members.ts'
import { queryText, sendError, sendJson, wildcardText } from '../json-reply.ts'

/** LiteLLM's constant: clients sort by it, and no model here has a date of its own. */
const CREATED = 1_677_610_602

/** OpenAI's list of models: the names that a request may ask for. */
export function modelRoutes(app: FastifyInstance, context: RouteContext): void {
  const { directory, redact } = context
  const names = new Set(directory.listed)
  const list = { data: directory.listed.map((name) => modelObject(name)), object: 'list' }
  // OpenAI's SDK for Azure asks below the last.
  for (const prefix of ['', '/v1', '/openai']) {
    app.get(`${prefix}/models`, (request, reply) => {
      if (!isHealthyOnly(request)) return sendJson(reply, 200, list)
      const data = directory.listed.filter((name) => hasHope(name, context)).map((name) => modelObject(name))
      return sendJson(reply, 200, { data, object: 'list' })
    })
    // A wildcard, since model names may hold a slash.
    app.get(`${prefix}/models/*`, (request, reply) => {
      const name = wildcardText(request.params)
      const isShown = names.has(name) && (!isHealthyOnly(request) || hasHope(name, context))
      if (isShown) return sendJson(reply, 200, modelObject(name))
      const message = `The model '${name.slice(0, 256)}' does not exist. Call \`/v1/models\` to view available models for your key.`
      const error = new GatewayError('not_found', message, { status: 404, source: 'client', param: 'model' })
      return sendError(reply, error, redact, redact(message))
    })
  }
}

/** @throws GatewayError bad_request where it is neither true nor false */
function isHealthyOnly(request: FastifyRequest): boolean {
  const text = queryText(request.query, 'healthy_only')?.toLowerCase() ?? 'false'
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  const message = `healthy_only must be true or false, not ${JSON.stringify(text.slice(0, 40))}.`
  throw new GatewayError('bad_request', message, { status: 400, source: 'client', param: 'healthy_only' })
}

/** Hidden is only who is out altogether: a limit that is reached, or a model nobody has asked yet, is no illness. */
function hasHope(name: string, { directory, board }: RouteContext): boolean {
  const { members } = groupMembers(directory, name)
  return members.some(({ index }) => !isUnhealthy(board.health(index).state))
}

function modelObject(id: string): JsonObject {
  return { id, object: 'model', created: CREATED, owned_by: 'openai' }
}
