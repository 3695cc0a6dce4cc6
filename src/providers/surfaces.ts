import type { JsonSpans } from '../core/json-spans.ts'
import { scanObject } from '../core/json-spans.ts'
import type { Limits, Stream, StreamSink, WireRequest } from '../transport/wire.ts'
import type { Target } from './adapter.ts'
import { BETA_HEADER } from './betas.ts'
import { start } from './call.ts'
import type { Line } from './call.ts'
import { relayedRequest } from './relayed-request.ts'
import type { HeadersRead, SurfaceFace } from './surface-face.ts'
import type { SurfaceName } from './surface-name.ts'
import { unframed } from './unframed.ts'

/**
 * Passes a body in a surface's words on to a provider that speaks them itself. `headers` are the client's own that
 * belong to it: they say what form the body has, and so beat the adapter's defaults, but not what the config says; what is
 * in beta is asked for by both.
 */
export function relaySurface(
  line: Line,
  face: SurfaceFace,
  body: Buffer,
  spans: JsonSpans,
  limits: Limits,
  sink: StreamSink,
  headers: Readonly<Record<string, string>>,
): Stream {
  const { headers: configured } = line.deployment.connection
  const isOwn = (name: string): boolean => configured[name] === undefined || name === BETA_HEADER
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => isOwn(name)))
  const { wire, over } = surfaceRequest(face, line.target, body, spans, own)
  const authorize: Line['authorize'] = (request) => {
    const ready = line.authorize(request)
    return ready instanceof Promise ? ready.then((each) => withHeaders(each, over)) : withHeaders(ready, over)
  }
  return start(
    { ...line, authorize },
    wire,
    limits,
    face.openFrames === undefined ? sink : unframed(sink, face.openFrames),
  )
}

/** A request in a surface's words, without credentials. */
export interface SurfaceRequest {
  readonly wire: WireRequest
  /** Headers of the client's that go out whatever is set with the credentials. */
  readonly over: Readonly<Record<string, string>>
}

/** What a body in a surface's words becomes on the wire, with the client's headers read. */
export function surfaceRequest(
  face: SurfaceFace,
  target: Target,
  body: Buffer,
  spans: JsonSpans,
  headers: Readonly<Record<string, string>>,
): SurfaceRequest {
  const { headers: passed, edits } = face.readHeaders?.(target, headers, body, spans) ?? { headers }
  const wire = relayedRequest(
    target,
    edits === undefined ? face : alsoEdited(face, edits),
    body,
    spans,
    undefined,
  )
  const { [BETA_HEADER]: betas, ...over } = passed
  return betas === undefined ? { wire, over } : { wire: withHeaders(wire, { [BETA_HEADER]: betas }), over }
}

function withHeaders(request: WireRequest, headers: Readonly<Record<string, string>>): WireRequest {
  return { ...request, headers: { ...request.headers, ...headers } }
}

function alsoEdited(face: SurfaceFace, { set, remove = [] }: NonNullable<HeadersRead['edits']>): SurfaceFace {
  const edits: SurfaceFace['edits'] = (target) => {
    const own = face.edits(target)
    return { ...own, set: { ...own.set, ...set }, remove: [...(own.remove ?? []), ...remove] }
  }
  return { ...face, edits }
}

/** How this deployment's provider is asked there in the surface's own words; undefined: it speaks others. */
export function surfaceFace(
  { adapter, target }: Pick<Line, 'adapter' | 'target'>,
  surface: SurfaceName,
  isStream = false,
): SurfaceFace | undefined {
  const face = adapter.surfaces?.[surface]
  if (face === undefined || face.serves?.(target) === false) return undefined
  return isStream ? (face.streamed ?? face) : face
}

/** A body in a surface's words that a deployment can be sent. */
export interface SurfaceBody {
  readonly body: Buffer
  readonly spans: JsonSpans
  /** Members that do not go with the form in which this model knows the others. */
  readonly dropped: readonly string[]
}

/** The same body, or another where the deployment has something to add, or knows what is said in another form only. */
export function fittedBody(
  face: SurfaceFace,
  target: Target,
  body: Buffer,
  spans: JsonSpans,
  headers: Readonly<Record<string, string>>,
): SurfaceBody {
  const anew = face.refitted?.(target, body, spans, headers)
  return anew === undefined ? { body, spans, dropped: [] } : { ...anew, spans: scanObject(anew.body) }
}
