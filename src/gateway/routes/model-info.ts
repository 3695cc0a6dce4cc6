import type { FastifyInstance } from 'fastify'
import { shownMode } from '../../core/deployment.ts'
import type { Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText, sendError, sendJson } from '../json-reply.ts'

/** LiteLLM's view of each deployment: its parameters without secrets, and what is known of the model. */
export function modelInfoRoutes(
  app: FastifyInstance,
  { deployments, directory, redact }: RouteContext,
): void {
  for (const path of ['/model/info', '/v1/model/info']) {
    app.get(path, { config: { hasDetail: true } }, (request, reply) => {
      const id = queryText(request.query, 'litellm_model_id')
      const shown = id === undefined ? deployments : directory.byId(id)
      if (id === undefined || shown.length > 0)
        return sendJson(reply, 200, { data: shown.map((each) => infoOf(each)) })
      const message = `Model id = ${id} not found on litellm proxy`
      const error = new GatewayError('not_found', message, {
        status: 404,
        source: 'client',
        param: 'litellm_model_id',
      })
      return sendError(reply, error, redact, { error: redact(message) })
    })
  }
}

function infoOf(deployment: Deployment): JsonObject {
  const { id, group, provider, info, shownParams } = deployment
  return {
    model_name: group,
    litellm_params: shownParams,
    model_info: {
      id,
      db_model: false,
      litellm_provider: provider,
      mode: shownMode(deployment),
      ...withoutNulls(info),
    },
  }
}

function withoutNulls(info: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== null && value !== undefined))
}
