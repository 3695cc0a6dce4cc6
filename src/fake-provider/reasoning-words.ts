import { openaiError } from './reply.ts'
import type { Reply } from './reply.ts'

/** A reasoning model's answer to `max_tokens` (OpenAI, reasoning guide). */
export function budgetRenamed(): Reply {
  const message =
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
  return openaiError(400, { message, param: 'max_tokens', code: 'unsupported_parameter' })
}

/** A reasoning model's answer to a `temperature` other than 1 (OpenAI, reasoning guide). */
export function temperatureRefused(): Reply {
  const message =
    "Unsupported value: 'temperature' does not support this value with this model. Only the default (1) value is supported."
  return openaiError(400, { message, param: 'temperature', code: 'unsupported_value' })
}
