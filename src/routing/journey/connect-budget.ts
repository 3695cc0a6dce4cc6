/** How long one request may wait for connections: all its attempts that get none together. Milliseconds. */
export interface ConnectBudget {
  readonly wholeMs: number
  leftMs: number
  /** The wait of the attempt that runs; undefined: it had an open connection. */
  wait: { readonly sinceMs: number; readonly mostMs: number } | undefined
}

/** What an attempt may have at least, where others follow: of 3 s enough for a TLS set-up across an ocean. */
const LEAST_SHARE = 3 / 8
/** But of what is left no more than this, so that those who follow have something as well. */
const MOST_SHARE = 3 / 5
/** What is less is nothing. */
const LEAST_MS = 1

/** Made when a request first waits for a connection; most never do. */
export function createConnectBudget(wholeMs: number): ConnectBudget {
  return { wholeMs, leftMs: wholeMs, wait: undefined }
}

/** An attempt begins to wait; `others` could be asked after it. Says for how long it may, at most `ceilingMs`. */
export function beginWait(budget: ConnectBudget, nowMs: number, others: number, ceilingMs: number): number {
  const { leftMs, wholeMs } = budget
  const fairMs = leftMs / (others + 1)
  const mostMs =
    others === 0 ? leftMs : Math.max(fairMs, Math.min(wholeMs * LEAST_SHARE, leftMs * MOST_SHARE))
  budget.wait = { sinceMs: nowMs, mostMs: Math.round(Math.min(mostMs, ceilingMs)) }
  return budget.wait.mostMs
}

/**
 * An attempt failed; `isUnsent`: it got no connection. True where that took its time: who refuses does so at once, and
 * may have changed his mind a moment later.
 */
export function endWait(budget: ConnectBudget | undefined, nowMs: number, isUnsent: boolean): boolean {
  const wait = budget?.wait
  if (budget === undefined || wait === undefined) return false
  budget.wait = undefined
  if (!isUnsent) return false
  const waitedMs = Math.min(nowMs - wait.sinceMs, wait.mostMs)
  budget.leftMs -= waitedMs
  return waitedMs * 2 >= wait.mostMs
}

/** Nothing is left to wait with. */
export function isSpent(budget: ConnectBudget | undefined): boolean {
  return budget !== undefined && budget.leftMs < LEAST_MS
}
