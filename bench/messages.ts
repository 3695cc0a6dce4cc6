/** What is sent and answered: the same bytes for every contestant. */

/** The kinds of request that are measured; the upstream refuses `refused` with a 400 and breaks down at `sick`. */
export type RequestKind =
  | 'small'
  | 'large'
  | 'large, model last'
  | 'huge'
  | 'stream'
  | 'translated stream'
  | 'embedding'
  | 'refused'
  | 'sick'

/** Events of one streamed answer, and the pause before each, milliseconds. */
export const STREAM_EVENTS = 200
export const STREAM_PAUSE_MS = 20

/** The model that every contestant is asked for; pulsegate knows it by its config. */
export const MODEL = 'bench'
/** A group of its own for what fails, so that nothing else suffers from it. */
export const SICK_MODEL = 'bench-sick'
/** A group whose provider speaks other words; whoever passes requests on as they are is answered in ours. */
export const TRANSLATED_MODEL = 'bench-translated'
export const EMBEDDING_MODEL = 'bench-embedding'
export const REALTIME_MODEL = 'bench-realtime'
/** The gateway's key; the others do not look at it. */
export const KEY = 'sk-bench-0123456789abcdef'

/** As people write: a line end every hundred characters, a quoted word in every other line. */
const LINES =
  'A paragraph of ordinary prose that goes on for a while before anything in it needs to be escaped.\\n' +
  'The next line holds a \\"quoted\\" word, about as many as prose has, and goes on until it ends too.\\n'

/** Is this what a request of this kind should be answered with? */
export function isExpected(kind: RequestKind, status: number): boolean {
  if (kind === 'refused') return status === 400
  // Whether the upstream is asked at all is for the gateway to say: it may have put it aside.
  return kind === 'sick' ? status >= 500 : status === 200
}

/** A request as raw HTTP/1.1 bytes; `more` are header lines. */
export function chatRequest(kind: RequestKind, port: number, more: readonly string[] = []): Buffer {
  const body = bodyOf(kind)
  const head = [
    `POST ${kind === 'embedding' ? '/v1/embeddings' : '/v1/chat/completions'} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${KEY}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: bench',
    ...more,
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Messages of a conversation, two thousand characters each; 1 is a short question of 600 bytes in all. */
const TURNS: Readonly<Partial<Record<RequestKind, number>>> = {
  large: 50,
  'large, model last': 50,
  huge: 500,
}
/** What makes the upstream answer otherwise; only looked for in short bodies. */
export const MARKS = { stream: '"stream":true', refused: '"user":"refuse"', sick: '"user":"sick"' } as const

/** What is asked for where it is not the group of all. */
const MODELS: Readonly<Partial<Record<RequestKind, string>>> = {
  sick: SICK_MODEL,
  'translated stream': TRANSLATED_MODEL,
}

function isStream(kind: RequestKind): boolean {
  return kind === 'stream' || kind === 'translated stream'
}

/** 600 bytes, 100 KB or 1 MB. */
function bodyOf(kind: RequestKind): string {
  const turns = TURNS[kind] ?? 1
  const turnChars = turns === 1 ? 523 : 2018
  const content = LINES.repeat(Math.floor(turnChars / LINES.length)).padEnd(turnChars, 'x')
  if (kind === 'embedding') return `{"model":"${EMBEDDING_MODEL}","input":"${content}"}`
  const messages = Array.from({ length: turns }, () => `{"role":"user","content":"${content}"}`).join(',')
  const model = `"model":"${MODELS[kind] ?? MODEL}"`
  const mark =
    kind === 'refused' || kind === 'sick' ? `,${MARKS[kind]}` : isStream(kind) ? `,${MARKS.stream}` : ''
  const rest = `"messages":[${messages}],"temperature":0.2${mark}`
  return kind === 'large, model last' ? `{${rest},${model}}` : `{${model},${rest}}`
}

/** The answer to an unstreamed request: 800 bytes of JSON, as raw HTTP/1.1 bytes. */
export function wholeAnswer(): Buffer {
  const body = JSON.stringify({
    id: 'chatcmpl-0123456789abcdefghij',
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'word '.repeat(85).trim(), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 120, completion_tokens: 85, total_tokens: 205 },
    system_fingerprint: 'fp_0123456789',
  })
  return rawAnswer('200 OK', body)
}

/** The answer to an embedding request: one vector of 256 numbers, about 3 KB. */
export function embeddingAnswer(): Buffer {
  const embedding = Array.from({ length: 256 }, (_, at) => ((at % 64) - 32) / 4096)
  const data = [{ object: 'embedding', index: 0, embedding }]
  const usage = { prompt_tokens: 120, total_tokens: 120 }
  return rawAnswer('200 OK', JSON.stringify({ object: 'list', data, model: 'text-embedding-3-small', usage }))
}

/** What a provider says to a request that it does not like, and what it says when it breaks down. */
export function errorAnswer(
  status: '400 Bad Request' | '500 Internal Server Error',
  message: string,
): Buffer {
  const type = status.startsWith('4') ? 'invalid_request_error' : 'server_error'
  return rawAnswer(status, JSON.stringify({ error: { message, type, param: null, code: null } }))
}

function rawAnswer(status: string, body: string): Buffer {
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    'x-request-id: req_0123456789abcdef0123456789abcdef',
    'openai-processing-ms: 12',
    'x-ratelimit-remaining-requests: 9999',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** The head of a streamed answer; `x-accel-buffering` makes nginx pass each event on at once. */
const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n' +
    'x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n',
)

/** A stream of so many writes in a provider's words, and what each of them is. */
export interface StreamWords {
  /** With what comes before the first event that says anything. */
  readonly head: Buffer
  readonly event: Buffer
  /** The last event and the end of the body. */
  readonly end: Buffer
}

/** As OpenAI streams. */
export function openaiStream(): StreamWords {
  const end = Buffer.concat([piece('data: [DONE]\n\n'), LAST_CHUNK])
  return { head: STREAM_HEAD, event: streamEvent(), end }
}

/** As Anthropic streams (https://platform.claude.com/docs/en/build-with-claude/streaming). */
export function anthropicStream(): StreamWords {
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
  const message = {
    id: 'msg_0123456789abcdefghij',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 120, output_tokens: 1 },
  }
  const begin =
    event('message_start', { message }) +
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
  const end =
    event('content_block_stop', { index: 0 }) +
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: STREAM_EVENTS },
    }) +
    event('message_stop', {})
  return {
    head: Buffer.concat([STREAM_HEAD, piece(begin)]),
    event: piece(event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: ' word' } })),
    end: Buffer.concat([piece(end), LAST_CHUNK]),
  }
}

/** One event as a piece of a chunked body. */
function streamEvent(): Buffer {
  const choice = { index: 0, delta: { content: ' word' }, logprobs: null, finish_reason: null }
  const data = {
    id: 'chatcmpl-0123456789abcdefghij',
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [choice],
  }
  return piece(`data: ${JSON.stringify(data)}\n\n`)
}

function piece(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}
