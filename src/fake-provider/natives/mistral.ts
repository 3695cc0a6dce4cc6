import type { Json, JsonObject } from '../../core/json.ts'
import { formField, type Form } from '../multipart.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { embeddingVector, VECTOR_AS_BASE64 } from '../vector.ts'
import { bearerOf, isValid, objectsIn, strangeMember, toolsToCall } from './asked.ts'
import { nameSet, unknownName } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

const USAGE = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } as const

/** Mistral (https://docs.mistral.ai/api, and the request types of its client, read 2026-11-27): strict bodies. */
export const MISTRAL: Native = {
  id: 'mistral',
  answer: (call) => refused(call) ?? ROUTES[call.path]?.answer(call) ?? unknownPath(),
  error: (status, message, headers) =>
    jsonReply(
      status,
      { object: 'error', message, type: 'invalid_request_error', param: null, code: null },
      headers,
    ),
}

/** A route: how it is asked, and what its body may and must hold. */
interface Route {
  readonly method: 'GET' | 'POST'
  readonly members?: ReadonlySet<string>
  readonly required?: readonly string[]
  /** What its query may hold; absent: nothing. */
  readonly queries?: ReadonlySet<string>
  readonly answer: (call: NativeCall) => Reply
}

const SAMPLING = ['model', 'temperature', 'top_p', 'max_tokens', 'stream', 'stop', 'random_seed', 'metadata']

const JOBS = nameSet('page page_size model agent_id metadata created_after created_by_me status order_by')

const ROUTES: Readonly<Record<string, Route>> = {
  '/v1/models': { method: 'GET', answer: () => jsonReply(200, { object: 'list', data: [] }) },
  '/v1/batch/jobs': {
    method: 'GET',
    queries: JOBS,
    answer: () => jsonReply(200, { object: 'list', data: [], total: 0 }),
  },
  '/v1/chat/completions': {
    method: 'POST',
    members: new Set([
      ...SAMPLING,
      'messages',
      'response_format',
      'tools',
      'tool_choice',
      'presence_penalty',
      'frequency_penalty',
      'n',
      'prediction',
      'parallel_tool_calls',
      'reasoning_effort',
      'prompt_mode',
      'guardrails',
      'prompt_cache_key',
      'safe_prompt',
    ]),
    required: ['model', 'messages'],
    answer: ({ json = {} }) => chat(json),
  },
  '/v1/fim/completions': {
    method: 'POST',
    members: new Set([...SAMPLING, 'prompt', 'suffix', 'min_tokens']),
    required: ['model', 'prompt'],
    answer: ({ json = {} }) => chat(json),
  },
  '/v1/embeddings': {
    method: 'POST',
    members: new Set(['model', 'input', 'metadata', 'output_dimension', 'output_dtype', 'encoding_format']),
    required: ['model', 'input'],
    answer: ({ json = {} }) => embed(json),
  },
  '/v1/moderations': {
    method: 'POST',
    members: new Set(['model', 'input', 'metadata']),
    required: ['model', 'input'],
    answer: () =>
      jsonReply(200, {
        id: 'modr-1',
        model: 'm',
        results: [{ categories: { pii: false }, category_scores: { pii: 0.01 } }],
      }),
  },
  '/v1/audio/transcriptions': { method: 'POST', answer: ({ form }) => transcript(form) },
}

function refused(call: NativeCall): Reply | undefined {
  const { path, method, json } = call
  const route = ROUTES[path]
  if (route === undefined) return unknownPath()
  if (!isValid(bearerOf(call), call)) return jsonReply(401, { detail: 'Unauthorized' })
  if (method !== route.method) return jsonReply(405, { detail: 'Method Not Allowed' })
  const strange = unknownName(call.query.keys(), route.queries ?? new Set())
  if (strange !== undefined) return forbidden(['query', strange])
  if (route.members === undefined) return undefined
  if (json === undefined) return unprocessable('missing', ['body'], 'Field required')
  const lost = route.required?.find((name) => json[name] === undefined)
  if (lost !== undefined) return unprocessable('missing', ['body', lost], 'Field required')
  const extra = strangeMember(json, route.members)
  return extra === undefined ? refuseMessages(json) : forbidden(['body', extra])
}

const MESSAGE_MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(['role', 'content']),
  user: new Set(['role', 'content']),
  assistant: new Set(['role', 'content', 'tool_calls', 'prefix']),
  tool: new Set(['role', 'content', 'tool_call_id', 'name']),
}
const PARTS = new Set<Json | undefined>([
  'text',
  'image_url',
  'document_url',
  'reference',
  'file',
  'thinking',
  'input_audio',
])

