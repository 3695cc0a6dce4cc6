import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readFallbackLists } from '../../core/fallback.ts'
import { ROUTING_STRATEGIES } from '../../core/routing-strategy.ts'
import { createStanding } from '../../health/engine/standing.ts'
import { SICK, world } from './world.fixture.ts'
import type { Script, World } from './world.fixture.ts'

test('a retry goes to a deployment that has not failed this request, and waits only for one that has', () => {
  const { asked, send, clock } = world({ a1: SICK, a2: SICK, a3: 'good' }, { numRetries: 5 })
  const { ends } = send()
  assert.equal(ends.join(), '200,end')
  assert.equal(new Set(asked).size, asked.length)
  assert.equal(clock.pending(), 0)
})

test('where all have failed, the one whose failure is longest ago is asked again, after a wait', () => {
  const { asked, send, clock } = world({ a1: SICK, a2: SICK }, { numRetries: 3 })
  const { ends } = send()
  const [first, second] = asked
  assert.equal(asked.length, 2)
  assert.notEqual(first, second)
  clock.wind(60_000)
  assert.deepEqual(asked, [first, second, first, second])
  assert.deepEqual(ends, [`server_error ${first} (tried 4 times at 2 deployments)`])
})

test('a client that leaves during a wait is the end of it', () => {
  const { asked, send, clock, deps } = world({ a1: SICK })
  const { stream, ends } = send()
  assert.equal(clock.pending(), 1)
  stream.cancel()
  assert.deepEqual(ends, ['cancelled the caller went away'])
  assert.equal(clock.pending(), 0)
  clock.wind(60_000)
  assert.deepEqual(asked, ['a1'])
  assert.ok(deps.budgets.spend('a'))
})

test('a client that leaves during an attempt cancels it, and no fallback follows', () => {
  const fallbacks = readFallbackLists([{ a: ['b'] }])
  const { asked, cancelled, send } = world({ a1: SICK, a2: 'silent', b1: 'good' }, { fallbacks })
  const { stream, ends } = send()
  stream.cancel()
  assert.deepEqual([asked.at(-1), cancelled, ends], ['a2', ['a2'], ['cancelled gone']])
})

test('the client’s own deadline bounds waits, tries and fallbacks', () => {
  const fallbacks = readFallbackLists([{ a: ['b'] }])
  const slow: Script = { kind: 'rate_limited', upstreamStatus: 429, retryAfterMs: 3000 }
  const patient = world({ a1: slow })
  const waiting = patient.send({ timeout: 20 })
  patient.clock.wind(2999)
  assert.equal(patient.asked.length, 1)
  patient.clock.wind(1)
  assert.equal(patient.asked.length, 2)
  patient.clock.wind(20_000)
  assert.equal(waiting.ends.length, 1)

  const hasty = world({ a1: slow, b1: 'good' }, { fallbacks })
  assert.deepEqual(hasty.send({ timeout: 2 }).ends, ['200', 'end'])
  assert.deepEqual(hasty.asked, ['a1', 'b1'])
  assert.equal(hasty.clock.pending(), 0)
})

test('what is dear is not made twice', () => {
  const { asked, send } = world({ a1: SICK, a2: SICK })
  assert.equal(send({}, 'image_generation').ends.length, 1)
  assert.equal(asked.length, 1)
  const busy: Script = { kind: 'overloaded', upstreamStatus: 503 }
  const refused = world({ a1: busy, a2: busy })
  refused.send({}, 'image_generation')
  assert.equal(refused.asked.length, 2)
})

test('an outage is not multiplied: beyond the budget a failure is told at once', () => {
  const { asked, send } = world({ a1: SICK, a2: SICK }, { numRetries: 1 })
  for (let sent = 0; sent < 1000; sent += 1) send()
  assert.ok(asked.length > 1200 && asked.length <= 1000 + 300, String(asked.length))
})

test('where all are down one request at a time finds out, and everybody else is told at once', () => {
  const { asked, send, deps } = world({ a1: 'silent', a2: 'silent' }, { numRetries: 1 })
  for (const index of [0, 1])
    deps.health.engine.standings.adopt(index, {
      ...createStanding(0),
      state: 'DOWN',
      reason: 'server_error',
      lastEvidenceAt: 0,
    })
  const first = send()
  assert.equal(asked.length, 1)
  for (let more = 0; more < 5; more += 1)
    assert.match(send().ends[0] ?? '', /^none_available .*DOWN \(server_error\) since 0 s/)
  assert.equal(asked.length, 1)
  first.stream.cancel()
  send()
  assert.equal(asked.length, 2)
})

