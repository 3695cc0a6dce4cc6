import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRig, FACTS, makeMember, makeOk, sicken, stateOf, statesOf, wellRig } from './engine.fixture.ts'

const SECOND = 1000
const MINUTE = 60_000

describe('looking', () => {
  test('a dead deployment is out within 8 s of one failed request, and back within a minute of its healing', () => {
    const rig = wellRig([makeMember(0), makeMember(1)])
    sicken(rig, (index) => index === 0, 'server_error', 4)
    rig.call(0, 'server_error')
    rig.clock.wind(8 * SECOND)
    assert.deepEqual(statesOf(rig), ['DOWN', 'HEALTHY'])
    rig.clock.wind(3 * MINUTE)
    rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
    rig.clock.wind(70 * SECOND)
    rig.clock.wind(20 * SECOND)
    assert.deepEqual(statesOf(rig), ['HEALTHY', 'HEALTHY'])
  })

  test('while traffic answers nobody pays for a look, and unused ones are looked at ever more seldom', () => {
    const rig = wellRig([makeMember(0), makeMember(1)])
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      rig.call(0)
      rig.clock.wind(MINUTE)
    }
    const paid = rig.looks.filter(({ rung }) => rung === 4)
    assert.equal(paid.filter(({ index }) => index === 0).length, 0)
    const idle = paid.filter(({ index }) => index === 1).length
    assert.ok(idle >= 23 && idle <= 30, `${idle} paid looks`)
  })

  test('LiteLLM’s strategy looks at each at every interval, whatever traffic says', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'always' } })
    for (let minute = 0; minute < 60; minute += 1) {
      rig.call(0)
      rig.clock.wind(MINUTE)
    }
    assert.ok(rig.looks.length >= 11 && rig.looks.length <= 13, `${rig.looks.length} looks`)
  })

  test('off is off: no look on any road, and traffic alone ejects and brings back', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    assert.equal(stateOf(rig, 0), 'DOWN')
    rig.clock.wind(7 * SECOND)
    assert.equal(stateOf(rig, 0), 'RECOVERING')
    rig.clock.wind(24 * 60 * MINUTE)
    assert.deepEqual(rig.looks, [])
  })

  test('a dear mode is never paid for to confirm or while it works', () => {
    const rig = wellRig([makeMember(0, { price: 0.04, leastMs: 6 * 60 * MINUTE })])
    rig.call(0, 'server_error')
    rig.clock.wind(30 * SECOND)
    assert.deepEqual(
      rig.looks.filter(({ rung }) => rung >= 4),
      [],
    )
    rig.call(0)
    rig.clock.wind(5 * 60 * MINUTE)
    assert.deepEqual(
      rig.looks.filter(({ rung }) => rung >= 4),
      [],
    )
  })

  test('a dear mode that is down costs nothing: one request of a client at a time finds out', () => {
    const rig = wellRig([makeMember(0, { price: 0.04 })])
    sicken(rig, () => true, 'server_error', 4)
    for (let each = 0; each < 3; each += 1) rig.call(0, 'server_error')
    rig.clock.wind(6 * SECOND)
    assert.equal(stateOf(rig, 0), 'RECOVERING')
    rig.call(0, 'server_error')
    assert.equal(stateOf(rig, 0), 'DOWN')
    rig.clock.wind(60 * MINUTE)
    assert.deepEqual(
      rig.looks.filter(({ rung }) => rung >= 4),
      [],
    )
  })

  test('three failed requests bring down what would be too dear to confirm', () => {
    const rig = wellRig([makeMember(0, { price: 0.04 })])
    for (let each = 0; each < 3; each += 1) rig.call(0, 'server_error')
    assert.equal(stateOf(rig, 0), 'DOWN')
  })

  test('looks that were refused cost nothing', () => {
    const rig = wellRig([makeMember(0)])
    sicken(rig, () => true, 'server_error', 4)
    rig.call(0, 'server_error')
    rig.clock.wind(MINUTE)
    assert.ok(rig.looks.length > 2)
    assert.equal(rig.purse.spentEver(), 0)
  })

  test('an empty purse stops paid looks, and keeps no healthy model out: a request of a client finds out', () => {
    const rig = wellRig([makeMember(0)], { usdPerDay: 0 })
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    assert.equal(stateOf(rig, 0), 'DOWN')
    rig.clock.wind(8 * SECOND)
    assert.equal(stateOf(rig, 0), 'RECOVERING')
    for (let each = 0; each < 3; each += 1) rig.call(0)
    assert.equal(stateOf(rig, 0), 'HEALTHY')
    assert.deepEqual(
      rig.looks.filter(({ rung }) => rung >= 4),
      [],
    )
  })

  test('all models are not looked at at once at the start', () => {
    const rig = createRig(
      Array.from({ length: 300 }, (_, index) => makeMember(index)),
      { deps: { random: dice() } },
    )
    rig.engine.start()
    rig.clock.wind(2 * MINUTE)
    const perSecond = new Map<number, number>()
    for (const { at } of rig.looks) {
      const second = Math.floor(at / SECOND)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    }
    assert.equal(rig.looks.length, 300)
    assert.ok(Math.max(...perSecond.values()) <= 15)
  })

  test('one that hangs delays no other look', () => {
    const rig = wellRig(
      Array.from({ length: 20 }, (_, index) => makeMember(index)),
      { look: { strategy: 'always' } },
    )
    rig.answer = (index, rung) => (index === 7 ? undefined : { kind: 'ok', depth: rung })
    rig.clock.wind(20 * MINUTE)
    const seen = Array.from(
      { length: 20 },
      (_, index) => rig.looks.filter((look) => look.index === index).length,
    )
    assert.equal(seen[7], 1)
    assert.ok(
      seen.every((count, index) => index === 7 || count >= 3),
      seen.join(),
    )
  })

  test('dead for a day costs no more than 300 looks', () => {
    const rig = wellRig([makeMember(0)])
    sicken(rig, () => true, 'server_error', 4)
    rig.call(0, 'server_error')
    rig.clock.wind(24 * 60 * MINUTE)
    assert.ok(rig.looks.length <= 300, `${rig.looks.length} looks`)
  })

  test('an engine that hangs behind a green listing is out within a minute of the first silent call', () => {
    const rig = wellRig([makeMember(0)])
    for (let each = 0; each < 30; each += 1) rig.call(0)
    rig.answer = (_index, rung) =>
      rung >= 4 ? { kind: 'timeout', tookMs: 10_000 } : { kind: 'ok', depth: rung }
    rig.engine.traffic.begin(0, FACTS)
    rig.clock.wind(MINUTE)
    assert.equal(stateOf(rig, 0), 'DOWN')
  })
})