function refuseMessages(body: JsonObject): Reply | undefined {
  for (const [at, message] of objectsIn(body['messages']).entries()) {
    const role = typeof message['role'] === 'string' ? message['role'] : ''
    const known = MESSAGE_MEMBERS[role]
    if (known === undefined)
      return unprocessable('union_tag_invalid', ['body', 'messages', at], `no role '${role}'`)
    const extra = strangeMember(message, known)
    if (extra !== undefined) return forbidden(['body', 'messages', at, role, extra])
    if (objectsIn(message['content']).some((part) => !PARTS.has(part['type'])))
      return unprocessable('union_tag_invalid', ['body', 'messages', at, role, 'content'], 'no such part')
    const ids = [message['tool_call_id'], ...objectsIn(message['tool_calls']).map((call) => call['id'])]
    const bad = ids.find((id) => id !== undefined && !isShort(id))
    if (bad !== undefined)
      return MISTRAL.error(
        400,
        `Tool call id was ${JSON.stringify(bad)} but must be a-z, A-Z, 0-9, with a length of 9.`,
        {},
      )
  }
  return undefined
}

function isShort(id: Json): boolean {
  return typeof id === 'string' && /^[A-Za-z0-9]{9}$/.test(id)
}

function chat(body: JsonObject): Reply {
  const { model } = body
  const tools = toolsToCall(body).map((name, index) => ({
    // Without a type (https://github.com/BerriAI/litellm/issues/2645).
    id: `call0000${index}`,
    function: { name, arguments: '{"city":"Oslo"}' },
    index,
  }))
  const thinks =
    typeof model === 'string' && (model.includes('magistral') || body['reasoning_effort'] === 'high')
  const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }
  const finish = tools.length > 0 ? 'tool_calls' : 'stop'
  const said = thinks ? [thought, { type: 'text', text: 'pong' }] : 'pong'
  const spoken = tools.length > 0 ? { content: '', tool_calls: tools } : { content: said }
  const head = { id: 'cmpl-1', created: 1_700_000_000, model }
  if (body['stream'] !== true) {
    const message = { role: 'assistant', tool_calls: null, ...spoken }
    const choices = [{ index: 0, message, finish_reason: finish }]
    return jsonReply(200, { ...head, object: 'chat.completion', choices, usage: USAGE })
  }
  const event = (delta: JsonObject, reason: string | null = null, more: JsonObject = {}): string => {
    const choices = [{ index: 0, delta, finish_reason: reason }]
    return `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  }
  const chunks = [
    event({ role: 'assistant', content: '' }),
    ...(thinks ? [event({ content: [thought] })] : []),
    ...(tools.length > 0 ? [] : [event({ content: 'po' }), event({ content: 'ng' })]),
    event(tools.length > 0 ? { content: '', tool_calls: tools } : { content: '' }, finish, { usage: USAGE }),
    'data: [DONE]\n\n',
  ]
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, chunks }
}

function embed(body: JsonObject): Reply {
  const { input, model, output_dimension: size } = body
  const vector =
    body['encoding_format'] === 'base64'
      ? VECTOR_AS_BASE64
      : embeddingVector(typeof size === 'number' ? size : 3)
  const data = (Array.isArray(input) ? input : [input]).map((_, index) => ({
    object: 'embedding',
    index,
    embedding: vector,
  }))
  const usage = { prompt_tokens: 4, total_tokens: 4, completion_tokens: 0 }
  return jsonReply(200, { id: 'e1', object: 'list', model, data, usage })
}

const FORM_MEMBERS = new Set([
  'model',
  'file',
  'file_url',
  'file_id',
  'language',
  'temperature',
  'stream',
  'diarize',
  'context_bias',
  'timestamp_granularities',
])

function transcript(form: Form | undefined): Reply {
  const names = form?.parts.map(({ name }) => name.replace('[]', '')) ?? []
  const extra = names.find((name) => !FORM_MEMBERS.has(name))
  if (extra !== undefined) return forbidden(['body', extra])
  if (form === undefined || formField(form, 'model') === undefined || !names.includes('file'))
    return unprocessable('missing', ['body', 'file'], 'Field required')
  return jsonReply(200, { model: formField(form, 'model'), text: 'hello', language: 'en', segments: [] })
}

function forbidden(loc: readonly Json[]): Reply {
  return unprocessable('extra_forbidden', loc, 'Extra inputs are not permitted')
}

function unprocessable(type: string, loc: readonly Json[], msg: string): Reply {
  const message = { detail: [{ type, loc, msg, input: null }] }
  return jsonReply(422, { object: 'error', message, type: 'invalid_request_error', param: null, code: null })
}

function unknownPath(): Reply {
  return jsonReply(404, { detail: 'Not Found' })
}
