import type { AnswerFacts } from '../../core/answer-facts.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { AnswerHeaders } from './answer-head.ts'
import type { Efforts } from './explain.ts'

/** Where an answer goes. `head` and `data` are for a good one; exactly one of `end` and `fail` is called, last. */
export interface RelayAnswer {
  /** Told of the deployments that a request comes to: one of its group first, then each that is asked. */
  meets?(deployment: Deployment): void
  /** `copies`: what the upstream said, name and value in turns; `headers` are ours and beat them. */
  head(status: number, headers: AnswerHeaders, copies?: readonly string[]): void
  /** False asks for a pause; the owner calls `resume` of the exchange when it can take more. */
  data(chunk: Buffer): boolean
  end(facts: AnswerFacts): void
  /** Before `head`: an error answer is still possible. After it: end honestly. */
  fail(error: GatewayError, headers: AnswerHeaders, efforts?: Efforts): void
}
