import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { numberOf, textOf } from '../answer.ts'

/** `done_reason` in OpenAI's words. */
export function finishOf(body: JsonObject, hasCalls: boolean): string {
  if (hasCalls) return 'tool_calls'
  return body['done_reason'] === 'length' ? 'length' : 'stop'
}

/** Ollama counts tokens unless the prompt was still in its cache; what was not counted is 0. */
export function usageOf(body: JsonObject): { readonly usage?: JsonObject } {
  const read = numberOf(body['prompt_eval_count'])
  const written = numberOf(body['eval_count'])
  if (read === undefined && written === undefined) return {}
  const [prompt, completion] = [read ?? 0, written ?? 0]
  return {
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  }
}

/** `created_at` in seconds since 1970. */
export function createdOf(body: JsonObject): number {
  const at = Date.parse(textOf(body['created_at']) ?? '')
  return Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
}

/** Answers have no id: the moment they were made, to the nanosecond, stands for one. */
export function idOf(body: JsonObject, kind: 'chatcmpl' | 'cmpl' | 'call'): string {
  return `${kind}-${(textOf(body['created_at']) ?? '').replaceAll(/\D/g, '')}`
}

/** Ollama's calls as OpenAI's, numbered from `first`; arguments become text. */
export function callsOf(listed: Json | undefined, body: JsonObject, first: number): readonly JsonObject[] {
  const calls = Array.isArray(listed) ? listed.filter(isJsonObject) : []
  return calls.map((call, at) => {
    const called = isJsonObject(call['function']) ? call['function'] : {}
    const { arguments: given = {} } = called
    return {
      id: textOf(call['id']) ?? `${idOf(body, 'call')}-${first + at}`,
      type: 'function',
      function: {
        name: textOf(called['name']) ?? '',
        // Servers that stand in for Ollama may have them as text already.
        arguments: typeof given === 'string' ? given : JSON.stringify(given ?? {}),
      },
    }
  })
}

/** Log probabilities stand in a list that OpenAI has under `content`. */
export function logprobsOf(body: JsonObject): JsonObject | null {
  const { logprobs } = body
  return Array.isArray(logprobs) && logprobs.length > 0 ? { content: logprobs, refusal: null } : null
}
