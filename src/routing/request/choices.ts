import { GatewayError } from '../../core/failure.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { Operation } from './operation.ts'

/** A request as it went out, so far as one may ask how many choices its answer has. */
export interface AskedChoices {
  readonly operation: Pick<Operation, 'mode'>
  readonly body: Buffer
  readonly spans: JsonSpans
}

/** How many choices an answer to this request has: `n`, and that for each prompt of a completion. */
export function choicesAsked({ operation, body, spans }: AskedChoices): number {
  try {
    const n = memberValue(body, spans, 'n')
    const each = typeof n === 'number' && Number.isSafeInteger(n) && n > 1 ? n : 1
    return operation.mode === 'completion' ? each * promptsIn(body, spans) : each
  } catch (error) {
    // What the provider made of it, if it took it at all, is not known here.
    if (error instanceof GatewayError) return 1
    throw error
  }
}

/** A list of numbers is one prompt, in tokens. */
function promptsIn(body: Buffer, spans: JsonSpans): number {
  const prompt = memberValue(body, spans, 'prompt')
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(prompt.length, 1) : 1
}
