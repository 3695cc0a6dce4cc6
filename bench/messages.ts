/** What is sent and answered: the same bytes for every contestant. */

/** The kinds of request that are measured. */
export type RequestKind = 'small' | 'large' | 'large, model last' | 'huge' | 'stream'

/** Events of one streamed answer, and the pause before each, milliseconds. */
export const STREAM_EVENTS = 100
export const STREAM_PAUSE_MS = 20

/** The model that every contestant is asked for; pulsegate knows it by its config. */
export const MODEL = 'bench'
/** The gateway's key; the others do not look at it. */
export const KEY = 'sk-bench-0123456789abcdef'

/** As people write: a line end every hundred characters, a quoted word in every other line. */
const LINES =
  'A paragraph of ordinary prose that goes on for a while before anything in it needs to be escaped.\\n' +
  'The next line holds a \\"quoted\\" word, about as many as prose has, and goes on until it ends too.\\n'

/** A chat request as raw HTTP/1.1 bytes. */
export function chatRequest(kind: RequestKind, port: number): Buffer {
  const body = bodyOf(kind)
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${KEY}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: bench',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Messages of a conversation, two thousand characters each; 1 is a short question of 600 bytes in all. */
const TURNS: Readonly<Record<RequestKind, number>> = {
  small: 1,
  stream: 1,
  large: 50,
  'large, model last': 50,
  huge: 500,
}

/** 600 bytes, 100 KB or 1 MB. */
function bodyOf(kind: RequestKind): string {
  const turns = TURNS[kind]
  const turnChars = turns === 1 ? 523 : 2018
  const content = LINES.repeat(Math.floor(turnChars / LINES.length)).padEnd(turnChars, 'x')
  const messages = Array.from({ length: turns }, () => `{"role":"user","content":"${content}"}`).join(',')
  const model = `"model":"${MODEL}"`
  const rest = `"messages":[${messages}],"temperature":0.2${kind === 'stream' ? ',"stream":true' : ''}`
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
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    'x-request-id: req_0123456789abcdef0123456789abcdef',
    'openai-processing-ms: 12',
    'x-ratelimit-remaining-requests: 9999',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** The head of a streamed answer; `x-accel-buffering` makes nginx pass each event on at once. */
export const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n' +
    'x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n',
)

/** One event as a piece of a chunked body. */
export function streamEvent(): Buffer {
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

/** The last event and the end of the body. */
export const STREAM_END = Buffer.concat([piece('data: [DONE]\n\n'), Buffer.from('0\r\n\r\n')])

function piece(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}
