import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createHandClock } from '../../core/clock.ts'
import { createRetryBudgets } from './retry-budget.ts'
import { createSlidingCount } from '../choice/sliding-count.ts'

test('an idle group has a hundred retries, a busy one a fifth of its requests besides, each group its own', () => {
  const clock = createHandClock()
  const budgets = createRetryBudgets(0.2, clock)
  const spendAll = (group: string): number => {
    let spent = 0
    while (spent < 10_000 && budgets.spend(group)) spent += 1
    return spent
  }
  for (let sent = 0; sent < 1000; sent += 1) budgets.request('busy')
  assert.equal(spendAll('busy'), 300)
  assert.equal(spendAll('idle'), 100)
  assert.equal(spendAll('busy'), 0)
  clock.wind(10_000)
  assert.equal(spendAll('busy'), 100)
})

test('no retry is spent beyond the budget of the ten seconds before it', () => {
  const event = fc.record({ waitMs: fc.nat(3000), requests: fc.nat(40), wanted: fc.nat(200) })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const clock = createHandClock()
      const budgets = createRetryBudgets(0.2, clock)
      const log: { readonly at: number; readonly requests: number; readonly retries: number }[] = []
      for (const { waitMs, requests, wanted } of events) {
        clock.wind(waitMs)
        for (let sent = 0; sent < requests; sent += 1) budgets.request('g')
        let retries = 0
        for (let tried = 0; tried < wanted; tried += 1) if (budgets.spend('g')) retries += 1
        log.push({ at: clock.elapsed(), requests, retries })
        // The window is exact to a tenth of its length.
        const within = log.filter(({ at }) => at > clock.elapsed() - 9000)
        const total = (key: 'requests' | 'retries', from: typeof log): number =>
          from.reduce((sum, each) => sum + each[key], 0)
        const seen = log.filter(({ at }) => at > clock.elapsed() - 10_000)
        // What was spent on earlier requests stays spent; what counts is when the last one is.
        if (retries > 0) assert.ok(total('retries', within) <= 101 + 0.2 * total('requests', seen))
      }
    }),
  )
})

test('what is older than the window no longer counts', () => {
  const count = createSlidingCount(1000)
  count.add(5)
  count.add(450)
  count.add(990)
  assert.equal(count.total(999), 3)
  assert.equal(count.total(1000), 2)
  assert.equal(count.total(1400), 1)
  assert.equal(count.total(1899), 1)
  assert.equal(count.total(1900), 0)
  count.add(90_000)
  assert.equal(count.total(90_000), 1)
})
