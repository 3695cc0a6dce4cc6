import type { Json, JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import { openaiError } from './reply.ts'
import type { Reply } from './reply.ts'
import type { Rule } from './rule.ts'
import { VECTOR_AS_BASE64 } from './vector.ts'

/** Habits of how answers are written, and habits of the other eight modes. */
export const MODE_RULES: readonly Rule[] = [
  {
    name: 'blank-lines',
    source: 'DeepSeek: blank lines keep the connection alive while the request is queued',
    mode: 'chat',
    model: 'openai/deepseek-chat',
    dress: (reply) => ({ ...reply, chunks: ['\n', '\n\n', '\n', ...reply.chunks] }),
  },
  {
    name: 'text-plain',
    source: 'serverless front ends: JSON under content-type text/plain',
    mode: 'chat',
    model: 'openai/gpt-4o',
    dress: (reply) => withHeader(reply, 'content-type', 'text/plain; charset=utf-8'),
  },
  {
    name: 'no-content-type',
    source: 'small self-hosted servers: no content-type at all',
    mode: 'chat',
    model: 'openai/gpt-4o',
    dress: (reply) => ({ ...reply, headers: without(reply.headers, 'content-type') }),
  },
  {
    name: 'created-201',
    source: 'gateways on generic REST frameworks: 201 in place of 200',
    mode: 'chat',
    model: 'openai/gpt-4o',
    dress: (reply) => ({ ...reply, status: 201 }),
  },
  {
    name: 'odd-splits',
    source: 'any proxy: chunks that end inside a UTF-8 character',
    mode: 'chat',
    model: 'openai/gpt-4o',
    alter: (json) => ({ ...json, system_fingerprint: 'fp_ñ→🙂' }),
    dress: (reply) => ({
      ...reply,
      chunks: split(Buffer.concat(reply.chunks.map((chunk) => Buffer.from(chunk)))),
    }),
  },
  {
    name: 'header-case',
    source: 'HTTP/1.1 servers behind old proxies: header names in upper case',
    mode: 'chat',
    model: 'openai/gpt-4o',
    dress: (reply) => ({ ...reply, headers: upperCase(reply.headers) }),
  },
  {
    name: 'no-limit-headers',
    source: 'vLLM and most self-hosted servers: no rate-limit headers',
    mode: 'chat',
    model: 'openai/gpt-4o',
    dress: (reply) => ({ ...reply, headers: { 'content-type': 'application/json' } }),
  },
  {
    name: 'nearly-spent',
    source: 'OpenAI rate limits guide: x-ratelimit-* headers, with little left of the requests',
    mode: 'chat',
    model: 'openai/gpt-4o',
    dress: (reply) => ({
      ...reply,
      headers: {
        ...reply.headers,
        'x-ratelimit-limit-requests': '100',
        'x-ratelimit-remaining-requests': '3',
        'x-ratelimit-reset-requests': '6m0s',
      },
    }),
  },
  {
    name: 'completion-empty-text',
    source: 'OpenAI API description: text may be empty when the budget is spent',
    mode: 'completion',
    model: 'text-completion-openai/gpt-3.5-turbo-instruct',
    alter: (json) => ({
      ...json,
      choices: [{ index: 0, text: '', finish_reason: 'length', logprobs: null }],
    }),
  },
  {
    name: 'base64-embeddings',
    source: 'OpenAI embeddings: vectors as base64 floats',
    mode: 'embedding',
    model: 'openai/text-embedding-3-small',
    alter: (json) => ({
      ...json,
      data: each(json['data'], (row) => ({ ...row, embedding: VECTOR_AS_BASE64 })),
    }),
  },
  {
    name: 'embedding-no-usage',
    source: 'text-embeddings-inference: no usage, no model',
    mode: 'embedding',
    model: 'openai/bge-small-en',
    alter: (json) => ({ object: 'list', data: json['data'] }),
  },
  {
    name: 'image-b64-only',
    source: 'OpenAI gpt-image-*: base64 always, no url',
    mode: 'image_generation',
    model: 'openai/gpt-image-1',
    alter: (json) => ({ ...json, usage: { total_tokens: 100, input_tokens: 10, output_tokens: 90 } }),
  },
  {
    name: 'image-policy',
    source: 'OpenAI image generation guide: moderation_blocked for a harmless prompt',
    mode: 'image_generation',
    model: 'openai/gpt-image-1',
    refuse: () =>
      openaiError(400, {
        message: 'Your request was rejected by the safety system.',
        type: 'image_generation_user_error',
        code: 'moderation_blocked',
      }),
  },
  {
    name: 'empty-transcript',
    source: 'Whisper: a short sound may hold no words',
    mode: 'audio_transcription',
    model: 'openai/whisper-1',
    alter: () => ({ text: '' }),
  },
  {
    name: 'transcript-usage',
    source: 'OpenAI gpt-4o-transcribe: usage and logprobs beside text',
    mode: 'audio_transcription',
    model: 'openai/gpt-4o-transcribe',
    alter: (json) => ({ ...json, logprobs: null, usage: { type: 'tokens', total_tokens: 20 } }),
  },
  {
    name: 'speech-octet-stream',
    source: 'Azure and self-hosted speech: application/octet-stream',
    mode: 'audio_speech',
    model: 'openai/tts-1',
    dress: (reply) => withHeader(reply, 'content-type', 'application/octet-stream'),
  },
  {
    name: 'rerank-string-documents',
    source: 'Jina and older Cohere: results carry the document, as a string',
    mode: 'rerank',
    model: 'cohere/rerank-v3.5',
    alter: (json) => ({
      ...json,
      results: each(json['results'], (row) => ({ ...row, document: 'my sample text' })),
    }),
  },
  {
    name: 'rerank-no-meta',
    source: 'vLLM and Infinity: results without id and meta.billed_units',
    mode: 'rerank',
    model: 'cohere/rerank-v3.5',
    alter: (json) => ({ model: 'm', results: json['results'] }),
  },
  {
    name: 'batch-no-paging',
    source: 'OpenAI-compatible servers: a list without first_id, last_id and has_more',
    mode: 'batch',
    model: 'openai/gpt-4o-mini',
    alter: () => ({ object: 'list', data: [] }),
  },
  {
    name: 'realtime-ping',
    source: 'proxies: WebSocket pings before the first message',
    mode: 'realtime',
    model: 'openai/gpt-realtime',
    before: [{ kind: 'ping' }, { kind: 'ping' }],
  },
  {
    name: 'realtime-late',
    source: 'cold self-hosted servers: session.created well after the upgrade',
    mode: 'realtime',
    model: 'openai/gpt-realtime',
    before: [{ kind: 'wait', ms: 200 }],
  },
]

function withHeader(reply: Reply, name: string, value: string): Reply {
  return { ...reply, headers: { ...reply.headers, [name]: value } }
}

function without(headers: Reply['headers'], name: string): Reply['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([other]) => other !== name))
}

function upperCase(headers: Reply['headers']): Reply['headers'] {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
}

/** Pieces of 1, 2, 3, 5, 7, 1, … bytes. */
function split(bytes: Buffer): readonly Buffer[] {
  const sizes = [1, 2, 3, 5, 7]
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = sizes[pieces.length % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

function each(value: Json | undefined, change: (row: JsonObject) => JsonObject): readonly Json[] {
  return Array.isArray(value) ? value.map((row) => (isJsonObject(row) ? change(row) : row)) : []
}
