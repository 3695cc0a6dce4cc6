import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'
import type { WireRequest } from '../transport/wire.ts'
import { authorized, left } from './authorized.ts'

const WIRE: WireRequest = { method: 'GET', url: 'http://upstream.test/', headers: {} }
const LIMITS = { timeoutMs: 2_000, maxBytes: 1 }

test('a request whose credentials are at hand is there at once', () => {
  const clock = createHandClock()
  assert.equal(authorized({ authorize: (wire) => wire, clock }, WIRE, LIMITS), WIRE)
  assert.equal(clock.pending(), 0)
})

test('who waits for credentials waits as long as the request may take, and others go on waiting', async () => {
  const clock = createHandClock()
  const coming = Promise.withResolvers<WireRequest>()
  const line = { authorize: () => coming.promise, clock }
  const short = assert.rejects(async () => authorized(line, WIRE, LIMITS), {
    kind: 'timeout',
    message: 'no credentials came within 2000 ms',
  })
  const long = authorized(line, WIRE, { timeoutMs: 9_000 })
  clock.wind(2_000)
  await short
  coming.resolve(WIRE)
  assert.equal(await long, WIRE)
  assert.equal(clock.pending(), 0)
})

test('who is not wanted any more waits no longer', async () => {
  const clock = createHandClock()
  const line = { authorize: () => new Promise<WireRequest>(() => {}), clock }
  const leaving = new AbortController()
  const gone = assert.rejects(async () => authorized(line, WIRE, { ...LIMITS, signal: leaving.signal }), {
    kind: 'cancelled',
  })
  leaving.abort()
  await gone
  await assert.rejects(async () => authorized(line, WIRE, { ...LIMITS, signal: leaving.signal }), {
    kind: 'cancelled',
  })
})

test('why there are none is told, and what is left of the time is what was not waited', async () => {
  const clock = createHandClock()
  const none = new GatewayError('auth', 'refused')
  const line = { authorize: () => Promise.reject<WireRequest>(none), clock }
  await assert.rejects(async () => authorized(line, WIRE, LIMITS), none)
  assert.equal(clock.pending(), 0)
  const startedMs = clock.elapsed()
  clock.wind(500)
  assert.deepEqual(left(LIMITS, startedMs, clock), { timeoutMs: 1_500, maxBytes: 1 })
})
