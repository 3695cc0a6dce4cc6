import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import {
  createRig,
  FACTS,
  makeFailure,
  makeMember,
  makeOk,
  sicken,
  stateOf,
  wellRig,
} from './engine.fixture.ts'

const SECOND = 1000
const MINUTE = 60_000

describe('over any day', () => {
  const deeds = fc.array(
    fc.record({
      index: fc.nat(3),
      deed: fc.constantFrom(
        'ok',
        'server_error',
        'unreachable',
        'rate_limited',
        'timeout',
        'begin',
        'drop',
        'wind',
      ),
      ms: fc.oneof(fc.nat(300), fc.nat(20_000)),
    }),
    { maxLength: 80 },
  )

  test('a group always yields somebody, or its one panic trial or a probation is under way', () => {
    fc.assert(
      fc.property(deeds, fc.boolean(), (day, isLooking) => {
        const rig = wellRig(
          [0, 0, 1, 2].map((host, index) => makeMember(index, { host })),
          {
            look: { strategy: isLooking ? 'passive_first' : 'off' },
          },
        )
        sicken(rig, (index) => index % 2 === 0, 'server_error', 4)
        const { traffic, choices, standings } = rig.engine
        const open: ReturnType<typeof traffic.begin>[] = []
        for (const { index, deed, ms } of day) {
          if (deed === 'wind') rig.clock.wind(ms)
          else if (deed === 'begin') open.push(traffic.begin(index, FACTS))
          else if (deed === 'drop') open.splice(0, 1).forEach((call) => traffic.dropped(call))
          else rig.call(index, deed)
          const now = rig.clock.elapsed()
          const group = [0, 1, 2, 3]
          const isAnybody = group.some((each) => choices.weight(each, now) > 0)
          const isProbing = group.some(
            (each) => traffic.onProbation(each) >= standings.standing(each, now).permits,
          )
          const hasHope = choices.lastResort(group, now) !== undefined || traffic.isPanicking(0)
          assert.ok(isAnybody || isProbing || hasHope)
        }
        for (const call of open) traffic.dropped(call)
        for (const call of open) traffic.failed(call, { kind: 'timeout', source: 'upstream' })
        assert.deepEqual(
          [0, 1, 2, 3].map((each) => traffic.onProbation(each)),
          [0, 0, 0, 0],
        )
        assert.deepEqual([traffic.isPanicking(0), traffic.underWay()], [false, 0])
        rig.engine.stop()
      }),
      { numRuns: 60 },
    )
  })

  test('never two looks at one deployment, never one at a saturated one, never more than the purse holds', () => {
    fc.assert(
      fc.property(deeds, fc.integer({ min: 0, max: 20 }), (day, cents) => {
        const running = new Set<number>()
        let paid = 0
        const rig = wellRig(
          [0, 0, 1, 2].map((host, index) => makeMember(index, { host, price: 0.001 })),
          {
            usdPerDay: cents / 1000,
            look: { intervalMs: 10_000, idleMostMs: 20_000 },
            deps: {
              probe: (index, rung, report) => {
                assert.equal(running.has(index), false)
                assert.notEqual(stateOf(rig, index), 'SATURATED')
                running.add(index)
                if (rung >= 4) paid += 1
                const startedAt = rig.clock.elapsed()
                rig.clock.after(200, () => {
                  running.delete(index)
                  const evidence = makeOk(rig.clock.elapsed(), { source: 'probe', depth: rung, startedAt })
                  report({ evidence, isPaid: rung >= 4 })
                })
              },
            },
          },
        )
        for (const { index, deed, ms } of day) {
          if (deed === 'wind' || deed === 'begin' || deed === 'drop') rig.clock.wind(ms)
          else rig.call(index, deed)
          assert.ok(paid <= cents, `${paid} paid looks of ${cents}`)
        }
        rig.engine.stop()
        assert.equal(rig.clock.pending() <= 4, true)
      }),
      { numRuns: 60 },
    )
  })

  test('whoever is healed is back: down ends within the longest wait and two looks', () => {
    fc.assert(
      fc.property(fc.constantFrom('server_error', 'unreachable', 'timeout'), fc.nat(60), (kind, minutes) => {
        const rig = wellRig([makeMember(0), makeMember(1), makeMember(2)])
        sicken(rig, (index) => index === 0, kind, kind === 'unreachable' ? 0 : 4)
        rig.call(0, kind)
        rig.clock.wind(30 * SECOND + minutes * MINUTE)
        assert.equal(stateOf(rig, 0), 'DOWN')
        rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
        rig.clock.wind(Math.max(60 * SECOND, (minutes + 1) * 4 * SECOND) * 1.25 + 10 * SECOND)
        assert.ok(['RECOVERING', 'HEALTHY'].includes(stateOf(rig, 0)), stateOf(rig, 0))
        rig.engine.stop()
      }),
      { numRuns: 40 },
    )
  })

  test('every deployment has evidence no older than three intervals', () => {
    const rig = wellRig(Array.from({ length: 50 }, (_, index) => makeMember(index, { host: index % 3 })))
    for (let minute = 0; minute < 6 * 60; minute += 1) {
      rig.clock.wind(MINUTE)
      const now = rig.clock.elapsed()
      for (let index = 0; index < 50; index += 1) {
        const { lastEvidenceAt } = rig.engine.standings.standing(index, now)
        assert.ok(now - lastEvidenceAt <= 15 * MINUTE)
      }
    }
  })

  test('one more unused deployment changes nobody’s verdict', () => {
    fc.assert(
      fc.property(deeds, (day) => {
        const live = (count: number) => {
          const rig = wellRig(
            Array.from({ length: count }, (_, index) => makeMember(index, { group: index })),
          )
          for (const { index, deed, ms } of day) {
            if (deed === 'wind' || deed === 'begin' || deed === 'drop') rig.clock.wind(ms)
            else rig.call(index, deed)
          }
          rig.engine.stop()
          return [0, 1, 2, 3].map((index) => rig.transitions.filter((each) => each.index === index))
        }
        assert.deepEqual(live(5), live(4))
      }),
      { numRuns: 40 },
    )
  })

  test('two engines that are told the same decide alike', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(9999), isOk: fc.boolean() }), { maxLength: 40 }),
        (facts) => {
          const told = [...facts].sort((a, b) => a.at - b.at)
          const live = () => {
            const rig = createRig([makeMember(0)])
            for (const { at, isOk } of told)
              rig.engine.standings.apply(
                0,
                isOk ? makeOk(at, { source: 'peer' }) : makeFailure(at, { source: 'peer' }),
                at,
              )
            return rig.transitions
          }
          assert.deepEqual(live(), live())
        },
      ),
    )
  })
})