describe('who is to blame', () => {
  test('a key that is refused takes out those who use it, and nobody else', () => {
    const rig = wellRig([0, 0, 1].map((credential, index) => makeMember(index, { host: 0, credential })))
    sicken(rig, (index) => index < 2, 'auth', 3)
    rig.call(0, 'auth')
    rig.clock.wind(2 * SECOND)
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'MISCONFIGURED', 'HEALTHY'])
    rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
    rig.clock.wind(80 * SECOND)
    assert.ok(statesOf(rig).every((state) => state !== 'MISCONFIGURED'))
  })

  test('a model that may not be used with a good key is out alone', () => {
    const rig = wellRig([0, 0].map((credential, index) => makeMember(index, { host: 0, credential })))
    rig.call(0, 'auth')
    rig.clock.wind(SECOND)
    assert.deepEqual(statesOf(rig), ['HEALTHY', 'HEALTHY'])
    rig.call(0, 'auth')
    rig.call(0, 'auth')
    assert.deepEqual(statesOf(rig), ['MISCONFIGURED', 'HEALTHY'])
  })

  test('a host that is gone takes out all its deployments after three observations, and one is looked at for all', () => {
    const rig = wellRig([0, 0, 0, 1].map((host, index) => makeMember(index, { host })))
    sicken(rig, (index) => index < 3, 'unreachable')
    rig.call(3)
    rig.call(1, 'unreachable')
    rig.clock.wind(SECOND)
    rig.call(3)
    rig.clock.wind(2 * SECOND)
    assert.deepEqual(statesOf(rig), ['DOWN', 'DOWN', 'DOWN', 'HEALTHY'])
    const before = rig.looks.length
    rig.clock.wind(2 * MINUTE)
    const since = new Set(rig.looks.slice(before).map(({ index }) => index))
    assert.deepEqual(
      [...since].filter((index) => index < 3),
      [1],
    )
    rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
    rig.clock.wind(40 * SECOND)
    assert.ok(
      statesOf(rig).every((state) => state === 'HEALTHY' || state === 'RECOVERING'),
      statesOf(rig).join(),
    )
  })

  test('failures of one host add up whichever of its deployments meet them', () => {
    const rig = wellRig(
      [0, 0, 0, 0, 0, 1, 2].map((host, index) => makeMember(index, { host })),
      {
        look: { strategy: 'off' },
      },
    )
    rig.clock.wind(1)
    for (let index = 0; index < 5; index += 1) {
      rig.call(index, 'unreachable')
      rig.clock.wind(1)
      rig.call(5)
      rig.call(6)
    }
    assert.deepEqual(statesOf(rig).slice(0, 5), ['DOWN', 'DOWN', 'DOWN', 'DOWN', 'DOWN'])
  })

  test('a thousand bad requests of one client take nothing away from anybody', () => {
    const rig = wellRig([makeMember(0), makeMember(1)])
    const kinds = ['bad_request', 'content_policy', 'cancelled'] as const
    for (let each = 0; each < 1000; each += 1) rig.call(each % 2, kinds[each % 3])
    const call = rig.engine.traffic.begin(0, FACTS)
    rig.engine.traffic.dropped(call)
    for (let each = 0; each < 10; each += 1) rig.call(0, 'timeout', { isTenantsOwn: true })
    assert.deepEqual(statesOf(rig), ['HEALTHY', 'HEALTHY'])
    assert.deepEqual(
      rig.transitions.filter(({ to }) => to !== 'HEALTHY'),
      [],
    )
  })

  test('a request that fails wherever it goes ejects nobody', () => {
    const rig = wellRig([makeMember(0), makeMember(1)], { look: { strategy: 'off' } })
    for (let each = 0; each < 10; each += 1) {
      const poisoned = { request: 900 + each, prompt: 4711 }
      rig.call(0, 'server_error', poisoned)
      rig.call(1, 'server_error', poisoned)
    }
    assert.deepEqual(statesOf(rig), ['SUSPECT', 'SUSPECT'])
    assert.deepEqual(rig.poison[0], [0, 1])
  })

  test('cutting our own network brings nobody down, and says so', () => {
    const rig = wellRig(Array.from({ length: 6 }, (_, index) => makeMember(index)))
    sicken(rig, () => true, 'unreachable')
    rig.clock.wind(1)
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 6; index += 1) rig.call(index, 'unreachable')
      rig.clock.wind(SECOND)
    }
    assert.equal(rig.engine.standings.isIsolated(rig.clock.elapsed()), true)
    assert.ok(
      statesOf(rig).every((state) => state === 'SUSPECT'),
      statesOf(rig).join(),
    )
    rig.answer = (_index, rung) => ({ kind: 'ok', depth: rung })
    rig.clock.wind(5 * SECOND)
    assert.equal(rig.engine.standings.isIsolated(rig.clock.elapsed()), false)
    assert.ok(
      statesOf(rig).every((state) => state === 'HEALTHY'),
      statesOf(rig).join(),
    )
  })

  test('while our own network is cut, timeouts bring nobody down either', () => {
    const rig = wellRig(
      Array.from({ length: 6 }, (_, index) => makeMember(index)),
      { look: { strategy: 'off' } },
    )
    rig.clock.wind(1)
    for (let index = 0; index < 5; index += 1) rig.call(index, 'unreachable')
    for (let each = 0; each < 10; each += 1) rig.call(5, 'timeout')
    assert.equal(stateOf(rig, 5), 'SUSPECT')
  })

  test('a call that hangs while later ones are answered counts for nothing', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    rig.engine.traffic.begin(0, FACTS)
    for (let second = 0; second < 30; second += 1) {
      rig.clock.wind(SECOND)
      rig.call(0)
    }
    const { state, failures, failuresBefore } = rig.engine.standings.standing(0, rig.clock.elapsed())
    assert.deepEqual([state, failures, failuresBefore], ['HEALTHY', 0, 0])
  })

  test('with one silent host and no traffic elsewhere, others are asked before it is called dead', () => {
    const rig = wellRig([0, 1, 2, 3].map((index) => makeMember(index)))
    sicken(rig, (index) => index === 0, 'unreachable')
    rig.clock.wind(1)
    rig.call(0, 'unreachable')
    rig.clock.wind(8 * SECOND)
    assert.deepEqual(statesOf(rig), ['DOWN', 'HEALTHY', 'HEALTHY', 'HEALTHY'])
    assert.ok(rig.looks.some(({ index, rung }) => index > 0 && rung === 2))
  })

  test('a lone host that refuses is out though nobody else can be asked', () => {
    const rig = wellRig(
      Array.from({ length: 4 }, (_, index) => makeMember(index)),
      { look: { strategy: 'off' } },
    )
    rig.clock.wind(1)
    for (let each = 0; each < 5; each += 1) rig.call(0, 'unreachable')
    assert.deepEqual(statesOf(rig), ['DOWN', 'HEALTHY', 'HEALTHY', 'HEALTHY'])
  })

  test('a tenant’s own addresses that cannot be reached say nothing of our network', () => {
    const rig = wellRig(Array.from({ length: 6 }, (_, index) => makeMember(index)))
    for (let index = 0; index < 6; index += 1) rig.call(index, 'unreachable', { isTenantsOwn: true })
    assert.equal(rig.engine.standings.isIsolated(rig.clock.elapsed()), false)
  })

  test('a call that hangs counts once, though it fails again in the end', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    rig.clock.wind(1)
    const call = rig.engine.traffic.begin(0, { ...FACTS, request: 5, prompt: 5 })
    rig.clock.wind(30 * SECOND)
    assert.equal(stateOf(rig, 0), 'SUSPECT')
    rig.engine.traffic.failed(call, { kind: 'timeout', source: 'upstream' })
    assert.equal(rig.engine.standings.standing(0, rig.clock.elapsed()).blames.length, 1)
  })

  test('a stream that stalls after its headers counts against whoever sent it', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    rig.clock.wind(1)
    const { traffic } = rig.engine
    const call = traffic.begin(0, { ...FACTS, isStreamed: true })
    traffic.answered(call)
    for (let each = 0; each < 10; each += 1) {
      rig.clock.wind(SECOND)
      traffic.chunk(call)
    }
    rig.clock.wind(29 * SECOND)
    assert.equal(stateOf(rig, 0), 'HEALTHY')
    rig.clock.wind(2 * SECOND)
    assert.equal(stateOf(rig, 0), 'SUSPECT')
  })

  test('a host that swallows everything is out, though it never says a word', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    rig.clock.wind(1)
    for (let each = 0; each < 6; each += 1) {
      rig.engine.traffic.begin(0, { ...FACTS, request: each + 1, prompt: each + 1 })
      rig.clock.wind(5 * SECOND)
    }
    rig.clock.wind(12 * SECOND)
    assert.equal(stateOf(rig, 0), 'DOWN')
  })

  test('while our own loop lags, waiting in vain says nothing, and what is said counts', () => {
    const rig = wellRig([makeMember(0)])
    rig.lagMs = 300
    for (let each = 0; each < 30; each += 1) rig.call(0, 'timeout')
    rig.engine.traffic.begin(0, FACTS)
    rig.clock.wind(MINUTE)
    assert.deepEqual(statesOf(rig), ['HEALTHY'])
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    assert.deepEqual(statesOf(rig), ['DOWN'])
  })
})

