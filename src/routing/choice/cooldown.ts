import type { Deployment } from '../../core/deployment.ts'
import { failureRow } from '../../core/failure.ts'
import type { FailureKind, GatewayError } from '../../core/failure.ts'
import type { Log } from '../../core/log.ts'
import { createLookout } from './lookout.ts'
import type { Lookout, LookoutDeps } from './lookout.ts'
import { createSlidingCount } from './sliding-count.ts'
import type { SlidingCount } from './sliding-count.ts'

/** What the config says of cooldowns. */
export interface CooldownRules {
  /** False: traffic puts no deployment aside. */
  readonly isEnabled: boolean
  /** How long, milliseconds, where neither the deployment nor the upstream's Retry-After says otherwise. */
  readonly cooldownMs: number
  /** Failures a minute that a deployment may have; absent: our own thresholds, of `failureRow(kind).cools`. */
  readonly allowedFails?: number
  /** The same by kind of failure. */
  readonly allowedFailsByKind: Readonly<Partial<Record<FailureKind, number>>>
}

/** A deployment that failing traffic has put aside. */
export interface Cooling {
  /** The failure that did it. */
  readonly kind: FailureKind
  /** Until a request may try it again, milliseconds; 0 while another request is trying it. */
  readonly leftMs: number
  /** No connection came about: to ask it all the same would be of no use. */
  readonly isUseless: boolean
}

/** One attempt at a deployment; exactly one of `succeeded`, `failed` and `dropped` ends it. */
export interface TrackedAttempt {
  /** This is the one request that finds out whether the cooldown may end. */
  readonly isTrial: boolean
  /** The first good bytes are there: a trial has succeeded. */
  answered(): void
  succeeded(): void
  failed(failure: GatewayError): void
  /** It ended without saying anything about the deployment. */
  dropped(): void
}

/** Which deployments failing traffic has put aside. */
export interface Cooldowns {
  /** By `Deployment.index`; undefined: it may be asked. To ask is to want it: of one out of reach it keeps the lookout. */
  cooling(index: number): Cooling | undefined
  /** Tells that a request goes to this deployment now. */
  track(deployment: Deployment): TrackedAttempt
}

/** Thresholds look at this much of the past. */
const WINDOW_MS = 60_000
/** So many failures in a row put a deployment aside, whatever it did before: it has just died. */
const RUN = 5
/** A longer Retry-After is a mistake or a daily quota; one request an hour finds out. */
const LONGEST_MS = 3_600_000

/** What a deployment's requests have come to. */
interface Past {
  readonly requests: SlidingCount
  readonly failures: SlidingCount
  run: number
  rest: Rest | undefined
}

interface Rest {
  readonly kind: FailureKind
  readonly untilMs: number
  /** Where no connection came about: a client is not who finds out whether one does. */
  readonly lookout: Lookout | undefined
  isBeingTried: boolean
}

/** What cooldowns run on. */
export interface CooldownDeps extends LookoutDeps {
  /** Does a connection to it come about? Within bounds of its own; never rejects. */
  readonly reach: (deployment: Deployment) => Promise<boolean>
  /** Told when a deployment is put aside, and when it is back. */
  readonly log: Log
}

/** Makes the cooldowns of one gateway; nothing cools yet. */
export function createCooldowns(rules: CooldownRules, deps: CooldownDeps): Cooldowns {
  const pasts = new Map<number, Past>()
  const pastOf = (index: number): Past => {
    const known = pasts.get(index)
    if (known !== undefined) return known
    const made = {
      requests: createSlidingCount(WINDOW_MS),
      failures: createSlidingCount(WINDOW_MS),
      run: 0,
      rest: undefined,
    }
    pasts.set(index, made)
    return made
  }
  return {
    cooling: (index) => coolingOf(pasts.get(index)?.rest, deps.clock.elapsed()),
    track: (deployment) =>
      rules.isEnabled ? trackIn(pastOf(deployment.index), deployment, rules, deps) : UNTRACKED,
  }
}

function coolingOf(rest: Rest | undefined, now: number): Cooling | undefined {
  if (rest === undefined) return undefined
  const { kind, untilMs, lookout, isBeingTried } = rest
  lookout?.wanted()
  if (!isBeingTried && (lookout === undefined ? now >= untilMs : lookout.isBack())) return undefined
  const leftMs = lookout === undefined ? Math.max(untilMs - now, 0) : lookout.leftMs()
  return { kind, leftMs, isUseless: lookout !== undefined }
}

const UNTRACKED: TrackedAttempt = {
  isTrial: false,
  answered: () => {},
  succeeded: () => {},
  failed: () => {},
  dropped: () => {},
}

function trackIn(
  past: Past,
  deployment: Deployment,
  rules: CooldownRules,
  deps: CooldownDeps,
): TrackedAttempt {
  const { clock, log } = deps
  const { rest } = past
  const isTrial = rest !== undefined && coolingOf(rest, clock.elapsed()) === undefined
  if (isTrial) rest.isBeingTried = true
  // What began before the rest says nothing about the time after it.
  const isNews = (): boolean => past.rest === rest
  const untry = (): void => {
    if (isTrial) rest.isBeingTried = false
  }
  return {
    isTrial,
    answered: () => {
      if (rest === undefined || !isNews()) return
      rest.lookout?.stop()
      past.rest = undefined
      log.info('cooldown_over', { model_id: deployment.id, model_group: deployment.group })
    },
    succeeded: () => {
      past.requests.add(clock.elapsed())
      past.run = 0
    },
    failed: (failure) => {
      untry()
      const { cools } = failureRow(failure.kind)
      if (cools === undefined) return
      const now = clock.elapsed()
      past.requests.add(now)
      past.failures.add(now)
      past.run += 1
      const hasBegunAfter = rest !== undefined && isNews()
      if (past.rest !== undefined && !hasBegunAfter) return
      if (!hasBegunAfter && !isTooMuch(past, failure, rules, now)) return
      const cooldownMs = durationOf(deployment, failure, rules)
      if (cooldownMs < 1) return
      rest?.lookout?.stop()
      past.rest = {
        kind: failure.kind,
        untilMs: now + cooldownMs,
        lookout: failure.isUnsent ? createLookout(cooldownMs, () => deps.reach(deployment), deps) : undefined,
        isBeingTried: false,
      }
      // A trial that fails changes nothing that anybody does not know.
      if (hasBegunAfter) return
      log.warn('cooldown_begun', {
        model_id: deployment.id,
        model_group: deployment.group,
        reason: failure.kind,
        cooldown_ms: cooldownMs,
        error: failure.message,
      })
    },
    dropped: untry,
  }
}

/** LiteLLM's thresholds, over a sliding minute; a run of failures counts besides, for it tells of a death sooner. */
function isTooMuch(past: Past, failure: GatewayError, rules: CooldownRules, now: number): boolean {
  const allowed = rules.allowedFailsByKind[failure.kind] ?? rules.allowedFails
  const failures = past.failures.total(now)
  if (allowed !== undefined) return failures > allowed
  if (failure.isUnsent || failureRow(failure.kind).cools === 'at_once') return true
  return past.run >= RUN || failures * 2 > past.requests.total(now)
}

/** The deployment's own word, then the upstream's, then the router's. */
function durationOf(deployment: Deployment, failure: GatewayError, rules: CooldownRules): number {
  const asked = failure.retryAfterMs
  return (
    deployment.traffic?.cooldownMs ?? (asked === undefined ? rules.cooldownMs : Math.min(asked, LONGEST_MS))
  )
}
