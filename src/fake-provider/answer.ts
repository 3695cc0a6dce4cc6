import type { Json, JsonObject } from '../core/json.ts'
import { wantsStream } from './call.ts'
import type { Call } from './call.ts'
import { calledTools, chatCalls } from './called-tools.ts'
import { completionStream, openaiChatStream } from './chat-stream.ts'
import { COHERE_META, cohereChatStream, cohereChatV1Stream, cohereChatV2 } from './cohere-chat.ts'
import { formField } from './multipart.ts'
import type { Operation } from './routes.ts'
import { SUCCESS_HEADERS } from './reply.ts'
import type { Reply } from './reply.ts'
import { embeddingVector, VECTOR_AS_BASE64 } from './vector.ts'

/** A success, before it is put into bytes, so that rules can still change it. */
export type Answer =
  | { readonly kind: 'json'; readonly json: JsonObject }
  | { readonly kind: 'bytes'; readonly type: string; readonly chunks: readonly (string | Buffer)[] }

/** What a good call gets, undefined where only a WebSocket is served. Values are fixed, so that tests can name them. */
export function answer(call: Call, models: readonly string[]): Answer | undefined {
  if (wantsStream(call)) {
    const stream = streamed(call)
    if (stream !== undefined) return stream
  }
  const { operation } = call.route
  if (operation === 'speech') return speech(call)
  if (operation === 'transcription' || operation === 'translation') return transcript(call)
  if (!isAnswered(operation)) return undefined
  return { kind: 'json', json: JSON_ANSWERS[operation](call, models) }
}

/** The answer as an HTTP reply. */
export function answerReply(given: Answer): Reply {
  if (given.kind === 'bytes')
    return { status: 200, headers: { 'content-type': given.type, ...SUCCESS_HEADERS }, chunks: given.chunks }
  const headers = { 'content-type': 'application/json', ...SUCCESS_HEADERS }
  return { status: 200, headers, chunks: [JSON.stringify(given.json)] }
}

function streamed(call: Call): Answer | undefined {
  switch (call.route.operation) {
    case 'chat':
      return { kind: 'bytes', type: 'text/event-stream', chunks: openaiChatStream(call) }
    case 'completion':
      return { kind: 'bytes', type: 'text/event-stream', chunks: completionStream(call) }
    case 'transcription':
      // OpenAI's description: whisper-1 does not stream, and the wish is ignored.
      return call.model === 'whisper-1'
        ? undefined
        : { kind: 'bytes', type: 'text/event-stream', chunks: TRANSCRIPT_EVENTS }
    case 'image_edit':
      return { kind: 'bytes', type: 'text/event-stream', chunks: EDIT_EVENTS }
    case 'cohere_chat_v2':
      return { kind: 'bytes', type: 'text/event-stream', chunks: cohereChatStream(call) }
    case 'cohere_chat_v1':
      return { kind: 'bytes', type: 'application/stream+json', chunks: cohereChatV1Stream() }
    default:
      return undefined
  }
}

const CREATED = 1700000000
const CHAT_USAGE = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } as const

/** The routes that remember something are answered elsewhere; a rule may still alter an empty list of batches. */
type JsonOperation = Exclude<Operation, SoundOperation | NoAnswer>
type SoundOperation = 'speech' | 'transcription' | 'translation'
type NoAnswer = (typeof NO_ANSWER)[number]

const NO_ANSWER = [
  'realtime',
  'unknown',
  'upload',
  'files',
  'file',
  'file_content',
  'file_removal',
  'new_upload',
  'upload_part',
  'upload_completion',
  'upload_cancel',
  'new_batch',
  'batch',
  'batch_cancel',
  'session_key',
  'new_call',
  'call_step',
  'new_response',
  'response',
  'response_removal',
  'response_cancel',
  'response_items',
] as const satisfies readonly Operation[]

function isAnswered(operation: Exclude<Operation, SoundOperation>): operation is JsonOperation {
  return !NO_ANSWER.some((none) => none === operation)
}

const JSON_ANSWERS: { readonly [O in JsonOperation]: (call: Call, models: readonly string[]) => JsonObject } =
  {
    chat: (call) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: CREATED,
      model: call.model,
      choices: [{ index: 0, ...chatEnd(calledTools(call)) }],
      usage: CHAT_USAGE,
    }),
    completion: ({ model }) => ({
      id: 'cmpl-1',
      object: 'text_completion',
      created: CREATED,
      model,
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
      usage: CHAT_USAGE,
    }),
    embedding: (call) => ({
      object: 'list',
      model: call.model,
      data: inputs(call.json?.['input']).map((_, index) => ({
        object: 'embedding',
        index,
        embedding: vector(call),
      })),
      usage: { prompt_tokens: 4, total_tokens: 4 },
    }),
    image: (call) => ({ created: CREATED, data: images(call) }),
    image_edit: (call) => ({ created: CREATED, data: images(call) }),
    rerank: rerank,
    rerank_v2: rerank,
    moderation: (call) => ({
      id: 'modr-1',
      model: call.model,
      results: inputs(call.json?.['input']).map((text) => judged(text === 'I will hurt you')),
    }),
    batches: () => ({ object: 'list', data: [], first_id: null, last_id: null, has_more: false }),
    models: (_, models) => ({ object: 'list', data: models.map(modelEntry) }),
    model: ({ model }) => modelEntry(model),
    cohere_chat_v1: () => ({
      response_id: 'c1',
      text: 'pong',
      generation_id: 'g',
      finish_reason: 'COMPLETE',
      meta: COHERE_META,
    }),
    cohere_chat_v2: cohereChatV2,
    cohere_embed_v1: (call) =>
      call.json?.['embedding_types'] === undefined ? plainEmbed(call) : typedEmbed(call),
    cohere_embed_v2: typedEmbed,
  }

