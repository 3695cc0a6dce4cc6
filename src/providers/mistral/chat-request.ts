import { entryOf } from '../../core/entry-of.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { renamed } from '../openai/surface.ts'
import { CHANGES_NOTHING, OPENAI_ALONE, sayable, type Sayable } from '../unsaid.ts'
import { unmarked, unmarkedTool, untold } from '../untold.ts'
import { toMistralMessage } from './messages.ts'

/** OpenAI's names that Mistral has under another name. */
export const RENAMES = { max_completion_tokens: 'max_tokens', seed: 'random_seed' } as const

/** Members that change no answer and that Mistral refuses. */
export const SILENT: readonly string[] = OPENAI_ALONE.filter((name) => CHANGES_NOTHING.has(name))

/**
 * OpenAI's members that Mistral's chat does not have: it answers 422 to each of them (ChatCompletionRequest of
 * https://docs.mistral.ai/api, as its client of 2026-11 has it). So with LiteLLM's word for Claude's thinking; other
 * members that are not OpenAI's are carried.
 */
export const LACKS: ReadonlySet<string> = new Set([
  ...OPENAI_ALONE,
  'logit_bias',
  'logprobs',
  'thinking',
  'top_logprobs',
])

/** OpenAI's chat request in Mistral's words. */
export function toMistralChat(request: ChatRequest, target: Target): Sayable {
  const { said, dropped } = sayable(withDefaults('chat', request, target.bodyDefaults), LACKS)
  const { messages: _, reasoning_effort: effort, tools, ...rest } = renamed(said, RENAMES)
  const reasons = answersInParts(target, said)
  return {
    said: {
      ...rest,
      ...(typeof effort === 'string' ? { reasoning_effort: entryOf(EFFORTS, effort) ?? effort } : {}),
      model: target.model,
      messages: request.messages.map((message) => toMistralMessage(unmarked(message), reasons)),
      ...(tools !== undefined && { tools: Array.isArray(tools) ? tools.map(unmarkedTool) : tools }),
    },
    dropped: [...dropped, ...untold({ ...said, messages: request.messages }, TOLD)],
  }
}

/** What it is told below the top level. */
const TOLD: ReadonlySet<string> = new Set([
  'messages[].content[].image_url.detail',
  'tools',
  'tools[].function.strict',
])

/** Mistral knows two efforts (https://docs.mistral.ai/capabilities/reasoning, read 2026-11-27). */
const EFFORTS: Readonly<Record<string, string>> = {
  minimal: 'none',
  low: 'high',
  medium: 'high',
  xhigh: 'high',
  max: 'high',
}

/** Models that think, or are asked to, answer with parts of `type: thinking`. */
function answersInParts({ model }: Target, body: JsonObject): boolean {
  return THINKERS.test(model) || isThere(body['reasoning_effort']) || isThere(body['prompt_mode'])
}

const THINKERS = /magistral/i

function isThere(value: Json | undefined): boolean {
  return value !== undefined && value !== null
}

/** A body with one of these is translated: its words, or those of its answer, are not OpenAI's. */
const TRANSLATED: ReadonlySet<string> = new Set(
  [...LACKS, 'reasoning_effort', 'prompt_mode', 'tools'].filter((name) => !SILENT.includes(name)),
)

/**
 * Members and values within messages that Mistral has otherwise or not at all, those among them that an answer of
 * another provider's had and a client gives back. Where one stands in a text, quotes and
 * all, the request is translated for nothing: that changes no word of it.
 */
const FOREIGN =
  /"(?:tool_call|(?:refusal|developer|name|reasoning(?:_content|_details)?|thinking_blocks|provider_specific_fields|images|annotations|function_call|input_audio|file|audio|cache_control|prompt_cache_breakpoint)")/

/** Is this body Mistral's already, but for edits of its top level, and will the answer be OpenAI's? */
export function isMistrals(target: Target, body: Buffer, { members }: JsonSpans): boolean {
  if (THINKERS.test(target.model)) return false
  for (const name in target.bodyDefaults) if (TRANSLATED.has(name)) return false
  for (const { key, valueStart, valueEnd } of members) {
    if (TRANSLATED.has(key)) return false
    if (key !== 'messages') continue
    // One byte a character is enough: what is looked for is ASCII.
    if (FOREIGN.test(body.toString('latin1', valueStart, valueEnd))) return false
  }
  return true
}
