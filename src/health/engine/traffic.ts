import type { FailureKind } from '../../core/failure.ts'
import { createCalls } from './calls.ts'
import type { Call, Calls } from './calls.ts'
import { bucketOf, createFirstTokens } from './first-token.ts'
import type { FirstTokens } from './first-token.ts'
import type { Standings } from './standings.ts'
import { LAG_LIMIT_MS, toEvidence } from './to-evidence.ts'
import type { Outcome } from './to-evidence.ts'

/** What is known of a call when it begins. */
export interface CallFacts {
  readonly promptBytes: number
  readonly isStreamed: boolean
  /** After this the caller gives up, milliseconds. */
  readonly timeoutMs: number
  /** One number for one client request across its retries; 0 where unknown. */
  readonly request: number
  /** A hash of who asks and what; 0 where unknown. */
  readonly prompt: number
  /** The caller brought a key, an address, or a deadline shorter than the operator's. */
  readonly isTenantsOwn: boolean
}

/** A failure, as far as it concerns health. */
export interface CallFailure {
  readonly kind: FailureKind
  readonly source: string
  readonly retryAfterMs?: number | undefined
  /** False: somebody took the connection. */
  readonly isUnsent?: boolean
  readonly isRefused?: boolean
  /** True: all that the key is used for. */
  readonly isKeyWide?: boolean
}

/**
 * The calls of clients as evidence. The request's road calls `begin`, then `answered` at the first good byte, `chunk` at
 * each later one, and exactly one of `succeeded`, `failed` and `dropped`. Further ends are ignored.
 */
export interface Traffic {
  begin(index: number, facts: CallFacts): Call
  answered(call: Call): void
  chunk(call: Call): void
  succeeded(call: Call): void
  failed(call: Call, failure: CallFailure): void
  /** It ended without saying anything of the deployment: the client left, or it was the client's fault. */
  dropped(call: Call): void
  /** Looks for calls that are silent for too long; to be called each second. */
  sweep(): void
  /** Calls begun since it was last put on probation that still wait for their first byte. */
  onProbation(index: number): number
  /** It is on probation from now on. */
  startProbation(index: number): void
  /** Several calls wait and none was answered for many times the usual. */
  isSilent(index: number, now: number): boolean
  /** Is the group's last resort being tried now? */
  isPanicking(group: number): boolean
  /** How long a probe of it waits for its first token, milliseconds. */
  probeMs(index: number): number
  /** How many calls are under way. */
  underWay(): number
}

/** What traffic runs on. */
export interface TrafficDeps {
  readonly standings: Standings
  /** The number of the group of each deployment. */
  readonly groups: readonly number[]
  readonly elapsed: () => number
  /** How far the event loop lagged behind lately (p99), milliseconds. */
  readonly lagMs: () => number
}

/** Silence is a suspicion from so many waiting calls on, after so many times the usual first byte. */
const SILENT_CALLS = 3
const SILENT_TIMES = 8
const LEAST_SILENCE_MS = 500

interface Desk {
  readonly deps: TrafficDeps
  readonly calls: Calls
  readonly firstTokens: FirstTokens
  /** Which probation a deployment is in, and how many calls of it wait for their first byte. */
  readonly probations: Int32Array
  readonly trials: Int32Array
  /** The one call at each group's last resort. */
  readonly panics: Map<number, Call>
}

/** Makes the traffic of one gateway. */
export function createTraffic(deps: TrafficDeps): Traffic {
  const { count } = deps.standings
  const { elapsed } = deps
  const desk: Desk = {
    deps,
    calls: createCalls(count),
    firstTokens: createFirstTokens(count),
    probations: new Int32Array(count),
    trials: new Int32Array(count),
    panics: new Map(),
  }
  const { calls, firstTokens, probations, trials, panics } = desk
  return {
    begin: (index, facts) => begin(desk, index, facts),
    answered: (call) => {
      if (call.state !== 'waiting') return
      leaveProbation(desk, call)
      calls.answered(call, elapsed())
    },
    chunk: (call) => calls.chunk(call, elapsed()),
    succeeded: (call) => {
      if (end(desk, call)) tell(desk, call, { kind: 'answered', isSlow: isSlow(desk, call) })
    },
    failed: (call, failure) => {
      if (end(desk, call) && !call.isReported) tell(desk, call, { kind: 'failed', failure })
    },
    dropped: (call) => {
      end(desk, call)
    },
    sweep: () => sweep(desk),
    onProbation: (index) => trials[index] ?? 0,
    startProbation: (index) => {
      probations[index] = (probations[index] ?? 0) + 1
      trials[index] = 0
    },
    isSilent: (index, now) => isSilent(desk, index, now),
    isPanicking: (group) => panics.has(group),
    probeMs: (index) => firstTokens.probeMs(index),
    underWay: () => calls.size(),
  }
}

