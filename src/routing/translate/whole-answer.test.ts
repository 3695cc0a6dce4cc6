import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/failure.ts'
import type { StreamSink, WireResponse } from '../road.ts'
import { wholeSink, type WholeAnswer } from './whole-answer.ts'

const TEXT = 'text/plain; charset=utf-8'

/** What a client's side was told, in order. */
function told(answer: WholeAnswer): { readonly sink: StreamSink; readonly seen: unknown[] } {
  const seen: unknown[] = []
  const sink: StreamSink = {
    head: (status, headers) => void seen.push(status, headers),
    data: (chunk) => seen.push(String(chunk)) > 0,
    end: () => void seen.push('end'),
    fail: (error) => void seen.push(error instanceof GatewayError ? error.kind : error),
  }
  return { sink: wholeSink(sink, answer), seen }
}

const write: WholeAnswer['write'] = ({ body }) => ({ type: TEXT, bytes: Buffer.from(`<${String(body)}>`) })

function answered(sink: StreamSink, status: number): Promise<void> {
  sink.head(status, { 'content-type': 'application/json', 'content-length': '4', 'x-id': '1' })
  sink.data(Buffer.from('on'))
  sink.data(Buffer.from('e!'))
  sink.end()
  return new Promise(setImmediate)
}

const WRITTEN = { 'content-type': TEXT, 'content-length': '6', 'x-id': '1' }

test('an answer is written once it is whole, with the size of what is written', async () => {
  const { sink, seen } = told({ write })
  await answered(sink, 200)
  assert.deepEqual(seen, [200, WRITTEN, '<one!>', 'end'])
})

test('that a provider made a job of a request is not said to the client', async () => {
  const { sink, seen } = told({ write })
  await answered(sink, 201)
  assert.deepEqual(seen, [200, WRITTEN, '<one!>', 'end'])
})

test('a refusal passes as it came, whichever request of the call it is about', async () => {
  const first = told({ write })
  await answered(first.sink, 429)
  assert.deepEqual(first.seen.slice(2), ['on', 'e!', 'end'])
  const refusal: WireResponse = { status: 402, headers: { 'x-id': '2' }, body: Buffer.from('no credit') }
  const later = told({ write, lastOf: () => Promise.resolve(refusal) })
  await answered(later.sink, 200)
  assert.deepEqual(later.seen, [402, { 'x-id': '2' }, 'no credit', 'end'])
})

test('what cannot be read, or was never done, ends this answer alone', async () => {
  const flawed = new GatewayError('wrong_shape', 'no text')
  const unread = told({
    write: () => {
      throw flawed
    },
  })
  await answered(unread.sink, 200)
  const undone = told({ write, lastOf: () => Promise.reject(new GatewayError('timeout', 'late')) })
  await answered(undone.sink, 200)
  assert.deepEqual([unread.seen, undone.seen], [['wrong_shape'], ['timeout']])
})
