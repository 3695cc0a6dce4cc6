import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { embeddingVector } from '../vector.ts'
import { bearerOf, isValid, objectsIn, strangeMember, toolsToCall } from './asked.ts'
import type { Native, NativeCall } from './native.ts'

/** What is listed as pulled. A model that is not listed answers too, unless its name says that it was never pulled. */
const MODELS = [
  'gpt-oss:20b',
  'llama3:latest',
  'llama3.1:latest',
  'llama3.2:latest',
  'llava:latest',
  'nomic-embed-text:latest',
  'qwen3:8b',
] as const
/** What is in memory, whoever asks; the others are loaded by asking for them, which the journal shows. */
const LOADED = ['qwen3:8b'] as const
const EXPIRES = '2318-04-20T10:00:00.184789-07:00'
const CREATED = '2023-11-14T22:13:20.184789Z'
const COUNTS = { total_duration: 5_000_000, prompt_eval_count: 5, eval_count: 1 } as const

/** Ollama (https://docs.ollama.com/api and its OpenAPI document, read 2026-11-27). It knows no keys of its own. */
export const OLLAMA: Native = {
  id: 'ollama',
  paths: /^\/api\/(chat|generate|embed|tags|ps|version)$/,
  answer: (call) => refused(call) ?? served(call),
  error: (status, message, headers) => jsonReply(status, { error: message }, headers),
}

function refused(call: NativeCall): Reply | undefined {
  const { path, method, json } = call
  if (call.keys !== undefined && !isValid(bearerOf(call), call)) return failure(401, 'unauthorized')
  const route = ROUTES[path]
  if (route === undefined)
    return { status: 404, headers: { 'content-type': 'text/plain' }, chunks: ['404 page not found'] }
  if (method !== route.method)
    return { status: 405, headers: { 'content-type': 'text/plain' }, chunks: ['405 method not allowed'] }
  if (route.members === undefined) return undefined
  if (json === undefined) return failure(400, 'missing request body')
  const { model } = json
  if (typeof model !== 'string' || model === '') return failure(400, 'model is required')
  const strange = strangeMember(json, route.members) ?? strangeOption(json['options']) ?? strangeWords(json)
  if (strange !== undefined) return failure(400, `json: unknown field "${strange}"`)
  if (model.startsWith('never-pulled')) return failure(404, `model '${model}' not found`)
  const isEmbedder = model.startsWith('nomic-embed')
  if (path === '/api/chat' && isEmbedder) return failure(400, `"${model}" does not support chat`)
  return path === '/api/generate' && isEmbedder
    ? failure(400, `"${model}" does not support generate`)
    : undefined
}

/** A route: how it is asked and, of bodies, what they may hold. */
interface Route {
  readonly method: 'GET' | 'POST'
  readonly members?: ReadonlySet<string>
  readonly answer: (body: JsonObject) => Reply
}

const SHARED = ['model', 'options', 'keep_alive']
const SPOKEN = [...SHARED, 'format', 'stream', 'think', 'logprobs', 'top_logprobs']

const ROUTES: Readonly<Record<string, Route>> = {
  '/api/version': { method: 'GET', answer: () => jsonReply(200, { version: '0.14.0' }) },
  '/api/ps': {
    method: 'GET',
    answer: () =>
      jsonReply(200, {
        models: LOADED.map((name) => ({ name, model: name, size: 1, size_vram: 1, expires_at: EXPIRES })),
      }),
  },
  '/api/tags': {
    method: 'GET',
    answer: () => jsonReply(200, { models: MODELS.map((name) => ({ name, model: name, size: 1 })) }),
  },
  '/api/chat': { method: 'POST', members: new Set([...SPOKEN, 'messages', 'tools']), answer: chat },
  '/api/generate': {
    method: 'POST',
    members: new Set([...SPOKEN, 'prompt', 'suffix', 'images', 'system', 'template', 'raw', 'context']),
    answer: generate,
  },
  '/api/embed': {
    method: 'POST',
    members: new Set([...SHARED, 'input', 'truncate', 'dimensions']),
    answer: embed,
  },
}

const OPTIONS = new Set([
  'frequency_penalty',
  'min_p',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_predict',
  'num_thread',
  'presence_penalty',
  'repeat_last_n',
  'repeat_penalty',
  'seed',
  'stop',
  'temperature',
  'top_k',
  'top_p',
])

