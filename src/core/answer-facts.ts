import type { GatewayError } from './failure.ts'

/** Tokens that an answer says it cost, as its provider counted them. */
export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
}

/** What a finished answer amounted to; counted once, whatever the request went through before it. */
export interface AnswerFacts {
  /** Absent where the answer did not say. */
  readonly usage?: Usage
  /**
   * From the attempt's start to the first byte of its answer's body, of a stream to its first event, milliseconds.
   * Comments that keep a connection alive are no event.
   */
  readonly firstByteMs?: number
  /** Body bytes passed on to the client. */
  readonly bytes: number
  /** An error event within a stream that ended in order: the client has read it, and the deployment has failed. */
  readonly flaw?: GatewayError
}