describe('what routing is told', () => {
  test('several calls without an answer for many times the usual put a deployment last, at once', () => {
    const rig = wellRig([makeMember(0), makeMember(1)])
    const { traffic, choices } = rig.engine
    for (let each = 0; each < 10; each += 1) rig.call(0)
    for (let each = 0; each < 3; each += 1) traffic.begin(0, FACTS)
    assert.equal(choices.tier(0, rig.clock.elapsed()), 0)
    rig.clock.wind(600)
    const now = rig.clock.elapsed()
    assert.deepEqual(
      [choices.tier(0, now), choices.weight(0, now) > 0, stateOf(rig, 0)],
      [1, true, 'HEALTHY'],
    )
    assert.equal(choices.eligibility(0, now).isSilent, true)
    rig.call(0)
    assert.equal(choices.tier(0, now), 0)
  })

  test('one slow call, or one that is streaming, is no silence', () => {
    const rig = wellRig([makeMember(0)])
    const { traffic, choices } = rig.engine
    for (let each = 0; each < 10; each += 1) rig.call(0)
    traffic.begin(0, FACTS)
    for (let each = 0; each < 3; each += 1) traffic.answered(traffic.begin(0, FACTS))
    rig.clock.wind(5 * SECOND)
    assert.equal(choices.tier(0, rig.clock.elapsed()), 0)
  })

  test('a thousand waiting requests make one trial', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    rig.clock.wind(7 * SECOND)
    const { traffic, choices } = rig.engine
    let asked = 0
    for (let each = 0; each < 1000; each += 1) {
      if (choices.weight(0, rig.clock.elapsed()) === 0) continue
      traffic.begin(0, FACTS)
      asked += 1
    }
    assert.equal(asked, 1)
  })

  test('the end of a call that began before the trial gives no second one', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    const { traffic, choices } = rig.engine
    const old = [traffic.begin(0, FACTS), traffic.begin(0, FACTS)]
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    rig.clock.wind(7 * SECOND)
    traffic.begin(0, FACTS)
    old.forEach((call) => traffic.dropped(call))
    assert.deepEqual([traffic.onProbation(0), choices.weight(0, rig.clock.elapsed())], [1, 0])
  })

  test('the late failure of a call that began before the trial does not end it', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    rig.clock.wind(1)
    const old = rig.engine.traffic.begin(0, FACTS)
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    rig.clock.wind(7 * SECOND)
    rig.engine.traffic.failed(old, { kind: 'server_error', source: 'upstream' })
    assert.equal(stateOf(rig, 0), 'RECOVERING')
  })

  test('a failed trial shuts the door for longer', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    const first = rig.engine.plan(0)?.at ?? 0
    rig.clock.wind(7 * SECOND)
    rig.call(0, 'server_error')
    assert.equal(stateOf(rig, 0), 'DOWN')
    const again = (rig.engine.plan(0)?.at ?? 0) - rig.clock.elapsed()
    assert.deepEqual([first, again], [5000, 7500])
  })

  test('where all are down one request at a time is sent to the one that may be back first', () => {
    const rig = wellRig([makeMember(0), makeMember(1)], { look: { strategy: 'off' } })
    const { traffic, choices } = rig.engine
    for (let each = 0; each < 5; each += 1) rig.call(1, 'server_error')
    rig.clock.wind(2 * SECOND)
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    const now = rig.clock.elapsed()
    assert.equal(choices.lastResort([0, 1], now), 1)
    const { eligible, total, retryInMs } = choices.health([0, 1], now)
    assert.deepEqual([eligible, total, retryInMs], [0, 2, 3000])
    const call = traffic.begin(1, FACTS)
    assert.equal(choices.lastResort([0, 1], now), undefined)
    traffic.dropped(call)
    assert.equal(choices.lastResort([0, 1], now), 1)
  })

  test('a lone deployment is put aside like any other, and yet its group is not lost', () => {
    const rig = wellRig([makeMember(0)])
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    const now = rig.clock.elapsed()
    assert.deepEqual([stateOf(rig, 0), rig.engine.choices.lastResort([0], now)], ['DOWN', 0])
    rig.call(0)
    assert.equal(stateOf(rig, 0), 'RECOVERING')
  })

  test('never to one whose key is refused, or that was taken out', () => {
    const rig = wellRig([makeMember(0), makeMember(1)], { look: { strategy: 'off' } })
    rig.call(0, 'quota')
    rig.engine.standings.apply(1, { kind: 'isolate', until: Infinity }, rig.clock.elapsed())
    assert.equal(rig.engine.choices.lastResort([0, 1], rig.clock.elapsed()), undefined)
  })

  test('one that has just come back gets its share of the traffic little by little', () => {
    const rig = wellRig([makeMember(0)], { look: { strategy: 'off' } })
    for (let each = 0; each < 5; each += 1) rig.call(0, 'server_error')
    rig.clock.wind(7 * SECOND)
    for (let each = 0; each < 3; each += 1) rig.call(0)
    const since = rig.engine.standings.standing(0, rig.clock.elapsed()).slowStartAt
    const weightAt = (ms: number) => rig.engine.choices.weight(0, since + ms)
    assert.deepEqual([weightAt(1000), weightAt(15_000), weightAt(30_000)], [0.1, 0.5, 1])
  })

  test('soft reasons shift half of a group’s weight at most', () => {
    const rig = wellRig([makeMember(0), makeMember(1)], { look: { strategy: 'off' } })
    const now = rig.clock.elapsed()
    for (const index of [0, 1])
      for (let each = 0; each < 20; each += 1)
        rig.engine.standings.apply(index, makeOk(now, { isSlow: true }), now)
    assert.deepEqual(statesOf(rig), ['DEGRADED', 'DEGRADED'])
    const weights = [0, 1].map((index) => rig.engine.choices.weight(index, now))
    assert.deepEqual(weights, [0.5, 0.5])
  })
})

/** Uniform numbers that are the same in each run. */
function dice(): () => number {
  let state = 7
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}
