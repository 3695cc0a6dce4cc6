import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Timeouts } from '../core/deployment.ts'
import { limitsOf } from './relay.ts'
import type { RelaySettings } from './relay.ts'

test('the nearest timeout counts, a client may only shorten it, and a stream is timed by its silence', () => {
  type Client = { readonly timeoutMs?: number; readonly streamTimeoutMs?: number }
  type Case = readonly [
    stream: boolean,
    own: Timeouts,
    router: Partial<RelaySettings>,
    client: Client,
    whole: number,
    silence: number,
  ]
  const cases: readonly Case[] = [
    [false, {}, {}, {}, 6_000_000, 600_000],
    [false, { timeoutMs: 3000 }, {}, {}, 3000, 600_000],
    [false, { timeoutMs: 3000 }, {}, { timeoutMs: 1000 }, 1000, 600_000],
    [false, { timeoutMs: 3000 }, {}, { timeoutMs: 9000 }, 3000, 600_000],
    [false, { streamTimeoutMs: 5 }, {}, {}, 6_000_000, 600_000],
    [true, {}, {}, {}, 6_000_000, 600_000],
    [true, { timeoutMs: 3000 }, {}, {}, 6_000_000, 3000],
    [true, { timeoutMs: 3000, streamTimeoutMs: 500 }, {}, {}, 6_000_000, 500],
    [true, { timeoutMs: 3000 }, { streamTimeoutMs: 700 }, {}, 6_000_000, 700],
    [true, {}, { requestTimeoutMs: 10_000 }, {}, 6_000_000, 10_000],
    [true, {}, {}, { timeoutMs: 1000 }, 6_000_000, 1000],
    [true, {}, {}, { timeoutMs: 1000, streamTimeoutMs: 200 }, 6_000_000, 200],
  ]
  for (const [stream, timeouts, router, client, whole, silence] of cases) {
    const settings = { requestTimeoutMs: 6_000_000, rewriteResponseModel: false, ...router }
    const { timeoutMs, idleTimeoutMs } = limitsOf(settings, { timeouts }, { stream, ...client })
    assert.deepEqual(
      [timeoutMs, idleTimeoutMs],
      [whole, silence],
      JSON.stringify([stream, timeouts, router, client]),
    )
  }
})
