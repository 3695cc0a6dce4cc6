import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FailureKind } from '../../core/failure.ts'
import { makeFailedProbe, makeFailure, makeOk, play } from './engine.fixture.ts'
import { reduce } from './reduce.ts'
import { DEFAULT_RULES } from './rules.ts'
import { createStanding } from './standing.ts'
import type { Standing } from './standing.ts'

const HEALTHY = play([makeOk(0)])
const DOWN = play([makeFailure(10), makeFailedProbe(20), makeFailedProbe(30)], DEFAULT_RULES, HEALTHY)

function stateOf(inputs: Parameters<typeof play>[0], from: Standing = HEALTHY, changes = {}): string {
  return play(inputs, { ...DEFAULT_RULES, ...changes }, from).state
}

describe('a suspicion', () => {
  test('one success is enough for a deployment of which nothing was known', () => {
    assert.equal(stateOf([makeOk(1)], createStanding(0)), 'HEALTHY')
  })

  test('one failure makes a deployment suspect, and one success clears it', () => {
    const suspect = play([makeFailure(1)], DEFAULT_RULES, HEALTHY)
    assert.deepEqual([suspect.state, suspect.reason], ['SUSPECT', 'server_error'])
    assert.deepEqual(stateOf([makeOk(2)], suspect), 'HEALTHY')
  })

  test('one failure of traffic and two failed probes bring it down', () => {
    assert.deepEqual([DOWN.state, DOWN.reason], ['DOWN', 'server_error'])
  })

  test('five failures of different prompts in a row bring it down, four do not', () => {
    const failures = [1, 2, 3, 4, 5].map((at) => makeFailure(at))
    assert.equal(stateOf(failures.slice(0, 4)), 'SUSPECT')
    assert.equal(stateOf(failures), 'DOWN')
  })

  test('the same prompt that fails over and over brings nobody down', () => {
    const same = [1, 2, 3, 4, 5, 6, 7].map((at) => makeFailure(at, { prompt: 7 }))
    assert.equal(stateOf(same), 'SUSPECT')
  })

  test('half of twenty requests within half a minute bring it down though others succeed between', () => {
    const mixed = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? makeOk(at + 1) : makeFailure(at + 1)))
    assert.equal(stateOf(mixed.slice(0, 18), createStanding(0)), 'SUSPECT')
    assert.equal(stateOf(mixed, createStanding(0)), 'DOWN')
  })

  test('a few failures among many slow calls under way are no outage', () => {
    const busy = Array.from({ length: 100 }, (_, call) =>
      makeOk(8000 + call * 100, { startedAt: call * 100 }),
    )
    const failures = Array.from({ length: 41 }, (_, call) => makeFailure(18_000 + call * 100))
    const standing = play(busy, DEFAULT_RULES, createStanding(0))
    assert.equal(stateOf(failures.slice(0, 12), standing), 'SUSPECT')
    assert.equal(stateOf(failures, standing), 'DOWN')
  })

  test('a success clears the failures of calls that began before it, and leaves the others standing', () => {
    const suspect = play([makeFailure(10), makeFailure(20)], DEFAULT_RULES, HEALTHY)
    const left = play([makeOk(30, { startedAt: 15 })], DEFAULT_RULES, suspect)
    assert.deepEqual([left.state, left.blames.length], ['SUSPECT', 1])
  })

  test('a success that began before the failure clears nothing', () => {
    assert.equal(stateOf([makeFailure(10), makeOk(20, { startedAt: 5 })]), 'SUSPECT')
  })

  test('a failure of a call that began before a later success was its own trouble', () => {
    const late = [makeOk(100, { startedAt: 90 }), makeFailure(110, { startedAt: 1 })]
    assert.equal(stateOf(late), 'HEALTHY')
  })

  test('a suspicion that nobody can confirm is given up after ten minutes', () => {
    const inputs = [makeFailure(1), { at: 600_002, command: { kind: 'tick' } as const }]
    assert.equal(stateOf(inputs), 'UNKNOWN')
  })

  test('one failed probe ejects nobody', () => {
    assert.equal(stateOf([makeFailedProbe(1)]), 'SUSPECT')
    assert.equal(stateOf([makeFailedProbe(1), makeOk(2)]), 'HEALTHY')
  })

  test('a hundred turns of failure and success bring nobody down', () => {
    let standing = HEALTHY
    const seen = new Set<string>()
    for (let turn = 1; turn <= 100; turn += 1) {
      const at = turn * 10_000
      standing = play([makeFailedProbe(at), makeOk(at + 1)], DEFAULT_RULES, standing)
      seen.add(standing.state)
    }
    assert.deepEqual([...seen], ['HEALTHY'])
  })

  test('empty answers count half', () => {
    assert.equal(stateOf([makeFailure(1, { kind: 'empty' })]), 'HEALTHY')
    assert.equal(stateOf([1, 2].map((at) => makeFailure(at, { kind: 'empty' }))), 'SUSPECT')
  })
})

