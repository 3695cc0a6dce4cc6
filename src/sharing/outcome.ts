import { failureRow } from '../core/failure.ts'
import type { Standing } from '../health/engine/standing.ts'
import type { Standings, Transition } from '../health/engine/standings.ts'
import type { Conclusion, Finding, Outcome } from './sharing.ts'

type Told = Pick<Standings, 'standing' | 'recent' | 'mayBeOurs'>

/**
 * What a look of ours that began at `startedAt` is to tell the others. Undefined: nothing, for it came to nothing, or it
 * may be our own network that fails.
 */
export function lookOutcome(
  standings: Told,
  index: number,
  startedAt: number,
  now: number,
): Outcome | undefined {
  const run = standings.recent(index).find(({ source, at }) => source === 'probe' && at >= startedAt)
  if (run === undefined) return undefined
  const { kind, depth, at } = run
  if (kind !== 'ok' && standings.mayBeOurs(index, kind, startedAt, now)) return undefined
  const standing = standings.standing(index, now)
  const conclusion = conclusionOf(standing) ?? (kind === 'ok' ? ({ kind: 'up' } as const) : undefined)
  return {
    finding: { kind, depth, startedAt, at, ...waitOf(standing, kind, now) },
    ...(conclusion !== undefined && { conclusion }),
  }
}

/**
 * What a change of state that traffic brought about is to tell the others: at once, for their next requests hang on it.
 * Undefined: it is no news for them, or it may be our own network that fails.
 */
export function trafficDoubt(
  standings: Told,
  index: number,
  { to, reason }: Transition,
  now: number,
): Outcome | undefined {
  const isBad = to === 'SUSPECT' || to === 'DOWN' || to === 'MISCONFIGURED' || to === 'SATURATED'
  if (!isBad || reason === undefined || failureRow(reason).evidence === undefined) return undefined
  const standing = standings.standing(index, now)
  if (standing.isFollower) return undefined
  const run = standings.recent(index).find(({ kind }) => kind === reason)
  // What was not heard of just now stands here for another reason: time, or an operator.
  if (run === undefined || now - run.at > JUST_NOW_MS) return undefined
  const startedAt = standing.blames.at(-1)?.startedAt ?? run.at
  if (standings.mayBeOurs(index, reason, standing.blames[0]?.startedAt ?? startedAt, now)) return undefined
  const conclusion = conclusionOf(standing)
  const finding: Finding = { kind: reason, depth: 4, startedAt, at: run.at, ...waitOf(standing, reason, now) }
  return { finding, ...(conclusion !== undefined && { conclusion }) }
}

const JUST_NOW_MS = 1_000

function conclusionOf({ state, reason, domain, isFollower }: Standing): Conclusion | undefined {
  if ((state !== 'DOWN' && state !== 'MISCONFIGURED') || reason === undefined || isFollower) return undefined
  // Whether a machine can be reached may depend on who tries.
  return { kind: 'down', state, reason, domain, needsSecond: domain === 'host' }
}

function waitOf({ state, until, reason }: Standing, kind: Finding['kind'], now: number) {
  return state === 'SATURATED' && reason === kind
    ? { retryAfterMs: Math.max(Math.round(until - now), 0) }
    : {}
}
