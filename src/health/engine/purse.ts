import type { Purpose } from './next-probe.ts'

/** What probes may cost. */
export interface PurseRules {
  /** Dollars a day; infinite: no limit. */
  readonly usdPerDay: number
  /** The same for each credential; infinite: only the limit above. */
  readonly usdPerDayEach: number
}

/** Money for probes: what was spent today, and who may still spend. Times are `Clock.elapsed`'s. */
export interface Purse {
  may(purpose: Purpose, price: number, credential: number, now: number): boolean
  /** Sets money aside for a look that begins now; `refund` where it turned out to cost nothing. */
  spend(price: number, credential: number, now: number): void
  refund(price: number, credential: number): void
  /** Dollars spent in the day that runs. */
  spentToday(now: number): number
  /** Dollars spent since the start. */
  spentEver(): number
  /** What was spent with a key in the day that runs. */
  spentWith(credential: number, now: number): number
  /** Counts what an earlier purse of the same days has spent as spent here; `keys`: its keys, by their numbers here. */
  inherit(from: Purse, keys: ReadonlyMap<number, number>, now: number): void
}

const DAY_MS = 86_400_000
/** Looks at the healthy leave half of the money to those that confirm, and these a fifth to those that bring back. */
const SHARES: Readonly<Record<Purpose, number>> = { idle: 0.5, confirm: 0.8, recover: 1 }

/** Makes a purse; its first day begins at `start`. `credentials` counts them. */
export function createPurse(rules: PurseRules, credentials: number, start: number): Purse {
  const each = new Float64Array(credentials)
  let day = 0
  let spent = 0
  let ever = 0
  const turn = (now: number): void => {
    const today = Math.floor((now - start) / DAY_MS)
    if (today === day) return
    day = today
    spent = 0
    each.fill(0)
  }
  return {
    may: (purpose, price, credential, now) => {
      if (price === 0) return true
      turn(now)
      const share = SHARES[purpose]
      return (
        spent + price <= share * rules.usdPerDay &&
        (each[credential] ?? 0) + price <= share * rules.usdPerDayEach
      )
    },
    spend: (price, credential, now) => {
      turn(now)
      spent += price
      ever += price
      each[credential] = (each[credential] ?? 0) + price
    },
    refund: (price, credential) => {
      spent = Math.max(spent - price, 0)
      ever = Math.max(ever - price, 0)
      each[credential] = Math.max((each[credential] ?? 0) - price, 0)
    },
    spentToday: (now) => {
      turn(now)
      return spent
    },
    spentEver: () => ever,
    spentWith: (credential, now) => {
      turn(now)
      return each[credential] ?? 0
    },
    inherit: (from, keys, now) => {
      turn(now)
      spent += from.spentToday(now)
      ever += from.spentEver()
      for (const [credential, earlier] of keys)
        each[credential] = (each[credential] ?? 0) + from.spentWith(earlier, now)
    },
  }
}
