import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { CompletionRequest, CompletionResponse } from '../../core/mode.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Encoded, StreamDecoder, Target } from '../adapter.ts'
import { firstObject, notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { errorIn } from '../error-facts.ts'
import { postJson } from '../post-json.ts'
import { watsonxUrl } from './address.ts'
import { whose } from './chat-request.ts'
import { whole } from './finish.ts'
import { eachOf } from '../each-of.ts'

const EXPECTED = 'text in "results[0].generated_text"'

/** OpenAI's names, and watsonx's own, of what stands in `parameters`. */
const PARAMETERS: Readonly<Record<string, string>> = {
  max_tokens: 'max_new_tokens',
  max_completion_tokens: 'max_new_tokens',
  seed: 'random_seed',
  stop: 'stop_sequences',
}

/** OpenAI's members that text generation has no word for. */
const UNSAID: ReadonlySet<string> = new Set([
  'best_of',
  'echo',
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'presence_penalty',
  'suffix',
])
const MEANINGLESS: ReadonlySet<string> = new Set([
  'model',
  'prompt',
  'stream',
  'stream_options',
  'user',
  'project_id',
  'space_id',
])
/** Members beside `parameters`. */
const BESIDE: ReadonlySet<string> = new Set(['moderations'])
/** Without sampling these mean nothing. */
const SAMPLING = ['temperature', 'top_p', 'top_k'] as const

/** Completions (https://cloud.ibm.com/apidocs/watsonx-ai#text-generation, read 2026-11-27). */
export const watsonxGeneration: Codec<'completion'> = {
  encode,
  strangersIn: () => 'parameters',
  decode,
  openStream: openGenerationStream,
}

function encode(request: CompletionRequest, target: Target): Encoded {
  const filled = withDefaults('completion', request, target.bodyDefaults)
  const dropped: string[] = []
  const said = new Map<string, Json>()
  const beside = new Map<string, Json>()
  for (const [name, value] of Object.entries(filled)) {
    if (MEANINGLESS.has(name) || value === null || value === undefined) continue
    if (UNSAID.has(name) || (name === 'n' && value !== 1)) dropped.push(name)
    else if (BESIDE.has(name)) beside.set(name, value)
    else if (name !== 'n')
      said.set(
        entryOf(PARAMETERS, name) ?? name,
        name === 'stop' && typeof value === 'string' ? [value] : value,
      )
  }
  if (!said.has('decoding_method') && SAMPLING.some((name) => said.has(name)))
    said.set('decoding_method', 'sample')
  const url = watsonxUrl(target, request['stream'] === true ? 'text/generation_stream' : 'text/generation')
  const body = {
    ...Object.fromEntries(beside),
    input: request.prompt,
    parameters: Object.fromEntries(said),
    ...whose(target),
  }
  return { ...postJson(url, body), ...(dropped.length > 0 && { dropped }) }
}

function decode(response: WireResponse, target: Target): CompletionResponse {
  const body = readAnswer(response, EXPECTED)
  const result = firstObject(body['results'])
  const text = textOf(result?.['generated_text'])
  if (result === undefined || text === undefined) throw notAnAnswer(response, body, EXPECTED)
  const model = textOf(body['model_id']) ?? target.model
  return { text, model, whole: { ...event(body, model, result), usage: usageOf(result) } }
}

/** One event, or the whole answer, as OpenAI writes it. */
function event(body: JsonObject, model: string, result: JsonObject): JsonObject {
  const created = Date.parse(textOf(body['created_at']) ?? '')
  return {
    id: textOf(body['id']) ?? '',
    object: 'text_completion',
    created: Number.isNaN(created) ? 0 : Math.floor(created / 1_000),
    model,
    choices: [
      {
        index: 0,
        text: textOf(result['generated_text']) ?? '',
        finish_reason: finishOf(result['stop_reason']),
        logprobs: null,
      },
    ],
  }
}

/** @throws GatewayError server_error where the text broke off */
function finishOf(reason: Json | undefined): string | null {
  whole('stop_reason', reason)
  switch (reason) {
    case 'max_tokens':
    case 'token_limit':
    case 'time_limit':
      return 'length'
    case 'not_finished':
    case undefined:
      return null
    default:
      return 'stop'
  }
}

function usageOf(result: JsonObject): JsonObject {
  const read = numberOf(result['input_token_count']) ?? 0
  const written = numberOf(result['generated_token_count']) ?? 0
  return { prompt_tokens: read, completion_tokens: written, total_tokens: read + written }
}

/** Events of the same shape as the whole answer, each with the text since the last one. */
export function openGenerationStream(target: Target): StreamDecoder<JsonObject> {
  const parser = createSseParser()
  let hasFinished = false
  let last: { readonly head: JsonObject; readonly usage: JsonObject } | undefined
  const read = ({ data }: { readonly data: string }): readonly JsonObject[] => {
    const body = parseJson(data)
    const result = isJsonObject(body) ? firstObject(body['results']) : undefined
    if (!isJsonObject(body) || result === undefined) throw noEvent(body)
    const made = event(body, textOf(body['model_id']) ?? target.model, result)
    hasFinished ||= finishOf(result['stop_reason']) !== null
    const { choices: _, ...head } = made
    // The first event counts what was read, each one what has been written so far.
    const usage = usageOf(result)
    const before = numberOf(last?.usage['prompt_tokens']) ?? 0
    last = { head, usage: numberOf(usage['prompt_tokens']) === 0 ? counted(before, usage) : usage }
    return [made]
  }
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      const events = parser.end().flatMap(read)
      if (!hasFinished || last === undefined)
        throw new GatewayError('cut', 'the stream ended before its last event')
      return [...events, { ...last.head, choices: [], usage: last.usage }]
    },
  }
}

function counted(read: number, usage: JsonObject): JsonObject {
  const written = numberOf(usage['completion_tokens']) ?? 0
  return { ...usage, prompt_tokens: read, total_tokens: read + written }
}

function noEvent(body: Json | undefined): GatewayError {
  const facts = body === undefined ? undefined : errorIn(body)
  return facts === undefined
    ? new GatewayError('wrong_shape', 'the stream holds an event without results')
    : new GatewayError('server_error', `the stream broke off with an error: ${facts.text}`)
}
