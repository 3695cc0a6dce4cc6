import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Usage } from '../../core/answer-facts.ts'
import { createHandClock, type HandClock } from '../../core/clock.ts'
import { bridge, type Bridge, type SessionEnd } from './bridge.ts'
import { FakeSocket } from './socket.fixture.ts'

interface Scene {
  readonly client: FakeSocket
  readonly upstream: FakeSocket
  readonly clock: HandClock
  readonly ends: readonly SessionEnd[]
  readonly spent: readonly Usage[]
  readonly running: Bridge
}

function scene(): Scene {
  const [client, upstream, clock] = [new FakeSocket(), new FakeSocket(), createHandClock()]
  const ends: SessionEnd[] = []
  const spent: Usage[] = []
  const running = bridge(client, upstream, {
    clock,
    redact: (text) => text.replaceAll('sk-secret', '[secret]'),
    ended: (end) => void ends.push(end),
    spent: (usage) => void spent.push(usage),
  })
  upstream.news()
  return { client, upstream, clock, ends, spent, running }
}

const MB = 1024 * 1024

test('a side is not read while more than a megabyte waits for the other one', () => {
  const { client, upstream } = scene()
  client.bufferedAmount = MB
  upstream.emit('message', Buffer.from('a'), false)
  assert.deepEqual(upstream.news(), [])
  client.bufferedAmount = MB + 1
  upstream.emit('message', Buffer.from('b'), true)
  upstream.emit('message', Buffer.from('c'), false)
  assert.deepEqual(upstream.news(), ['pause'])
  assert.deepEqual(client.news(), ['text a', 'bytes b', 'text c'])
  client.bufferedAmount = MB / 4 + 1
  client.flush()
  assert.deepEqual(upstream.news(), [])
  client.bufferedAmount = MB / 4
  client.flush()
  client.flush()
  assert.deepEqual(upstream.news(), ['resume'])
})

test('a side that answers no ping and says nothing is dead after ninety seconds', () => {
  const { client, upstream, clock, ends } = scene()
  for (const expected of [['ping'], ['ping']]) {
    clock.wind(30_000)
    client.emit('pong')
    client.emit('message', Buffer.from('x'), false)
    assert.deepEqual(upstream.news(), [...expected, 'text x'])
  }
  client.news()
  clock.wind(30_000)
  const why = 'no answer to 2 pings'
  assert.deepEqual(client.news(), ['ping', 'resume', `close 1011 the upstream's connection broke: ${why}`])
  clock.wind(10_000)
  assert.deepEqual(upstream.news(), ['terminate'])
  assert.deepEqual(ends, [{ by: 'upstream', code: 1006, reason: why, fromClient: 2, fromUpstream: 0 }])
})

for (const sign of ['ping', 'pong', 'message']) {
  test(`a ${sign} is a sign of life`, () => {
    const { client, upstream, clock, ends } = scene()
    for (let round = 0; round < 10; round += 1) {
      clock.wind(30_000)
      for (const side of [client, upstream]) side.emit(sign, Buffer.from('x'), false)
    }
    assert.deepEqual(ends, [])
  })
}

test('a side that reads slowly, or that we do not read, is not asked for a sign of life', () => {
  const { client, upstream, clock, ends } = scene()
  client.bufferedAmount = 2 * MB
  upstream.emit('message', Buffer.from('x'), false)
  clock.wind(300_000)
  assert.deepEqual(client.news(), ['text x'])
  assert.deepEqual(upstream.news(), ['pause'])
  assert.deepEqual(ends, [])
})

test('ten minutes without a message end a session whose sides are alive', () => {
  const { client, upstream, clock, ends } = scene()
  for (let round = 0; round < 20; round += 1) {
    clock.wind(30_000)
    for (const side of [client, upstream]) side.emit('pong')
  }
  for (const side of [client, upstream]) {
    assert.deepEqual(side.news().slice(-2), ['resume', 'close 1001 no message for 600 s'])
  }
  assert.deepEqual(ends, [
    { by: 'gateway', code: 1001, reason: 'no message for 600 s', fromClient: 0, fromUpstream: 0 },
  ])
})

test('a side that does not answer our close is cut off', () => {
  const { client, upstream, clock } = scene()
  upstream.emit('close', 1000, Buffer.from('done'))
  assert.deepEqual(client.news(), ['resume', 'close 1000 done'])
  clock.wind(9_999)
  assert.deepEqual(client.news(), [])
  clock.wind(1)
  assert.deepEqual(client.news(), ['terminate'])
})

test('a gateway that stops does not wait for a slow goodbye', () => {
  const { client, upstream, clock, running } = scene()
  upstream.emit('close', 1000, Buffer.from('done'))
  running.end(1001, 'stopping')
  assert.deepEqual(client.news(), ['resume', 'close 1000 done'])
  clock.wind(400)
  assert.deepEqual(client.news(), ['terminate'])
  assert.equal(clock.pending(), 0)
})

test('what comes after the end is dropped, and the end is told once', () => {
  const { client, upstream, clock, ends, running } = scene()
  running.end(1001, 'stopping')
  running.end(1001, 'stopping again')
  client.emit('message', Buffer.from('too late'), false)
  client.emit('error', new Error('odd'))
  client.emit('close', 1001, Buffer.alloc(0))
  assert.deepEqual(upstream.news(), ['resume', 'close 1001 stopping'])
  assert.deepEqual(ends, [{ by: 'gateway', code: 1001, reason: 'stopping', fromClient: 0, fromUpstream: 0 }])
  clock.wind(400)
  assert.deepEqual(client.news(), ['resume', 'close 1001 stopping'])
  assert.deepEqual(upstream.news(), ['terminate'])
  assert.equal(clock.pending(), 0)
})

test('an error of one side ends the other at once, without waiting for the goodbye', () => {
  const { client, upstream, clock } = scene()
  client.emit('error', new Error('Max payload size exceeded'))
  assert.deepEqual(upstream.news(), [
    'resume',
    "close 1001 the client's connection broke: Max payload size exceeded",
  ])
  clock.wind(400)
  assert.deepEqual(upstream.news(), ['terminate'])
  assert.deepEqual(client.news(), [])
  clock.wind(9_600)
  assert.deepEqual(client.news(), ['terminate'])
  assert.equal(clock.pending(), 0)
})

test('no reason names a secret', () => {
  const { client, upstream, ends } = scene()
  upstream.emit('close', 4000, Buffer.from('bad key sk-secret'))
  assert.deepEqual(client.news(), ['resume', 'close 4000 bad key [secret]'])
  assert.equal(ends[0]?.reason, 'bad key [secret]')
})

test('what the upstream says of its cost is told as it passes, and what a client says of it is not', () => {
  const { client, upstream, spent, running } = scene()
  const usage = { total_tokens: 3, input_tokens: 2, output_tokens: 1 }
  const done = Buffer.from(JSON.stringify({ type: 'response.done', response: { usage } }))
  client.emit('message', done, false)
  upstream.emit('message', done, true)
  assert.deepEqual(spent, [])
  upstream.emit('message', [done.subarray(0, 20), done.subarray(20)], false)
  const counted = { promptTokens: 2, completionTokens: 1, totalTokens: 3 }
  assert.deepEqual(spent, [counted])
  assert.equal(client.news().at(-1), `text ${done.toString()}`)
  running.end(1001, 'bye')
  upstream.emit('message', done, false)
  assert.deepEqual(spent, [counted])
})