function chatEnd(tools: readonly string[]): JsonObject {
  const role = 'assistant'
  if (tools.length === 0) return { message: { role, content: 'pong' }, finish_reason: 'stop' }
  return { message: { role, content: null, tool_calls: chatCalls(tools) }, finish_reason: 'tool_calls' }
}

function modelEntry(id: string): JsonObject {
  return { id, object: 'model', created: CREATED, owned_by: 'fake-provider' }
}

function judged(flagged: boolean): JsonObject {
  return {
    flagged,
    categories: { violence: flagged, hate: false },
    category_scores: { violence: flagged ? 0.9 : 0.01, hate: 0.01 },
  }
}

/** One for each input; a list of numbers is one input already cut into tokens. */
function inputs(value: Json | undefined): readonly unknown[] {
  return Array.isArray(value) && typeof value[0] !== 'number' ? value : [value]
}

function vector(call: Call): readonly number[] | string {
  return call.json?.['encoding_format'] === 'base64'
    ? VECTOR_AS_BASE64
    : embeddingVector(count(call, 'dimensions', 3))
}

/** One black pixel. */
const PNG_BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='

/** gpt-image-* answer with base64 always, others with a URL unless asked for base64. */
function images(call: Call): readonly JsonObject[] {
  const asBase64 = fieldOf(call, 'response_format') === 'b64_json' || call.model.startsWith('gpt-image-')
  const image = asBase64 ? { b64_json: PNG_BASE64 } : { url: 'http://127.0.0.1/img.png' }
  return Array.from({ length: Math.min(count(call, 'n', 1), 10) }, () => image)
}

function rerank(call: Call): JsonObject {
  const documents = call.json?.['documents']
  const found = Array.isArray(documents) ? documents.length : 1
  const length = Math.min(found, count(call, 'top_n', found))
  const results = Array.from({ length }, (_, index) => ({ index, relevance_score: 0.9 / (index + 1) }))
  return { id: 'r1', results, meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } }
}

function count(call: Call, field: string, fallback: number): number {
  const value = fieldOf(call, field)
  const number = typeof value === 'string' ? Number.parseInt(value, 10) : value
  return typeof number === 'number' && !Number.isNaN(number) ? number : fallback
}

/** Of the JSON body, or the text of a form. */
function fieldOf(call: Call, name: string): Json | undefined {
  return call.form === undefined ? call.json?.[name] : formField(call.form, name)
}

/** Cohere's answer without `embedding_types`, v1 only. */
function plainEmbed(call: Call): JsonObject {
  const texts = inputs(call.json?.['texts']).map(String)
  const embeddings = texts.map(() => [0.1, 0.2])
  return {
    id: 'e1',
    texts,
    embeddings,
    meta: { billed_units: { input_tokens: 3 } },
    response_type: 'embeddings_floats',
  }
}

function typedEmbed(call: Call): JsonObject {
  const texts = inputs(call.json?.['texts']).map(String)
  const embeddings = { float: texts.map(() => [0.1, 0.2]) }
  return {
    id: 'e1',
    embeddings,
    texts,
    meta: { billed_units: { input_tokens: 3 } },
    response_type: 'embeddings_by_type',
  }
}

const SPEECH_TYPES: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  opus: 'audio/opus',
  aac: 'audio/aac',
  flac: 'audio/flac',
  pcm: 'audio/pcm',
}

function speech(call: Call): Answer {
  const format = call.json?.['response_format']
  const type = SPEECH_TYPES[typeof format === 'string' ? format : 'mp3'] ?? 'audio/mpeg'
  return { kind: 'bytes', type, chunks: [Buffer.from('ID3fakeaudio')] }
}

/** The events of a transcription, and of an image edit. */
const TRANSCRIPT_EVENTS = [
  { type: 'transcript.text.delta', delta: 'hel' },
  { type: 'transcript.text.delta', delta: 'lo' },
  { type: 'transcript.text.done', text: 'hello' },
].map(eventText)
const EDIT_EVENTS = [
  { type: 'image_edit.partial_image', partial_image_index: 0, b64_json: PNG_BASE64 },
  { type: 'image_edit.completed', b64_json: PNG_BASE64 },
].map(eventText)

function eventText(event: { readonly type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

function transcript(call: Call): Answer {
  const format = call.form && formField(call.form, 'response_format')
  switch (format) {
    case 'text':
      return { kind: 'bytes', type: 'text/plain; charset=utf-8', chunks: ['hello\n'] }
    case 'srt':
      return {
        kind: 'bytes',
        type: 'text/plain; charset=utf-8',
        chunks: ['1\n00:00:00,000 --> 00:00:00,500\nhello\n\n'],
      }
    case 'vtt':
      return {
        kind: 'bytes',
        type: 'text/plain; charset=utf-8',
        chunks: ['WEBVTT\n\n00:00.000 --> 00:00.500\nhello\n\n'],
      }
    case 'verbose_json':
      return {
        kind: 'json',
        json: {
          task: call.route.operation === 'translation' ? 'translate' : 'transcribe',
          language: 'english',
          duration: 0.5,
          text: 'hello',
          segments: [],
        },
      }
    default:
      return { kind: 'json', json: { text: 'hello' } }
  }
}
