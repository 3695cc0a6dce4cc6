import type { Cancel, Clock } from '../../core/clock.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { Log } from '../../core/log.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import type { MaxInputTokens } from '../choice/context-window.ts'
import type { Attended, EvidenceDeps } from './evidence.ts'
import type { FallbackRules, Detour } from './fallbacks.ts'
import type { PickInputs } from '../choice/pick.ts'
import type { Asked, Plan, PlanDeps } from '../choice/plan.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import type { ConnectBudget } from './connect-budget.ts'
import type { RetryBudgets } from './retry-budget.ts'
import type { Stream } from '../road.ts'
import type { HedgeGroups } from './hedge-groups.ts'
import type { PastFailure, RetryRules } from './stay.ts'

/** What journeys are made of. */
export interface JourneyDeps extends PlanDeps, EvidenceDeps {
  readonly clock: Clock
  readonly budgets: RetryBudgets
  /** A number for one client's request, never 0, and never twice. */
  readonly nextRequest: () => number
  /** Set where requests that are too long for a model are not to be sent to it. */
  readonly maxInputTokens?: MaxInputTokens | undefined
  /** Told of failures that no client sees. */
  readonly log: Log
  /** Absent: no group hedges. */
  readonly hedges?: HedgeGroups
  /** Told of each retry, fallback and hedge as it begins; absent: nobody counts. */
  readonly detour?: (kind: 'retry' | 'fallback' | 'hedge') => void
  /** `connectTimeoutMs`: how long a request may wait for connections, milliseconds. */
  readonly settings: PlanDeps['settings'] &
    EvidenceDeps['settings'] &
    FallbackRules &
    RetryRules & { readonly connectTimeoutMs: number }
}

/** Sends one attempt out; its answer, or its failure before the first byte, comes to `answer`. `connectMs`: as in Limits. */
export type OpenAttempt = (plan: Plan, answer: RelayAnswer, connectMs: () => number) => Stream

/** One request from its arrival to its answer. */
export interface Journey {
  readonly deps: JourneyDeps
  readonly asked: Asked
  readonly answer: RelayAnswer
  readonly open: OpenAttempt
  readonly inputs: PickInputs
  /** As those see it who keep account; undefined where what happens says nothing about our own connections. */
  readonly attended: Attended | undefined
  /** By `Clock.elapsed`; the client's own deadline, or never. */
  readonly deadlineMs: number
  /** Names of the groups asked, in order. */
  readonly visited: string[]
  /** Ids of the deployments asked. */
  readonly deployments: number[]
  waiting: readonly Detour[]
  attempts: number
  /** Absent while nothing had to be waited for. */
  connects: ConnectBudget | undefined
  /** What the client is told in the end, and who it was. */
  first: { readonly failure: GatewayError; readonly route: AnswerHeaders } | undefined
  running: Stream | undefined
  stopWaiting: Cancel | undefined
}

/** An attempt that failed before its first byte. */
export interface Failed extends PastFailure {
  readonly route: AnswerHeaders
  /** It was the one request that found out whether anybody is back. */
  readonly isPanic: boolean
}
