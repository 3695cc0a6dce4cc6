import { shortId, type Deployment, type Misconfiguration } from '../core/deployment.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import type { JsonSpans } from '../core/json-spans.ts'
import { isSideRoute, SIDE_ROUTES } from '../core/mode.ts'
import type { HttpMode, Operations, RouteName } from '../core/mode.ts'
import type { Redact, Secret } from '../core/secret.ts'
import type { Limits, Stream, StreamSink, Transport, WireRequest, WireResponse } from '../transport/wire.ts'
import type { Codec, Encoded, ProviderAdapter, RelayFace, Target } from './adapter.ts'
import { withAllowed } from './allowed-members.ts'
import { authorized, left } from './authorized.ts'
import { createCredentials } from './auth/credentials.ts'
import type { Credentials } from './auth/ground.ts'
import { withoutNames } from './body-defaults.ts'
import { bodyText } from './error-facts.ts'
import { followUp, type CallGround } from './follow-up.ts'
import type { RelayedForm } from './form-request.ts'
import { later } from './later.ts'
import { redactAlso } from './line-redact.ts'
import { refusedBy } from './refused-params.ts'
import type { FieldRules } from './refused-params.ts'
import { adapterFor } from './registry.ts'
import { relayedRequest } from './relayed-request.ts'

/** A deployment that can be called. Built once, used by every probe and every request. */
export interface Line {
  readonly deployment: Deployment
  readonly adapter: ProviderAdapter
  readonly target: Target
  /** Adds the credentials. */
  readonly authorize: (request: WireRequest) => WireRequest | Promise<WireRequest>
  readonly transport: Transport
  /** Also blots out the secrets that came from the environment. */
  readonly redact: Redact
  /** What `authorize` adds, the environment's included. */
  readonly secrets: readonly Secret[]
  /** `scheme://host:port` of `target.base`. */
  readonly host: string
  /** What is left out of every body here. */
  readonly fieldRules: FieldRules
  /** Counts and waits between the requests of one call. */
  readonly clock: CallGround['clock']
}

/** A good answer. */
export interface Answer<M extends HttpMode> {
  readonly value: Operations[M]['response']
  /** Redacted. */
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
  /** How many requests it took. */
  readonly requests: number
}

/** Resolves a deployment's provider, address and credentials; nothing is sent. */
export function openLine(
  deployment: Deployment,
  deps: {
    readonly transport: Transport
    readonly env: Readonly<Record<string, string | undefined>>
    readonly redact: Redact
    /** Default: the system's. */
    readonly clock?: Pick<Clock, 'now' | 'elapsed' | 'after'>
    /** Tokens of all lines on the same transport and in the same environment. Absent: this line's own. */
    readonly credentials?: Credentials
    /** `litellm_settings.drop_params`. */
    readonly dropParams?: boolean
  },
): { readonly line: Line } | { readonly misconfigured: Misconfiguration } {
  if (deployment.misconfigured !== undefined) return { misconfigured: deployment.misconfigured }
  const adapter = adapterFor(deployment.provider)
  if (adapter === undefined)
    return { misconfigured: { message: `provider "${deployment.provider}" is not built yet` } }
  const connected = adapter.connect(deployment, deps.env)
  if ('message' in connected) return { misconfigured: { message: deps.redact(connected.message) } }
  const { secrets } = connected
  const { transport, clock = systemClock } = deps
  const redact = redactAlso(connected, deps.redact)
  const { credentials = createCredentials(clock) } = deps
  const ground = { transport, now: () => clock.now(), credentials }
  const authorize = (request: WireRequest) => connected.authorize(request, ground)
  const fieldRules = { dropParams: deps.dropParams === true, drop: [], keep: [], ...deployment.fieldRules }
  const { target: to } = connected
  const line = { deployment, adapter, target: to, authorize, transport, redact, secrets, fieldRules, clock }
  const unwanted = [...fieldRules.drop, ...refusedBy(line, 'chat')]
  const target = { ...line.target, bodyDefaults: withoutNames(line.target.bodyDefaults, unwanted) }
  return { line: { ...line, target, host: new URL(target.base).origin } }
}