function begin(desk: Desk, index: number, { promptBytes, isStreamed, ...facts }: CallFacts): Call {
  const { deps, calls, probations, trials, panics } = desk
  const now = deps.elapsed()
  const { state } = deps.standings.standing(index, now)
  const isPanic = state === 'DOWN' || state === 'SATURATED'
  const call: Call = {
    ...facts,
    index,
    startedAt: now,
    bucket: bucketOf(promptBytes, isStreamed),
    isPanic,
    probation: probations[index] ?? 0,
    state: 'waiting',
    lastByteAt: now,
    firstByteMs: -1,
    isReported: false,
    older: undefined,
    newer: undefined,
  }
  calls.add(call)
  trials[index] = (trials[index] ?? 0) + 1
  if (isPanic) panics.set(deps.groups[index] ?? 0, call)
  return call
}

/** True for the first end of a call; whatever it was, what it held is given back. */
function end(desk: Desk, call: Call): boolean {
  if (call.state === 'over') return false
  if (call.state === 'waiting') leaveProbation(desk, call)
  desk.calls.remove(call)
  calm(desk, call)
  return true
}

function leaveProbation({ probations, trials }: Desk, { index, probation }: Call): void {
  if (probation === probations[index]) trials[index] = (trials[index] ?? 0) - 1
}

/** The group may try its last resort again. */
function calm({ deps, panics }: Desk, call: Call): void {
  const group = deps.groups[call.index] ?? 0
  if (call.isPanic && panics.get(group) === call) panics.delete(group)
}

function tell({ deps }: Desk, call: Call, outcome: Outcome): void {
  const { index, startedAt, isTenantsOwn, request, prompt } = call
  const now = deps.elapsed()
  const about = { startedAt, at: now, lagMs: deps.lagMs(), isTenantsOwn, request, prompt }
  const evidence = toEvidence(outcome, about)
  if (evidence !== undefined) deps.standings.apply(index, evidence, now)
}

/** Was its first byte late? A lagging loop, or a tenant's own server, says nothing of the usual. */
function isSlow({ deps, firstTokens }: Desk, call: Call): boolean {
  if (deps.lagMs() > LAG_LIMIT_MS || call.isTenantsOwn) return false
  const now = deps.elapsed()
  const { state } = deps.standings.standing(call.index, now)
  const ms = call.firstByteMs < 0 ? now - call.startedAt : call.firstByteMs
  return firstTokens.observe(call.index, call.bucket, ms, state === 'DEGRADED')
}

function sweep(desk: Desk): void {
  const { deps, calls, firstTokens } = desk
  if (deps.lagMs() > LAG_LIMIT_MS) return
  const now = deps.elapsed()
  const failure = { kind: 'timeout', source: 'upstream' } as const
  for (const call of calls.hung(now, ({ index, timeoutMs }) => firstTokens.budgetMs(index, timeoutMs))) {
    calm(desk, call)
    // A call that began later has been answered: this one's trouble is its own.
    const { lastOkStartedAt } = deps.standings.standing(call.index, now)
    if (lastOkStartedAt <= call.startedAt) tell(desk, call, { kind: 'failed', failure })
  }
}

function isSilent({ calls, firstTokens }: Desk, index: number, now: number): boolean {
  if (calls.waiting(index) < SILENT_CALLS) return false
  const oldest = calls.oldest(index)
  if (oldest === undefined || calls.lastByteAt(index) > oldest.startedAt) return false
  const waitedMs = now - oldest.startedAt
  if (waitedMs < LEAST_SILENCE_MS) return false
  const usualMs = firstTokens.usualMs(index)
  return usualMs !== undefined && waitedMs > SILENT_TIMES * usualMs
}
