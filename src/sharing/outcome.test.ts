import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { Evidence } from '../core/evidence.ts'
import { createFaultDomains } from '../health/engine/fault-domains.ts'
import { DEFAULT_RULES } from '../health/engine/rules.ts'
import { createStandings } from '../health/engine/standings.ts'
import type { Standings, Transition } from '../health/engine/standings.ts'
import { lookOutcome, trafficDoubt } from './outcome.ts'
import type { Outcome } from './sharing.ts'

const HOSTS = 4

/** A gateway with one deployment at each of a few hosts; what it would tell is collected. */
function createGateway(): { readonly standings: Standings; readonly told: Outcome[] } {
  const told: Outcome[] = []
  const members = Array.from({ length: HOSTS }, (_, n) => ({ host: n, credential: n, group: 0 }))
  const standings = createStandings({
    count: HOSTS,
    hosts: members.map(({ host }) => host),
    domains: createFaultDomains(members),
    canRefer: () => true,
    rules: DEFAULT_RULES,
    confirms: () => 'looks',
    listener: {
      transition: (index, transition: Transition) => {
        const doubt = trafficDoubt(standings, index, transition, transition.at)
        if (doubt !== undefined) told.push(doubt)
      },
      replan: () => {},
      reference: () => {},
      probation: () => {},
      poison: () => {},
      witness: () => {},
    },
    now: 0,
  })
  return { standings, told }
}

const failure = (kind: Evidence['kind'], source: 'traffic' | 'probe', at: number): Evidence => ({
  kind,
  source,
  depth: source === 'traffic' ? 4 : 2,
  startedAt: at - 1,
  at,
  isAttributable: true,
  request: at,
  prompt: at,
})

describe('what is told to other gateways', () => {
  test('a gateway that reaches nobody tells of no failure, by traffic or by looks', () => {
    const met = fc.record({
      index: fc.nat(HOSTS - 1),
      source: fc.constantFrom('traffic' as const, 'probe' as const),
      ms: fc.integer({ min: 1, max: 400 }),
    })
    fc.assert(
      fc.property(fc.array(met, { maxLength: 60 }), (all) => {
        const { standings, told } = createGateway()
        let now = 100
        for (const { index, source, ms } of all) {
          now += ms
          standings.apply(index, failure('unreachable', source, now), now)
          if (source === 'probe') assert.equal(lookOutcome(standings, index, now - 1, now), undefined)
        }
        assert.deepEqual(told, [])
      }),
    )
  })

  test('a failure that only the deployment can be blamed for is told at once', () => {
    const { standings, told } = createGateway()
    standings.apply(1, { ...failure('server_error', 'traffic', 50), kind: 'ok' }, 50)
    standings.apply(0, failure('server_error', 'traffic', 100), 100)
    assert.deepEqual(told, [{ finding: { kind: 'server_error', depth: 4, startedAt: 99, at: 100 } }])
  })

  test('a look that failed is told with the verdict that it led to', () => {
    const { standings } = createGateway()
    for (const at of [100, 200, 300]) standings.apply(0, failure('server_error', 'probe', at), at)
    const outcome = lookOutcome(standings, 0, 250, 310)
    assert.equal(outcome?.finding.kind, 'server_error')
    assert.deepEqual(outcome?.conclusion, {
      kind: 'down',
      state: 'DOWN',
      reason: 'server_error',
      domain: 'deployment',
      needsSecond: false,
    })
  })

  test('a machine that cannot be reached needs the look of a second gateway', () => {
    const { standings } = createGateway()
    for (const at of [100, 200, 300, 400]) {
      // Others are heard: it is not our own network.
      standings.apply(1, { ...failure('unreachable', 'probe', at - 10), kind: 'ok', depth: 4 }, at - 10)
      standings.apply(2, { ...failure('unreachable', 'probe', at - 5), kind: 'ok', depth: 4 }, at - 5)
      standings.apply(0, failure('unreachable', 'probe', at), at)
    }
    standings.apply(1, { ...failure('unreachable', 'probe', 405), kind: 'ok', depth: 4 }, 405)
    const conclusion = lookOutcome(standings, 0, 399, 410)?.conclusion
    assert.equal(conclusion?.kind === 'down' && conclusion.needsSecond, true)
  })

  test('a success is told as one, and ends what was held against it', () => {
    const { standings } = createGateway()
    standings.apply(0, { ...failure('unreachable', 'probe', 100), kind: 'ok', depth: 4 }, 100)
    assert.deepEqual(lookOutcome(standings, 0, 90, 100), {
      finding: { kind: 'ok', depth: 4, startedAt: 90, at: 100 },
      conclusion: { kind: 'up' },
    })
  })

  test('nothing is told of a look that came to nothing', () => {
    const { standings } = createGateway()
    assert.equal(lookOutcome(standings, 0, 0, 100), undefined)
  })
})
