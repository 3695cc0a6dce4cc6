import assert from 'node:assert/strict'
import { createHandClock } from '../../core/clock.ts'
import type { HandClock } from '../../core/clock.ts'
import type { Deployment, Traffic } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { FailureDetails, FailureKind } from '../../core/failure.ts'
import type { HedgeRule } from '../../core/hedge-rule.ts'
import { silentLog } from '../../core/log.ts'
import type { ModelAlias } from '../../core/model-alias.ts'
import type { RoutingStrategy } from '../../core/routing-strategy.ts'
import { openLine } from '../../providers/call.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { createDirectory } from '../choice/directory.ts'
import { makeHealthLink } from '../health.fixture.ts'
import { createOutOfReach } from '../choice/out-of-reach.ts'
import { createLedger } from '../choice/ledger.ts'
import { createLimits } from '../choice/limits.ts'
import { createHedgeGroups } from './hedge-groups.ts'
import { travel } from './journey.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import type { JourneyDeps } from './journey-parts.ts'
import { OPERATIONS } from '../request/operations.ts'
import { readAsked } from '../choice/plan.ts'
import { createRetryBudgets } from './retry-budget.ts'
import type { Stream } from '../road.ts'
import { createStrategy } from '../choice/strategy.ts'

/** For tests: what a deployment does when it is asked: answer, answer with an error within the stream, say nothing yet, let nobody connect, or fail so. */
export type Script =
  | 'good'
  | 'flawed'
  | 'silent'
  | 'swallows'
  | ({ readonly kind: FailureKind } & FailureDetails)

export interface World {
  readonly deps: JourneyDeps
  readonly clock: HandClock
  /** Ids asked, in order. */
  readonly asked: string[]
  readonly cancelled: string[]
  /** Retries, fallbacks and hedges as they began. */
  readonly detours: string[]
  /** Sends a request; says how it ended. */
  readonly send: (
    body?: object,
    operation?: 'chat' | 'image_generation',
  ) => { readonly stream: Stream; readonly ends: string[]; readonly met: string[] }
}

/** What else a test says of its world. */
export interface MoreOf {
  readonly strategy?: RoutingStrategy
  readonly traffic?: Readonly<Record<string, Traffic>>
  readonly aliases?: ReadonlyMap<string, ModelAlias>
  readonly maxInputTokens?: Readonly<Record<string, number>>
  /** What a look at a deployment finds out; default: a connection comes about. */
  readonly isReachable?: () => boolean
  /** Every deployment's own. */
  readonly timeoutMs?: number
  /** How a group hedges. */
  readonly hedges?: Readonly<Record<string, HedgeRule>>
}

/** For tests: a gateway of these deployments, by id; the group is the letter. */
export function world(
  scripts: Readonly<Record<string, Script>>,
  settings: Partial<JourneyDeps['settings']> = {},
  more: MoreOf = {},
): World {
  const clock = createHandClock()
  const asked: string[] = []
  const cancelled: string[] = []
  const detours: string[] = []
  const own = depsOf(Object.keys(scripts), settings, more, clock)
  const deps: JourneyDeps = { ...own, detour: (kind) => void detours.push(kind) }
  const send: World['send'] = (body = {}, operation = 'chat') => {
    const ends: string[] = []
    const met: string[] = []
    const whole = { model: 'a', messages: [], prompt: 'p', ...body }
    const given = { operation: OPERATIONS[operation], body: Buffer.from(JSON.stringify(whole)) }
    const request = readAsked(given, deps.settings.tags)
    const answer = {
      meets: ({ id }: Deployment) => void met.push(id),
      head: (status: number) => void ends.push(String(status)),
      data: () => true,
      end: () => void ends.push('end'),
      fail: (error: GatewayError) => void ends.push(`${error.kind} ${error.message}`),
    }
    const stream = travel(deps, request, answer, (plan, next, connectMs) => {
      const { id } = plan.line.deployment
      asked.push(id)
      act(scripts[id] ?? 'good', id, next, () => clock.after(connectMs(), () => next.fail(unsent(id), {})))
      return {
        resume: () => {},
        cancel: () => {
          cancelled.push(id)
          next.fail(new GatewayError('cancelled', 'gone', { source: 'client' }), {})
        },
      }
    })
    return { stream, ends, met }
  }
  return { deps, clock, asked, cancelled, detours, send }
}

