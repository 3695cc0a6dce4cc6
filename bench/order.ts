import type { RequestKind } from './messages.ts'

/** What the load generator is to do. */
export interface Order {
  readonly port: number
  readonly kind: RequestKind
  readonly connections: number
  /** How long whole answers are asked for. Of streams each connection has exactly one, whatever stands here. */
  readonly durationMs: number
  /**
   * Requests are begun at this pace whatever the answers do, and timed from the moment that was theirs. Without it
   * each connection asks again as soon as it is answered.
   */
  readonly perSecond?: number
}

/** What the load generator saw. */
export interface Seen {
  /** Answers, or events of streams. */
  readonly units: number
  readonly failures: number
  readonly wallMs: number
  /** Of whole answers, microseconds to the last byte: from the first one sent, or from the planned moment. */
  readonly p50Us: number
  readonly p99Us: number
}

/** True for what the runner tells the generator. */
export function isOrder(message: unknown): message is Order {
  return typeof message === 'object' && message !== null && 'connections' in message && 'kind' in message
}

/** True for what the generator reports. */
export function isSeen(message: unknown): message is Seen {
  return typeof message === 'object' && message !== null && 'units' in message && 'p99Us' in message
}
