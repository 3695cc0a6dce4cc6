import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import { healthJson } from '../../health/health-json.ts'
import type { HealthJson } from '../../health/health-json.ts'
import { createReportText } from '../../health/report-text.ts'
import { report } from '../../health/report.ts'
import type { HealthReport, ReportOptions } from '../../health/report.ts'
import type { Directory } from '../../routing/choice/directory.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText, sendError, sendJson, sendJsonText } from '../json-reply.ts'
import { createKnownAnswer } from '../known-answer.ts'
import { pause } from '../pause.ts'
import type { RunningRequests } from '../running-requests.ts'
import { waitingFor } from '../waiting.ts'

/** How long a caller should wait for a deployment's first verdict, seconds. */
const FIRST_VERDICT_SECONDS = 5

/** `GET /health`: checks what is asked for, or shows what is known of it. */
export function healthRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  const { checks, deployments, directory, redact } = context
  const options = optionsOf(context)
  const whole = createReportText({
    ...options,
    deployments,
    board: context.board,
    elapsed: () => context.clock.elapsed(),
    pause,
  })
  const known = createKnownAnswer(context)
  app.get('/health', { config: { hasDetail: true } }, async (request, reply) => {
    const id = queryText(request.query, 'model_id')
    const model = queryText(request.query, 'model')
    const scope = scopeOf(deployments, directory, id, model)
    if (scope === undefined) {
      const message = `Model with ID ${id ?? ''} not found`
      const error = new GatewayError('not_found', message, {
        status: 404,
        source: 'client',
        param: 'model_id',
      })
      return sendError(reply, error, redact, { error: redact(message) })
    }
    const waiting = waitingFor(reply, running)
    await checks.read(scope, waiting.signal).catch((error: unknown) => {
      throw waiting.reason(error)
    })
    const isDraft = request.headers.accept?.includes(HEALTH_JSON) === true
    if (scope === deployments && known.has(request, reply, isDraft ? 'h' : '')) return reply.code(304).send()
    if (isDraft) return sendDraft(reply, await healthJson(scope, { ...context, ...options, pause }))
    if (scope === deployments) return sendJsonText(reply, 200, await whole.current())
    const body = report(scope, context.board, options)
    if (isUnknownOnly(body)) reply.header('retry-after', String(FIRST_VERDICT_SECONDS))
    if (body.healthy_count === 0) return sendJson(reply.header('cache-control', 'no-store'), 503, body)
    if (known.has(request, reply, '')) return reply.code(304).send()
    return sendJson(reply, 200, body)
  })
}

/** What a reader accepts who wants the draft's form. */
const HEALTH_JSON = 'application/health+json'

function sendDraft(reply: FastifyReply, { status, text }: HealthJson): FastifyReply {
  if (status === 503) reply.removeHeader('etag').header('cache-control', 'no-store')
  return reply.code(status).header('content-type', HEALTH_JSON).send(Buffer.from(text))
}

function optionsOf({ settings, checks: { views } }: RouteContext): ReportOptions {
  return { details: settings.healthCheckDetails, freshness: (index) => views.freshness(index) }
}

/** An id beats a model; a model is a group's name or alias, else `litellm_params.model`. Undefined: no such id. */
function scopeOf(
  all: readonly Deployment[],
  directory: Directory,
  id: string | undefined,
  model: string | undefined,
): readonly Deployment[] | undefined {
  if (id !== undefined) {
    const members = directory.byId(id)
    return members.length === 0 ? undefined : members
  }
  if (model === undefined) return all
  const name = directory.groupOf(model)
  const members = directory.byGroup(name)
  return members.length === 0 ? directory.byModel(name) : members
}

function isUnknownOnly(body: HealthReport): boolean {
  return body.healthy_count === 0 && body.unhealthy_count === 0 && (body.unknown_count ?? 0) > 0
}
