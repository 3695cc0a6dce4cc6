/** One thing a realtime server does on an open socket. */
export type Step =
  | { readonly kind: 'send'; readonly data: string | Buffer }
  /** A WebSocket ping frame, no message. */
  | { readonly kind: 'ping' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** The connection breaks without a close frame. */
  | { readonly kind: 'break' }
  /** From here on client events are answered. */
  | { readonly kind: 'listen' }
  /** Waits for what the client says next, and goes on with what that brings. */
  | { readonly kind: 'hear'; readonly answer: (text: string) => readonly Step[] }
  /** From here on each message of the client's brings steps of its own. */
  | { readonly kind: 'converse'; readonly answer: (text: string) => readonly Step[] }
  /** Something becomes so at this point. */
  | { readonly kind: 'note'; readonly note: () => void }
