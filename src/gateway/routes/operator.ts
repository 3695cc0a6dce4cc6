import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Verdict } from '../../core/verdict.ts'
import { createAdminCheck } from '../admin-only.ts'
import type { Admin } from '../admin-only.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText, sendError, sendJsonText, wildcardText } from '../json-reply.ts'
import { readObject } from '../read-object.ts'
import type { RunningRequests } from '../running-requests.ts'
import { waitingFor } from '../waiting.ts'

const ACTIONS = ['probe', 'isolate', 'restore'] as const
type Action = (typeof ACTIONS)[number]

/** Longer ones are no maintenance: leave `ttl` out, and restore it by hand. */
const MOST_TTL_SECONDS = 30 * 86_400
const MOST_REASON_CHARS = 200
const MOST_SHOWN_CHARS = 256

const isolation = z.strictObject({
  reason: z.string().trim().min(1).max(MOST_REASON_CHARS).optional(),
  ttl: z.number().positive().max(MOST_TTL_SECONDS).optional(),
})
const nothing = z.strictObject({})

/** One order of an operator. */
interface Order {
  readonly action: Action
  readonly targets: readonly Deployment[]
  readonly admin: Admin
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly body: unknown
}

/** `POST /health/deployments/{id}/probe`, `/isolate` and `/restore`: with the master key, each one in the log. */
export function operatorRoutes(app: FastifyInstance, context: RouteContext, running: RunningRequests): void {
  const adminOf = createAdminCheck(context.settings)
  // A wildcard, since ids may hold a slash.
  app.post('/health/deployments/*', { config: { hasDetail: true } }, (request, reply) => {
    const { id, action } = orderIn(wildcardText(request.params))
    if (action === undefined) return refuse(reply, context, unknownAction())
    const admin = adminOf()
    if (admin instanceof GatewayError) return refuse(reply, context, admin)
    const targets = context.directory.byId(id)
    if (targets.length === 0) return refuse(reply, context, unknownId(id))
    const carryOut = (body: unknown): void => {
      if (reply.raw.destroyed) return
      if (body instanceof GatewayError) refuse(reply, context, body)
      else obey({ action, targets, admin, request, reply, body }, context, running)
    }
    if (hasBody(request)) readObject(request.raw, context.settings.maxRequestBytes, carryOut)
    else carryOut({})
    return reply
  })
}

function obey(order: Order, context: RouteContext, running: RunningRequests): void {
  const { action, body, targets, reply } = order
  const { operator } = context.checks
  const parsed = (action === 'isolate' ? isolation : nothing).safeParse(body)
  if (!parsed.success) return void refuse(reply, context, badBody(parsed.error))
  switch (action) {
    case 'isolate': {
      const { reason, ttl } = isolation.parse(body)
      const note = reason && context.redact(plain(reason))
      operator.isolate(targets, { ...(note && { reason: note }), ...(ttl && { ttlMs: ttl * 1000 }) })
      audit(order, context, { reason: note, ttl_s: ttl })
      send(order, context, 200, {})
      return
    }
    case 'restore':
      operator.restore(targets)
      audit(order, context, {})
      send(order, context, 200, {})
      return
    case 'probe':
      audit(order, context, {})
      probe(order, context, running)
  }
}

/** Answers at once, or where `wait=true` when the verdicts are there; whoever waits and leaves cancels the check. */
function probe(order: Order, context: RouteContext, running: RunningRequests): void {
  const { targets, request, reply } = order
  const { operator } = context.checks
  const wait = queryText(request.query, 'wait') ?? 'false'
  if (wait !== 'true') {
    if (wait !== 'false') return void refuse(reply, context, badWait(wait))
    // What it finds, a crash included, is in the health and in the log.
    operator.probe(targets).catch(() => undefined)
    send(order, context, 202, { status: 'started' })
    return
  }
  const waiting = waitingFor(reply, running)
  operator.probe(targets, waiting.signal).then(
    (verdicts) => {
      const isHealthy = verdicts.every(({ kind }) => kind === 'healthy')
      const results = verdicts.map((verdict, at) => resultOf(targets[at]?.id, verdict))
      send(order, context, 200, { status: isHealthy ? 'healthy' : 'unhealthy', results })
    },
    (error: unknown) => void reply.send(waiting.reason(error)),
  )
}

function resultOf(id: string | undefined, verdict: Verdict): object {
  const { kind, latencyMs, requests } = verdict
  return {
    model_id: id,
    verdict: kind,
    ...(verdict.kind === 'unhealthy' && { reason: verdict.reason, error: verdict.error }),
    latency_ms: Math.round(latencyMs),
    requests,
  }
}

/** Who did what to whom: one line for each deployment. */
function audit(
  { action, targets, admin, request }: Order,
  { log }: RouteContext,
  more: { readonly reason?: string | undefined; readonly ttl_s?: number | undefined },
): void {
  for (const { id, group } of targets)
    log.warn('operator_action', {
      action,
      model_id: id,
      group,
      by: admin.by,
      key_hash: admin.keyHash,
      address: request.ip,
      call_id: request.common?.['x-litellm-call-id'],
      ...more,
    })
}

function send({ action, targets, reply }: Order, context: RouteContext, status: number, more: object): void {
  const { checks, settings, redact } = context
  const options = { details: settings.healthCheckDetails }
  const deployments = targets.map((each) => checks.views.view(each, options))
  const text = redact(JSON.stringify({ action, ...more, deployments }))
  sendJsonText(reply.header('cache-control', 'no-store'), status, text)
}

/** The last step of the path is what to do, all before it is the id. */
function orderIn(path: string): { readonly id: string; readonly action: Action | undefined } {
  const slash = path.lastIndexOf('/')
  const word = path.slice(slash + 1)
  return { id: path.slice(0, Math.max(slash, 0)), action: ACTIONS.find((each) => each === word) }
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Control characters could drive the terminal of whoever reads it. */
function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ')
}

function refuse(reply: FastifyReply, { redact }: RouteContext, error: GatewayError): FastifyReply {
  return sendError(reply, error, redact, { error: redact(error.message) })
}

function unknownAction(): GatewayError {
  const message = `Post to /health/deployments/{id}/ and one of ${ACTIONS.join(', ')}.`
  return new GatewayError('not_found', message, { status: 404, source: 'client' })
}

function unknownId(id: string): GatewayError {
  const message = `Model with ID ${id.slice(0, MOST_SHOWN_CHARS)} not found`
  return new GatewayError('not_found', message, { status: 404, source: 'client', param: 'model_id' })
}

function badBody({ issues }: z.ZodError): GatewayError {
  const [first] = issues
  const param = first?.path.join('.') || 'request_body'
  const message = `${param}: ${first?.message ?? 'cannot be read'}; isolate takes {"reason": text, "ttl": seconds}, the others nothing.`
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param })
}

function badWait(wait: string): GatewayError {
  const message = `wait must be true or false, not ${JSON.stringify(wait.slice(0, 40))}.`
  return new GatewayError('bad_request', message, { status: 400, source: 'client', param: 'wait' })
}