test('a deployment that is down is not waited for', () => {
  const { asked, send, deps, clock } = world({ a1: SICK }, { numRetries: 5 })
  const { standings } = deps.health.engine
  standings.adopt(0, { ...createStanding(0), state: 'DOWN', reason: 'server_error', lastEvidenceAt: 0 })
  assert.match(send().ends[0] ?? '', /^none_available .*DOWN \(server_error\)/)
  clock.wind(60_000)
  assert.equal(asked.length, 1)
})

test('nobody is sent where nobody can connect, until a connection comes about', async () => {
  const scripts: Record<string, Script> = { a1: { kind: 'unreachable', isUnsent: true } }
  let isReachable = false
  const { asked, send, clock } = world(scripts, { numRetries: 0 }, { isReachable: () => isReachable })
  const waitFor = async (ms: number): Promise<void> => {
    clock.wind(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.match(send().ends[0] ?? '', /^unreachable/)
  assert.match(send().ends[0] ?? '', /^none_available .*no connection comes about, tried again in 1 s/)
  await waitFor(1000)
  assert.match(send().ends[0] ?? '', /^none_available .*tried again in 2 s/)
  assert.equal(asked.length, 1)

  isReachable = true
  await waitFor(1500)
  assert.match(send().ends[0] ?? '', /^unreachable/)
  assert.equal(asked.length, 2, 'a connection came about, but not for this request')
  assert.match(send().ends[0] ?? '', /^none_available .*tried again in 1 s/)
  await waitFor(1000)
  scripts['a1'] = 'good'
  assert.equal(send().ends.join(), '200,end')
})

test('an error within a stream is the end of its request, and a failure of its deployment', () => {
  const { asked, send } = world({ a1: 'flawed', a2: 'good' })
  for (let sent = 0; sent < 40; sent += 1) assert.deepEqual(send().ends, ['200', 'end'])
  assert.ok(asked.filter((id) => id === 'a1').length <= 5, asked.join())
})

test('an answer is told whom its request came to: its group first, then each that is asked', () => {
  const fallbacks = readFallbackLists([{ a: ['b'] }])
  const { send } = world({ a1: SICK, b1: 'good' }, { fallbacks, numRetries: 0 })
  assert.deepEqual(send().met, ['a1', 'a1', 'b1', 'b1'])
  assert.deepEqual(send({ model: 'c' }).met, [])
})

test('each retry and each fallback is told', () => {
  const told: string[] = []
  const fallbacks = readFallbackLists([{ a: ['b'] }])
  const { deps, send } = world({ a1: SICK, a2: SICK, b1: 'good' }, { fallbacks, numRetries: 1 })
  Object.assign(deps, { detour: (kind: string) => told.push(kind) })
  send()
  assert.deepEqual(told, ['retry', 'fallback'])
})

test('every request has exactly one end, and is tried no more often than allowed', () => {
  const script = fc.constantFrom<Script>(
    'good',
    SICK,
    { kind: 'auth', upstreamStatus: 401 },
    { kind: 'rate_limited', upstreamStatus: 429, retryAfterMs: 2000 },
    { kind: 'bad_request', upstreamStatus: 400 },
    { kind: 'unreachable', isUnsent: true },
    { kind: 'timeout' },
  )
  const scripts = fc.record({ a1: script, a2: script, a3: script, b1: script, b2: script, c1: script })
  const strategy = fc.constantFrom(...ROUTING_STRATEGIES)
  const fallbacks = readFallbackLists([{ a: ['b', 'c'] }, { b: ['a', 'c'] }, { c: ['b'] }])
  fc.assert(
    fc.property(
      scripts,
      fc.nat(4),
      fc.integer({ min: 1, max: 4 }),
      strategy,
      (given, numRetries, requests, by) => {
        const { asked, send, clock, deps } = world(given, { numRetries, fallbacks }, { strategy: by })
        for (let sent = 0; sent < requests; sent += 1) {
          asked.length = 0
          const { ends } = send()
          clock.wind(600_000)
          assert.deepEqual(ends.length, ends[0] === '200' ? 2 : 1, ends.join())
          assert.equal(clock.pending(), 0)
          for (const index of [0, 1, 2, 3, 4, 5]) assert.equal(deps.ledger.inFlight(index), 0)
          for (const group of ['a', 'b', 'c']) {
            const tries = asked.filter((id) => id.startsWith(group))
            assert.ok(tries.length <= numRetries + 1)
            // No deployment twice before each of its group has had its turn, but those that nobody should be sent to.
            const firsts = tries.slice(0, new Set(tries).size)
            assert.equal(new Set(firsts).size, firsts.length)
          }
          if (
            asked.some((id) => Object.entries(given).some(([name, does]) => name === id && does === 'good'))
          )
            assert.equal(ends[0], '200')
        }
      },
    ),
  )
})

test('a group at its limits is left for its fallbacks, else told when to come again, and is not sick for it', () => {
  const traffic = { a1: { maxParallelRequests: 1 }, a2: { rpm: 1 } }
  const { asked, send, deps, clock } = world({ a1: 'silent', a2: 'good' }, {}, { traffic })
  const first = send()
  const second = send()
  assert.deepEqual([...asked].sort(), ['a1', 'a2'])
  const [third] = send().ends
  assert.match(third ?? '', /^throttled No deployments available for selected model, Try again in 1 seconds/)
  assert.equal(asked.length, 2)
  for (const index of [0, 1])
    assert.notEqual(deps.health.engine.standings.standing(index, 0).state, 'SUSPECT')
  first.stream.cancel()
  second.stream.cancel()
  assert.equal(deps.ledger.inFlight(0), 0)
  clock.wind(62_000)
  send()
  assert.equal(asked.length, 3)

  const fallbacks = readFallbackLists([{ a: ['b'] }])
  const spared = world({ a1: 'good', b1: 'good' }, { fallbacks }, { traffic: { a1: { rpm: 1 } } })
  send()
  for (const expected of ['a1', 'b1']) {
    assert.deepEqual(spared.send().ends, ['200', 'end'])
    assert.equal(spared.asked.at(-1), expected)
  }
})

test('after a wait a deployment that has become free is asked before the one that has failed', () => {
  const traffic = { a2: { maxParallelRequests: 1 } }
  const { asked, send, clock } = world({ a1: SICK, a2: 'silent' }, {}, { traffic, strategy: 'least-busy' })
  const sent = [send()]
  while (asked.at(-1) !== 'a2') sent.push(send())
  const held = asked.length
  const { ends } = send()
  assert.deepEqual([asked.slice(held), ends], [['a1'], []])
  for (const { stream } of sent) stream.cancel()
  clock.wind(60_000)
  assert.deepEqual(asked.slice(held, held + 2), ['a1', 'a2'])
})

test('tests of fallbacks fail the first group without asking it, and are no evidence against it', () => {
  const rules = {
    fallbacks: readFallbackLists([{ a: ['b'] }]),
    contextWindowFallbacks: readFallbackLists([{ a: ['c'] }]),
    contentPolicyFallbacks: readFallbackLists([{ a: ['d'] }]),
  }
  const cases: readonly (readonly [string, string])[] = [
    ['mock_testing_fallbacks', 'b1'],
    ['mock_testing_context_window_fallbacks', 'c1'],
    ['mock_testing_content_policy_fallbacks', 'd1'],
    ['mock_testing_rate_limit_error', 'a2'],
  ]
  for (const [field, expected] of cases) {
    const { asked, send, deps } = world({ a1: 'good', a2: 'good', b1: 'good', c1: 'good', d1: 'good' }, rules)
    assert.deepEqual(send({ [field]: true }).ends, ['200', 'end'], field)
    const [only = '', ...others] = asked
    assert.deepEqual(others, [])
    assert.equal(only.slice(0, 1), expected.slice(0, 1))
    for (const index of [0, 1, 2, 3, 4])
      assert.notEqual(deps.health.engine.standings.standing(index, 0).state, 'SUSPECT')
    asked.length = 0
    send({ [field]: false })
    assert.equal(asked[0]?.startsWith('a'), true)
  }
  const alone = world({ a1: 'good' })
  assert.match(alone.send({ mock_testing_fallbacks: true }).ends[0] ?? '', /^server_error This is a mock/)
  assert.deepEqual(alone.asked, [])
})

test('an alias stands for its group, in fallbacks too, and a model that nobody knows goes to the default ones', () => {
  const aliases = new Map([['other', { model: 'a', isHidden: true }]])
  const fallbacks = readFallbackLists([{ a: ['b'] }, { '*': ['nobody', 'c'] }])
  const { asked, send } = world(
    { a1: SICK, b1: 'good', c1: 'good' },
    { fallbacks, numRetries: 0 },
    { aliases },
  )
  assert.deepEqual(send({ model: 'other' }).ends, ['200', 'end'])
  assert.deepEqual(asked, ['a1', 'b1'])
  assert.deepEqual(send({ model: 'unheard-of' }).ends, ['200', 'end'])
  assert.equal(asked.at(-1), 'c1')
  const { ends } = send({ model: 'unheard-of', disable_fallbacks: true })
  assert.match(ends[0] ?? '', /^bad_request .*Invalid model name passed in model=unheard-of/)
})

test('a request that is too long for a model is not sent to it', () => {
  const maxInputTokens = { a1: 10, a2: 1000, b1: 10 }
  const contextWindowFallbacks = readFallbackLists([{ b: ['a'] }])
  const scripts = { a1: 'good', a2: 'good', b1: 'good' } as const
  const { asked, send } = world(scripts, { contextWindowFallbacks }, { maxInputTokens })
  const messages = ['x'.repeat(400)]
  for (let sent = 0; sent < 5; sent += 1) send({ messages })
  assert.deepEqual([...new Set(asked)], ['a2'])
  send({ model: 'b', messages })
  assert.deepEqual([...new Set(asked)], ['a2'])
  const { ends } = send({ messages: ['x'.repeat(8000)] })
  assert.match(ends[0] ?? '', /^bad_request Context Window exceeded for given call\..* takes 1000 tokens/)
})

/** How long the clock had to be wound until the request was over. */
function tookMs({ clock }: World, ends: readonly string[]): number {
  let waited = 0
  for (; ends.length === 0 && waited < 60_000; waited += 5) clock.wind(5)
  return waited
}

test('a group that swallows all connections is given up within one connect timeout, each asked once', () => {
  for (const ids of [['a1'], ['a1', 'a2'], ['a1', 'a2', 'a3']]) {
    const given = world(Object.fromEntries(ids.map((id) => [id, 'swallows'])), { numRetries: 5 })
    const { ends } = given.send()
    assert.equal(tookMs(given, ends), 3000)
    assert.deepEqual(given.asked.toSorted(), ids)
    assert.match(ends.join(), /^unreachable /)

    const later = given.send().ends
    assert.match(later.join(), /^none_available .*no connection comes about, tried again in \d s/)
    assert.equal(given.asked.length, ids.length)
  }
})

test('beside one that swallows connections the one that lives answers, or the fallback does', () => {
  const traffic = { a1: { order: 1 }, a2: { order: 2 } }
  const given = world({ a1: 'swallows', a2: 'good' }, {}, { traffic })
  const { ends } = given.send()
  assert.equal(tookMs(given, ends), 1500)
  assert.equal(ends.join(), '200,end')

  const fallbacks = readFallbackLists([{ a: ['b'] }])
  const alone = world({ a1: 'swallows', b1: 'good' }, { fallbacks })
  const sent = alone.send()
  assert.equal(tookMs(alone, sent.ends), 1500)
  assert.equal(sent.ends.join(), '200,end')
})

test('who swallows connections is not asked again while another one fails otherwise', () => {
  const traffic = { a1: { order: 1 }, a2: { order: 2 } }
  const { asked, send, clock } = world({ a1: 'swallows', a2: SICK }, { numRetries: 3 }, { traffic })
  send()
  clock.wind(60_000)
  assert.deepEqual(asked, ['a1', 'a2', 'a2', 'a2'])
})

test('a deployment’s own timeout leaves time to tell that no connection came about', () => {
  const given = world({ a1: 'swallows' }, {}, { timeoutMs: 2000 })
  const { ends } = given.send()
  assert.equal(tookMs(given, ends), 1800)
  assert.equal(given.deps.outOfReach.leftMs(0), 1000)
})