describe('depth', () => {
  for (const [kind, shallow, deep] of [
    ['server_error', 3, 4],
    ['timeout', 3, 4],
    ['cut', 3, 4],
    ['unreachable', 1, 2],
    ['auth', 2, 3],
    ['not_found', 2, 3],
  ] as const) {
    test(`a doubt after ${kind} is cleared at depth ${deep}, not at ${shallow}`, () => {
      const doubt = makeFailure(10, { kind })
      assert.equal(stateOf([doubt, makeOk(20, { source: 'probe', depth: shallow })]), 'SUSPECT')
      assert.equal(stateOf([doubt, makeOk(20, { source: 'probe', depth: deep })]), 'HEALTHY')
    })
  }

  test('a green listing does not bring back an engine that hangs', () => {
    const hung = { ...DOWN, reason: 'timeout' } as const
    const listed = play([makeOk(5000, { source: 'probe', depth: 3 })], DEFAULT_RULES, hung)
    assert.equal(listed.state, 'DOWN')
    assert.equal(stateOf([makeOk(6000, { source: 'probe' })], listed), 'RECOVERING')
  })
})

describe('429 and overload', () => {
  test('Retry-After is obeyed, then it is back where it was, one call at first', () => {
    const limited = makeFailure(10, { kind: 'rate_limited', retryAfterMs: 7000 })
    const waiting = play([limited], DEFAULT_RULES, HEALTHY)
    assert.deepEqual([waiting.state, waiting.until], ['SATURATED', 7010])
    const back = play([{ at: 7010, command: { kind: 'tick' } }], DEFAULT_RULES, waiting)
    assert.deepEqual([back.state, back.permits], ['HEALTHY', 1])
    assert.equal(play([makeOk(7020)], DEFAULT_RULES, back).permits, 2)
  })

  test('without Retry-After it waits 10 s, then 20, then 40, and a minute at most', () => {
    let standing = HEALTHY
    const waits: number[] = []
    for (let now = 0; waits.length < 5; now = standing.until) {
      standing = play([makeFailure(now, { kind: 'rate_limited' })], DEFAULT_RULES, standing)
      waits.push(standing.until - now)
    }
    assert.deepEqual(waits, [10_000, 20_000, 40_000, 60_000, 60_000])
  })

  test('a suspect that answers 429 is a suspect again when the wait is over', () => {
    const inputs = [
      makeFailure(1),
      makeFailure(2, { kind: 'rate_limited', retryAfterMs: 1000 }),
      { at: 1002, command: { kind: 'tick' } as const },
    ]
    assert.equal(stateOf(inputs), 'SUSPECT')
  })

  test('five minutes of overload without one success are a fall', () => {
    const crowded = [0, 1, 2, 3, 4, 5].map((minute) =>
      makeFailure(minute * 60_000 + 1, { kind: 'overloaded' }),
    )
    assert.equal(stateOf(crowded.slice(0, 5)), 'SATURATED')
    assert.deepEqual(play(crowded, DEFAULT_RULES, HEALTHY).reason, 'overloaded')
    assert.equal(stateOf(crowded), 'DOWN')
  })
})

