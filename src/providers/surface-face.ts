import type { BodyEdits, JsonSpans } from '../core/json-spans.ts'
import type { RelayFace, Target } from './adapter.ts'
import type { Refitted } from './refitted.ts'

/** How a provider is asked in another API's words, which it speaks itself. */
export interface SurfaceFace extends RelayFace {
  /** Of an API that only some of a provider's models speak: is this one of them? Absent: all are. */
  readonly serves?: (target: Target) => boolean
  /**
   * A body with the deployment's defaults, and in the form that this model knows; undefined where it is that already.
   * `headers` are the client's that belong to the API.
   */
  refitted?(
    target: Target,
    body: Buffer,
    spans: JsonSpans,
    headers: Readonly<Record<string, string>>,
  ): Refitted | undefined
  /** What becomes of the client's headers that belong to the API. Absent: they go out as they are. */
  readHeaders?(
    target: Target,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    spans: JsonSpans,
  ): HeadersRead
  /** What a body names by its address and the provider wants the bytes of; undefined: nothing. */
  inlining?(body: Buffer, spans: JsonSpans): Inlining | undefined
  /** How it is asked for a stream, where that is another request. */
  readonly streamed?: SurfaceFace
  /** Present where the stream comes in a framing of the provider's own. */
  readonly openFrames?: () => FrameReader
}

/** What is to be fetched before a body can be sent. */
export interface Inlining {
  readonly urls: readonly string[]
  /** The body with what is found there in place of the addresses. */
  filled(found: ReadonlyMap<string, Media>): Buffer
}

/** A picture or document from the web. */
export interface Media {
  /** Without parameters. */
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** A client's headers, as a provider reads them. */
export interface HeadersRead {
  readonly headers: Readonly<Record<string, string>>
  /** What is said in the body instead, or no longer. */
  readonly edits?: Pick<BodyEdits, 'set' | 'remove'>
}

/** A push parser: a provider's frames in any split → the API's own stream, as bytes. */
export interface FrameReader {
  /** Empty where no frame is whole. @throws GatewayError wrong_shape, or what an error in a frame means */
  push(bytes: Uint8Array): Buffer
  /** @throws GatewayError cut where it ends inside a frame */
  end(): void
}
