import type { JsonObject } from '../../core/json.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { renamed } from '../openai/surface.ts'
import { sayable, type Sayable } from '../unsaid.ts'
import { LACKS, RENAMES } from './chat-request.ts'

/** What FIMCompletionRequest does not have (https://docs.mistral.ai/api#tag/fim). */
const FIM_LACKS: ReadonlySet<string> = new Set([
  ...LACKS,
  'best_of',
  'echo',
  'frequency_penalty',
  'n',
  'prediction',
  'presence_penalty',
])

/** OpenAI's completion request in the words of fill-in-the-middle. */
export function toMistralCompletion(request: JsonObject, target: Target): Sayable {
  const { said, dropped } = sayable(withDefaults('completion', request, target.bodyDefaults), FIM_LACKS)
  return { said: { ...renamed(said, RENAMES), model: target.model }, dropped }
}
