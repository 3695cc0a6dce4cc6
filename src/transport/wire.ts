import type { Readable } from 'node:stream'
import type { OpenSocket } from '../core/web-socket.ts'

/** A request as it goes on the wire. Header names are lower case. */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** In place of `body`. Sent in chunks unless the headers name its size. */
  readonly streamed?: StreamedBody
}

/** A body that is made while it is sent. */
export interface StreamedBody {
  /** Could it be sent from its start now? What a client sends can be read once. */
  canOpen(): boolean
  /** The body from its start; nothing is taken from where it comes from before it is read. */
  open(): Readable
}

/** A whole answer. Header names are lower case; repeated headers are joined by `, `. */
export interface WireResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** How long and how much we are willing to take. */
export interface Limits {
  /** From the call to the last byte, milliseconds. */
  readonly timeoutMs: number
  /** Longest silence between two chunks of a body, milliseconds. Default: `timeoutMs`. */
  readonly idleTimeoutMs?: number
  /**
   * Longest wait of a stream or a relayed WebSocket for its connection, milliseconds; asked for only where none is open. The transport's own
   * patience still holds. Default: that alone.
   */
  readonly connectTimeoutMs?: () => number
  /** Largest body we read, bytes; more is `wrong_shape`. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

/** Receives an answer piece by piece. Exactly one of `end` and `fail` is called, last. */
export interface StreamSink {
  head(status: number, headers: Readonly<Record<string, string>>): void
  /** False asks the stream to pause; the owner calls `resume` when it can take more. */
  data(chunk: Buffer): boolean
  end(): void
  /** A GatewayError of kind unreachable, tls, timeout, cut, wrong_shape or cancelled. */
  fail(error: Error): void
}

/** A running exchange. */
export interface Stream {
  resume(): void
  /** Tears the upstream request down at once; `fail` is called with kind `cancelled` unless already over. */
  cancel(): void
}

/** A WebSocket to open. */
export interface DialRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly protocols: readonly string[]
}

/** An open WebSocket. */
export interface Dialogue {
  /** The next message as text; rejects with a GatewayError (`cut`, `timeout`, …) if none comes. */
  next(): Promise<string>
  send(text: string): void
  /** Closes with 1000 and does not wait for long. */
  close(): void
}

/** The network. The only place where bytes leave the process. */
export interface Transport {
  /** @throws GatewayError unreachable, tls, timeout, cut, wrong_shape (too large), cancelled */
  send(request: WireRequest, limits: Limits): Promise<WireResponse>
  stream(request: WireRequest, limits: Limits, sink: StreamSink): Stream
  /** Resolves once upgraded; an HTTP answer instead of an upgrade resolves with that answer. */
  dial(
    request: DialRequest,
    limits: Limits,
  ): Promise<
    | { readonly dialogue: Dialogue; readonly headers: Readonly<Record<string, string>> }
    | { readonly refused: WireResponse }
  >
  /**
   * As `dial`, for a socket that is relayed: it comes paused, and the limits end with the handshake but for
   * `maxBytes`, the size of a message.
   */
  openSocket(
    request: DialRequest,
    limits: Limits,
  ): Promise<
    | { readonly socket: OpenSocket; readonly headers: Readonly<Record<string, string>> }
    | { readonly refused: WireResponse }
  >
  /**
   * Does a connection to the host of a URL come about, within the transport's own patience? Nothing is sent on it and
   * it is not kept. Who asks while the same is being found out gets the same answer. Never rejects.
   */
  reach(url: string): Promise<boolean>
  close(): Promise<void>
}
