import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readinessBody, readinessDetails } from '../../health/readiness.ts'
import type { ReadinessAnswer, ReadinessFacts } from '../../health/readiness.ts'
import type { RouteContext } from '../gateway.ts'
import { groupMembers } from '../group-members.ts'
import { queryText, sendJson } from '../json-reply.ts'

const READINESS_PATHS = ['/health/readiness', '/readyz'] as const
const LIVENESS_PATHS = ['/health/liveliness', '/health/liveness', '/livez'] as const

/** What orchestrators ask: open to everybody, answered from memory, never by a call upstream. */
export function probeRoutes(app: FastifyInstance, context: RouteContext): void {
  const open = { config: { isPublic: true, hasDetail: true } }
  for (const path of READINESS_PATHS) {
    app.get(path, open, (request, reply) => {
      const { status, body } = readinessFor(request, context)
      return sendJson(reply, status, body)
    })
    app.options(path, open, (_, reply) => allowed(reply))
  }
  for (const path of LIVENESS_PATHS) {
    app.get(path, open, (_, reply) => sendJson(reply, 200, "I'm alive!"))
    app.options(path, open, (_, reply) => allowed(reply))
  }
  app.get('/health/readiness/details', { config: { hasDetail: true } }, (_, reply) => {
    const { status, body } = readinessDetails(factsOf(context), context.version, context.config)
    return sendJson(reply, status, body)
  })
}

/**
 * `?group=NAME`: ready only while somebody of that group may be asked. For those who want it: an outage of a provider
 * takes no gateway out of service by itself. One word is told, for everybody may ask.
 */
function readinessFor(request: FastifyRequest, context: RouteContext): ReadinessAnswer {
  const ready = readinessBody(factsOf(context))
  const name = queryText(request.query, 'group')
  if (ready.status !== 200 || name === undefined) return ready
  const { members } = groupMembers(context.directory, name)
  if (members.length === 0) return { status: 503, body: { status: 'unknown_group' } }
  const { eligible } = context.checks.views.sum(members)
  return eligible > 0 ? ready : { status: 503, body: { status: 'no_deployment_eligible' } }
}

/** A request is answered only where the config is loaded and the listener bound: `starting` cannot be seen here. */
function factsOf({ isDraining, settings, history }: RouteContext): ReadinessFacts {
  const { allowPublicReadinessDetails, allowRequestsOnDbUnavailable } = settings
  return {
    phase: isDraining() ? 'draining' : 'serving',
    database: history.database(),
    // No cache or callback works in this version; what is not there is not shown as if it were.
    cache: null,
    successCallbacks: [],
    ...(allowPublicReadinessDetails !== undefined && { publicDetails: allowPublicReadinessDetails }),
    ...(allowRequestsOnDbUnavailable !== undefined && { serveWithoutDatabase: allowRequestsOnDbUnavailable }),
  }
}

function allowed(reply: FastifyReply): FastifyReply {
  return reply
    .code(200)
    .headers({
      allow: 'GET, OPTIONS',
      'access-control-allow-methods': 'GET, OPTIONS',
      'access-control-allow-headers': '*',
    })
    .send()
}
