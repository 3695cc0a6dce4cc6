import type { GatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import { EVENT_HEADERS, JSON_HEADERS } from '../routing/answer/answer-form.ts'
import type { RelayAnswer } from '../routing/answer/relay-answer.ts'
import { asJsonArray } from '../routing/surfaces/json-array.ts'
import { errorObject } from './error-answer.ts'
import { GOOGLE_ERRORS } from './error-words.ts'

/** How a client of Gemini's wants its answer: whole, as events, or as one array whose objects come one by one. */
export type GoogleForm = 'whole' | 'events' | 'array'

/** What a relayed answer is written to for such a client. `stop` ends what is still to come. */
export function googleAnswer(
  answer: RelayAnswer,
  form: GoogleForm,
  redact: Redact,
  stop: () => void,
): RelayAnswer {
  const errorText = (error: GatewayError): string =>
    JSON.stringify(GOOGLE_ERRORS.body(errorObject(error, redact), error.clientStatus))
  const own = form === 'array' ? asJsonArray(answer, errorText, stop) : answer
  return tellingBlocked(own, form !== 'whole', redact)
}

/**
 * Tells a client of Gemini's that a filter refused its prompt as Google does: by an answer without candidates
 * (https://ai.google.dev/api/generate-content#PromptFeedback). Everybody who could have answered was asked by then.
 */
function tellingBlocked(answer: RelayAnswer, isStream: boolean, redact: Redact): RelayAnswer {
  let hasBegun = false
  return {
    meets: (deployment) => answer.meets?.(deployment),
    head: (status, headers, copies) => {
      hasBegun = true
      answer.head(status, headers, copies)
    },
    data: (chunk) => answer.data(chunk),
    end: (facts) => answer.end(facts),
    fail: (error, headers, efforts) => {
      if (hasBegun || error.kind !== 'content_policy') {
        answer.fail(error, headers, efforts)
        return
      }
      const text = blocked(error, redact)
      const body = Buffer.from(isStream ? `data: ${text}\r\n\r\n` : text)
      const own = isStream ? EVENT_HEADERS : { ...JSON_HEADERS, 'content-length': String(body.length) }
      answer.head(200, { ...headers, ...own })
      answer.data(body)
      answer.end({ bytes: body.length, flaw: error })
    },
  }
}

function blocked(error: GatewayError, redact: Redact): string {
  const { message } = errorObject(error, redact)
  return JSON.stringify({ promptFeedback: { blockReason: 'SAFETY', blockReasonMessage: message } })
}
