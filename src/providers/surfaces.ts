import type { JsonSpans } from '../core/json-spans.ts'
import type { Limits, Stream, StreamSink, WireRequest } from '../transport/wire.ts'
import type { RelayFace } from './adapter.ts'
import { start } from './call.ts'
import type { Line } from './call.ts'
import { relayedRequest } from './relayed-request.ts'
import type { SurfaceName } from './surface-name.ts'

/**
 * Passes a body in a surface's words on to a provider that speaks them itself. `headers` are the client's own that
 * belong to it: they say what form the body has, and so beat the adapter's defaults, but not what the config says.
 */
export function relaySurface(
  line: Line,
  face: RelayFace,
  body: Buffer,
  spans: JsonSpans,
  limits: Limits,
  sink: StreamSink,
  headers: Readonly<Record<string, string>>,
): Stream {
  const { headers: configured } = line.deployment.connection
  const own = Object.fromEntries(Object.entries(headers).filter(([name]) => configured[name] === undefined))
  const authorize: Line['authorize'] = (request) => {
    const ready = line.authorize(request)
    return ready instanceof Promise ? ready.then((each) => withHeaders(each, own)) : withHeaders(ready, own)
  }
  return start(
    { ...line, authorize },
    relayedRequest(line.target, face, body, spans, undefined),
    limits,
    sink,
  )
}

function withHeaders(request: WireRequest, headers: Readonly<Record<string, string>>): WireRequest {
  return { ...request, headers: { ...request.headers, ...headers } }
}

/** How this deployment's provider is asked there in the surface's own words; undefined: it speaks others. */
export function surfaceFace(line: Line, surface: SurfaceName): RelayFace | undefined {
  const face = line.adapter.surfaces?.[surface]
  return face?.serves?.(line.target) === false ? undefined : face
}
