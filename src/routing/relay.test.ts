import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Timeouts } from '../core/deployment.ts'
import { limitsOf, silenceOf } from './relay.ts'
import type { RelaySettings } from './relay.ts'

type Client = { readonly timeoutMs?: number; readonly streamTimeoutMs?: number }
type Case<Expected extends readonly number[]> = readonly [
  own: Timeouts,
  router: Partial<RelaySettings>,
  client: Client,
  ...expected: Expected,
]

const settingsOf = (router: Partial<RelaySettings>): RelaySettings => ({
  requestTimeoutMs: 6_000_000,
  rewriteResponseModel: false,
  ...router,
})

test('the nearest timeout counts, and a client may only shorten it', () => {
  const cases: readonly Case<readonly [whole: number]>[] = [
    [{}, {}, {}, 6_000_000],
    [{ timeoutMs: 3000 }, {}, {}, 3000],
    [{ timeoutMs: 3000 }, {}, { timeoutMs: 1000 }, 1000],
    [{ timeoutMs: 3000 }, {}, { timeoutMs: 9000 }, 3000],
    [{ streamTimeoutMs: 5, firstTokenMs: 5, streamIdleMs: 5 }, {}, {}, 6_000_000],
  ]
  for (const [timeouts, router, client, whole] of cases) {
    const limits = limitsOf(settingsOf(router), { timeouts }, client, undefined)
    assert.deepEqual([limits.timeoutMs, limits.idleTimeoutMs], [whole, 600_000], JSON.stringify(timeouts))
  }
})

test('a stream is timed by its silence, before its first event and after it', () => {
  const cases: readonly Case<readonly [first: number, idle: number]>[] = [
    [{}, {}, {}, 600_000, 600_000],
    [{ timeoutMs: 3000 }, {}, {}, 3000, 3000],
    [{ timeoutMs: 3000, streamTimeoutMs: 500 }, {}, {}, 500, 500],
    [{ timeoutMs: 3000 }, { streamTimeoutMs: 700 }, {}, 700, 700],
    [{}, { requestTimeoutMs: 10_000 }, {}, 10_000, 10_000],
    [{}, {}, { timeoutMs: 1000 }, 1000, 1000],
    [{}, {}, { timeoutMs: 1000, streamTimeoutMs: 200 }, 200, 200],
    [{}, { firstTokenMs: 100 }, {}, 100, 600_000],
    [{}, { streamIdleMs: 100 }, {}, 600_000, 100],
    [{ firstTokenMs: 50 }, { firstTokenMs: 100, streamIdleMs: 70 }, {}, 50, 70],
    [{ streamIdleMs: 50 }, { streamTimeoutMs: 900, streamIdleMs: 70 }, {}, 900, 50],
    [{ streamTimeoutMs: 900 }, { firstTokenMs: 100 }, {}, 100, 900],
    [{ firstTokenMs: 900_000 }, {}, {}, 900_000, 600_000],
    [{ firstTokenMs: 900_000 }, {}, { streamTimeoutMs: 200 }, 200, 200],
  ]
  for (const [timeouts, router, client, firstMs, idleMs] of cases) {
    const settings = settingsOf(router)
    const silence = silenceOf(settings, { timeouts }, client)
    const { pingedMs, ...others } = silence
    assert.deepEqual(others, { firstMs, idleMs }, JSON.stringify([timeouts, router, client]))
    assert.ok(pingedMs >= idleMs)
    // The bytes may be silent for as long as the events: whose silence it is shows only in them.
    const limits = limitsOf(settings, { timeouts }, client, silence)
    assert.deepEqual([limits.timeoutMs, limits.idleTimeoutMs], [6_000_000, Math.max(firstMs, idleMs)])
  }
})

test('while pings come a stream may be silent for as long as any stream may, whatever is written for those without', () => {
  const pinged = (timeouts: Timeouts, router: Partial<RelaySettings>, client: Client): number =>
    silenceOf(settingsOf(router), { timeouts }, client).pingedMs
  assert.equal(pinged({ streamIdleMs: 50 }, {}, {}), 600_000)
  assert.equal(pinged({ streamIdleMs: 50 }, { streamTimeoutMs: 900 }, {}), 900)
  assert.equal(pinged({ streamIdleMs: 5_000, streamTimeoutMs: 900 }, {}, {}), 5_000)
  assert.equal(pinged({ streamIdleMs: 50 }, {}, { streamTimeoutMs: 200 }), 200)
})
