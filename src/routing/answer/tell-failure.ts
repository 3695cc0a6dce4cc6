import { asGatewayError } from '../../core/failure.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { AnswerHeaders } from './answer-head.ts'
import type { PassageOptions } from './passage-options.ts'
import type { RelayAnswer } from './relay-answer.ts'
import type { WireResponse } from '../road.ts'

/** What a non-2xx answer means; where finding out breaks, that. */
export function refusalIn(options: PassageOptions, response: WireResponse): GatewayError {
  try {
    return options.refusal(response)
  } catch (thrown) {
    return asGatewayError(thrown)
  }
}

/** Tells that an answer failed, whatever our own code throws meanwhile: nobody waits for ever. */
export function tellFailure(options: PassageOptions, error: GatewayError): void {
  let told = error
  let headers: AnswerHeaders = {}
  try {
    told = options.explain(error)
    headers = options.failureHeaders(error)
  } catch (thrown) {
    told = asGatewayError(thrown)
  }
  orFail(options.client, () => options.answer.fail(told, headers))
}

/** Runs it; what it throws is what the client is told. */
export function orFail(
  client: Pick<RelayAnswer, 'fail'>,
  run: () => void,
  headers: AnswerHeaders = {},
): void {
  try {
    run()
  } catch (thrown) {
    client.fail(asGatewayError(thrown), headers)
  }
}
