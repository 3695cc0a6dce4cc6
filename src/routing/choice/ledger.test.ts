import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createHandClock } from '../../core/clock.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { createLedger } from './ledger.ts'
import type { Booking, Ledger } from './ledger.ts'
import { createLimits } from './limits.ts'
import type { Need } from '../request/need.ts'

const need = (tokens: number, isStream = false): Need => ({ tokens: () => tokens, isStream })
const usage = (totalTokens: number, completionTokens = 1): object => ({
  usage: { promptTokens: totalTokens - completionTokens, completionTokens, totalTokens },
})

test('what has begun and not ended is in flight, whatever the ends, and each counts once', () => {
  const deployments = [0, 1, 2].map((index) => aDeployment(index, { traffic: { rpm: 9, tpm: 99 } }))
  const step = fc.record({
    does: fc.constantFrom('begin', 'end', 'fail', 'cancel', 'end twice'),
    index: fc.nat(2),
    tokens: fc.nat(50),
    afterMs: fc.nat(20_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const clock = createHandClock()
      const ledger = createLedger(deployments, { countsTokens: true, latencyWindowMs: 1000 }, clock)
      const open: Booking[][] = [[], [], []]
      for (const { does, index, tokens, afterMs } of steps) {
        clock.wind(afterMs)
        const bookings = open[index] ?? []
        if (does === 'begin') bookings.push(ledger.begin(aDeployment(index), need(tokens)))
        else {
          const booking = bookings.pop()
          if (booking === undefined) continue
          if (does.startsWith('end')) ledger.ended(booking, { bytes: 1, ...usage(tokens) })
          else ledger.failed(booking, does === 'fail' ? 'timeout' : 'cancelled')
          if (does === 'end twice') ledger.failed(booking, 'timeout')
        }
        for (const each of [0, 1, 2]) assert.equal(ledger.inFlight(each), open[each]?.length)
      }
      for (const booking of open.flat()) ledger.failed(booking, 'cancelled')
      clock.wind(120_000)
      for (const each of [0, 1, 2]) assert.deepEqual([ledger.inFlight(each), ledger.tokens(each)], [0, 0])
    }),
  )
})

test('no minute ever has more requests than rpm, and who waits as told is let in', () => {
  const gaps = fc.array(fc.nat(9000), { minLength: 20, maxLength: 120 })
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 8 }), (given, rpm) => {
      const clock = createHandClock()
      const only = aDeployment(0, { traffic: { rpm } })
      const ledger = createLedger([only], { countsTokens: false }, clock)
      const limitMs = createLimits(ledger, undefined)
      const taken: number[] = []
      for (const gap of given) {
        clock.wind(gap)
        const waitMs = limitMs(only, need(1))
        if (waitMs > 0 && taken.length % 3 === 0) {
          clock.wind(waitMs)
          assert.equal(limitMs(only, need(1)), 0, 'the wait was told right')
        }
        if (limitMs(only, need(1)) > 0) continue
        ledger.begin(only, need(1))
        taken.push(clock.elapsed())
      }
      for (const [at, first] of taken.entries()) {
        const last = taken[at + rpm]
        assert.ok(last === undefined || last - first >= 60_000)
      }
    }),
  )
})

test('tokens are guessed while in flight, known afterwards, and an idle deployment takes any request', () => {
  const clock = createHandClock()
  const only = aDeployment(0, { traffic: { tpm: 100 } })
  const ledger = createLedger([only], { countsTokens: false }, clock)
  const limitMs = createLimits(ledger, undefined)
  assert.equal(limitMs(only, need(1000)), 0)
  const first = ledger.begin(only, need(60))
  assert.equal(limitMs(only, need(40)), 0)
  assert.equal(limitMs(only, need(41)), 1000, 'nobody knows when it will end')
  ledger.ended(first, { bytes: 1, ...usage(90) })
  assert.equal(ledger.tokens(0), 90)
  assert.ok(limitMs(only, need(1)) > 55_000, 'an answer is now known to be larger than its question')
  clock.wind(62_000)
  assert.equal(limitMs(only, need(1)), 0)
})