describe('what waiting does not help', () => {
  for (const [kind, sightings] of [
    ['auth', 2],
    ['not_found', 2],
    ['quota', 1],
    ['tls', 1],
  ] as const) {
    test(`${kind} is believed at sighting ${sightings}`, () => {
      const seen = Array.from({ length: sightings }, (_, at) => makeFailure(at + 1, { kind }))
      assert.notEqual(stateOf(seen.slice(0, -1)), 'MISCONFIGURED')
      assert.equal(stateOf(seen), 'MISCONFIGURED')
    })
  }

  test('a 429 that means "no money" is no rate limit', () => {
    assert.equal(stateOf([makeFailure(1, { kind: 'quota' })]), 'MISCONFIGURED')
  })

  test('a refused key at the door condemns the key, one refused for a model only this deployment', () => {
    const first = makeFailure(1, { kind: 'auth' })
    const atDoor = play([first, makeFailedProbe(2, { kind: 'auth', depth: 3 })], DEFAULT_RULES, HEALTHY)
    const atModel = play([first, makeFailedProbe(2, { kind: 'auth', depth: 4 })], DEFAULT_RULES, HEALTHY)
    assert.deepEqual([atDoor.domain, atModel.domain], ['credential', 'deployment'])
  })

  test('an accepted key is unknown again until it has answered', () => {
    const refused = play(
      [1, 2].map((at) => makeFailure(at, { kind: 'auth' })),
      DEFAULT_RULES,
      HEALTHY,
    )
    assert.equal(stateOf([makeOk(9, { source: 'probe', depth: 3 })], refused), 'UNKNOWN')
    assert.equal(stateOf([makeOk(9, { source: 'probe' })], refused), 'HEALTHY')
  })
})

describe('coming back', () => {
  const recovering = play([makeOk(5000, { source: 'probe' })], DEFAULT_RULES, DOWN)

  test('the first success opens the door to one call, two more open it wide', () => {
    assert.deepEqual([recovering.state, recovering.permits], ['RECOVERING', 1])
    const once = play([makeOk(5001)], DEFAULT_RULES, recovering)
    assert.deepEqual([once.state, once.permits], ['RECOVERING', 2])
    const twice = play([makeOk(5002)], DEFAULT_RULES, once)
    assert.deepEqual([twice.state, twice.permits], ['HEALTHY', Infinity])
  })

  test('one failure shuts it again, and the next wait is longer', () => {
    const again = play([makeFailure(5001)], DEFAULT_RULES, recovering)
    assert.deepEqual([again.state, again.waits], ['DOWN', 1])
  })

  test('the late failure of a call that began before it came back shuts nothing', () => {
    assert.equal(stateOf([makeFailure(5001, { startedAt: 4000 })], recovering), 'RECOVERING')
  })

  test('nothing is down for ever: after ten minutes without evidence somebody tries', () => {
    assert.equal(stateOf([{ at: 600_031, command: { kind: 'tick' } }], DOWN), 'RECOVERING')
  })

  test('whoever falls again and again within minutes must prove more', () => {
    let standing = HEALTHY
    for (const at of [1000, 2000, 3000, 3500]) {
      const fall = [makeFailure(at), makeFailedProbe(at + 1), makeFailedProbe(at + 2)]
      const rise = [makeOk(at + 10), makeOk(at + 11), makeOk(at + 12)]
      standing = play(at < 3500 ? [...fall, ...rise] : fall, DEFAULT_RULES, standing)
    }
    const rises = [0, 1, 2, 3, 4].map((more) => makeOk(4000 + more))
    assert.equal(stateOf(rises.slice(0, 4), standing), 'RECOVERING')
    assert.equal(stateOf(rises, standing), 'HEALTHY')
  })
})

