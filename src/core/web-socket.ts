/** What one message of a WebSocket comes in; by default one Buffer. */
export type MessageBytes = Buffer | ArrayBuffer | readonly Buffer[]

/** The part of an open WebSocket that a relay needs, at either end; `ws` has it. */
export interface OpenSocket {
  /** Bytes handed to `send` that have not left the process. */
  readonly bufferedAmount: number
  on(event: 'message', listener: (data: MessageBytes, isBinary: boolean) => void): unknown
  /** 1005: the peer gave no code; 1006: the connection broke (RFC 6455 §7.1.5). */
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown
  /** Always followed by `close`. */
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ping' | 'pong', listener: () => void): unknown
  /** `flushed` is called when the message has left the process, or never will. */
  send(data: Buffer, options: { readonly binary: boolean }, flushed: () => void): void
  ping(): void
  /** Nothing is read, neither messages nor pongs nor the end, until `resume`. */
  pause(): void
  resume(): void
  /** Sends a close frame after everything that waits to be sent. */
  close(code?: number, reason?: string): void
  terminate(): void
}

/** The largest message that passes, bytes; each side's fragments are counted together. */
export const MAX_SOCKET_MESSAGE_BYTES = 16 * 1024 * 1024

/** Codes that say what a peer saw and may never be sent (RFC 6455 §7.4). */
const NEVER_SENT: ReadonlySet<number> = new Set([1004, 1005, 1006, 1015])
/** A control frame holds 125 bytes, two of them the code (RFC 6455 §5.5). */
const MAX_REASON_BYTES = 123

/** True where a close frame may carry this code. */
export function isSendableCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && !NEVER_SENT.has(code)) || (code >= 3000 && code <= 4999)
}

/** A reason as long as a close frame takes, cut between characters. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_REASON_BYTES) return text
  let end = MAX_REASON_BYTES
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}
