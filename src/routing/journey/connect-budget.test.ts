import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginWait, createConnectBudget, endWait, isSpent } from './connect-budget.ts'

const NEVER = Number.POSITIVE_INFINITY

/** What each attempt may wait where one after the other waits in vain. */
function shares(attempts: number, wholeMs = 3000): readonly number[] {
  const budget = createConnectBudget(wholeMs)
  let nowMs = 0
  return Array.from({ length: attempts }, (_, at) => {
    const mostMs = beginWait(budget, nowMs, attempts - at - 1, NEVER)
    nowMs += mostMs
    assert.equal(endWait(budget, nowMs, true), true)
    assert.equal(isSpent(budget), at === attempts - 1)
    return mostMs
  })
}

test('the wait is divided so that far hosts have time, and the last one has some as well', () => {
  assert.deepEqual(shares(1), [3000])
  assert.deepEqual(shares(2), [1500, 1500])
  assert.deepEqual(shares(3), [1125, 1125, 750])
  assert.deepEqual(shares(4), [1125, 1125, 450, 300])
  assert.deepEqual(shares(3, 1000), [375, 375, 250])
})

test('who refuses at once takes nothing from the others, nor does who failed after a connection', () => {
  const budget = createConnectBudget(3000)
  assert.equal(beginWait(budget, 0, 1, NEVER), 1500)
  assert.equal(endWait(budget, 4, true), false)
  assert.equal(beginWait(budget, 4, 0, NEVER), 2996)
  assert.equal(endWait(budget, 2004, false), false)
  assert.equal(budget.leftMs, 2996)
  assert.equal(endWait(budget, 9000, true), false, 'no wait had begun')
})

test('a ceiling bounds a share and leaves the rest', () => {
  const budget = createConnectBudget(3000)
  assert.equal(beginWait(budget, 0, 0, 1800), 1800)
  assert.equal(endWait(budget, 1800, true), true)
  assert.equal(budget.leftMs, 1200)
})
