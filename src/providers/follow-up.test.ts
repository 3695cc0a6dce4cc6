import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import type { WireRequest, WireResponse } from '../transport/wire.ts'
import type { Codec } from './adapter.ts'
import { answerOf, REQUESTS } from './adapter.contract.ts'
import { followUp, pollMs, type CallGround } from './follow-up.ts'

const GET = (url: string): WireRequest => ({ method: 'GET', url, headers: {} })
const LIMITS = { timeoutMs: 10_000, maxBytes: 1_000 }

/** A job that is done when it was looked at so many times. */
const job = (polls: number): Pick<Codec<'batch'>, 'encode' | 'decode' | 'next'> => ({
  encode: () => GET('http://upstream.test/job'),
  decode: () => ({ batches: 0 }),
  next: (_, request, target, step) =>
    step < polls
      ? { request: GET(`${target.base}/job/${step}?limit=${request.limit}`), afterMs: pollMs(step) }
      : undefined,
})

function groundOf(answers: (at: number) => WireResponse): {
  readonly clock: ReturnType<typeof createHandClock>
  readonly sent: (readonly [number, string, number])[]
  readonly ground: CallGround
} {
  const clock = createHandClock()
  const sent: (readonly [number, string, number])[] = []
  const ground: CallGround = {
    target: { provider: 'p', model: 'm', base: 'http://upstream.test', bodyDefaults: {} },
    clock,
    authorize: (request) => ({ ...request, url: `${request.url}&key` }),
    transport: {
      send: ({ url }, { timeoutMs }) => {
        sent.push([clock.elapsed(), url, timeoutMs])
        return Promise.resolve(answers(sent.length))
      },
    },
  }
  return { clock, sent, ground }
}

/** Winds until nobody waits any more; each look takes some turns of the event loop. */
async function wound(clock: ReturnType<typeof createHandClock>, byMs: number): Promise<void> {
  for (let at = 0; at < byMs; at += 20) {
    clock.wind(20)
    await new Promise(setImmediate)
  }
}

const ask = (ground: CallGround, polls: number, more: object = {}) =>
  followUp(ground, job(polls), REQUESTS.batch, answerOf('{"at":0}'), { ...LIMITS, ...more })

test('a job is looked at more and more rarely, each time with the key and what is left of the time', async () => {
  const { clock, sent, ground } = groundOf((at) => answerOf(`{"at":${at}}`))
  const done = ask(ground, 3)
  await wound(clock, 3_000)
  const { response, requests } = await done
  assert.deepEqual([String(response.body), requests], ['{"at":3}', 3])
  assert.deepEqual(sent, [
    [500, 'http://upstream.test/job/0?limit=1&key', 9_500],
    [1_200, 'http://upstream.test/job/1?limit=1&key', 8_800],
    [2_180, 'http://upstream.test/job/2?limit=1&key', 7_820],
  ])
  assert.equal(clock.pending(), 0)
  assert.deepEqual([pollMs(0), pollMs(5), pollMs(50)], [500, 2_689, 5_000])
})

test('a call whose first answer is the last sends nothing more, and a refusal ends it', async () => {
  const { ground, sent } = groundOf(() => answerOf('{}'))
  assert.equal((await ask(ground, 0)).requests, 0)
  const refused = { status: 429, headers: {}, body: Buffer.from('slow down') }
  const first = await followUp(ground, job(9), REQUESTS.batch, refused, LIMITS)
  assert.deepEqual([first.response, first.requests, sent], [refused, 0, []])
  const later = groundOf(() => refused)
  const ends = ask(later.ground, 9)
  await wound(later.clock, 600)
  assert.deepEqual([(await ends).response, (await ends).requests], [refused, 1])
})

test('a step that is to be streamed is not sent here: with credentials where it is the deployment’s own', async () => {
  for (const isKeyless of [true, false]) {
    const { ground, sent } = groundOf(() => answerOf('{}'))
    const lastly = GET('http://upstream.test/lastly')
    const codec: Pick<Codec<'batch'>, 'encode' | 'decode' | 'next'> = {
      ...job(0),
      next: (_, __, ___, step) => {
        if (step > 0) return undefined
        return { request: GET('http://upstream.test/events'), afterMs: 0, stream: { isKeyless, lastly } }
      },
    }
    const first = answerOf('{"at":0}')
    const { response, requests, stream } = await followUp(ground, codec, REQUESTS.batch, first, LIMITS)
    assert.deepEqual([response, requests, sent.length], [first, 0, 0])
    assert.equal(stream?.wire.url, `http://upstream.test/events${isKeyless ? '' : '&key'}`)
    assert.equal(stream?.lastly, lastly)
    const whole = await followUp(ground, codec, REQUESTS.batch, first, LIMITS, 1)
    assert.equal(whole.stream, undefined)
  }
})

test('a job that takes longer than the call may last is given up, before another look that would be too late', async () => {
  const { clock, sent, ground } = groundOf(() => answerOf('{}'))
  const given = assert.rejects(ask(ground, 100, { timeoutMs: 1_500 }), {
    kind: 'timeout',
    message: 'not done after 3 requests, and there is no time for another within 1500 ms',
  })
  await wound(clock, 2_000)
  await given
  assert.equal(sent.length, 2)
  assert.equal(clock.pending(), 0)
})

test('a caller that leaves between two looks ends them, and leaves no timer', async () => {
  for (const isEarly of [true, false]) {
    const { clock, sent, ground } = groundOf(() => answerOf('{}'))
    const left = new AbortController()
    if (isEarly) left.abort()
    const gone = assert.rejects(ask(ground, 9, { signal: left.signal }), { kind: 'cancelled' })
    if (!isEarly) {
      await wound(clock, 600)
      left.abort()
    }
    await gone
    assert.deepEqual([sent.length, clock.pending()], [isEarly ? 0 : 1, 0])
  }
})
