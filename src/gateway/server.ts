import { setImmediate as nextTurn } from 'node:timers/promises'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { LITELLM_VERSION } from '../core/version.ts'
import { createBrokenRequests } from './broken-requests.ts'
import type { BrokenRequests } from './broken-requests.ts'
import { createDoor, type Routing } from './door.ts'
import { createFace, shuttingDown, type Face, type Front } from './face.ts'
import type { Earlier, Gateway, GatewayDeps, GatewaySettings } from './gateway.ts'
import { sendError } from './json-reply.ts'
import { createListen, systemAddresses } from './listen.ts'
import { createUpgrades, wantsWebSocket } from './upgrades.ts'

/** Clients that take too long are looked for so often that none has more than this share of its time on top. */
const LOOKS_PER_TIMEOUT = 12
/** Longer than the idle timeouts of common load balancers (60 s), so that they close first and never hit a closing socket. */
const KEEP_ALIVE_MS = 75_000
const MAX_HEADER_BYTES = 16 * 1024
const MAX_PATH_PARAM_CHARS = 1024
/** After the drain timeout, error events get this long to reach their clients. */
const LAST_WORDS_MS = 500

/** What the listener itself is made with: it outlives configs, and so holds on to nothing of theirs. */
type FrontDeps = Pick<
  GatewayDeps,
  'clock' | 'log' | 'redact' | 'version' | 'metrics' | 'newCallId' | 'addressesOf'
> & { readonly settings: Pick<GatewaySettings, FrontSetting> }

/** Settings that the listener is made with, and goes on with whatever a later config says. */
type FrontSetting = 'maxInFlight' | 'clientHeadersTimeoutMs' | 'clientRequestTimeoutMs'

/**
 * Builds the HTTP face. Nothing listens yet. Requests in flight are bounded by `maxInFlight`; each holds one body of at
 * most `maxRequestBytes`, and the operating system bounds the connections.
 */
export function createGateway(deps: GatewayDeps): Gateway {
  const { clock, log, redact, version, metrics, newCallId, addressesOf } = deps
  const { maxInFlight, clientHeadersTimeoutMs, clientRequestTimeoutMs } = deps.settings
  const settings = { maxInFlight, clientHeadersTimeoutMs, clientRequestTimeoutMs }
  const host = { clock, log, redact, version, metrics, newCallId, settings }
  return openFront({ ...host, ...(addressesOf !== undefined && { addressesOf }) }, (newFace) => newFace(deps))
}

/** The listener, and the face that new requests meet. */
function openFront(deps: FrontDeps, createFirst: (newFace: (deps: GatewayDeps) => Face) => Face): Gateway {
  const broken = createBrokenRequests(deps.clock, deps.redact, MAX_HEADER_BYTES)
  const server = createServer(deps, broken)
  const upgrades = createUpgrades()
  const front: Front = {
    phase: 'serving',
    inFlight: 0,
    begun: 0,
    awaited: 0,
    onLastOver: () => {},
    onOver: () => setImmediate(() => server.server.closeIdleConnections()),
    refusal: () => undefined,
    upgrades,
  }
  const newFace = (next: GatewayDeps): Face => createFace(createServer(deps, broken), next, front)
  let face = createFirst(newFace)
  const faces = new Set([face])
  const route: Routing = (request, response) => face.app.routing(request, response)
  const door = createDoor(server, route, deps, broken, {
    inFlight: () => front.inFlight,
    headers: versionHeaders(deps),
  })
  front.refusal = () => door.refusal()?.error
  upgrades.attach(server, route)
  const listen = createListen(server, deps.addressesOf ?? systemAddresses)
  const endAll = (): void => faces.forEach((each) => each.running.endAll(shuttingDown()))
  return {
    listen: async (host, port) => {
      await face.app.ready()
      return listen(host, port)
    },
    renew: async (next) => {
      const made = newFace(next)
      // Registering the routes took a while: others first.
      await nextTurn()
      await made.app.ready()
      await nextTurn()
      return () => {
        const before = face
        face = made
        faces.add(made)
        // Whoever follows what is no longer served with comes back to what is.
        before.feedReaders.endAll()
        return retired(before, () => faces.delete(before))
      }
    },
    drain: () => {
      if (front.phase === 'serving') front.phase = 'draining'
    },
    close: () => {
      const { drainTimeoutMs, feedReaders } = face
      feedReaders.endAll()
      return closeFront(front, { server, clock: deps.clock, drainTimeoutMs, endAll })
    },
    inFlight: () => front.inFlight,
    begun: () => front.begun,
  }
}

/** What runs under a config that is no longer served with. */
function retired(face: Face, forget: () => void): Earlier {
  const over = new Promise<void>((resolve) => {
    face.onIdle = resolve
  }).then(forget)
  if (face.inFlight === 0) face.onIdle()
  return { over, inFlight: () => face.inFlight, end: (reason) => face.running.endAll(reason) }
}

interface Closing {
  readonly server: FastifyInstance
  readonly clock: GatewayDeps['clock']
  readonly drainTimeoutMs: number
  readonly endAll: () => void
}

async function closeFront(front: Front, { server, clock, drainTimeoutMs, endAll }: Closing): Promise<void> {
  front.phase = 'closing'
  // More than once: while the listener stays, somebody may connect and say nothing.
  const breakOff = (): void => {
    server.server.closeAllConnections()
    stopWaiting = clock.after(LAST_WORDS_MS, breakOff)
  }
  let stopWaiting = clock.after(drainTimeoutMs, () => {
    endAll()
    stopWaiting = clock.after(LAST_WORDS_MS, breakOff)
  })
  // The listener stays until then: whoever still asks is told 503, and liveness is not taken for a crash.
  if (front.awaited > 0) await new Promise<void>((resolve) => (front.onLastOver = resolve))
  await server.close()
  stopWaiting()
}

function createServer({ redact, log, settings }: FrontDeps, broken: BrokenRequests): FastifyInstance {
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

function versionHeaders({ version }: Pick<GatewayDeps, 'version'>): Record<string, string> {
  return { 'x-litellm-version': LITELLM_VERSION, 'x-pulsegate-version': version }
}
