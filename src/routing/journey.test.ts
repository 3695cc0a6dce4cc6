import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createHandClock } from '../core/clock.ts'
import type { HandClock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { readFallbackLists } from '../core/fallback.ts'
import { GatewayError } from '../core/failure.ts'
import type { FailureDetails, FailureKind } from '../core/failure.ts'
import { silentLog } from '../core/log.ts'
import { openLine } from '../providers/call.ts'
import { createCooldowns } from './cooldown.ts'
import { createDirectory } from './directory.ts'
import { createLedger } from './ledger.ts'
import { createLimits } from './limits.ts'
import { travel } from './journey.ts'
import type { JourneyDeps } from './journey.ts'
import { OPERATIONS } from './operations.ts'
import { readAsked } from './plan.ts'
import { createRetryBudgets } from './retry-budget.ts'
import type { Stream } from './road.ts'

/** What a deployment does when it is asked: answer, fail so, or say nothing yet. */
type Script = 'good' | 'silent' | ({ readonly kind: FailureKind } & FailureDetails)

interface World {
  readonly deps: JourneyDeps
  readonly clock: HandClock
  /** Ids asked, in order. */
  readonly asked: string[]
  readonly cancelled: string[]
  /** Sends a request; says how it ended. */
  readonly send: (
    body?: object,
    operation?: 'chat' | 'image_generation',
  ) => { readonly stream: Stream; readonly ends: string[] }
}

/** A gateway of these deployments, by id; the group is the letter. */
function world(
  scripts: Readonly<Record<string, Script>>,
  settings: Partial<JourneyDeps['settings']> = {},
): World {
  const clock = createHandClock()
  const deployments = Object.keys(scripts).map(deployment)
  const asked: string[] = []
  const cancelled: string[] = []
  const ledger = createLedger(deployments, { countsTokens: true }, clock)
  const deps: JourneyDeps = {
    directory: createDirectory(deployments, () => ({
      provider: 'openai',
      upstreamModel: 'm',
      problem: 'unknown',
    })),
    lines: (index) => lineOf(deployments[index]),
    openLine: (each) => lineOf(each),
    resolve: () => ({ provider: 'openai', upstreamModel: 'm' }),
    board: { health: () => ({ state: 'HEALTHY', since: 0 }) },
    cooldowns: createCooldowns(
      { isEnabled: true, cooldownMs: 5000, allowedFailsByKind: {} },
      { clock, log: silentLog },
    ),
    budgets: createRetryBudgets(0.2, clock),
    ledger,
    limitMs: createLimits(ledger, undefined),
    strategy: undefined,
    clock,
    log: silentLog,
    random: () => 0.5,
    settings: {
      numRetries: 2,
      retryPolicy: {},
      groupRetryPolicies: new Map(),
      leastWaitMs: 0,
      fallbacks: new Map(),
      contextWindowFallbacks: new Map(),
      contentPolicyFallbacks: new Map(),
      maxFallbacks: 5,
      tags: { isEnabled: false, matchesAny: true },
      ...settings,
    },
  }
  const send: World['send'] = (body = {}, operation = 'chat') => {
    const ends: string[] = []
    const whole = { model: 'a', messages: [], prompt: 'p', ...body }
    const given = { operation: OPERATIONS[operation], body: Buffer.from(JSON.stringify(whole)) }
    const request = readAsked(given, deps.settings.tags)
    const answer = {
      head: (status: number) => void ends.push(String(status)),
      data: () => true,
      end: () => void ends.push('end'),
      fail: (error: GatewayError) => void ends.push(`${error.kind} ${error.message}`),
    }
    const stream = travel(deps, request, answer, (plan, next) => {
      const { id } = plan.line.deployment
      asked.push(id)
      const script = scripts[id] ?? 'good'
      if (script === 'good') {
        next.head(200, {})
        next.end({ bytes: 0 })
      } else if (script !== 'silent') next.fail(new GatewayError(script.kind, id, script), {})
      return {
        resume: () => {},
        cancel: () => {
          cancelled.push(id)
          next.fail(new GatewayError('cancelled', 'gone', { source: 'client' }), {})
        },
      }
    })
    return { stream, ends }
  }
  return { deps, clock, asked, cancelled, send }
}

function lineOf(each: Deployment | undefined): ReturnType<JourneyDeps['lines']> {
  if (each === undefined) return { misconfigured: { message: 'not there' } }
  const never = (): never => assert.fail('nothing goes out here')
  const transport = { send: never, stream: never, dial: never, openSocket: never, close: never }
  return openLine(each, { transport, env: { OPENAI_API_KEY: 'sk-x' }, redact: (text) => text })
}

function deployment(id: string, index: number): Deployment {
  return {
    index,
    id,
    group: id.slice(0, 1),
    model: 'openai/m',
    provider: 'openai',
    upstreamModel: 'm',
    mode: 'chat',
    modeSource: 'default',
    connection: { apiBase: 'http://up/v1', headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
  }
}

const SICK: Script = { kind: 'server_error', upstreamStatus: 500 }

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
  assert.equal(asked.length, 1000 + 300)
})

test('nobody is sent where nobody can connect, and after the rest just one', () => {
  const gone: Script = { kind: 'unreachable', isUnsent: true }
  const { asked, send, clock } = world({ a1: gone, a2: gone }, { numRetries: 1 })
  assert.match(send().ends[0] ?? '', /^unreachable/)
  assert.equal(asked.length, 2)
  assert.match(send().ends[0] ?? '', /^none_available .*tried again in 5 s/)
  assert.equal(asked.length, 2)
  clock.wind(5000)
  assert.match(send().ends[0] ?? '', /^none_available .*tried again in 5 s/)
  assert.equal(asked.length, 4, 'each of the two has had its trial')
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
  const fallbacks = readFallbackLists([{ a: ['b', 'c'] }, { b: ['a', 'c'] }, { c: ['b'] }])
  fc.assert(
    fc.property(scripts, fc.nat(4), fc.integer({ min: 1, max: 4 }), (given, numRetries, requests) => {
      const { asked, send, clock } = world(given, { numRetries, fallbacks })
      for (let sent = 0; sent < requests; sent += 1) {
        asked.length = 0
        const { ends } = send()
        clock.wind(600_000)
        assert.deepEqual(ends.length, ends[0] === '200' ? 2 : 1, ends.join())
        assert.equal(clock.pending(), 0)
        for (const group of ['a', 'b', 'c']) {
          const tries = asked.filter((id) => id.startsWith(group))
          assert.ok(tries.length <= numRetries + 1)
          // No deployment twice before each of its group has had its turn, but those that nobody should be sent to.
          const firsts = tries.slice(0, new Set(tries).size)
          assert.equal(new Set(firsts).size, firsts.length)
        }
        if (asked.some((id) => Object.entries(given).some(([name, does]) => name === id && does === 'good')))
          assert.equal(ends[0], '200')
      }
    }),
  )
})
