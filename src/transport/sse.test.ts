import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, nat, property } from 'fast-check'
import { createSseParser, type SseEvent } from './sse.ts'

/** Byte order mark, comment, CRLF, CR and LF ends, several data lines, no space, multi-byte text, an unfinished end. */
const STREAM =
  '\uFEFF: keep-alive\r\n\r\ndata: {"a":"ü€😀"}\n\nevent: message-end\rdata: one\rdata:two\r\rid: 7\ndata\n\nretry: 3\n\ndata: [DONE]\r\n\r\ndata: cut off'

const EVENTS: readonly SseEvent[] = [
  { name: '', data: '{"a":"ü€😀"}' },
  { name: 'message-end', data: 'one\ntwo' },
  { name: '', data: '' },
  { name: '', data: '[DONE]' },
]

test('a stream is the same events however the network cuts it', () => {
  const bytes = Buffer.from(STREAM)
  assertProperty(
    property(array(nat({ max: bytes.length }), { maxLength: 40 }), (cuts) => {
      const parser = createSseParser()
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const events = places.slice(1).flatMap((end, at) => parser.push(bytes.subarray(places[at], end)))
      assert.deepEqual([...events, ...parser.end()], EVENTS)
    }),
  )
})

test('a stream cut at every single byte is still the same events', () => {
  const parser = createSseParser()
  assert.deepEqual(
    [...Buffer.from(STREAM)].flatMap((byte) => parser.push(Uint8Array.of(byte))),
    EVENTS,
  )
})

test('an event without end is refused before it fills the memory', () => {
  const parser = createSseParser(100)
  assert.throws(() => parser.push(Buffer.from(`data: ${'x'.repeat(200)}`)), { kind: 'wrong_shape' })
})
