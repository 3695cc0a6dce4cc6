import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { GatewayError } from '../core/failure.ts'
import { LITELLM_VERSION } from '../core/version.ts'
import type { ErrorWords } from './error-words.ts'
import type { FeedReaders } from './feed-readers.ts'
import type { GatewayDeps, RouteContext } from './gateway.ts'
import { createKeyCheck } from './key-check.ts'
import { createKnownPaths } from './known-paths.ts'
import { createRequestReport } from './request-report.ts'
import { createRunningRequests, type RunningRequests } from './running-requests.ts'
import { healthEventRoutes } from './routes/health-events.ts'
import { healthHistoryRoutes } from './routes/health-history.ts'
import { healthRoutes } from './routes/health.ts'
import { healthViewRoutes } from './routes/health-views.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { modelInfoRoutes } from './routes/model-info.ts'
import { modelRoutes } from './routes/models.ts'
import { objectRoutes } from './routes/objects.ts'
import { operationRoutes } from './routes/operations.ts'
import { operatorRoutes } from './routes/operator.ts'
import { passThroughRoutes } from './routes/pass-through.ts'
import { probeRoutes } from './routes/probes.ts'
import { realtimeCallRoutes } from './routes/realtime-calls.ts'
import { realtimeKeyRoutes } from './routes/realtime-keys.ts'
import { realtimeRoutes } from './routes/realtime.ts'
import { rootRoutes } from './routes/root.ts'
import { surfaceRoutes } from './routes/surfaces.ts'
import { testConnectionRoutes } from './routes/test-connection.ts'
import { createSteps } from './steps.ts'
import { wantsWebSocket, type Upgrades } from './upgrades.ts'

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
    /** How its clients read errors; absent: as OpenAI's. */
    readonly errors?: ErrorWords
    /** Taken with a key for one realtime session, too. */
    readonly takesSessionKeys?: boolean
  }
}

/** The one listener's side of things, shared by the faces of all configs. */
export interface Front {
  /** `closing`: new requests are refused. */
  phase: 'serving' | 'draining' | 'closing'
  inFlight: number
  /** Of all requests so far. */
  begun: number
  /** Those that were there before it began to close. */
  awaited: number
  /** Told when the last of these is over. */
  onLastOver: () => void
  /** Told of each request that is over while it closes. */
  onOver: () => void
  /** Why an upgrade may not come in; undefined where it may. */
  refusal: () => GatewayError | undefined
  readonly upgrades: Upgrades
}

/** Routes, key and settings of one config, behind the listener. */
export interface Face {
  readonly app: FastifyInstance
  readonly running: RunningRequests
  readonly drainTimeoutMs: number
  /** Who follows its events; they would stay for ever. */
  readonly feedReaders: Pick<FeedReaders, 'endAll'>
  /** Requests that it is answering now, those who follow its events aside. */
  inFlight: number
  /** Told when it answers nobody any more, as often as that happens. */
  onIdle: () => void
}

const CALL_ID = /^[\w.:-]{1,128}$/

/** Puts what one config says behind the listener: `app` is without routes yet. */
export function createFace(app: FastifyInstance, deps: GatewayDeps, front: Front): Face {
  const { drainTimeoutMs, logSuccessSample } = deps.settings
  const running = createRunningRequests()
  const report = createRequestReport({ ...deps, logSuccessSample })
  const context: RouteContext = {
    ...deps,
    isDraining: () => front.phase !== 'serving',
    report,
    steps: createSteps(),
  }
  const checkKey = createKeyCheck(deps.settings, deps.sessionKeys)

  const refusalOf = ({ headers, raw, routeOptions: { config } }: FastifyRequest): GatewayError | undefined =>
    checkKey(headers, config.takesSessionKeys === true) ?? (wantsWebSocket(raw) ? front.refusal() : undefined)

  app.addHook('onRequest', (request, reply, done) => {
    const isClosing = front.phase === 'closing'
    const isFeed = request.routeOptions.config.isFeed === true
    const isAwaited = !isClosing && !isFeed
    const isOpen = request.is404 || request.routeOptions.config.isPublic === true
    // It is not one of those in flight while this is asked.
    const refusal = isOpen ? undefined : isClosing ? shuttingDown() : refusalOf(request)
    if (!isFeed) {
      front.inFlight++
      front.begun++
      face.inFlight++
    }
    if (isAwaited) front.awaited++
    reply.raw.once('close', () => {
      if (!isFeed) {
        front.inFlight--
        face.inFlight--
        if (face.inFlight === 0) face.onIdle()
      }
      if (isAwaited) front.awaited--
      if (front.phase !== 'closing') return
      if (front.awaited === 0) front.onLastOver()
      front.onOver()
    })
    request.common = commonHeaders(deps, request.headers, isClosing)
    if (refusal !== undefined) deps.metrics.refused(refusal.kind)
    done(refusal)
  })
  const feedReaders = registerRoutes(app, context, running, front.upgrades)
  const face: Face = { app, running, drainTimeoutMs, feedReaders, inFlight: 0, onIdle: () => {} }
  return face
}

/** Gives back who follows the feed of events. */
function registerRoutes(
  app: FastifyInstance,
  context: RouteContext,
  running: RunningRequests,
  upgrades: Upgrades,
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
  surfaceRoutes(app, context, running)
  objectRoutes(app, context, running)
  passThroughRoutes(app, context, running)
  realtimeRoutes(app, context, running, upgrades)
  realtimeKeyRoutes(app, context, running)
  realtimeCallRoutes(app, context, running)
  known.refuseOthers(app, context.redact)
  return feedReaders
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

/** Why nothing is begun any more, and what still ran is ended. */
export function shuttingDown(): GatewayError {
  const message = 'The gateway is shutting down; ask again, another instance or a restarted one will answer.'
  return new GatewayError('none_available', message, { source: 'gateway', retryAfterMs: 5000 })
}