describe('degraded', () => {
  test('a tenth of failures between successes degrades, and a calm minute ends it', () => {
    const tenth = Array.from({ length: 40 }, (_, at) => (at % 8 === 7 ? makeFailure(at + 1) : makeOk(at + 1)))
    const degraded = play([...tenth, makeOk(41)], DEFAULT_RULES, HEALTHY)
    assert.deepEqual([degraded.state, degraded.reason], ['DEGRADED', 'server_error'])
    const calm = Array.from({ length: 130 }, (_, at) => makeOk(41 + (at + 1) * 1000))
    assert.equal(stateOf(calm.slice(0, 60), degraded), 'DEGRADED')
    assert.equal(stateOf(calm, degraded), 'HEALTHY')
  })

  test('half of the last twenty answers being slow degrades, and a fifth ends it', () => {
    const slow = Array.from({ length: 10 }, (_, at) => makeOk(at + 1, { isSlow: true }))
    const degraded = play(slow, DEFAULT_RULES, HEALTHY)
    assert.deepEqual([degraded.state, degraded.reason], ['DEGRADED', 'slow'])
    const quick = Array.from({ length: 16 }, (_, at) => makeOk(at + 20))
    assert.equal(stateOf(quick.slice(0, 15), degraded), 'DEGRADED')
    assert.equal(stateOf(quick, degraded), 'HEALTHY')
  })

  test('a second wrong answer to a golden question degrades, and a right one ends it', () => {
    const wrong = (at: number) => makeFailedProbe(at, { kind: 'quality', depth: 5 })
    const right = (at: number) => makeOk(at, { source: 'probe', depth: 5 })
    assert.equal(stateOf([wrong(1)]), 'HEALTHY')
    assert.equal(stateOf([wrong(1), right(2), wrong(3)]), 'HEALTHY')
    const degraded = play([wrong(1), makeOk(2), wrong(3)], DEFAULT_RULES, HEALTHY)
    assert.deepEqual([degraded.state, degraded.reason, degraded.lastOkAt], ['DEGRADED', 'quality', 3])
    // It answers; that is no news.
    assert.equal(stateOf([makeOk(4), makeOk(5, { source: 'probe' })], degraded), 'DEGRADED')
    assert.equal(stateOf([right(6)], degraded), 'HEALTHY')
    // Whoever was never seen to answer has answered.
    assert.equal(stateOf([wrong(1)], createStanding(0)), 'HEALTHY')
  })

  test('another model than the configured one degrades until a check meets the right one', () => {
    const other = makeFailure(1, { kind: 'wrong_model' })
    assert.equal(stateOf([other]), 'DEGRADED')
    // Nobody compares what clients are answered with.
    assert.equal(stateOf([other, makeOk(2)]), 'DEGRADED')
    assert.equal(stateOf([other, makeOk(2, { source: 'probe' })]), 'HEALTHY')
  })
})

