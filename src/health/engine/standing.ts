import type { Depth, FaultDomain } from '../../core/depth.ts'
import type { EvidenceSource } from '../../core/evidence.ts'
import type { FailureKind } from '../../core/failure.ts'
import type { HealthState } from '../../core/health.ts'

/** Before anything happened; sorts before every time there is. */
export const NEVER = Number.NEGATIVE_INFINITY

/** One failure that nothing has cleared yet. */
export interface Blame {
  readonly kind: FailureKind
  readonly source: EvidenceSource
  readonly score: number
  readonly startedAt: number
  /** 0 where unknown. */
  readonly request: number
  readonly prompt: number
  /** A success of this depth clears it, where that is less deep than its kind asks for: a free look that failed. */
  readonly acquits?: Depth
  /** The same request failed elsewhere too: it is at fault, not we. */
  readonly isPoison: boolean
}

/**
 * All that the next decision about one deployment needs. Plain numbers and words; times are `Clock.elapsed`'s, and
 * `NEVER` where there is none. Where a success stands here, a later one replaces it, so that the order of arrival of
 * two successes does not matter.
 */
export interface Standing {
  readonly state: HealthState
  /** When `state` was entered. */
  readonly since: number
  /** Why; absent for a healthy deployment. */
  readonly reason?: FailureKind
  /** Who is condemned: this deployment alone, or its host or key, which another one looks after. */
  readonly domain: FaultDomain
  /** Failures since the last success that was deep enough, oldest first. */
  readonly blames: readonly Blame[]
  /** What it was before it became SATURATED. */
  readonly previous: HealthState
  /** Until when SATURATED, ISOLATED, or a release that is still to come holds. */
  readonly until: number
  /** Another deployment's evidence condemned it, and that one is looked at in its place. */
  readonly isFollower: boolean
  /** The verdict that it followed is over; its own turn comes at `until`. */
  readonly isReleased: boolean

  /** When the newest whole success (depth 4) was seen, and when its call began. */
  readonly lastOkAt: number
  readonly lastOkStartedAt: number
  /** When anything last proved that the front is alive (depth 3). */
  readonly lastFrontAt: number
  /** When anything at all was last learned. */
  readonly lastEvidenceAt: number
  /** When the last probe ended, and how many failed since the last recovery. */
  readonly lastProbeAt: number
  readonly waits: number
  /** How many paid looks in a row found it healthy with no traffic between. */
  readonly idleLooks: number

  /** Traffic: when the last call ended, and the usual gap between two. */
  readonly lastTrafficAt: number
  readonly gapMs: number
  /** How long a successful call usually takes. */
  readonly tookMs: number
  /** Requests and failures of the current half of the window, and of the half before. */
  readonly halfAt: number
  readonly requests: number
  readonly failures: number
  readonly requestsBefore: number
  readonly failuresBefore: number
  /** Failures in this minute and the one before; kept only where `allowed_fails` is written. */
  readonly allowed?: Readonly<Partial<Record<FailureKind, AllowedCount>>>

  /** The last 20 successes of traffic, a bit each: 1 was slow. */
  readonly slowBits: number
  /** What it does worse than it should; `no`: nothing. */
  readonly degraded: 'no' | FailureKind
  /** Since when the share of failures has been low. */
  readonly calmSince: number

  /** When it was last asked what has one right answer, and how often in a row it answered wrongly. */
  readonly lastGoldenAt: number
  readonly misses: number

  /** How often in a row it asked us to wait. */
  readonly strikes: number
  /** Since when it has been overloaded without one success. */
  readonly overloadedSince: number
  /** Sightings of a misconfiguration without a whole success between. */
  readonly sightings: number
  /** When it last went down; its waits grow with the time since. */
  readonly downSince: number
  /** Successes since RECOVERING began. */
  readonly rises: number
  /** How many calls it may have in flight; infinite where it is trusted. */
  readonly permits: number
  /** Since when its share of traffic grows. */
  readonly slowStartAt: number
  /** Falls, each counting half after a while; as of `penaltyAt`. */
  readonly penalty: number
  readonly penaltyAt: number
}

/** A count over two half windows. */
export interface AllowedCount {
  readonly at: number
  readonly now: number
  readonly before: number
}

/** A deployment of which nothing is known. */
export function createStanding(now: number): Standing {
  return {
    state: 'UNKNOWN',
    since: now,
    reason: 'not_checked_yet',
    domain: 'deployment',
    blames: [],
    previous: 'UNKNOWN',
    until: NEVER,
    isFollower: false,
    isReleased: false,
    lastOkAt: NEVER,
    lastOkStartedAt: NEVER,
    lastFrontAt: NEVER,
    lastEvidenceAt: NEVER,
    lastProbeAt: NEVER,
    waits: 0,
    idleLooks: 0,
    lastTrafficAt: NEVER,
    gapMs: Number.POSITIVE_INFINITY,
    tookMs: 0,
    halfAt: NEVER,
    requests: 0,
    failures: 0,
    requestsBefore: 0,
    failuresBefore: 0,
    slowBits: 0,
    degraded: 'no',
    calmSince: NEVER,
    lastGoldenAt: NEVER,
    misses: 0,
    strikes: 0,
    overloadedSince: NEVER,
    sightings: 0,
    downSince: NEVER,
    rises: 0,
    permits: Number.POSITIVE_INFINITY,
    slowStartAt: NEVER,
    penalty: 0,
    penaltyAt: now,
  }
}

/** What is told to a standing that is no evidence of an answer. */
export type Command =
  | { readonly kind: 'tick' }
  /** Nobody may look, so that one request of a client must. */
  | { readonly kind: 'trial' }
  /** An operator takes it out, until `until` or for good. */
  | { readonly kind: 'isolate'; readonly until: number }
  /** An operator, or a new config, forgets what was held against it. */
  | { readonly kind: 'restore' }
  /** The failures of one request are not its fault. */
  | { readonly kind: 'withdraw'; readonly request: number }
  /** Its host or its key was condemned by another deployment's evidence. */
  | {
      readonly kind: 'condemned'
      readonly domain: FaultDomain
      readonly state: 'DOWN' | 'MISCONFIGURED'
      readonly reason: FailureKind
    }
  /** Its verdict is its own alone: somebody who shares its key has answered. */
  | { readonly kind: 'narrowed' }
  /** Other gateways have looked, and agree; what we were told by a later answer of its own stands above that. */
  | {
      readonly kind: 'told'
      readonly state: 'DOWN' | 'MISCONFIGURED'
      readonly reason: FailureKind
      readonly domain: FaultDomain
      readonly at: number
    }
  /** Its host or its key is back; its own turn comes at `at`. */
  | { readonly kind: 'released'; readonly at: number }

/** What follows from a step of the machine. */
export type Effect =
  | {
      readonly kind: 'transition'
      readonly from: HealthState
      readonly to: HealthState
      readonly reason: FailureKind | undefined
      readonly at: number
    }
  /** The next look may be due earlier than was planned. */
  | { readonly kind: 'replan' }

/** A step's result. */
export interface Step {
  readonly standing: Standing
  readonly effects: readonly Effect[]
}