/** Do both lead to the same place with the same credentials? */
export function isSameLine(one: Line, other: Line): boolean {
  const placed = [one, other].map(({ target, secrets }) =>
    JSON.stringify([target.base, target.apiVersion, secrets.map((secret) => secret.reveal())]),
  )
  return placed[0] === placed[1]
}

/**
 * A request as this provider wants it, without credentials.
 * @throws GatewayError misconfigured where the provider has no such mode
 */
export function encode<M extends HttpMode>(line: Line, mode: M, request: Operations[M]['request']): Encoded {
  return codecOf(line, mode).encode(request, line.target)
}

/** The same with members that it was not told of, and that are named as allowed. */
export function encodeAllowed<M extends HttpMode>(
  line: Line,
  mode: M,
  encoded: Encoded,
  request: Operations[M]['request'],
  allowed: readonly string[],
): Encoded {
  return withAllowed(codecOf(line, mode), line.target, encoded, Object(request), allowed)
}

/**
 * Sends an encoded request, and what else the call takes, and reads the answer.
 * @throws GatewayError of any upstream kind; its message says which deployment, what was tried and what came
 * back, redacted
 */
export async function exchange<M extends HttpMode>(
  line: Line,
  mode: M,
  wire: WireRequest,
  limits: Limits,
  request: Operations[M]['request'],
): Promise<Answer<M>> {
  const codec = codecOf(line, mode)
  const startedMs = line.clock.elapsed()
  try {
    const ready = authorized(line, wire, limits)
    const inTime = (): Limits => left(limits, startedMs, line.clock)
    const first = await line.transport.send(await ready, ready instanceof Promise ? inTime() : limits)
    const { response, requests } =
      codec.next === undefined
        ? { response: first, requests: 0 }
        : await followUp(line, codec, request, first, inTime())
    if (response.status < 200 || response.status > 299) throw refusalOf(line, response)
    return {
      value: decoded(line, codec, response),
      headers: redacted(line, response.headers),
      status: response.status,
      requests: requests + 1,
    }
  } catch (error) {
    throw described(line, wire, error)
  }
}

/** Longer error texts are read no further. */
const MAX_ERROR_BYTES = 64 * 1024

/** Names what a non-2xx answer means. Its words hold no secret, not even where they were cut in the middle of one. */
export function refusalOf(line: Line, response: WireResponse): GatewayError {
  return line.adapter.classify(cleaned(line, response))
}

/**
 * Reads a 2xx answer.
 * @throws GatewayError whose words hold no secret: a strange answer is quoted, and so read again without them
 */
export function decoded<M extends HttpMode>(
  line: Line,
  codec: Codec<M>,
  response: WireResponse,
): Operations[M]['response'] {
  try {
    return codec.decode(response, line.target)
  } catch (error) {
    codec.decode(cleaned(line, response), line.target)
    throw error
  }
}

/** The answer as text of which no more is kept than errors need, without secrets. */
export function cleaned(line: Line, response: WireResponse): WireResponse {
  const body = bodyText({ ...response, body: response.body.subarray(0, MAX_ERROR_BYTES) })
  return { ...response, headers: redacted(line, response.headers), body: Buffer.from(line.redact(body)) }
}

/** Events of other kinds that may come before the greeting. */
const MAX_EARLY_EVENTS = 32

/**
 * Opens a realtime session, waits until its first events prove it, and closes it.
 * @throws GatewayError as `exchange` does; an upgrade alone proves nothing
 */