function strangeOption(options: Json | undefined): string | undefined {
  const strange = isJsonObject(options) ? strangeMember(options, OPTIONS) : undefined
  return strange === undefined ? undefined : `options.${strange}`
}

const MEMBERS = new Set(['role', 'content', 'images', 'thinking', 'tool_calls', 'tool_name', 'tool_call_id'])
const ROLES = new Set<Json | undefined>(['system', 'user', 'assistant', 'tool'])

/** Contents are texts, pictures bare base64, and arguments objects. */
function strangeWords(body: JsonObject): string | undefined {
  for (const message of objectsIn(body['messages'])) {
    const strange = strangeMember(message, MEMBERS)
    if (strange !== undefined) return `messages.${strange}`
    if (!ROLES.has(message['role'])) return 'messages.role'
    if (typeof message['content'] !== 'string') return 'messages.content'
    const images = message['images'] ?? []
    if (!Array.isArray(images) || !images.every(isBase64)) return 'messages.images'
    if (objectsIn(message['tool_calls']).some((call) => !hasArguments(call))) return 'messages.tool_calls'
  }
  return undefined
}

function isBase64(value: Json): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9+/]+=*$/.test(value)
}

function hasArguments({ function: called }: JsonObject): boolean {
  return isJsonObject(called) && isJsonObject(called['arguments'])
}

function served(call: NativeCall): Reply {
  return ROUTES[call.path]?.answer(call.json ?? {}) ?? failure(404, 'not found')
}

/** What comes of a request without a message or a prompt: the model is loaded, and says nothing. */
function loaded(body: JsonObject, said: JsonObject): Reply {
  return jsonReply(200, {
    model: body['model'],
    created_at: CREATED,
    ...said,
    done: true,
    done_reason: 'load',
  })
}

function chat(body: JsonObject): Reply {
  const { model, think } = body
  if (objectsIn(body['messages']).length === 0)
    return loaded(body, { message: { role: 'assistant', content: '' } })
  const calls = toolsToCall(body).map((name, index) => ({
    function: { index, name, arguments: { city: 'Oslo' } },
  }))
  const thinking = think === undefined || think === false ? {} : { thinking: 'hm' }
  const head = { model, created_at: CREATED }
  const message =
    calls.length > 0 ? { content: '', ...thinking, tool_calls: calls } : { content: 'pong', ...thinking }
  const whole = {
    ...head,
    message: { role: 'assistant', ...message },
    done: true,
    done_reason: reasonOf(body),
    ...COUNTS,
  }
  if (body['stream'] === false) return jsonReply(200, whole)
  const said = (message: JsonObject): JsonObject => ({
    ...head,
    message: { role: 'assistant', ...message },
    done: false,
  })
  return lines([
    ...(think === undefined || think === false ? [] : [said({ content: '', thinking: 'hm' })]),
    ...(calls.length > 0
      ? calls.map((each) => said({ content: '', tool_calls: [each] }))
      : [said({ content: 'po' }), said({ content: 'ng' })]),
    { ...whole, message: { role: 'assistant', content: '' } },
  ])
}

function generate(body: JsonObject): Reply {
  if (typeof body['prompt'] !== 'string' || body['prompt'] === '') return loaded(body, { response: '' })
  const head = { model: body['model'], created_at: CREATED }
  const end = { ...head, response: '', done: true, done_reason: reasonOf(body), ...COUNTS }
  if (body['stream'] === false) return jsonReply(200, { ...end, response: 'pong' })
  return lines([{ ...head, response: 'po', done: false }, { ...head, response: 'ng', done: false }, end])
}

function reasonOf({ options }: JsonObject): string {
  return isJsonObject(options) && options['num_predict'] === 1 ? 'length' : 'stop'
}

function embed(body: JsonObject): Reply {
  const { input, dimensions } = body
  const texts = Array.isArray(input) ? input : [input].filter((text) => text !== undefined)
  const size = typeof dimensions === 'number' ? dimensions : 3
  const embeddings = texts.map(() => embeddingVector(size))
  return jsonReply(200, { model: body['model'], embeddings, prompt_eval_count: 4 })
}

function lines(objects: readonly JsonObject[]): Reply {
  const chunks = objects.map((each) => `${JSON.stringify(each)}\n`)
  return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, chunks }
}

function failure(status: number, error: string): Reply {
  return jsonReply(status, { error })
}
