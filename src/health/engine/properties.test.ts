import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { Depth } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import { FAILURE_KINDS } from '../../core/failure.ts'
import type { HealthState } from '../../core/health.ts'
import { depthToAcquit } from './blame.ts'
import { makeFailedProbe, makeFailure, makeOk } from './engine.fixture.ts'
import { isUnhealthy } from './eligibility.ts'
import { nextProbe } from './next-probe.ts'
import { fromPlain, toPlain } from './plain-standing.ts'
import { reduce } from './reduce.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './rules.ts'
import { createStanding, NEVER } from './standing.ts'
import type { Command, Standing } from './standing.ts'

/** A step of a history: something is told after a while. */
interface Told {
  readonly afterMs: number
  readonly input: (now: number) => Evidence | Command
}

const depth = fc.constantFrom<Depth>(1, 2, 3, 4)
const source = fc.constantFrom('traffic', 'probe', 'peer')
const kind = fc.constantFrom<Evidence['kind']>('ok', 'ok', 'ok', ...FAILURE_KINDS)
const evidence: fc.Arbitrary<Told['input']> = fc
  .record({ depth, source, kind, tookMs: fc.nat(5000), prompt: fc.nat(5), isSlow: fc.boolean() })
  .map(({ tookMs, ...facts }) => (now) => ({
    ...makeOk(now),
    ...facts,
    startedAt: Math.max(now - tookMs, 0),
    request: facts.prompt,
  }))
const command: fc.Arbitrary<Told['input']> = fc
  .constantFrom<Command>(
    { kind: 'tick' },
    { kind: 'trial' },
    { kind: 'withdraw', request: 3 },
    { kind: 'condemned', domain: 'host', state: 'DOWN', reason: 'unreachable' },
    { kind: 'restore' },
  )
  .map((told) => () => told)
const told: fc.Arbitrary<Told> = fc.record({
  afterMs: fc.oneof(fc.nat(50), fc.nat(10_000), fc.constant(700_000)),
  input: fc.oneof({ arbitrary: evidence, weight: 12 }, { arbitrary: command, weight: 1 }),
})
const history = fc.array(told, { maxLength: 60 })

/** All standings that a history leads through, with what was told and when. */
function run(steps: readonly Told[], startAt = 0) {
  let now = startAt
  let standing = createStanding(startAt)
  return steps.map(({ afterMs, input }) => {
    now += afterMs
    const before = standing
    const given = input(now)
    standing = reduce(before, given, now, DEFAULT_RULES).standing
    return { before, given, after: standing, now }
  })
}

function end(steps: readonly Told[]): { readonly standing: Standing; readonly now: number } {
  const last = run(steps).at(-1)
  return { standing: last?.after ?? createStanding(0), now: last?.now ?? 0 }
}

const AFFORDABLE = { idle: true, confirm: true, recover: true }
const PRICES = { price: 1e-5, hasFree: true, may: AFFORDABLE, spreadMs: 60_000 }

