import type { FastifyInstance } from 'fastify'
import { GatewayError } from '../../core/failure.ts'
import { createFeed } from '../../health/feed.ts'
import { createFeedReaders } from '../feed-readers.ts'
import type { FeedReaders } from '../feed-readers.ts'
import type { RouteContext } from '../gateway.ts'
import { sendError } from '../json-reply.ts'
import { pause } from '../pause.ts'

/** More readers than this are turned away: whoever serves a crowd should read once and pass it on. */
const MOST_READERS = 2_000
const RETRY_AFTER_MS = 30_000
/** A reader that vanished without a word is noticed after this long, and a few tries. */
const KEEP_ALIVE_MS = 30_000
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // nginx would gather events otherwise.
  'x-accel-buffering': 'no',
}

/**
 * `GET /health/events`: the state of everybody, then every transition, as server-sent events. Whoever comes back with
 * `Last-Event-ID` gets what it has missed.
 */
export function healthEventRoutes(app: FastifyInstance, context: RouteContext): Pick<FeedReaders, 'endAll'> {
  const { clock, random, settings, redact } = context
  const feed = createFeed({
    ...context,
    details: settings.healthCheckDetails,
    epoch: `${clock.now().toString(36)}${Math.floor(random() * 36 ** 4).toString(36)}`,
    pause,
  })
  const readers = createFeedReaders({ ...context, feed })
  app.get('/health/events', { config: { hasDetail: true, isFeed: true } }, (request, reply) => {
    if (readers.count() >= MOST_READERS) {
      const message = `${MOST_READERS} readers follow the health of this gateway already.`
      const error = new GatewayError('overloaded', message, {
        source: 'gateway',
        retryAfterMs: RETRY_AFTER_MS,
      })
      return sendError(reply, error, redact, message)
    }
    if (request.method === 'HEAD') return reply.headers(HEADERS).send()
    const { raw } = reply.hijack()
    // Until the connection ends: framing each event as a chunk would cost as much as writing it.
    raw.useChunkedEncodingByDefault = false
    raw.writeHead(200, { ...request.common, ...HEADERS, connection: 'close' })
    raw.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
    const seen = request.headers['last-event-id']
    readers.add(raw, typeof seen === 'string' ? feed.versionOf(seen) : undefined)
    return reply
  })
  return readers
}