const unsent = (id: string): GatewayError => new GatewayError('unreachable', id, { isUnsent: true })

function act(script: Script, id: string, next: RelayAnswer, swallow: () => void): void {
  if (script === 'silent') return
  if (script === 'swallows') swallow()
  else if (script === 'good' || script === 'flawed') {
    next.head(200, {})
    const flaw = script === 'flawed' ? { flaw: new GatewayError('overloaded', 'too much') } : {}
    next.end({ bytes: 0, ...flaw })
  } else next.fail(new GatewayError(script.kind, id, script), {})
}

function depsOf(
  ids: readonly string[],
  settings: Partial<JourneyDeps['settings']>,
  more: MoreOf,
  clock: HandClock,
): JourneyDeps {
  const { maxInputTokens, strategy = 'simple-shuffle' } = more
  const deployments = deploymentsOf(ids, more)
  let requests = 0
  const ledger = createLedger(deployments, { countsTokens: true, latencyWindowMs: 3_600_000 }, clock)
  const health = makeHealthLink(deployments, { clock })
  const named = { provider: 'openai', upstreamModel: 'm' } as const
  return {
    directory: createDirectory(deployments, () => ({ ...named, problem: 'unknown' }), more.aliases),
    lines: (index) => lineOf(deployments[index]),
    openLine: (each) => lineOf(each),
    openNamed: (each) => lineOf(each),
    resolve: () => named,
    health,
    outOfReach: createOutOfReach({
      isEnabled: true,
      reach: () => Promise.resolve(more.isReachable?.() ?? true),
      lastOkAt: (index) => health.engine.standings.standing(index, clock.elapsed()).lastOkAt,
      clock,
      random: () => 0.5,
    }),
    nextRequest: () => (requests += 1),
    budgets: createRetryBudgets(0.2, clock),
    ledger,
    limitMs: createLimits(ledger, undefined),
    strategy: createStrategy(
      { strategy, latencyWindowMs: 3_600_000, latencySlack: 0 },
      { ledger, price: () => 1 },
    ),
    ...(maxInputTokens && { maxInputTokens: ({ id }) => maxInputTokens[id] }),
    ...(more.hedges && { hedges: createHedgeGroups(new Map(Object.entries(more.hedges))) }),
    clock,
    log: silentLog,
    random: () => 0.5,
    settings: { ...SETTINGS, ...settings },
  }
}

const SETTINGS: JourneyDeps['settings'] = {
  connectTimeoutMs: 3000,
  numRetries: 2,
  requestTimeoutMs: 60_000,
  retryPolicy: {},
  groupRetryPolicies: new Map(),
  leastWaitMs: 0,
  fallbacks: new Map(),
  contextWindowFallbacks: new Map(),
  contentPolicyFallbacks: new Map(),
  maxFallbacks: 5,
  tags: { isEnabled: false, matchesAny: true },
}

function deploymentsOf(ids: readonly string[], { timeoutMs, traffic }: MoreOf): readonly Deployment[] {
  return ids.map((id, index) =>
    aDeployment(index, {
      id,
      group: id.slice(0, 1),
      connection: { apiBase: 'http://up/v1', headers: {} },
      ...(timeoutMs !== undefined && { timeouts: { timeoutMs } }),
      ...(traffic?.[id] && { traffic: traffic[id] }),
    }),
  )
}

function lineOf(each: Deployment | undefined): ReturnType<JourneyDeps['lines']> {
  if (each === undefined) return { misconfigured: { message: 'not there' } }
  const never = (): never => assert.fail('nothing goes out here')
  const transport = { send: never, stream: never, dial: never, openSocket: never, reach: never, close: never }
  return openLine(each, { transport, env: { OPENAI_API_KEY: 'sk-x' }, redact: (text) => text })
}

/** For tests: an attempt that fails at the upstream. */
export const SICK: Script = { kind: 'server_error', upstreamStatus: 500 }
