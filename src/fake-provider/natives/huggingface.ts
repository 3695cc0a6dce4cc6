import type { Json, JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { embeddingVector } from '../vector.ts'
import { bearerOf, isValid, strangeMember, toolsToCall } from './asked.ts'
import type { Native, NativeCall } from './native.ts'

const USAGE = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } as const

/**
 * Hugging Face: the router's chat and pipelines, and an endpoint that was made for vectors
 * (https://huggingface.co/docs/inference-providers/tasks, read 2026-11-27).
 */
export const HUGGINGFACE: Native = {
  id: 'huggingface',
  answer: (call) => {
    if (!isValid(bearerOf(call), call)) return jsonReply(401, { error: 'Invalid username or password.' })
    const route = routeOf(call.path)
    if (route === undefined) return jsonReply(404, { error: 'Not Found' })
    if (call.method !== route.method) return jsonReply(405, { error: 'Method Not Allowed' })
    return refused(call, route) ?? route.answer(call.json ?? {})
  },
  error: (status, message, headers) =>
    jsonReply(status, { error: message, ...(status === 503 ? { estimated_time: 20 } : {}) }, headers),
}

/** A route: how it is asked, and what its body may and must hold. */
interface Route {
  readonly method: 'GET' | 'POST'
  readonly members?: ReadonlySet<string>
  readonly required?: readonly string[]
  readonly answer: (body: JsonObject) => Reply
}

const CHAT: Route = {
  method: 'POST',
  members: new Set([
    'frequency_penalty',
    'logprobs',
    'max_tokens',
    'messages',
    'model',
    'presence_penalty',
    'reasoning_effort',
    'response_format',
    'seed',
    'stop',
    'stream',
    'stream_options',
    'temperature',
    'tool_choice',
    'tool_prompt',
    'tools',
    'top_logprobs',
    'top_p',
  ]),
  required: ['model', 'messages'],
  answer: chat,
}

/**
 * Of an endpoint that was made for texts: text-generation-inference
 * (https://huggingface.github.io/text-generation-inference, `/v1/completions`, read 2026-11-27).
 */
const COMPLETION: Route = {
  method: 'POST',
  members: new Set(
    `frequency_penalty max_tokens model prompt repetition_penalty seed stop stream stream_options suffix temperature
    top_p`.split(/\s+/),
  ),
  required: ['model', 'prompt'],
  answer: ({ model }) =>
    jsonReply(200, {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1_700_000_000,
      model,
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
      usage: USAGE,
    }),
}

const FEATURES: Route = {
  method: 'POST',
  members: new Set(['inputs', 'normalize', 'prompt_name', 'truncate', 'truncation_direction']),
  required: ['inputs'],
  answer: ({ inputs }) => vectors(inputs),
}

/**
 * text-embeddings-inference, which cuts vectors to a size
 * (https://github.com/huggingface/text-embeddings-inference/pull/676, read 2026-11-27).
 */
const ENDPOINT: Route = {
  ...FEATURES,
  members: new Set([...(FEATURES.members ?? []), 'dimensions']),
  answer: ({ inputs, dimensions: size }) =>
    size === undefined || (typeof size === 'number' && size > 0 && size <= 3)
      ? vectors(inputs, size)
      : jsonReply(422, { error: '`dimensions` must be between 1 and 3', error_type: 'Validation' }),
}

function routeOf(path: string): Route | undefined {
  if (path === '/v1/models')
    return { method: 'GET', answer: () => jsonReply(200, { object: 'list', data: [] }) }
  if (path === '/v1/chat/completions') return CHAT
  if (path === '/v1/completions') return COMPLETION
  if (path === '/' || path === '/embed') return ENDPOINT
  return /^\/hf-inference\/models\/.+\/pipeline\/feature-extraction$/.test(path) ? FEATURES : undefined
}

function refused({ json }: NativeCall, { members, required = [] }: Route): Reply | undefined {
  if (members === undefined) return undefined
  if (json === undefined) return jsonReply(400, { error: 'the body is no JSON object' })
  const lost = required.find((name) => json[name] === undefined)
  if (lost !== undefined) return jsonReply(422, { error: `missing field \`${lost}\`` })
  const strange = strangeMember(json, members)
  return strange === undefined ? undefined : jsonReply(422, { error: `unknown field \`${strange}\`` })
}

function chat(body: JsonObject): Reply {
  const { model } = body
  const calls = toolsToCall(body).map((name, index) => ({
    index,
    id: `call_${index}`,
    type: 'function',
    function: { name, arguments: '{"city":"Oslo"}' },
  }))
  const finish = calls.length > 0 ? 'tool_calls' : 'stop'
  const head = { id: 'chatcmpl-1', created: 1_700_000_000, model }
  if (body['stream'] !== true) {
    const said = calls.length > 0 ? { content: null, tool_calls: calls } : { content: 'pong' }
    const choices = [{ index: 0, message: { role: 'assistant', ...said }, finish_reason: finish }]
    return jsonReply(200, { ...head, object: 'chat.completion', choices, usage: USAGE })
  }
  const event = (choices: readonly Json[], more: JsonObject = {}): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  const delta = (delta: JsonObject, reason: string | null = null): string =>
    event([{ index: 0, delta, finish_reason: reason }])
  const options = body['stream_options']
  const chunks = [
    delta({ role: 'assistant', content: '' }),
    ...(calls.length > 0
      ? calls.map((call) => delta({ tool_calls: [call] }))
      : [delta({ content: 'po' }), delta({ content: 'ng' })]),
    delta({}, finish),
    ...(options === undefined ? [] : [event([], { usage: USAGE })]),
    'data: [DONE]\n\n',
  ]
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, chunks }
}

/** A bare list, one vector a text. */
function vectors(inputs: Json | undefined, size = 3): Reply {
  const rows = (Array.isArray(inputs) ? inputs : [inputs]).map(() => embeddingVector(size))
  return { status: 200, headers: { 'content-type': 'application/json' }, chunks: [JSON.stringify(rows)] }
}
