import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import type { HandClock } from '../../core/clock.ts'
import type { Traffic } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { FailureKind } from '../../core/failure.ts'
import { silentLog } from '../../core/log.ts'
import { openLine } from '../../providers/call.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { IN_REACH, makeHealthLink } from '../health.fixture.ts'
import { createLedger } from '../choice/ledger.ts'
import type { Ledger } from '../choice/ledger.ts'
import { createLimits } from '../choice/limits.ts'
import { createRetryBudgets } from './retry-budget.ts'
import { severalTries } from './several-tries.ts'
import type { Outcome, TryDeps } from './several-tries.ts'

interface World {
  readonly ledger: Ledger
  readonly clock: HandClock
  /** Ids asked, in order. */
  readonly asked: string[]
  readonly met: string[]
  readonly detours: string[]
  readonly run: (work: 'work' | 'reading') => Promise<Outcome<string>>
}

/** Deployments of one group by id, and how they fail, call by call; what is not written goes well. */
function world(
  scripts: Readonly<Record<string, readonly FailureKind[]>>,
  settings: Partial<TryDeps['settings']> = {},
  traffic: Traffic = {},
): World {
  const clock = createHandClock()
  const deployments = Object.keys(scripts).map((id, index) =>
    aDeployment(index, { id, connection: { apiBase: 'http://up/v1', headers: {} }, traffic }),
  )
  const ledger = createLedger(deployments, { countsTokens: true, latencyWindowMs: 3_600_000 }, clock)
  const asked: string[] = []
  const met: string[] = []
  const detours: string[] = []
  const never = (): never => assert.fail('nothing goes out here')
  const deps: TryDeps = {
    lines: (index) =>
      openLine(deployments[index] ?? assert.fail(), {
        transport: { send: never, stream: never, dial: never, openSocket: never, reach: never, close: never },
        env: { OPENAI_API_KEY: 'sk' },
        redact: (text) => text,
      }),
    health: makeHealthLink(deployments, { clock }),
    outOfReach: IN_REACH,
    ledger,
    limitMs: createLimits(ledger, undefined),
    budgets: createRetryBudgets(0.2, clock),
    clock,
    random: () => 0,
    log: silentLog,
    detour: (kind) => void detours.push(kind),
    settings: {
      numRetries: 2,
      retryPolicy: {},
      groupRetryPolicies: new Map(),
      leastWaitMs: 0,
      connectTimeoutMs: 3000,
      requestTimeoutMs: 60_000,
      ...settings,
    },
  }
  return {
    ledger,
    clock,
    asked,
    met,
    detours,
    run: async (work) => {
      const errand = {
        model: 'g',
        candidates: deployments.map((deployment) => ({ deployment })),
        isSteady: true,
        isCostly: false,
        isWork: work === 'work',
        answer: { meets: ({ id }: { readonly id: string }) => void met.push(id) },
        signal: new AbortController().signal,
      }
      const going = severalTries(deps, errand, ({ candidate: { deployment } }) => {
        const { id, index } = deployment
        const kind = scripts[id]?.[asked.filter((each) => each === id).length]
        asked.push(id)
        assert.equal(ledger.inFlight(index), work === 'work' ? 1 : 0)
        return kind === undefined ? Promise.resolve(id) : Promise.reject(new GatewayError(kind, 'no'))
      })
      // Waits before a retry are of no length here, but they are waits.
      for (let turn = 0; turn < 50; turn++) {
        await Promise.resolve()
        clock.wind(0)
      }
      return going
    },
  }
}

const outcomeOf = (outcome: Outcome<string>): string =>
  'value' in outcome ? outcome.value : outcome.failure.kind

test('the retry policy says how often it is tried again after this kind of failure', async () => {
  const down: readonly FailureKind[] = Array.from({ length: 9 }, () => 'server_error')
  const slow: readonly FailureKind[] = Array.from({ length: 9 }, () => 'timeout')
  for (const [failures, settings, times] of [
    [down, {}, 3],
    [down, { numRetries: 0 }, 1],
    [down, { retryPolicy: { server_error: 4 } }, 5],
    [slow, { retryPolicy: { server_error: 4 } }, 3],
    [slow, { retryPolicy: { timeout: 4 }, groupRetryPolicies: new Map([['g', { timeout: 0 }]]) }, 1],
  ] as const) {
    const { run, asked, detours } = world({ a: failures }, settings)
    assert.equal(outcomeOf(await run('work')), failures[0])
    assert.equal(asked.length, times, JSON.stringify(settings))
    assert.equal(detours.length, times - 1)
  }
})

test('work is booked while it runs, tells whom it meets, and says nothing of tokens or latencies', async () => {
  const { run, ledger, asked, met } = world({ a: ['server_error'], b: [] })
  assert.equal(outcomeOf(await run('work')), 'b')
  assert.deepEqual(asked, ['a', 'b'])
  assert.deepEqual(met, ['a', 'a', 'b'])
  for (const index of [0, 1]) {
    assert.equal(ledger.inFlight(index), 0)
    assert.equal(ledger.tokens(index), 0)
    assert.equal(ledger.latencyMs(index, false), undefined)
  }
})

test('work keeps within the limits, and what only reads neither asks for them nor counts', async () => {
  const { run, asked } = world({ a: [], b: [] }, {}, { rpm: 1 })
  for (let count = 0; count < 5; count++) assert.equal(outcomeOf(await run('reading')), 'a')
  assert.equal(outcomeOf(await run('work')), 'a')
  assert.equal(outcomeOf(await run('work')), 'b')
  assert.equal(outcomeOf(await run('work')), 'throttled')
  assert.equal(outcomeOf(await run('reading')), 'a')
  assert.equal(asked.length, 8)
})
