import { scanObject } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { left } from '../../providers/authorized.ts'
import type { Line } from '../../providers/call.ts'
import { later } from '../../providers/later.ts'
import { relaySurface } from '../../providers/surfaces.ts'
import type { Limits, Stream, StreamSink } from '../road.ts'
import { fetchAll, type FetchMedia } from '../translate/inline-media.ts'
import type { SurfaceAttempt } from './attempt.ts'

/** A request in a surface's words, for a provider that speaks them. */
export interface NativeAsked {
  readonly native: NonNullable<SurfaceAttempt['native']>
  readonly body: Buffer
  readonly spans: JsonSpans
}

/**
 * Asks in the surface's own words; what a body names by its address is fetched first where the provider wants the bytes.
 * @throws GatewayError bad_request (the client's doing) for more of it than is fetched
 */
export function askNative(
  line: Line,
  { native: { face, headers }, body, spans }: NativeAsked,
  limits: Limits,
  sink: StreamSink,
  fetchMedia: FetchMedia,
): Stream {
  const inlining = face.inlining?.(body, spans)
  if (inlining === undefined) return relaySurface(line, face, body, spans, limits, sink, headers)
  const startedMs = line.clock.elapsed()
  return later(
    fetchAll(inlining.urls, limits, fetchMedia).then((found) => inlining.filled(found)),
    (filled) => {
      const rest = left(limits, startedMs, line.clock)
      return relaySurface(line, face, filled, scanObject(filled), rest, sink, headers)
    },
    sink,
  )
}
