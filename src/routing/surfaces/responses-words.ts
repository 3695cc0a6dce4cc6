import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { deploymentKey, encodeObjectId } from '../objects/id.ts'
import type { ChatUsage } from './chat-answer.ts'
import { memberOf } from './read-json.ts'
import type { AnswerGround } from './surface.ts'

/** What every form of one response says alike. */
export interface ResponseFrame {
  /** The response as it stands: `status` and `output` are what changes. */
  at(model: string, id: string, changing: JsonObject): JsonObject
}

/** How a response ends, by what ended the chat. */
export function endOf(finish: string | undefined): JsonObject & { readonly status: string } {
  const reason = finish === 'length' ? 'max_output_tokens' : finish === 'content_filter' ? finish : undefined
  return reason === undefined
    ? { status: 'completed', incomplete_details: null }
    : { status: 'incomplete', incomplete_details: { reason } }
}

/** A text, and what is said about it. */
export function textContent(text: string, logprobs: readonly Json[], annotations?: Json): JsonObject {
  return { type: 'output_text', text, annotations: citationsOf(annotations), logprobs }
}

/** A chat nests what a response says flat. */
function citationsOf(annotations: Json | undefined): readonly Json[] {
  if (!Array.isArray(annotations)) return []
  return annotations.map((each: Json) => {
    const citation = memberOf(each, 'url_citation')
    return isJsonObject(citation) ? { type: 'url_citation', ...citation } : each
  })
}

/** The probabilities of a chat's content. */
export function logprobsOf(logprobs: Json): readonly Json[] {
  const content = memberOf(logprobs, 'content')
  return Array.isArray(content) ? content : []
}

/** A message of the model. */
export function messageItem(id: string, status: string, content: readonly JsonObject[]): JsonObject {
  return { id: `msg_${id}`, type: 'message', status, role: 'assistant', content }
}

/** What it thought aloud. */
export function reasoningItem(id: string, text: string): JsonObject {
  const content = text === '' ? [] : [{ type: 'reasoning_text', text }]
  return { id: `rs_${id}`, type: 'reasoning', summary: [], content }
}

/** A call of a client's function. */
export function callItem(id: string, status: string, callId: string, name: string, text: string): JsonObject {
  return { id: `fc_${id}`, type: 'function_call', status, call_id: callId, name, arguments: text }
}

/** A response counts as a chat does, under other names. */
export function usageOf({ prompt, completion, cached, reasoning }: ChatUsage): JsonObject {
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: prompt + completion,
  }
}

/** Members of the request that a response repeats, and what they are where nothing was said. */
const REPEATED: JsonObject = {
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  truncation: 'disabled',
}

/** What a response says besides what changes. */
export function frameOf(asked: JsonObject, { line, now }: AnswerGround): ResponseFrame {
  const key = deploymentKey(line.deployment.id)
  const repeated = Object.fromEntries(
    Object.entries(REPEATED).map(([name, otherwise]) => [name, asked[name] ?? otherwise]),
  )
  return {
    at: (model, id, changing) => ({
      id: encodeObjectId('response', key, id === '' ? 'none' : id),
      object: 'response',
      created_at: now,
      error: null,
      incomplete_details: null,
      model,
      previous_response_id: null,
      reasoning: { effort: memberOf(asked['reasoning'], 'effort') ?? null, summary: null },
      // Nothing is kept, whatever was asked for.
      store: false,
      usage: null,
      ...repeated,
      ...changing,
    }),
  }
}
