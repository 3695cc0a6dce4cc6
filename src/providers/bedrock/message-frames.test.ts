import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { StreamDecoder } from '../adapter.ts'
import { streamContract } from '../stream.contract.ts'
import { openMessageFrames } from './message-frames.ts'

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
)

function frameOf(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const texts = Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }])
  return Buffer.from(codec.encode({ headers: Object.fromEntries(texts), body: Buffer.from(payload) }))
}

const CHUNK = {
  ':message-type': 'event',
  ':event-type': 'chunk',
  ':content-type': 'application/json',
} as const

function payloadOf(json: string): string {
  return JSON.stringify({ bytes: Buffer.from(json).toString('base64'), p: 'abcdefgh' })
}

const chunkOf = (json: string): Buffer => frameOf(CHUNK, payloadOf(json))

const EVENTS: readonly (JsonObject & { readonly type: string })[] = [
  { type: 'message_start', message: { id: 'm', usage: { input_tokens: 5, cache_read_input_tokens: 3 } } },
  { type: 'ping' },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm… "pö"' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2ln+/==' } },
  { type: 'content_block_stop', index: 0, of_tomorrow: true },
  { type: 'an_event_of_tomorrow' },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
  { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 5 } },
]
const STREAM = Buffer.concat(EVENTS.map((event) => chunkOf(JSON.stringify(event))))
const TEXT = EVENTS.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

/** The bytes that come of it, one by one. */
function openBytes(): StreamDecoder<number> {
  const reader = openMessageFrames()
  return {
    push: (bytes) => [...reader.push(bytes)],
    end: () => {
      reader.end()
      return []
    },
  }
}

streamContract('a stream of Claude’s in AWS’s frames', openBytes, STREAM, [...Buffer.from(TEXT)])

/** What comes of these frames in one go. */
function read(...frames: readonly Buffer[]): string {
  return openMessageFrames().push(Buffer.concat(frames)).toString()
}

test('an event is one line of data under its type, however its server wrote it', () => {
  const spread = '{\n  "index": 0,\r\n  "type": "content_block_stop"\n}'
  assert.equal(
    read(chunkOf(spread)),
    'event: content_block_stop\ndata: {"index":0,"type":"content_block_stop"}\n\n',
  )
  assert.equal(read(chunkOf('{"index":0,"type":"ping"}')), 'event: ping\ndata: {"index":0,"type":"ping"}\n\n')
  const odd = payloadOf('{"type":"ping","of":"??????"}').replaceAll('/', String.raw`\/`)
  assert.match(odd, /\\\//)
  assert.equal(read(frameOf(CHUNK, odd)), 'event: ping\ndata: {"type":"ping","of":"??????"}\n\n')
})

test('an exception ends the stream with what it means, after what came before it', () => {
  const exception = frameOf(
    { ':message-type': 'exception', ':exception-type': 'throttlingException' },
    '{"message":"slow down"}',
  )
  const kind = (error: unknown): boolean =>
    error instanceof GatewayError && error.kind === 'rate_limited' && /slow down/.test(error.message)
  // While nothing was passed on, somebody else can still be asked.
  assert.throws(() => read(chunkOf('{"type":"message_start"}'), exception), kind)
  for (const next of ['push', 'end'] as const) {
    const reader = openMessageFrames()
    reader.push(chunkOf('{"type":"message_start"}'))
    const last = Buffer.concat([chunkOf('{"type":"ping"}'), exception])
    assert.equal(reader.push(last).toString(), 'event: ping\ndata: {"type":"ping"}\n\n')
    assert.throws(() => (next === 'push' ? reader.push(Buffer.alloc(0)) : reader.end()), kind)
  }
})

test('what is none of Anthropic’s events is named', () => {
  for (const frame of [
    frameOf(CHUNK, '{"p":"abc"}'),
    frameOf(CHUNK, '[]'),
    chunkOf('no JSON'),
    chunkOf('[1,\n2]'),
    chunkOf('{"index":0}'),
    chunkOf('{"type":"two words"}'),
    Buffer.alloc(64, 'x'),
  ])
    assert.throws(() => read(frame), { kind: 'wrong_shape' })
})
