import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { HedgeRule } from '../../core/hedge-rule.ts'
import { createHedgeGroups } from './hedge-groups.ts'
import type { HedgedGroup } from './hedge-groups.ts'

function groupOf(rule: HedgeRule): HedgedGroup {
  return createHedgeGroups(new Map([['a', rule]])).of('a') ?? assert.fail()
}

test('a group of which nothing is written never hedges', () => {
  assert.equal(createHedgeGroups(new Map([['a', { after: 1, share: 1 }]])).of('b'), undefined)
})

test('a written time is waited for from the first request on', () => {
  assert.equal(groupOf({ after: 1500, share: 0.05 }).afterMs(true), 1500)
})

test('nobody hedges before enough answers were seen, of streams and of whole answers apart', () => {
  const group = groupOf({ after: 'p95', share: 0.05 })
  for (let at = 1; at < 20; at += 1) group.saw(false, at * 100)
  assert.equal(group.afterMs(false), undefined)
  group.saw(false, 2000)
  assert.equal(group.afterMs(false), 1900)
  assert.equal(group.afterMs(true), undefined)
})

test('the usual follows what is seen, and is never so short that every answer is doubled', () => {
  const group = groupOf({ after: 'p95', share: 0.05 })
  for (let at = 0; at < 20; at += 1) group.saw(true, 400)
  assert.equal(group.afterMs(true), 400)
  for (let at = 0; at < 128; at += 1) group.saw(true, 1)
  assert.equal(group.afterMs(true), 10)
})

test('a hedge costs as many requests as its share says, and only some are saved up', () => {
  const group = groupOf({ after: 1000, share: 0.05 })
  const spent = (): number => {
    let count = 0
    while (group.spend()) count += 1
    return count
  }
  for (let sent = 0; sent < 19; sent += 1) group.request()
  assert.equal(spent(), 0)
  group.request()
  assert.equal(spent(), 1)
  for (let sent = 0; sent < 10_000; sent += 1) group.request()
  assert.equal(spent(), 10)
})

test('whatever comes when, there are never more hedges than the share of the requests', () => {
  const shares = fc.constantFrom(0.001, 0.03, 0.05, 0.1, 1 / 3, 0.7, 1)
  const events = fc.array(fc.boolean(), { minLength: 1, maxLength: 400 })
  fc.assert(
    fc.property(shares, events, (share, asks) => {
      const group = groupOf({ after: 1000, share })
      let requests = 0
      let hedges = 0
      for (const isRequest of asks) {
        if (isRequest) {
          group.request()
          requests += 1
        } else if (group.spend()) hedges += 1
        assert.ok(hedges <= requests * share + 1e-9, `${hedges} of ${requests}`)
      }
    }),
  )
})