describe('over any history', () => {
  test('no healthy deployment falls by fewer than five failures of traffic, or three observations with a probe', () => {
    const bad = fc.constantFrom('server_error', 'timeout', 'cut', 'unreachable', 'wrong_shape', 'empty')
    const few = fc.oneof(
      fc.array(fc.record({ kind: bad, isProbe: fc.constant(false) }), { maxLength: 4 }),
      fc.array(fc.record({ kind: bad, isProbe: fc.boolean() }), { maxLength: 2 }),
    )
    fc.assert(
      fc.property(few, fc.array(fc.nat(3000), { minLength: 4, maxLength: 4 }), (failures, gaps) => {
        let now = 1000
        let standing = reduce(createStanding(0), makeOk(now), now, DEFAULT_RULES).standing
        failures.forEach(({ kind, isProbe }, position) => {
          now += gaps[position] ?? 1
          const failure = isProbe ? makeFailedProbe(now, { kind }) : makeFailure(now, { kind })
          standing = reduce(standing, failure, now, DEFAULT_RULES).standing
        })
        assert.ok(standing.state === 'HEALTHY' || standing.state === 'SUSPECT', standing.state)
      }),
    )
  })

  test('what the client did, or gave up, makes nothing worse', () => {
    const worse: Readonly<Record<HealthState, number>> = {
      HEALTHY: 0,
      UNKNOWN: 0,
      DEGRADED: 1,
      SUSPECT: 2,
      RECOVERING: 3,
      SATURATED: 4,
      MISCONFIGURED: 5,
      DOWN: 5,
      ISOLATED: 6,
    }
    const harmless = fc.constantFrom('bad_request', 'content_policy', 'cancelled', 'throttled', 'internal')
    fc.assert(
      fc.property(history, fc.array(harmless, { minLength: 1, maxLength: 30 }), (steps, kinds) => {
        const { standing, now } = end(steps)
        const before = reduce(standing, { kind: 'tick' }, now, DEFAULT_RULES).standing
        const after = kinds.reduce(
          (each, kind) => reduce(each, makeFailure(now, { kind }), now, DEFAULT_RULES).standing,
          before,
        )
        assert.ok(worse[after.state] <= worse[before.state], `${before.state} → ${after.state}`)
      }),
    )
  })

  test('what is not attributable changes nothing at all', () => {
    fc.assert(
      fc.property(history, evidence, (steps, input) => {
        const { standing, now } = end(steps)
        const ticked = reduce(standing, { kind: 'tick' }, now, DEFAULT_RULES).standing
        const given = { ...makeOk(now), ...input(now), isAttributable: false } satisfies object
        if ('source' in given) assert.equal(reduce(ticked, given, now, DEFAULT_RULES).standing, ticked)
      }),
    )
  })

  test('a shallower success never acquits', () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { before, given, after } of run(steps)) {
          if (!('source' in given) || given.kind !== 'ok') continue
          const isHeld =
            before.state === 'SUSPECT' || before.state === 'DOWN' || before.state === 'MISCONFIGURED'
          // Time may have moved it before the success was looked at.
          if (!isHeld || given.depth >= depthToAcquit(before) || given.at - before.lastEvidenceAt >= 600_000)
            continue
          if (before.isFollower) continue
          assert.equal(after.state, before.state)
        }
      }),
    )
  })

  test('nobody looks at what asked to be left alone, or was taken out', () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 0.99, noNaN: true }), (steps, roll) => {
        const { standing, now } = end(steps)
        const plan = nextProbe(standing, now, PRICES, roll, DEFAULT_LOOK_RULES)
        if (standing.state === 'SATURATED' || standing.state === 'ISOLATED') assert.equal(plan, undefined)
      }),
    )
  })

  test('the reason is there whenever something is wrong, and since moves only with the state', () => {
    fc.assert(
      fc.property(history, (steps) => {
        for (const { before, after, now } of run(steps)) {
          assert.equal(after.reason === undefined, after.state === 'HEALTHY')
          if (after.state === before.state && after.since !== before.since) assert.equal(after.since, now)
          else if (after.state !== before.state) assert.equal(after.since, now)
          assert.ok(after.blames.length <= 20 && after.waits <= 64)
        }
      }),
    )
  })

  test('whatever is down, and whatever is suspected, is looked at or tried again within half an hour', () => {
    fc.assert(
      fc.property(history, fc.boolean(), fc.boolean(), (steps, isRich, hasFree) => {
        const { standing, now } = end(steps)
        const may = { idle: isRich, confirm: isRich, recover: isRich }
        const plan = nextProbe(standing, now, { ...PRICES, hasFree, may }, 0.5, DEFAULT_LOOK_RULES)
        const isOut = isUnhealthy(standing.state) && standing.state !== 'ISOLATED' && !standing.isFollower
        if (isOut && standing.reason !== 'misconfigured')
          assert.ok(plan !== undefined && plan.at <= now + 1_800_000 * 1.25)
      }),
    )
  })

  test('a standing goes through JSON, and comes out the same in a process with another clock', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 1e9 }), (steps, other) => {
        const { standing, now } = end(steps)
        if (standing.isFollower) return
        const plain: unknown = JSON.parse(JSON.stringify(toPlain(standing, now)))
        const { isReleased: _, ...rest } = standing
        assert.deepEqual(fromPlain(plain, now), { ...rest, isReleased: false })
        assert.equal(fromPlain(plain, other).since, other - (now - standing.since))
      }),
    )
  })
})

describe('the same day, told otherwise', () => {
  test('shifting all times shifts the result and nothing else', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 1e9 }), (steps, shift) => {
        const tell = (told: readonly Told[], startAt: number) =>
          run(told, startAt).map(({ after }) => [
            after.state,
            after.reason,
            after.since - startAt,
            after.until === NEVER ? 'never' : after.until - startAt,
            after.waits,
            after.blames.length,
          ])
        // Calls that began before the start would be cut off at 0 in one of the two.
        const safe = steps.map((step) => ({ ...step, afterMs: step.afterMs + 5000 }))
        assert.deepEqual(tell(safe, shift), tell(safe, 0))
      }),
    )
  })

  test('successes may come in any order, and more than once', () => {
    const proof = fc.record({ at: fc.nat(10_000), depth })
    fc.assert(
      fc.property(fc.array(proof, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(11)), (proofs, again) => {
        const read = (told: readonly { readonly at: number; readonly depth: Depth }[]) => {
          const standing = told.reduce(
            (each, { at, depth }) =>
              reduce(each, makeOk(at, { depth, source: 'peer' }), 20_000, DEFAULT_RULES).standing,
            createStanding(0),
          )
          const { state, lastOkAt, lastOkStartedAt, lastFrontAt, lastEvidenceAt } = standing
          return { state, lastOkAt, lastOkStartedAt, lastFrontAt, lastEvidenceAt }
        }
        const twice = [...proofs].reverse().concat(again.flatMap((position) => proofs[position] ?? []))
        assert.deepEqual(read(twice), read(proofs))
      }),
    )
  })
})
