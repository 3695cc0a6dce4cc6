import { DEPTH } from '../../core/depth.ts'
import type { EngineDeps } from './engine.ts'
import { nextProbe } from './next-probe.ts'
import type { Plan, Prices } from './next-probe.ts'
import type { Standing } from './standing.ts'

/** What looks are planned by besides standings: what was asked for out of turn, and what is to be left to the clients. */
export interface Plans {
  /** The next look at one that stands so. */
  next(index: number, standing: Standing, now: number, roll: number): Plan | undefined
  /** A free look there, now, tells whether our own network fails. */
  askForReach(index: number, now: number): void
  /** An answer there, now, tells whether the key that it shares with another one still has credit. */
  askForAnswer(index: number, now: number): void
  /** What was asked for out of turn is under way. */
  begun(index: number): void
  /** Its provider's allowance of requests is left to the clients until `until`. */
  spare(index: number, until: number): void
  sparedUntil(index: number): number
  /** No answer is asked for until this is taken back. */
  rest(index: number, isResting: boolean): void
  /** Is no answer asked for now, of either of these reasons? */
  isSpared(index: number, now: number): boolean
}

/** Makes the plans of one engine. First looks are spread over `spreadMs`. */
export function createPlans(deps: Pick<EngineDeps, 'members' | 'purse' | 'look'>, spreadMs: number): Plans {
  const count = deps.members.length
  const never = (): Float64Array => new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const [reaches, answers] = [never(), never()]
  const spared = new Float64Array(count)
  const resting = new Uint8Array(count)
  const isSpared = (index: number, now: number): boolean => resting[index] === 1 || now < (spared[index] ?? 0)
  const asked = (index: number, standing: Standing, now: number): Plan | undefined => {
    if (standing.state === 'SATURATED' || standing.state === 'ISOLATED') return undefined
    const reach = reaches[index] ?? Number.POSITIVE_INFINITY
    if (reach <= now) return { at: reach, rung: DEPTH.reach, purpose: 'confirm' }
    const answer = answers[index] ?? Number.POSITIVE_INFINITY
    // Traffic may have been quicker.
    if (answer > now || standing.lastOkStartedAt > answer || standing.isFollower) return undefined
    const isBought = !isSpared(index, now) && mayConfirm(deps, index, now)
    return isBought ? { at: answer, rung: DEPTH.answer, purpose: 'confirm' } : undefined
  }
  return {
    next: (index, standing, now, roll) =>
      asked(index, standing, now) ??
      nextProbe(standing, now, pricesOf(deps, index, now, isSpared(index, now), spreadMs), roll, deps.look),
    askForReach: (index, now) => {
      reaches[index] = now
    },
    askForAnswer: (index, now) => {
      answers[index] = now
    },
    begun: (index) => {
      reaches[index] = Number.POSITIVE_INFINITY
      answers[index] = Number.POSITIVE_INFINITY
    },
    spare: (index, until) => {
      spared[index] = until
    },
    sparedUntil: (index) => spared[index] ?? 0,
    rest: (index, isResting) => {
      resting[index] = isResting ? 1 : 0
    },
    isSpared,
  }
}

/** May an answer be bought now, to confirm what somebody suspects? */
export function mayConfirm(
  { members, look, purse }: Pick<EngineDeps, 'members' | 'purse' | 'look'>,
  index: number,
  now: number,
): boolean {
  const { price = 0, credential = 0 } = members[index] ?? {}
  if (look.strategy === 'off' || price > look.priceCeiling) return false
  if (price > 0 && look.strategy === 'free_only') return false
  return purse.may('confirm', price, credential, now)
}

function pricesOf(
  { members, purse }: Pick<EngineDeps, 'members' | 'purse'>,
  index: number,
  now: number,
  isSpared: boolean,
  spreadMs: number,
): Prices {
  const member = members[index]
  const { price = 0, hasFree = false, credential = 0, goldenPrice, leastMs, firstWaitMs } = member ?? {}
  const may = (purpose: Plan['purpose']): boolean => purse.may(purpose, price, credential, now)
  return {
    price,
    hasFree,
    isSpared,
    may: { idle: may('idle'), confirm: may('confirm'), recover: may('recover') },
    spreadMs,
    ...(goldenPrice !== undefined && {
      golden: { price: goldenPrice, isGiven: purse.may('idle', goldenPrice, credential, now) },
    }),
    ...(leastMs !== undefined && { leastMs }),
    ...(firstWaitMs !== undefined && { firstWaitMs }),
    ...(member?.isFirstBought === true && { isFirstBought: true }),
  }
}
