import type { IncomingHttpHeaders } from 'node:http'
import Fastify from 'fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { LITELLM_VERSION } from '../core/version.ts'
import { createBrokenRequests } from './broken-requests.ts'
import type { BrokenRequests } from './broken-requests.ts'
import { createDoor } from './door.ts'
import type { FeedReaders } from './feed-readers.ts'
import type { Gateway, GatewayDeps, RouteContext } from './gateway.ts'
import { sendError } from './json-reply.ts'
import { createKeyCheck } from './key-check.ts'
import { createKnownPaths } from './known-paths.ts'
import { createListen, systemAddresses } from './listen.ts'
import { createRequestReport } from './request-report.ts'
import { createRunningRequests, type RunningRequests } from './running-requests.ts'
import { healthEventRoutes } from './routes/health-events.ts'
import { healthRoutes } from './routes/health.ts'
import { healthHistoryRoutes } from './routes/health-history.ts'
import { healthViewRoutes } from './routes/health-views.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelInfoRoutes } from './routes/model-info.ts'
import { modelRoutes } from './routes/models.ts'
import { objectRoutes } from './routes/objects.ts'
import { operationRoutes } from './routes/operations.ts'
import { operatorRoutes } from './routes/operator.ts'
import { probeRoutes } from './routes/probes.ts'
import { realtimeKeyRoutes } from './routes/realtime-keys.ts'
import { realtimeRoutes } from './routes/realtime.ts'
import { rootRoutes } from './routes/root.ts'
import { testConnectionRoutes } from './routes/test-connection.ts'
import { createUpgrades, wantsWebSocket } from './upgrades.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Headers of its answer, whatever becomes of it. */
    common?: Readonly<Record<string, string>>
  }
  interface FastifyContextConfig {
    /** Answered without a key. */
    readonly isPublic?: boolean
    /** Its errors carry LiteLLM's `detail` beside `error`. */
    readonly hasDetail?: boolean
    /** Refuses a method; not a route of its own. */
    readonly isRefusal?: boolean
    /** Stays for as long as its reader likes: nobody waits for its end, and it is none of the requests in flight. */
    readonly isFeed?: boolean
    /** Taken with a key for one realtime session, too. */
    readonly takesSessionKeys?: boolean
  }
}

/** Clients that take too long are looked for so often that none has more than this share of its time on top. */
const LOOKS_PER_TIMEOUT = 12
/** Longer than the idle timeouts of common load balancers (60 s), so that they close first and never hit a closing socket. */
const KEEP_ALIVE_MS = 75_000
const MAX_HEADER_BYTES = 16 * 1024
const MAX_PATH_PARAM_CHARS = 1024
/** After the drain timeout, error events get this long to reach their clients. */
const LAST_WORDS_MS = 500
const CALL_ID = /^[\w.:-]{1,128}$/

/**
 * Builds the HTTP face. Nothing listens yet. Requests in flight are bounded by `maxInFlight`; each holds one body of at
 * most `maxRequestBytes`, and the operating system bounds the connections.
 */
export function createGateway(deps: GatewayDeps): Gateway {
  let isDraining = false
  let isClosing = false
  let inFlight = 0
  let awaited = 0
  let onLastOver = (): void => {}
  const running = createRunningRequests()
  const report = createRequestReport({ ...deps, logSuccessSample: deps.settings.logSuccessSample })
  const context: RouteContext = { ...deps, isDraining: () => isDraining, report }
  const broken = createBrokenRequests(deps.clock, deps.redact, MAX_HEADER_BYTES)
  const app = createServer(deps, broken)
  const checkKey = createKeyCheck(deps.settings, deps.sessionKeys)
  const door = createDoor(app, deps, broken, { inFlight: () => inFlight, headers: versionHeaders(deps) })

  const refusalOf = ({ headers, raw, routeOptions: { config } }: FastifyRequest): GatewayError | undefined =>
    checkKey(headers, config.takesSessionKeys === true) ??
    (wantsWebSocket(raw) ? door.refusal()?.error : undefined)

  app.addHook('onRequest', (request, reply, done) => {
    const isFeed = request.routeOptions.config.isFeed === true
    const isAwaited = !isClosing && !isFeed
    const isOpen = request.is404 || request.routeOptions.config.isPublic === true
    // It is not one of those in flight while this is asked.
    const refusal = isOpen ? undefined : isClosing ? shuttingDown() : refusalOf(request)
    if (!isFeed) inFlight++
    if (isAwaited) awaited++
    reply.raw.once('close', () => {
      if (!isFeed) inFlight--
      if (isAwaited) awaited--
      if (!isClosing) return
      if (awaited === 0) onLastOver()
      setImmediate(() => app.server.closeIdleConnections())
    })
    request.common = commonHeaders(deps, request.headers, isClosing)
    if (refusal !== undefined) deps.metrics.refused(refusal.kind)
    done(refusal)
  })
  const feedReaders = registerRoutes(app, context, running)

  return {
    listen: createListen(app, deps.addressesOf ?? systemAddresses),
    drain: () => {
      isDraining = true
    },
    close: async () => {
      isDraining = true
      isClosing = true
      feedReaders.endAll()
      // More than once: while the listener stays, somebody may connect and say nothing.
      const breakOff = (): void => {
        app.server.closeAllConnections()
        stopWaiting = deps.clock.after(LAST_WORDS_MS, breakOff)
      }
      let stopWaiting = deps.clock.after(deps.settings.drainTimeoutMs, () => {
        running.endAll(shuttingDown())
        stopWaiting = deps.clock.after(LAST_WORDS_MS, breakOff)
      })
      // The listener stays until then: whoever still asks is told 503, and liveness is not taken for a crash.
      if (awaited > 0) await new Promise<void>((resolve) => (onLastOver = resolve))
      await app.close()
      door.close()
      stopWaiting()
    },
    inFlight: () => inFlight,
  }
}

