import { DEPTH } from '../../core/depth.ts'
import type { Depth } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import { failureRow } from '../../core/failure.ts'
import type { FailureKind } from '../../core/failure.ts'
import type { Verdict } from '../../core/verdict.ts'

/** An event loop that lags so far behind (p99, milliseconds) times its own slowness, not the upstream's. */
export const LAG_LIMIT_MS = 200
/**
 * Found out by waiting, but for a connection that was refused. Whatever somebody says, or does to a connection, is as
 * true for a slow listener.
 */
const TIMED: ReadonlySet<Evidence['kind']> = new Set(['timeout', 'unreachable', 'slow'])
/** Whoever was waited for so many times as long as the loop lags behind has had his time. */
const LONG_TIMES = 3

/** What a call of a client, or of ours, came to. */
export type Outcome =
  | { readonly kind: 'answered'; readonly isSlow: boolean }
  | {
      readonly kind: 'failed'
      readonly failure: {
        readonly kind: FailureKind
        readonly source: string
        readonly retryAfterMs?: number | undefined
        /** False: somebody took the connection. */
        readonly isUnsent?: boolean
        readonly isRefused?: boolean
        readonly isKeyWide?: boolean
      }
    }
  /** `depth` is that of the rung which decided: the one that failed, or the deepest that passed. */
  | { readonly kind: 'probed'; readonly verdict: Verdict; readonly depth: Depth }

/** The circumstances of a call. Times are `Clock.elapsed`'s. */
export interface Circumstances {
  readonly startedAt: number
  readonly at: number
  /** How far our own event loop lagged behind lately (p99), milliseconds. */
  readonly lagMs: number
  /** The caller brought a key, an address, or a deadline shorter than the operator's. */
  readonly isTenantsOwn?: boolean
  readonly request?: number
  readonly prompt?: number
}

/**
 * What an outcome says of the deployment; undefined where it says nothing: it was cancelled, it is no upstream's
 * failure, or our own event loop was too slow to tell.
 */
export function toEvidence(outcome: Outcome, about: Circumstances): Evidence | undefined {
  const evidence = evidenceOf(outcome, about)
  if (evidence === undefined || about.lagMs <= LAG_LIMIT_MS) return evidence
  const isWait = TIMED.has(evidence.kind) && !isRefused(outcome)
  if (isWait && about.at - about.startedAt < LONG_TIMES * about.lagMs) return undefined
  return evidence.isSlow === true ? { ...evidence, isSlow: false } : evidence
}

function isRefused(outcome: Outcome): boolean {
  if (outcome.kind === 'failed') return outcome.failure.isRefused === true
  return (
    outcome.kind === 'probed' && outcome.verdict.kind === 'unhealthy' && outcome.verdict.isRefused === true
  )
}

function evidenceOf(outcome: Outcome, about: Circumstances): Evidence | undefined {
  const { startedAt, at, request, prompt } = about
  const common = {
    startedAt,
    at,
    isAttributable: about.isTenantsOwn !== true,
    ...(request !== undefined && { request }),
    ...(prompt !== undefined && { prompt }),
  }
  switch (outcome.kind) {
    case 'answered':
      return { ...common, kind: 'ok', source: 'traffic', depth: DEPTH.answer, isSlow: outcome.isSlow }
    case 'failed': {
      const { source, retryAfterMs, isKeyWide } = outcome.failure
      const kind = plain(outcome.failure.kind, outcome.failure.isUnsent === false)
      if (failureRow(kind).evidence === undefined) return undefined
      const isAttributable = common.isAttributable && source === 'upstream'
      return {
        ...common,
        ...asked(retryAfterMs),
        ...(isKeyWide === true && { isKeyWide }),
        isAttributable,
        kind,
        source: 'traffic',
        depth: DEPTH.answer,
      }
    }
    case 'probed':
      return probed(outcome.verdict, outcome.depth, common)
  }
}

type Common = Pick<Evidence, 'startedAt' | 'at' | 'isAttributable'>

function probed(verdict: Verdict, depth: Depth, common: Common): Evidence | undefined {
  const base = { ...common, source: 'probe', depth } as const
  if (verdict.kind === 'healthy') return { ...base, kind: verdict.isRight === false ? 'quality' : 'ok' }
  // A filter that refuses the answer has seen one.
  if (verdict.reason === 'content_policy') return { ...base, kind: 'ok' }
  if (failureRow(verdict.reason).evidence === undefined) return undefined
  const kind = plain(verdict.reason, verdict.isReached === true)
  const { retryAfterMs, isKeyWide } = verdict
  return { ...base, ...asked(retryAfterMs), ...(isKeyWide === true && { isKeyWide }), kind }
}

/** Whoever takes a connection and breaks it off is there: it is no fault of the whole host. */
function plain(kind: FailureKind, isReached: boolean): FailureKind {
  return kind === 'unreachable' && isReached ? 'cut' : kind
}

function asked(retryAfterMs: number | undefined): { readonly retryAfterMs?: number } {
  return retryAfterMs === undefined ? {} : { retryAfterMs }
}
