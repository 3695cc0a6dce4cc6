import { shownMode } from '../core/deployment.ts'
import type { Deployment } from '../core/deployment.ts'
import { failureWords } from '../core/failure-words.ts'
import type { Blamed } from '../core/failure-words.ts'
import { failureRow } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Depth } from '../core/depth.ts'
import type { EvidenceSource } from '../core/evidence.ts'
import type { HealthState, Residence } from '../core/health.ts'
import type { Eligibility } from './engine/eligibility.ts'
import { isFlapping } from './engine/moves.ts'
import type { Plan, Purpose } from './engine/next-probe.ts'
import type { EvidenceRun } from './engine/recent-evidence.ts'
import type { EngineRules } from './engine/rules.ts'
import type { Standing } from './engine/standing.ts'
import { slowShare } from './engine/tally.ts'
import { residenceFields } from './report.ts'
import type { ResidenceFields } from './report.ts'
import type { WallTime } from './wall-time.ts'
import { blamedFor, why } from './why.ts'

/** All that is known of one deployment, for people. Times are ISO 8601 in UTC; what is undefined is absent in JSON. */
export interface StandingView extends ShortView, ResidenceFields {
  /** Who has to act. */
  readonly blame: Blamed | undefined
  /** What to do. */
  readonly fix: string | undefined
  /** What the newest failed call said, a probe's or a client's. */
  readonly error: string | undefined
  /** Newest first. */
  readonly evidence: readonly EvidenceView[]
  /** When it is looked at next; null: nothing is planned. */
  readonly next_probe: ProbeView | null
  /** Until then what is left of the provider's allowance of requests is the clients': no answer is bought. */
  readonly checks_spared_until: string | undefined
  /** It has fallen often of late, and is trusted more slowly. */
  readonly is_flapping: boolean
  /** Share of its last 20 answers whose first token came far later than usual. */
  readonly slow_share: number
}

/** One deployment in the list of its group. */
export interface ShortView extends BareView {
  readonly model_name: string
  readonly mode: string
  readonly reason: FailureKind | undefined
  /** When `health_state` was entered. */
  readonly since: string | undefined
  /** Is traffic sent there now? */
  readonly in_rotation: boolean
  /** Its share of the traffic beside equals, 0 to 1. */
  readonly weight: number
  /** One sentence: what it is, why, since when, who is to blame, and what to do. */
  readonly why: string
  /** When it may be back in rotation at the earliest. */
  readonly until: string | undefined
  readonly last_ok_at: string | undefined
}

/** What is shown where `health_check_details` is false. */
export interface BareView {
  readonly model: string
  readonly model_id: string
  readonly health_state: HealthState
  /** When it was last looked at. */
  readonly checked_at: string | undefined
}

/** Pieces of evidence that say the same, one after the other. */
export interface EvidenceView {
  /** When the newest of them came. */
  readonly at: string | undefined
  readonly kind: 'ok' | FailureKind
  readonly words: string
  /** How deep the proof went, 0 to 5. */
  readonly depth: Depth
  readonly source: EvidenceSource
  /** How many of them came since `first_at`. */
  readonly times: number
  readonly first_at: string | undefined
}

/** A look that is to come. */
export interface ProbeView {
  readonly at: string | undefined
  /** How deep it goes; `trial`: one request of a client is let through. */
  readonly rung: Depth | 'trial'
  readonly purpose: Purpose
  /** What it may cost; absent where nobody knows the model's price. */
  readonly price_usd: number | undefined
}

/** What the engine says of one deployment, now. */
export interface StandingFacts {
  readonly deployment: Deployment
  readonly standing: Standing
  readonly eligibility: Eligibility
  readonly rules: EngineRules
  readonly time: WallTime
  readonly isSelfIsolated: boolean
  /** What an operator said who has taken it out. */
  readonly note?: string
  readonly residence?: Residence
}

/** What only the long view shows. */
export interface DeepFacts extends StandingFacts {
  readonly error: string | undefined
  readonly evidence: readonly EvidenceRun[]
  readonly plan: Plan | undefined
  /** When the scheduler thinks of it next. */
  readonly nextAt: number
  /** Until when checks leave the provider's allowance of requests alone; in the past where they need not. */
  readonly sparedUntil: number
  /** Dollars for one whole answer; infinite where it is never bought. */
  readonly price: number
}

/** The long view: every exclusion can be explained from it. */
export function standingView(facts: DeepFacts): StandingView {
  const { standing, rules, time, evidence } = facts
  const { reason } = standing
  return {
    ...shortView(facts),
    blame: blamedFor(standing),
    fix: reason === undefined ? undefined : failureRow(reason).fix,
    error: facts.error,
    evidence: evidence.map((run) => evidenceView(run, time)),
    next_probe: probeView(facts),
    ...residenceFields(facts),
    checks_spared_until: facts.sparedUntil > time.elapsed ? time.iso(facts.sparedUntil) : undefined,
    is_flapping: isFlapping(standing, time.elapsed, rules),
    slow_share: slowShare(standing),
  }
}

/** The short view. */
export function shortView(facts: StandingFacts): ShortView {
  const { deployment, standing, eligibility, time } = facts
  const { weight, until, isSilent } = eligibility
  const isInRotation = weight > 0
  return {
    ...bareView(facts),
    model_name: deployment.group,
    mode: shownMode(deployment),
    reason: standing.reason,
    since: time.iso(standing.since),
    in_rotation: isInRotation,
    weight: Math.round(weight * 1000) / 1000,
    why: why({ ...facts, isSilent }),
    until: isInRotation ? undefined : time.iso(Math.max(until, time.elapsed)),
    last_ok_at: time.iso(standing.lastOkAt),
  }
}

/** The view without details. */
export function bareView({ deployment, standing, time }: StandingFacts): BareView {
  return {
    model: deployment.model,
    model_id: deployment.id,
    health_state: standing.state,
    checked_at: time.iso(standing.lastProbeAt),
  }
}

function evidenceView(
  { kind, depth, source, firstAt, at, times }: EvidenceRun,
  time: WallTime,
): EvidenceView {
  return {
    at: time.iso(at),
    kind,
    words: kind === 'ok' ? OK_WORDS[depth] : failureWords(kind),
    depth,
    source,
    times,
    first_at: time.iso(firstAt),
  }
}

const OK_WORDS: Readonly<Record<Depth, string>> = {
  0: 'its name resolves',
  1: 'it accepts connections',
  2: 'its certificate holds',
  3: 'it accepts the key',
  4: 'it answered',
  5: 'it answered rightly',
}

function probeView({ plan, nextAt, price, time }: DeepFacts): ProbeView | null {
  if (plan === undefined) return null
  const { rung, purpose } = plan
  const isPaid = rung !== 'trial' && rung >= 4
  return {
    at: time.iso(lookAt(plan, nextAt, time.elapsed)),
    rung,
    purpose,
    price_usd: !isPaid ? 0 : Number.isFinite(price) ? price : undefined,
  }
}

/**
 * When a planned look is to come: the scheduler knows its jitter, but hears only when its time comes that traffic has
 * made an idle look needless. Now, where it is due.
 */
export function lookAt({ at, purpose }: Plan, nextAt: number, now: number): number {
  if (!Number.isFinite(nextAt)) return Math.max(at, now)
  return Math.max(purpose === 'idle' ? Math.max(nextAt, at) : nextAt, now)
}
