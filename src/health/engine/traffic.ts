import type { Evidence } from '../../core/evidence.ts'
import type { FailureKind } from '../../core/failure.ts'
import { createCalls } from './calls.ts'
import type { Call } from './calls.ts'
import { bucketOf, createFirstTokens } from './first-token.ts'
import type { Standings } from './standings.ts'
import { LAG_LIMIT_MS, toEvidence } from './to-evidence.ts'

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
  /** After so long without a first token something is wrong, milliseconds: a probe need not wait longer either. */
  budgetMs(index: number, timeoutMs: number): number
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

/** Makes the traffic of one gateway. */
export function createTraffic({ standings, groups, elapsed, lagMs }: TrafficDeps): Traffic {
  const { count } = standings
  const calls = createCalls(count)
  const firstTokens = createFirstTokens(count)
  const probations = new Int32Array(count)
  const trials = new Int32Array(count)
  const panics = new Map<number, Call>()

  function end(call: Call): boolean {
    if (call.state === 'over') return false
    if (call.state === 'waiting') leaveProbation(call)
    calls.remove(call)
    calm(call)
    return true
  }

  function leaveProbation({ index, probation }: Call): void {
    if (probation === probations[index]) trials[index] = (trials[index] ?? 0) - 1
  }

  function calm(call: Call): void {
    const group = groups[call.index] ?? 0
    if (call.isPanic && panics.get(group) === call) panics.delete(group)
  }

  function tell(call: Call, evidence: Evidence | undefined, now: number): void {
    if (evidence !== undefined) standings.apply(call.index, evidence, now)
  }

  function circumstances(call: Call, now: number) {
    const { startedAt, isTenantsOwn, request, prompt } = call
    return { startedAt, at: now, lagMs: lagMs(), isTenantsOwn, request, prompt }
  }

  /** Was its first byte late? Ours are the only numbers that a lagging loop spoils. */
  function isSlow(call: Call, now: number): boolean {
    if (lagMs() > LAG_LIMIT_MS || call.isTenantsOwn) return false
    const { state } = standings.standing(call.index, now)
    const ms = call.firstByteMs < 0 ? now - call.startedAt : call.firstByteMs
    return firstTokens.observe(call.index, call.bucket, ms, state === 'DEGRADED')
  }

  return {
    begin: (index, { promptBytes, isStreamed, ...facts }) => {
      const now = elapsed()
      const { state } = standings.standing(index, now)
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
      if (isPanic) panics.set(groups[index] ?? 0, call)
      return call
    },
    answered: (call) => {
      if (call.state !== 'waiting') return
      leaveProbation(call)
      calls.answered(call, elapsed())
    },
    chunk: (call) => calls.chunk(call, elapsed()),
    succeeded: (call) => {
      if (!end(call)) return
      const now = elapsed()
      const outcome = { kind: 'answered', isSlow: isSlow(call, now) } as const
      tell(call, toEvidence(outcome, circumstances(call, now)), now)
    },
    failed: (call, failure) => {
      if (!end(call) || call.isReported) return
      const now = elapsed()
      tell(call, toEvidence({ kind: 'failed', failure }, circumstances(call, now)), now)
    },
    dropped: (call) => {
      end(call)
    },
    sweep: () => {
      const now = elapsed()
      if (lagMs() > LAG_LIMIT_MS) return
      const failure = { kind: 'timeout', source: 'upstream' } as const
      for (const call of calls.hung(now, (each) => firstTokens.budgetMs(each.index, each.timeoutMs))) {
        // A call that began later has been answered: this one's trouble is its own.
        const { lastOkStartedAt } = standings.standing(call.index, now)
        calm(call)
        if (lastOkStartedAt > call.startedAt) continue
        tell(call, toEvidence({ kind: 'failed', failure }, circumstances(call, now)), now)
      }
    },
    onProbation: (index) => trials[index] ?? 0,
    startProbation: (index) => {
      probations[index] = (probations[index] ?? 0) + 1
      trials[index] = 0
    },
    isSilent: (index, now) => {
      if (calls.waiting(index) < SILENT_CALLS) return false
      const oldest = calls.oldest(index)
      if (oldest === undefined || calls.lastByteAt(index) > oldest.startedAt) return false
      const waitedMs = now - oldest.startedAt
      if (waitedMs < LEAST_SILENCE_MS) return false
      const usualMs = firstTokens.usualMs(index)
      return usualMs !== undefined && waitedMs > SILENT_TIMES * usualMs
    },
    isPanicking: (group) => panics.has(group),
    budgetMs: (index, timeoutMs) => firstTokens.budgetMs(index, timeoutMs),
    underWay: () => calls.size(),
  }
}