/** Gives back who follows the feed of events: they would stay for ever. */
function registerRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
): Pick<FeedReaders, 'endAll'> {
  const known = createKnownPaths()
  known.watch(app)
  rootRoutes(app, context)
  probeRoutes(app, context)
  healthRoutes(app, context, running)
  healthHistoryRoutes(app, context)
  const feedReaders = healthEventRoutes(app, context)
  healthViewRoutes(app, context)
  operatorRoutes(app, context, running)
  testConnectionRoutes(app, context, running)
  metricsRoutes(app, context)
  modelRoutes(app, context)
  modelInfoRoutes(app, context)
  operationRoutes(app, context, running)
  objectRoutes(app, context, running)
  const upgrades = createUpgrades()
  upgrades.attach(app)
  realtimeRoutes(app, context, running, upgrades)
  realtimeKeyRoutes(app, context, running)
  known.refuseOthers(app, context.redact)
  return feedReaders
}

function createServer({ redact, log, settings }: GatewayDeps, broken: BrokenRequests): FastifyInstance {
  const { clientHeadersTimeoutMs, clientRequestTimeoutMs } = settings
  const app = Fastify({
    logger: false,
    requestTimeout: clientRequestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAM_CHARS },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Node refuses headers that may come later than all of the request, and looks at both here.
      requestTimeout: clientRequestTimeoutMs,
      headersTimeout: Math.min(clientHeadersTimeoutMs, clientRequestTimeoutMs),
      connectionsCheckingInterval: Math.ceil(
        Math.min(clientHeadersTimeoutMs, clientRequestTimeoutMs) / LOOKS_PER_TIMEOUT,
      ),
      // Clients that offer HTTP/2 this way, as Java's does, are answered in HTTP/1.1 as if they had not.
      shouldUpgradeCallback: wantsWebSocket,
    },
    frameworkErrors: (error, _, reply) => {
      const refused = new GatewayError('bad_request', error.message, {
        status: 400,
        source: 'client',
        cause: error,
      })
      sendError(reply, refused, redact, error.message)
    },
    clientErrorHandler: ({ code }, socket) => broken.refuse(code, socket),
  })
  // Bodies are read by the routes that want one, never by the framework.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_, __, done) => done(null))
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.common !== undefined) reply.headers(request.common)
    done(null, payload)
  })
  app.setNotFoundHandler((request, reply) => {
    const message = `${request.method} ${request.url.split('?')[0]?.slice(0, 200) ?? ''} is no route of this gateway.`
    const error = new GatewayError('not_found', message, { status: 404, source: 'client' })
    return sendError(reply, error, redact, 'Not Found')
  })
  app.setErrorHandler((thrown, request, reply) => {
    const error = frameworkRefusal(thrown) ?? asGatewayError(thrown)
    if (error.kind === 'internal')
      log.error('internal_error', { path: request.routeOptions.url, error: redact(error.message) })
    const hasDetail = request.routeOptions.config.hasDetail === true
    return sendError(reply, error, redact, hasDetail ? redact(error.message) : undefined)
  })
  return app
}

/** What the framework itself has against a request, which is the client's doing. */
function frameworkRefusal(thrown: unknown): GatewayError | undefined {
  if (thrown instanceof GatewayError || !(thrown instanceof Error) || !('statusCode' in thrown))
    return undefined
  const { statusCode: status } = thrown
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined
  return new GatewayError('bad_request', thrown.message, { status, source: 'client', cause: thrown })
}

function versionHeaders({ version }: GatewayDeps): Record<string, string> {
  return { 'x-litellm-version': LITELLM_VERSION, 'x-pulsegate-version': version }
}

/**
 * A client's ids become ours where they can be written down. `x-request-id` is the upstream's where it names one:
 * that is what the vendors' clients show as `_request_id`, and what a provider's support asks for.
 */
function commonHeaders(
  { version, newCallId }: GatewayDeps,
  given: IncomingHttpHeaders,
  isLast: boolean,
): Record<string, string> {
  const callId = idIn(given['x-litellm-call-id']) ?? newCallId()
  const headers: Record<string, string> = {
    'x-litellm-call-id': callId,
    'x-request-id': idIn(given['x-request-id']) ?? callId,
    'x-litellm-version': LITELLM_VERSION,
    'x-pulsegate-version': version,
  }
  if (isLast) headers['connection'] = 'close'
  return headers
}

function idIn(given: string | readonly string[] | undefined): string | undefined {
  return typeof given === 'string' && CALL_ID.test(given) ? given : undefined
}

function shuttingDown(): GatewayError {
  const message = 'The gateway is shutting down; ask again, another instance or a restarted one will answer.'
  return new GatewayError('none_available', message, { source: 'gateway', retryAfterMs: 5000 })
}
