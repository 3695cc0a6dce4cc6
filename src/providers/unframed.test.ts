import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/failure.ts'
import type { StreamSink } from '../transport/wire.ts'
import type { FrameReader } from './surface-face.ts'
import { unframed } from './unframed.ts'

/** Frames are lines here; `!` is none, and half a line is no end. */
function openLines(): FrameReader {
  let rest = ''
  return {
    push: (bytes) => {
      const lines = (rest + Buffer.from(bytes).toString()).split('\n')
      rest = lines.pop() ?? ''
      if (lines.includes('!')) throw new GatewayError('wrong_shape', 'no frame')
      return Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''))
    },
    end: () => {
      if (rest !== '') throw new GatewayError('cut', 'half a frame')
    },
  }
}

/** What a sink was told, in order; it asks for a pause at once. */
function heard(run: (sink: StreamSink) => void): readonly string[] {
  const told: string[] = []
  run(
    unframed(
      {
        head: (status, headers) => told.push(`${status} ${headers['content-type'] ?? ''}`),
        data: (chunk) => {
          told.push(chunk.toString())
          return false
        },
        end: () => told.push('end'),
        fail: (error) => told.push(`fail: ${error.message}`),
      },
      openLines,
    ),
  )
  return told
}

test('frames become the events that are in them', () => {
  const told = heard((sink) => {
    sink.head(200, { 'content-type': 'application/vnd.amazon.eventstream' })
    assert.equal(
      sink.data(Buffer.from('a')),
      true,
      'nothing is passed on, and so there is nothing to wait for',
    )
    assert.equal(sink.data(Buffer.from('b\nc\n')), false)
    sink.end()
  })
  assert.deepEqual(told, ['200 text/event-stream', 'data: ab\n\ndata: c\n\n', 'end'])
})

test('refusals, and what says that it is no frames, pass as they come', () => {
  for (const [status, type] of [
    [400, 'application/vnd.amazon.eventstream'],
    [200, 'application/json'],
    [200, 'text/html; charset=utf-8'],
  ] as const) {
    const told = heard((sink) => {
      sink.head(status, { 'content-type': type })
      sink.data(Buffer.from('as it is'))
      sink.end()
    })
    assert.deepEqual(told, [`${status} ${type}`, 'as it is', 'end'])
  }
})

test('half a frame is no end, and failures are told once', () => {
  const cut = heard((sink) => {
    sink.head(200, {})
    sink.data(Buffer.from('a\nb'))
    sink.end()
  })
  assert.deepEqual(cut, ['200 text/event-stream', 'data: a\n\n', 'fail: half a frame'])
  const torn = heard((sink) => {
    sink.head(200, {})
    sink.fail(new GatewayError('cut', 'the connection is gone'))
  })
  assert.deepEqual(torn, ['200 text/event-stream', 'fail: the connection is gone'])
  // The transport hears what is thrown, and tells the sink.
  assert.throws(() => heard((sink) => (sink.head(200, {}), sink.data(Buffer.from('!\n')))), /no frame/)
})
