import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { array, assert as assertProperty, nat, property, record, string, uint8Array } from 'fast-check'
import { createFrameParser, type Frame } from './event-stream.ts'

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()),
  (text) => Buffer.from(text),
)

/** Frames as AWS's own codec writes them. */
function written(name: string, text: string, body: Uint8Array): Buffer {
  return Buffer.from(
    codec.encode({
      headers: {
        ':message-type': { type: 'string', value: 'event' },
        [name]: { type: 'string', value: text },
        long: { type: 'long', value: { bytes: new Uint8Array(8), valueOf: () => 0 } },
        flag: { type: 'boolean', value: true },
        small: { type: 'byte', value: 3 },
        id: { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
        at: { type: 'timestamp', value: new Date(0) },
        raw: { type: 'binary', value: Buffer.from('xy') },
      },
      body,
    }),
  )
}

function readIn(pieces: readonly Uint8Array[]): readonly Frame[] {
  const parser = createFrameParser()
  const frames = pieces.flatMap((piece) => parser.push(piece))
  parser.end()
  return frames
}

function cut(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [0, ...cuts.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, at) => bytes.subarray(places[at], end))
}

const FRAME = record({
  name: string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((name) => name !== '__proto__'),
  text: string({ maxLength: 40 }),
  body: uint8Array({ maxLength: 300 }),
})

test("frames of AWS's codec are read however the network cuts them", () => {
  assertProperty(
    property(array(FRAME, { maxLength: 6 }), array(nat()), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ name, text, body }) => written(name, text, body)))
      assert.deepEqual(
        readIn(cut(bytes, cuts)).map(({ headers, payload }) => ({ headers, payload: Buffer.from(payload) })),
        frames.map(({ name, text, body }) => ({
          headers: { ':message-type': 'event', ...RESERVED(name, text) },
          payload: Buffer.from(body),
        })),
      )
    }),
  )
})

/** A generated name may be one that another header of the frame has, which then comes later and wins. */
function RESERVED(name: string, text: string): Readonly<Record<string, string>> {
  return ['long', 'flag', 'small', 'id', 'at', 'raw'].includes(name) ? {} : { [name]: text }
}

test('no byte of a frame can be another one', () => {
  const frame = written('a', 'b', Buffer.from('{"p":"abc"}'))
  for (let at = 0; at < frame.length; at += 1) {
    const bent = Buffer.from(frame)
    bent.writeUInt8((bent.readUInt8(at) + 1) % 256, at)
    assert.throws(() => readIn([bent]), { name: 'GatewayError', kind: 'wrong_shape' }, `byte ${at}`)
  }
})

test('a stream that ends inside a frame is cut, and a huge frame is refused before it is read', () => {
  const frame = written('a', 'b', Buffer.alloc(100))
  assert.throws(() => readIn([frame.subarray(0, -1)]), { kind: 'cut' })
  assert.throws(() => readIn([frame.subarray(0, 3)]), { kind: 'cut' })
  assert.throws(() => createFrameParser(64).push(frame.subarray(0, 12)), { kind: 'wrong_shape' })
  assert.throws(() => createFrameParser().push(Buffer.from('<html>not what was asked for')), {
    kind: 'wrong_shape',
  })
})
