import type { JsonSpans } from '../core/json-spans.ts'
import { scanObject } from '../core/json-spans.ts'
import type { Limits, Stream, StreamSink, WireRequest } from '../transport/wire.ts'
import type { Target } from './adapter.ts'
import { start } from './call.ts'
import type { Line } from './call.ts'
import { relayedRequest } from './relayed-request.ts'
import type { HeadersRead, SurfaceFace } from './surface-face.ts'
import type { SurfaceName } from './surface-name.ts'
import { unframed } from './unframed.ts'

/**
 * Passes a body in a surface's words on to a provider that speaks them itself. `headers` are the client's own that
 * belong to it: they say what form the body has, and so beat the adapter's defaults, but not what the config says.
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
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => configured[name] === undefined))
  const { headers: passed, edits } = face.readHeaders?.(own, body, spans) ?? { headers: own }
  const authorize: Line['authorize'] = (request) => {
    const ready = line.authorize(request)
    return ready instanceof Promise
      ? ready.then((each) => withHeaders(each, passed))
      : withHeaders(ready, passed)
  }
  return start(
    { ...line, authorize },
    relayedRequest(line.target, edits === undefined ? face : alsoEdited(face, edits), body, spans, undefined),
    limits,
    face.openFrames === undefined ? sink : unframed(sink, face.openFrames),
  )
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

/** The same body, or another where the deployment knows what is said in it in another form only. */
export function fittedBody(face: SurfaceFace, target: Target, body: Buffer, spans: JsonSpans): SurfaceBody {
  const anew = face.refitted?.(target, body, spans)
  return anew === undefined ? { body, spans, dropped: [] } : { ...anew, spans: scanObject(anew.body) }
}
