import type { FastifyInstance, FastifyReply } from 'fastify'
import * as z from 'zod'
import { GatewayError } from '../../core/failure.ts'
import type { CheckQuery } from '../../core/history.ts'
import { historyEntry, incidentEntry, storeEntry, uptimeEntries } from '../../health/history/answers.ts'
import type { Reads } from '../../health/history/keeping.ts'
import type { RouteContext } from '../gateway.ts'
import { queryText, sendError, sendJsonText } from '../json-reply.ts'

/** LiteLLM's bounds of a page; how deep one may read is ours. */
const MOST_ROWS = 1000
const DEFAULT_ROWS = 100
const DEEPEST = 10_000
const MOST_INCIDENTS = 100

const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(MOST_ROWS),
  offset: z.coerce.number().int().min(0).max(DEEPEST),
})

/** `GET /health/history` and `GET /health/latest`: what happened, from the store. */
export function healthHistoryRoutes(app: FastifyInstance, context: RouteContext): void {
  const { history, clock, settings, directory } = context
  const shown = { details: settings.healthCheckDetails }
  app.get('/health/history', { config: { hasDetail: true } }, async (request, reply) => {
    const page = pageSchema.safeParse({
      limit: queryText(request.query, 'limit') ?? DEFAULT_ROWS,
      offset: queryText(request.query, 'offset') ?? 0,
    })
    if (!page.success) return refuse(reply, context, page.error)
    const now = clock.now()
    const asked = queryText(request.query, 'model')
    const name = asked === undefined ? {} : { name: directory.groupOf(asked) }
    const status = queryText(request.query, 'status_filter')
    const [checks, incidents, uptime] = await Promise.all([
      checksOf(history.read, { ...page.data, ...name }, status),
      history.read.incidents({ ...name, now, most: MOST_INCIDENTS }),
      history.read.uptime({ ...name, now }),
    ])
    return send(reply, context, {
      health_checks: checks.map((row) => historyEntry(row, shown)),
      total_records: checks.length,
      ...page.data,
      uptime: uptimeEntries(uptime),
      incidents: incidents.map((row) => incidentEntry(row, now, shown)),
      store: storeEntry(history.status()),
    })
  })
  app.get('/health/latest', { config: { hasDetail: true } }, async (_, reply) => {
    const rows = await history.read.latest()
    const entries = rows.map((row) => [row.id || row.group, historyEntry(row, shown)] as const)
    return send(reply, context, {
      latest_health_checks: Object.fromEntries(entries),
      total_models: entries.length,
    })
  })
}

/** Any other word than these two fits no row, as in LiteLLM. */
function checksOf(read: Reads, query: CheckQuery, status: string | undefined): ReturnType<Reads['checks']> {
  if (status === undefined) return read.checks(query)
  return status === 'healthy' || status === 'unhealthy'
    ? read.checks({ ...query, status })
    : Promise.resolve([])
}

function send(reply: FastifyReply, { redact }: RouteContext, body: unknown): FastifyReply {
  return sendJsonText(reply.header('cache-control', 'no-store'), 200, redact(JSON.stringify(body)))
}

function refuse(reply: FastifyReply, { redact }: RouteContext, { issues }: z.ZodError): FastifyReply {
  const param = String(issues[0]?.path[0] ?? 'limit')
  const message = `${param} must be a whole number, ${param === 'limit' ? `1 to ${MOST_ROWS}` : `0 to ${DEEPEST}`}`
  const error = new GatewayError('bad_request', message, { status: 422, source: 'client', param })
  return sendError(reply, error, redact, { error: message })
}