describe('what an operator and a config say', () => {
  test('what is taken out stays out whatever it answers, until its time is over', () => {
    const out = play([{ at: 1, command: { kind: 'isolate', until: 100 } }], DEFAULT_RULES, HEALTHY)
    assert.equal(stateOf([makeOk(2), makeFailure(3)], out), 'ISOLATED')
    assert.equal(stateOf([{ at: 100, command: { kind: 'tick' } }], out), 'UNKNOWN')
    assert.equal(stateOf([{ at: 5, command: { kind: 'restore' } }], out), 'UNKNOWN')
  })

  test('allowed_fails counts by the minute, and successes between change nothing', () => {
    const changes = { allowedFails: 2 }
    const failing = [1, 3, 5].flatMap((at) => [makeFailure(at), makeOk(at + 1)])
    assert.equal(stateOf(failing.slice(0, 4), HEALTHY, changes), 'HEALTHY')
    assert.equal(stateOf(failing.slice(0, 5), HEALTHY, changes), 'DOWN')
  })

  test('allowed_fails: 0 is a number: the first failure is too many', () => {
    assert.equal(stateOf([makeFailure(1)], HEALTHY, { allowedFails: 0 }), 'DOWN')
    const policy = { allowedFailsByKind: { timeout: 0 } }
    assert.equal(stateOf([makeFailure(1)], HEALTHY, policy), 'SUSPECT')
    assert.equal(stateOf([makeFailure(1, { kind: 'timeout' })], HEALTHY, policy), 'DOWN')
  })

  test('a large allowed_fails keeps it in rotation where ours would not', () => {
    const failures = [1, 2, 3, 4, 5, 6].map((at) => makeFailure(at))
    assert.equal(stateOf(failures, HEALTHY, { allowedFails: 100 }), 'SUSPECT')
  })

  test('a probe within the window still counts: no counter expires before the next probe', () => {
    const minutes = [0, 5, 10].map((minute) => makeFailedProbe(minute * 60_000 + 1))
    assert.equal(stateOf(minutes), 'DOWN')
  })

  test('with disable_cooldowns failing traffic changes nothing, a failing probe does', () => {
    const changes = { isTrafficHeeded: false }
    assert.equal(
      stateOf(
        [1, 2, 3, 4, 5].map((at) => makeFailure(at)),
        HEALTHY,
        changes,
      ),
      'HEALTHY',
    )
    assert.equal(
      stateOf(
        [1, 2, 3].map((at) => makeFailedProbe(at)),
        HEALTHY,
        changes,
      ),
      'DOWN',
    )
  })

  test('with health_check_ignore_transient_errors a 429 and a timeout of a probe change nothing', () => {
    const changes = { ignoreTransientErrors: true }
    for (const kind of ['rate_limited', 'timeout'] satisfies FailureKind[])
      assert.equal(stateOf([makeFailedProbe(1, { kind })], HEALTHY, changes), 'HEALTHY')
    assert.equal(stateOf([makeFailedProbe(1)], HEALTHY, changes), 'SUSPECT')
  })

  test('with enable_health_check_routing: false failed probes take no traffic away, and failed requests do', () => {
    const changes = { isProbeHeeded: false }
    const probed = [1, 2, 3, 4].map((at) => makeFailedProbe(at))
    assert.equal(stateOf(probed, HEALTHY, changes), 'HEALTHY')
    const asked = [1, 2, 3, 4, 5].map((at) => makeFailure(at))
    assert.equal(stateOf(asked, HEALTHY, changes), 'DOWN')
  })

  test('after health_check_staleness_threshold a bad verdict that nothing has renewed is given up', () => {
    const down = play(
      [1, 2, 3].map((at) => makeFailedProbe(at)),
      { ...DEFAULT_RULES, forgetMs: 60_000 },
      HEALTHY,
    )
    const later = (at: number) =>
      play([{ at, command: { kind: 'tick' } }], { ...DEFAULT_RULES, forgetMs: 60_000 }, down)
    assert.equal(later(60_002).state, 'DOWN')
    assert.equal(later(60_004).state, 'RECOVERING')
  })
})

describe('a request that fails everywhere', () => {
  const poisoned = makeFailure(1, { request: 77, prompt: 77 })

  test('no longer counts once it is known, but the doubt stays until somebody has looked', () => {
    const withdrawn = play(
      [poisoned, { at: 2, command: { kind: 'withdraw', request: 77 } }],
      DEFAULT_RULES,
      HEALTHY,
    )
    assert.equal(withdrawn.state, 'SUSPECT')
    assert.equal(
      stateOf(
        [3, 4, 5, 6].map((at) => makeFailure(at)),
        withdrawn,
      ),
      'SUSPECT',
    )
  })

  test('a fall that hung on it is taken back', () => {
    const fallen = play([poisoned, ...[2, 3, 4, 5].map((at) => makeFailure(at))], DEFAULT_RULES, HEALTHY)
    assert.equal(fallen.state, 'DOWN')
    assert.equal(stateOf([{ at: 6, command: { kind: 'withdraw', request: 77 } }], fallen), 'RECOVERING')
  })

  test('five different prompts that fail here and elsewhere are an outage of both', () => {
    const inputs = [1, 2, 3, 4, 5, 6].flatMap((at) => [
      makeFailure(at, { request: at }),
      { at, command: { kind: 'withdraw', request: at } as const },
    ])
    assert.equal(stateOf(inputs), 'DOWN')
  })
})

test('a step says what it changed, and says nothing where nothing changed', () => {
  const { effects } = reduce(HEALTHY, makeFailure(9), 9, DEFAULT_RULES)
  assert.deepEqual(effects, [
    { kind: 'transition', from: 'HEALTHY', to: 'SUSPECT', reason: 'server_error', at: 9 },
    { kind: 'replan' },
  ])
  assert.deepEqual(reduce(HEALTHY, makeOk(9), 9, DEFAULT_RULES).effects, [])
  assert.equal(reduce(HEALTHY, { kind: 'tick' }, 9, DEFAULT_RULES).standing, HEALTHY)
})
