import { isExpected, type RequestKind } from './messages.ts'
import type { LoopSeen, Seen } from './order.ts'

/** Counts what comes back. */
export interface Tally {
  /** When it was to begin, and when the time is over; `performance.now()`. */
  readonly begun: number
  readonly until: number
  asked(): void
  /** An answer to what was, or should have been, begun at `since`. */
  answered(status: number, head: string, since: number): void
  broke(): void
  seen(planned?: Planned): Seen
}

/** What only a plan can tell. */
export type Planned = Pick<LoopSeen, 'late' | 'lateByGenerator' | 'neverBegun'>

const AS_PLANNED: Planned = { late: 0, lateByGenerator: 0, neverBegun: 0 }

/** Begins to count, for as long as `durationMs`. */
export function createTally(kind: RequestKind, begun: number, durationMs: number): Tally {
  const until = begun + durationMs
  const tookUs: number[] = []
  const refused: Record<string, number> = {}
  let asked = 0
  let inTime = 0
  let retryAfter = 0
  let broken = 0
  return {
    begun,
    until,
    asked: () => void asked++,
    answered: (status, head, since) => {
      const now = performance.now()
      if (isExpected(kind, status)) {
        tookUs.push((now - since) * 1000)
        if (now <= until) inTime++
        return
      }
      refused[status] = (refused[status] ?? 0) + 1
      if (/\r\nretry-after: *\d/i.test(head)) retryAfter++
    },
    broke: () => void broken++,
    seen: (planned = AS_PLANNED) => {
      tookUs.sort((a, b) => a - b)
      const at = (share: number): number => tookUs[Math.floor(tookUs.length * share)] ?? 0
      const bad = Object.values(refused).reduce((sum, count) => sum + count, 0)
      return {
        units: tookUs.length,
        failures: bad + broken + planned.neverBegun,
        wallMs: performance.now() - begun,
        p50Us: at(0.5),
        p99Us: at(0.99),
        loop: { inTime, begun: asked, refused, retryAfter, broken, ...planned },
      }
    },
  }
}
