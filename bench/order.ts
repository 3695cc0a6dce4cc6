import type { RequestKind } from './messages.ts'

/** What the load generator is to do. */
export interface Order {
  readonly port: number
  /** Header lines that one contestant needs and the others do not. */
  readonly headers?: readonly string[]
  readonly task: Task
}

/** One way of asking. */
export type Task = ClosedLoop | OpenLoop | Streams | Aborts | Sessions

/** Each connection asks again as soon as it is answered. */
export interface ClosedLoop {
  readonly how: 'closed'
  readonly kind: RequestKind
  readonly connections: number
  readonly durationMs: number
}

/** Requests are planned at this pace whatever the answers do, and timed from the moment that was theirs. */
export interface OpenLoop {
  readonly how: 'open'
  readonly kind: RequestKind
  /** The most that are in flight at once; a request that finds none free begins late. */
  readonly connections: number
  readonly durationMs: number
  readonly perSecond: number
}

/** One streamed answer on each connection, read to its end. */
export interface Streams {
  readonly how: 'streams'
  /** Default: in the words that the client speaks. */
  readonly kind?: 'stream' | 'translated stream'
  readonly connections: number
}

/** Streams that their client leaves at the first bytes, over and over. */
export interface Aborts {
  readonly how: 'aborts'
  readonly connections: number
  readonly durationMs: number
}

/** WebSocket sessions: each sends its next message as soon as the last one has come back. */
export interface Sessions {
  readonly how: 'sessions'
  readonly connections: number
  readonly durationMs: number
}

/** What the load generator saw. */
export interface Seen {
  /** Good answers, events of whole streams, or messages passed on. */
  readonly units: number
  /** Whatever was asked, or planned, and did not end well. */
  readonly failures: number
  readonly wallMs: number
  /** Of good whole answers, microseconds to the last byte: from the first one sent, or from the planned moment. */
  readonly p50Us: number
  readonly p99Us: number
  /** Of the two loops. */
  readonly loop?: LoopSeen
}

/** How asking went under more load than can be served. */
export interface LoopSeen {
  /** Good answers that came before the time was over. */
  readonly inTime: number
  readonly begun: number
  /** Answers other than the expected one, by status. */
  readonly refused: Readonly<Record<string, number>>
  /** Of the refused: how many said when to come back. */
  readonly retryAfter: number
  /** Connections that ended with a request on them. */
  readonly broken: number
  /** Begun late by more than `LATE_MS` because every connection was taken. */
  readonly late: number
  /** The same because the generator itself was: more than a few, and the figures are worth nothing. */
  readonly lateByGenerator: number
  /** Planned, and still without a connection when the time was over. */
  readonly neverBegun: number
}

/** True for what the runner tells the generator. */
export function isOrders(message: unknown): message is readonly Order[] {
  return Array.isArray(message) && message.every((each) => typeof each === 'object' && 'task' in each)
}

/** True for what the generator reports, in the order of the orders. */
export function isSeen(message: unknown): message is readonly Seen[] {
  return Array.isArray(message) && message.every((each) => typeof each === 'object' && 'p99Us' in each)
}