export async function openRealtime(
  line: Line,
  limits: Limits,
): Promise<{ readonly headers: Readonly<Record<string, string>> }> {
  const face = line.adapter.realtime
  if (face === 'unsupported') throw unsupported(line, 'realtime')
  const request = face.dial(line.target)
  const wire: WireRequest = { method: 'GET', url: request.url, headers: request.headers }
  try {
    const { url, headers } = await authorized(line, wire, limits)
    const dialled = await line.transport.dial({ url, headers, protocols: request.protocols }, limits)
    if ('refused' in dialled) throw refusalOf(line, dialled.refused)
    try {
      if (face.opening !== undefined) dialled.dialogue.send(face.opening(line.target))
      for (let events = 0; events < MAX_EARLY_EVENTS; events += 1) {
        if (face.proves(await dialled.dialogue.next())) return { headers: redacted(line, dialled.headers) }
      }
      throw new GatewayError('wrong_shape', `the session sent ${MAX_EARLY_EVENTS} events without a greeting`)
    } finally {
      dialled.dialogue.close()
    }
  } catch (error) {
    throw described(line, wire, error)
  }
}

/**
 * Passes a client's body on: splice, authorize, stream. Undefined where this provider's words differ and the
 * request must be translated. The hot path: no promise where authorizing needs none, no parse. Of a form `body` is
 * the fields.
 */
export function relay(
  line: Line,
  route: RouteName,
  body: Buffer,
  spans: JsonSpans,
  limits: Limits,
  sink: StreamSink,
  form?: RelayedForm,
): Stream | undefined {
  const face = faceOf(line, route)
  if (face === undefined || face.takes?.(line.target, body, spans) === false) return undefined
  return start(line, relayedRequest(line.target, face, body, spans, form), limits, sink)
}

function faceOf(line: Line, route: RouteName): RelayFace | undefined {
  const codec = line.adapter.codecs[isSideRoute(route) ? SIDE_ROUTES[route] : route]
  if (codec === 'unsupported') throw unsupported(line, route)
  if (!isSideRoute(route)) return codec.isRelayed?.(line.target) === false ? undefined : codec.relay
  const side = codec.sides?.[route]
  if (side === undefined) throw unsupported(line, route)
  return side
}

/** Failures reach the sink as the transport names them: whoever answers the client says where and what to do. */
export function start(line: Line, wire: WireRequest, limits: Limits, sink: StreamSink): Stream {
  const ready = authorized(line, wire, limits)
  if (!(ready instanceof Promise)) return line.transport.stream(ready, limits, sink)
  // For providers that fetch a token first.
  const startedMs = line.clock.elapsed()
  return later(
    ready,
    (request) => line.transport.stream(request, left(limits, startedMs, line.clock), sink),
    sink,
  )
}

function codecOf<M extends HttpMode>(line: Line, mode: M): Codec<M> {
  const codec = line.adapter.codecs[mode]
  if (codec === 'unsupported' || codec.serves?.(line.target) === false) throw unsupported(line, mode)
  return codec
}

function unsupported(line: Line, mode: string): GatewayError {
  return new GatewayError(
    'misconfigured',
    `${nameOf(line)}: provider "${line.adapter.id}" has no ${mode}; check model_info.mode`,
    {
      source: 'gateway',
    },
  )
}

function redacted(line: Line, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, line.redact(value)]))
}

/** Which deployment, what was tried, what came back; our own deadline says so first. */
export function described(line: Line, wire: WireRequest, thrown: unknown): GatewayError {
  const error = asGatewayError(thrown)
  const tried = `${nameOf(line)}: ${wire.method} ${wire.url.split('?')[0] ?? ''}`
  const own = error.kind === 'timeout' && error.upstreamStatus === undefined
  return new GatewayError(
    error.kind,
    line.redact(`${own ? 'Timeout exceeded: ' : ''}${tried}: ${error.message}`),
    {
      isUnsent: error.isUnsent,
      isRefused: error.isRefused,
      isKeyWide: error.isKeyWide,
      source: error.source,
      ...(error.cause === undefined ? {} : { cause: error.cause }),
      ...(error.upstreamStatus === undefined ? {} : { upstreamStatus: error.upstreamStatus }),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      ...(error.param === undefined ? {} : { param: line.redact(error.param) }),
    },
  )
}

/** Ids are 64 hex digits; the first 12 tell deployments of one group apart. */
function nameOf(line: Line): string {
  return `deployment "${line.deployment.group}" (${shortId(line.deployment.id)})`
}
