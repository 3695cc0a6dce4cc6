import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Usage } from '../../core/answer-facts.ts'
import { createHandClock } from '../../core/clock.ts'
import type { SessionTranslator } from '../../providers/realtime-face.ts'
import { bridge, type SessionEnd } from './bridge.ts'
import { FakeSocket } from './socket.fixture.ts'

/** Says to the other side what it hears in capitals, and to the one that said it how long that was. */
function loud(isWaiting: () => boolean = () => false): SessionTranslator {
  return {
    greeting: () => ['welcome'],
    fromClient: (message) => ({ toUpstream: [message.toUpperCase()], toClient: [String(message.length)] }),
    fromUpstream: (message) => ({ toUpstream: [], toClient: [message.toUpperCase(), 'and more'] }),
    isWaiting,
    ended: (code, reason) => [`lost ${code} ${reason}`.trim()],
  }
}

function scene(translator: SessionTranslator) {
  const [client, upstream, clock] = [new FakeSocket(), new FakeSocket(), createHandClock()]
  const ends: SessionEnd[] = []
  const redact = (text: string): string => text.replaceAll('sk-secret', '[secret]')
  const spent: Usage[] = []
  const running = bridge(client, upstream, {
    clock,
    redact,
    translator,
    ended: (end) => void ends.push(end),
    spent: (usage) => void spent.push(usage),
  })
  return { client, upstream, clock, ends, spent, running }
}

const MB = 1024 * 1024

test('a client of a translated session is greeted, and each side hears its own words', () => {
  const { client, upstream, ends } = scene(loud())
  assert.deepEqual(client.news(), ['text welcome'])
  client.emit('message', Buffer.from('hello'), true)
  assert.deepEqual([client.news(), upstream.news()], [['text 5'], ['resume', 'text HELLO']])
  upstream.emit('message', Buffer.from('hi'), true)
  assert.deepEqual([client.news(), upstream.news()], [['text HI', 'text and more'], []])
  client.emit('close', 1000, Buffer.from('done'))
  assert.deepEqual(upstream.news(), ['resume', 'close 1000 done'])
  assert.deepEqual(ends, [{ by: 'client', code: 1000, reason: 'done', fromClient: 1, fromUpstream: 1 }])
})

test('neither side is read while too much waits for the client, nor the client while too much waits upstream', () => {
  const { client, upstream } = scene(loud())
  const emit = (from: FakeSocket): boolean => from.emit('message', Buffer.from('x'), false)
  const holds = (): readonly (readonly string[])[] =>
    [client, upstream].map((side) => side.news().filter((each) => each === 'pause' || each === 'resume'))
  holds()
  upstream.bufferedAmount = MB + 1
  emit(client)
  assert.deepEqual(holds(), [['pause'], []])
  upstream.bufferedAmount = 0
  upstream.flush()
  assert.deepEqual(holds(), [['resume'], []])
  client.bufferedAmount = MB + 1
  emit(upstream)
  assert.deepEqual(holds(), [['pause'], ['pause']])
  client.bufferedAmount = MB / 4 + 1
  client.flush()
  assert.deepEqual(holds(), [[], []])
  client.bufferedAmount = MB / 4
  client.flush()
  assert.deepEqual(holds(), [['resume'], ['resume']])
})

test('a translator says what was spent, and the events that it writes are not looked through', () => {
  const usage = { input_tokens: 2, output_tokens: 1 }
  const told = JSON.stringify({ type: 'response.done', response: { usage } })
  const { client, upstream, spent } = scene({
    ...loud(),
    fromUpstream: () => ({ toUpstream: [], toClient: [told], spent: [usage, { input_tokens: 'many' }] }),
  })
  upstream.emit('message', Buffer.from('x'), false)
  assert.equal(client.news().at(-1), `text ${told}`)
  assert.deepEqual(spent, [{ promptTokens: 2, completionTokens: 1, totalTokens: 3 }])
})

test('the client is not read until the upstream is ready', () => {
  let isWaiting = false
  const { client, upstream, clock, ends } = scene(loud(() => isWaiting))
  isWaiting = true
  client.emit('message', Buffer.from('set up'), false)
  assert.equal(client.news().at(-1), 'pause')
  upstream.flush()
  assert.deepEqual(client.news(), [])
  isWaiting = false
  upstream.emit('message', Buffer.from('ready'), false)
  assert.equal(client.news().at(-1), 'resume')
  clock.wind(60_000)
  assert.deepEqual(ends, [])
})

test('an upstream that does not become ready within half a minute has failed', () => {
  let isWaiting = false
  const { client, clock, ends } = scene(loud(() => isWaiting))
  isWaiting = true
  client.emit('message', Buffer.from('set up'), false)
  client.news()
  clock.wind(29_999)
  assert.deepEqual(ends, [])
  clock.wind(1)
  const why = 'the upstream was not ready within 30 s'
  assert.deepEqual(client.news(), [`text lost 1011 ${why}`, 'resume', `close 1011 ${why}`])
  assert.deepEqual(ends, [{ by: 'upstream', code: 1011, reason: why, fromClient: 1, fromUpstream: 0 }])
})

test('the end of the upstream is told in an event before the close, without secrets', () => {
  const { client, upstream } = scene(loud())
  client.news()
  upstream.emit('close', 1007, Buffer.from('no sk-secret'))
  assert.deepEqual(client.news(), ['text lost 1007 no [secret]', 'resume', 'close 1007 no [secret]'])
  upstream.emit('message', Buffer.from('too late'), false)
  assert.deepEqual(client.news(), [])
})

test('what a client says in one piece with what stops its reading waits until it is read again', () => {
  const { client, upstream } = scene(loud())
  const emit = (text: string): boolean => client.emit('message', Buffer.from(text), false)
  client.bufferedAmount = MB + 1
  emit('one')
  upstream.news()
  client.news()
  emit('two')
  emit('three')
  assert.deepEqual([client.news(), upstream.news()], [[], []])
  client.bufferedAmount = 0
  client.flush()
  assert.deepEqual(client.news(), ['text 3', 'text 5', 'resume'])
  assert.deepEqual(upstream.news(), ['resume', 'text TWO', 'text THREE'])
})

test('a translator that throws ends its own session, and nothing else', () => {
  const broken = (): never => {
    throw new Error('no sk-secret')
  }
  const cases: readonly (readonly [Partial<SessionTranslator>, (each: ReturnType<typeof scene>) => void])[] =
    [
      [{ fromClient: broken }, ({ client }) => client.emit('message', Buffer.from('x'), false)],
      [{ fromUpstream: broken }, ({ upstream }) => upstream.emit('message', Buffer.from('x'), false)],
      [{ greeting: broken }, () => {}],
    ]
  for (const [own, act] of cases) {
    const each = scene({ ...loud(), ...own })
    act(each)
    const reason = 'the gateway failed: no [secret]'
    assert.deepEqual(
      each.ends.map(({ by, code, reason: why }) => ({ by, code, reason: why })),
      [{ by: 'gateway', code: 1011, reason }],
    )
    assert.equal(each.client.news().at(-1), `close 1011 ${reason}`)
    assert.ok(each.upstream.news().includes(`close 1011 ${reason}`))
  }
  const { client, upstream, ends } = scene({ ...loud(), ended: broken })
  upstream.emit('close', 1000, Buffer.from('done'))
  assert.equal(client.news().at(-1), 'close 1000 done')
  assert.deepEqual([ends.length, ends[0]?.by], [1, 'upstream'])
})