test('requests in flight are limited by the deployment’s number, else by the router’s', () => {
  const clock = createHandClock()
  const own = aDeployment(0, { traffic: { maxParallelRequests: 2 } })
  const plain = aDeployment(1)
  const ledger = createLedger([own, plain], { countsTokens: false }, clock)
  const limitMs = createLimits(ledger, 1)
  const bookings = [own, own, plain].map((each) => {
    assert.equal(limitMs(each, need(1)), 0)
    return ledger.begin(each, need(1))
  })
  assert.deepEqual([limitMs(own, need(1)), limitMs(plain, need(1))], [1000, 1000])
  for (const booking of bookings) ledger.failed(booking, 'cancelled')
  assert.deepEqual([limitMs(own, need(1)), limitMs(plain, need(1))], [0, 0])
})

function answer(
  ledger: Ledger,
  clock: ReturnType<typeof createHandClock>,
  tookMs: number,
  facts: object,
): void {
  const booking = ledger.begin(aDeployment(0), need(1, 'firstByteMs' in facts))
  clock.wind(tookMs)
  ledger.ended(booking, { bytes: 1, ...facts })
}

test('a latency is the mean of the last ten answers of its kind, and forgotten after its window', () => {
  const clock = createHandClock()
  const ledger = createLedger([aDeployment(0)], { countsTokens: false, latencyWindowMs: 60_000 }, clock)
  assert.equal(ledger.latencyMs(0, false), undefined)
  answer(ledger, clock, 900, usage(40, 30))
  answer(ledger, clock, 50, {})
  assert.equal(ledger.latencyMs(0, false), 40)
  assert.equal(ledger.latencyMs(0, true), undefined)
  answer(ledger, clock, 5000, { firstByteMs: 70 })
  assert.equal(ledger.latencyMs(0, true), 70)
  for (let more = 0; more < 10; more += 1) answer(ledger, clock, 10, {})
  assert.equal(ledger.latencyMs(0, false), 10)
  ledger.failed(ledger.begin(aDeployment(0), need(1)), 'timeout')
  assert.equal(ledger.latencyMs(0, false), 10, 'a hasty client takes nobody’s place away')
  clock.wind(60_001)
  assert.equal(ledger.latencyMs(0, false), undefined)
})

test('what is in flight under the config before counts, and what it has used up stays used, until it is over', () => {
  const clock = createHandClock()
  const rules = { countsTokens: true }
  const traffic = { rpm: 2, tpm: 100 }
  const [first, second] = [aDeployment(0, { traffic }), aDeployment(1, { traffic })]
  const before = createLedger([first, second], rules, clock)
  const booking = before.begin(second, need(40))
  const elders = [{ ledger: before, was: (index: number) => (index === 0 ? 1 : undefined) }]
  const after = createLedger([aDeployment(0, { traffic }), aDeployment(1, { traffic })], rules, clock, elders)
  assert.deepEqual([after.inFlight(0), after.inFlight(1)], [1, 0])
  assert.equal(after.tokens(0), before.tokens(1))
  assert.equal(after.requestWaitMs(0, 1) > 0, true)
  assert.equal(after.requestWaitMs(1, 1), 0)
  before.ended(booking, { bytes: 1, ...usage(30) })
  assert.deepEqual([after.inFlight(0), after.tokens(0)], [0, 30])
  elders.pop()
  assert.deepEqual([after.inFlight(0), after.tokens(0), after.tokens(1)], [0, 30, 0])
})

test('what goes on counts what it has cost so far in place of the guess, and nothing more at its end', () => {
  const clock = createHandClock()
  const only = aDeployment(0, { traffic: { tpm: 100 } })
  const ledger = createLedger([only], { countsTokens: false }, clock)
  const limitMs = createLimits(ledger, undefined)
  const booking = ledger.begin(only, need(40))
  assert.equal(ledger.tokens(0), 40)
  for (const totalTokens of [30, 80])
    ledger.spent(booking, { promptTokens: 0, completionTokens: totalTokens, totalTokens })
  assert.deepEqual([ledger.tokens(0), ledger.inFlight(0), ledger.own.pendingTokens(0)], [110, 1, 0])
  assert.ok(limitMs(only, need(1)) > 0)
  ledger.failed(booking, 'cancelled')
  ledger.spent(booking, { promptTokens: 0, completionTokens: 9, totalTokens: 9 })
  assert.deepEqual([ledger.tokens(0), ledger.inFlight(0)], [110, 0])
  clock.wind(70_000)
  assert.equal(limitMs(only, need(1)), 0)
})
