import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { blankRow, claimed, committed, GUARDS, isNewer, merged } from './ledger.ts'
import type { Outcome, SharedRow } from './sharing.ts'

const REPLICAS = ['a', 'b', 'c'] as const

/** What may happen to a row, in any order. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('claim' as const),
    who: fc.constantFrom(...REPLICAS),
    leaseMs: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({
    kind: fc.constant('commit' as const),
    // Any of the claims that were ever granted, to whoever holds it still.
    which: fc.nat(30),
    isBad: fc.boolean(),
    dueMs: fc.integer({ min: 0, max: 40 }),
  }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 50 }) }),
  fc.record({
    kind: fc.constant('ok' as const),
    who: fc.constantFrom(...REPLICAS),
    agoMs: fc.integer({ min: 0, max: 50 }),
  }),
  fc.record({ kind: fc.constant('report' as const), who: fc.constantFrom(...REPLICAS) }),
  fc.record({ kind: fc.constant('forget' as const) }),
)

const outcome = (at: number, isBad: boolean): Outcome => ({
  finding: { kind: isBad ? 'server_error' : 'ok', depth: 4, startedAt: at - 1, at },
  conclusion: isBad
    ? { kind: 'down', state: 'DOWN', reason: 'server_error', domain: 'deployment', needsSecond: false }
    : { kind: 'up' },
})

/** Runs steps against a row and tells `saw` of each version. */
function run(
  steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
  saw: (row: SharedRow, what: { readonly committedNonce?: string; readonly isReport?: boolean }) => void,
): void {
  let now = 1_000
  let row = blankRow('id')
  const grants: { readonly nonce: string; readonly by: string; readonly epoch: number }[] = []
  for (const each of steps) {
    switch (each.kind) {
      case 'pass':
        now += each.ms
        break
      case 'forget':
        // A store that lost its data; that takes it longer than as many claims as there can be before.
        now += 100
        row = blankRow('id')
        break
      case 'claim': {
        const nonce = `n${grants.length}`
        const claim = claimed(row, { by: each.who, nonce, leaseMs: each.leaseMs }, now)
        if (claim.kind === 'refused') break
        grants.push({ nonce, by: each.who, epoch: claim.row.epoch })
        row = claim.row
        saw(row, {})
        break
      }
      case 'commit': {
        const grant = grants[each.which % Math.max(grants.length, 1)]
        if (grant === undefined) break
        const dueAt = now + each.dueMs
        const next = committed(row, { ...grant, outcome: outcome(now, each.isBad), dueAt }, now)
        if (next === undefined) break
        row = next
        saw(row, { committedNonce: grant.nonce })
        break
      }
      case 'ok':
      case 'report': {
        const isReport = each.kind === 'report'
        const at = each.kind === 'ok' ? now - each.agoMs : now
        const note = isReport
          ? { doubt: outcome(now, true) }
          : { ok: { at, startedAt: at - 1, nextDueAt: at + 20 } }
        const next = merged(row, note, each.who, now)
        if (next === row) break
        row = next
        saw(row, { isReport })
        break
      }
    }
  }
}

describe('the rules of claims', () => {
  test('no claim is committed twice, whatever else happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const taken = new Set<string>()
        run(steps, (_, { committedNonce }) => {
          if (committedNonce === undefined) return
          assert.ok(!taken.has(committedNonce))
          taken.add(committedNonce)
        })
      }),
    )
  })

  test('epoch and version only grow for readers, also over a store that forgets', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let before: SharedRow | undefined
        run(steps, (row) => {
          assert.ok(isNewer(row, before), JSON.stringify([before, row]))
          before = row
        })
      }),
    )
  })

  test('without a look it takes the word of two to bring anybody down', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const alone = steps.filter(({ kind }) => kind !== 'commit')
        run(alone, (row) => assert.ok(row.verdict === undefined || Object.keys(row.reporters).length > 1))
      }),
    )
  })

  test('while a claim holds nobody else gets one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 0, max: 1_000 }),
        (leaseMs, passed) => {
          const first = claimed(blankRow('id'), { by: 'a', nonce: 'x', leaseMs }, 5_000)
          const second = claimed(first.row, { by: 'b', nonce: 'y', leaseMs }, 5_000 + passed)
          assert.equal(second.kind, passed < leaseMs ? 'refused' : 'granted')
        },
      ),
    )
  })

  const success = fc.record({ at: fc.nat(1_000), took: fc.nat(50) }).map(({ at, took }) => ({
    at,
    startedAt: at - took,
    nextDueAt: at + 300,
  }))
  const newest = (row: SharedRow) => [row.okAt, row.okStartedAt, row.due]

  test('successes merge alike in any order, grouped in any way, told once or often', () => {
    fc.assert(
      fc.property(
        fc.array(success, { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (all, dice) => {
          const tell = (order: typeof all): SharedRow =>
            order.reduce((row, ok) => merged(row, { ok }, 'a', 2_000), blankRow('id'))
          const shuffled = all
            .map((ok) => ({ ok, place: dice.next().value ?? 0 }))
            .sort((one, other) => one.place - other.place)
            .map(({ ok }) => ok)
          assert.deepEqual(newest(tell(shuffled)), newest(tell(all)))
          assert.deepEqual(newest(tell([...all, ...shuffled, ...all])), newest(tell(all)))
        },
      ),
    )
  })

  test('the guards in use are all there', () => {
    assert.deepEqual(GUARDS, { fence: 'nonce', isSeeded: true })
  })
})
