/** A look takes no longer than its own deadline and this, the wait for room included, milliseconds. */
const SLACK_MS = 5_000
/** So much longer than a look may take, the claim holds: clocks of two machines do not run quite alike. */
const MARGIN_MS = 2_000

/** How long a look may take from the moment its claim was asked for, and how long the claim holds. */
export interface Lease {
  readonly mostMs: number
  readonly leaseMs: number
}

/** The lease of a look with this deadline. */
export function leaseOf(deadlineMs: number): Lease {
  const mostMs = deadlineMs + SLACK_MS
  return { mostMs, leaseMs: mostMs + MARGIN_MS }
}

/**
 * May the look still be sent? `elapsedMs` is counted from before the claim was asked for. Strictly less: at the very
 * moment in which a lease ends the next replica may begin.
 */
export function maySend(elapsedMs: number, deadlineMs: number, leaseMs: number): boolean {
  return elapsedMs + deadlineMs < leaseMs
}
