import type { Clock } from '../../core/clock.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { Redact } from '../../core/secret.ts'
import type { AnswerHeaders } from './answer-head.ts'
import type { Sign } from './event-watch.ts'
import type { Flaw } from './judge.ts'
import type { AskedChoices } from '../request/choices.ts'
import type { AnswerShape } from '../request/operation.ts'
import type { RelayAnswer } from './relay-answer.ts'
import type { WireResponse } from '../road.ts'

/** What a passage needs to know of the exchange it carries. */
export interface PassageOptions {
  readonly answer: RelayAnswer
  /** Whoever waits at the end of it all: told only where `answer` itself breaks. */
  readonly client: Pick<RelayAnswer, 'fail'>
  /** Was an event stream asked for? */
  readonly stream: boolean
  /** What was asked for; absent: one choice. */
  readonly asked?: AskedChoices
  /** What makes a 2xx an answer. */
  readonly shape: AnswerShape
  readonly clock: Pick<Clock, 'precise'>
  /** When the attempt began, by `Clock.precise`. */
  readonly startedMs: number
  /** The headers of a good answer; `arrivedMs`: when its first good bytes were there. */
  successHeaders(arrivedMs: number): Record<string, string>
  /** What the upstream said, for the client: name and value in turns. */
  copies(upstream: AnswerHeaders): readonly string[]
  /** The headers of a failure. */
  failureHeaders(error: GatewayError): AnswerHeaders
  /** Names what a non-2xx answer means. */
  refusal(response: WireResponse): GatewayError
  /** Names what is wrong with a 2xx answer. */
  flawed(flaw: Flaw, response: WireResponse): GatewayError
  /** Adds which deployment it was. */
  explain(error: GatewayError): GatewayError
  /** Ends the exchange with the upstream; `sink.fail` may follow and is ignored. */
  stop(): void
  /** An event of a stream has come, or a ping; comments are neither. */
  heard(sign: Exclude<Sign, 'nothing'>): void
  /** The client can take no more for now. */
  paused(): void
  /** Called once, when the exchange is over. */
  over(): void
  readonly redact: Redact
  /** Set where the answer's `model` is to be replaced. */
  readonly model?: string
}
