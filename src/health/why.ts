import { blamed, failureWords } from '../core/failure-words.ts'
import type { Blamed } from '../core/failure-words.ts'
import { failureRow } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Residence } from '../core/health.ts'
import type { Standing } from './engine/standing.ts'
import { lengthText } from './wall-time.ts'
import type { WallTime } from './wall-time.ts'

/** What an explanation is made from. */
export interface WhyFacts {
  readonly standing: Standing
  readonly time: WallTime
  /** Our own network fails. */
  readonly isSelfIsolated: boolean
  /** Several of its calls wait, and none is answered. */
  readonly isSilent: boolean
  /** What is known of it besides, while an operator has taken it out. */
  readonly note?: string
  /** Whether its model is in memory, where that is known. */
  readonly residence?: Residence
}

const WHOSE: Readonly<Record<Blamed, string>> = {
  host: 'the host is to blame, and with it all that is served there',
  credential: 'the key is to blame, and with it all that uses it',
  deployment: 'this deployment alone is to blame',
  caller: 'the caller is to blame',
  gateway: 'the gateway or its config is to blame',
}

const RESTING = 'its model is there but not loaded, and no check loads it; the first request will'

/** Who has to act: whom the verdict condemns, or whom the failure by its kind is held against. */
export function blamedFor({ state, reason, domain }: Standing): Blamed | undefined {
  if (reason === undefined) return undefined
  const usual = blamed(reason)
  const isVerdict = state === 'DOWN' || state === 'MISCONFIGURED' || state === 'SATURATED'
  return isVerdict && usual !== 'gateway' && usual !== 'caller' ? domain : usual
}

/** One sentence for somebody who was just woken: what it is, why, since when, who is to blame, and what to do. */
export function why(facts: WhyFacts): string {
  const { standing, time, isSelfIsolated, residence } = facts
  const { state, since } = standing
  const isResting = state === 'UNKNOWN' && residence?.isLoaded === false
  const what = isResting ? RESTING : [whatOf(facts), ...actionsFor(standing)].join('; ')
  const parts = [`${state} for ${lengthText(time.ago(since))}: ${what}`]
  if (isSelfIsolated) parts.push('our own network fails (self-isolated), so nobody is brought down')
  return `${parts.join('; ')}.`
}

function whatOf({ standing, time, isSilent, note }: WhyFacts): string {
  const { state, reason, lastOkAt, isFollower } = standing
  const proven = Number.isFinite(lastOkAt)
    ? `it last answered ${lengthText(time.ago(lastOkAt))} ago`
    : 'it has never answered'
  if (isSilent) return `several calls wait and none is answered, ${proven}`
  const words = reason === undefined ? undefined : failureWords(reason)
  switch (state) {
    case 'HEALTHY':
      return proven
    case 'UNKNOWN':
      return words ?? 'nothing is known of it'
    case 'RECOVERING':
      return `it is coming back${words === undefined ? '' : ` after this: ${words}`}, a few requests at first`
    case 'ISOLATED':
      return `${note ?? 'an operator has taken it out'}${returnOf(standing, time)}`
    case 'SATURATED':
    case 'DEGRADED':
    case 'SUSPECT':
    case 'DOWN':
    case 'MISCONFIGURED':
      return `${isFollower ? 'seen at another one that shares it, ' : ''}${words ?? 'it failed'}, ${proven}`
  }
}

function returnOf({ until }: Standing, time: WallTime): string {
  const at = time.iso(until)
  return at === undefined ? ', until somebody restores it' : `, until ${at}`
}

function actionsFor(standing: Standing): readonly string[] {
  const { state, reason } = standing
  if (reason === undefined || !isFailing(standing)) return []
  const blame = blamedFor(standing)
  const whose = blame === undefined ? [] : [WHOSE[blame]]
  const doubt = state === 'SUSPECT' ? ['others are preferred until a look confirms or clears it'] : []
  return [...whose, ...doubt, fixFor(reason)]
}

function isFailing({ state }: Standing): boolean {
  return state !== 'HEALTHY' && state !== 'RECOVERING' && state !== 'ISOLATED'
}

function fixFor(reason: FailureKind): string {
  return failureRow(reason).fix
}
