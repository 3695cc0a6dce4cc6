import type { FastifyInstance, FastifyReply } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import type { RouteContext } from '../gateway.ts'
import { groupMembers } from '../group-members.ts'
import { sendError, sendJsonText, wildcardText } from '../json-reply.ts'

/** So many of one id, where ids collide. */
const MOST_OF_ONE_ID = 200
const MOST_SHOWN_CHARS = 256

/**
 * `GET /health/deployments/{id}` and `/health/groups/{name}`: why somebody is asked or not; `/health/shared-status`: who
 * looks with us. All from memory.
 */
export function healthViewRoutes(app: FastifyInstance, context: RouteContext): void {
  const { directory, checks, fallbacksOf, settings } = context
  const { views } = checks
  const options = { details: settings.healthCheckDetails }
  app.get('/health/shared-status', { config: { hasDetail: true } }, (_, reply) =>
    send(reply, context, context.sharedStatus()),
  )
  // Wildcards, since ids and names may hold a slash.
  app.get('/health/deployments/*', { config: { hasDetail: true } }, (request, reply) => {
    const id = wildcardText(request.params)
    const members = directory.byId(id)
    if (members.length === 0)
      return refuse(reply, context, `Model with ID ${shown(id)} not found`, 'model_id')
    const deployments = members.slice(0, MOST_OF_ONE_ID).map((each) => views.view(each, options))
    return send(reply, context, { deployments })
  })
  app.get('/health/groups/*', { config: { hasDetail: true } }, (request, reply) => {
    const asked = wildcardText(request.params)
    const group = groupMembers(directory, asked)
    if (group.members.length === 0)
      return refuse(reply, context, `Model group ${shown(asked)} not found`, 'model_group')
    const behind = fallbacksOf([asked, group.name]).filter((name) => name !== asked && name !== group.name)
    const view = views.group(
      group,
      behind.map((name) => groupMembers(directory, name)),
      options,
    )
    return send(reply, context, { ...view, ...(asked !== group.name && { alias: asked }) })
  })
}

function send(reply: FastifyReply, { redact }: RouteContext, body: unknown): FastifyReply {
  return sendJsonText(reply.header('cache-control', 'no-store'), 200, redact(JSON.stringify(body)))
}

function refuse(reply: FastifyReply, { redact }: RouteContext, message: string, param: string): FastifyReply {
  const error = new GatewayError('not_found', message, { status: 404, source: 'client', param })
  return sendError(reply, error, redact, { error: redact(message) })
}

function shown(name: string): string {
  return name.slice(0, MOST_SHOWN_CHARS)
}
