import type { Depth } from '../../core/depth.ts'
import type { Evidence, EvidenceSource } from '../../core/evidence.ts'

/** Pieces of evidence that say the same, one after the other, are one run of them. */
export interface EvidenceRun {
  readonly kind: Evidence['kind']
  readonly depth: Depth
  readonly source: EvidenceSource
  /** When the first and the newest of them was known; `Clock.elapsed`'s. */
  readonly firstAt: number
  readonly at: number
  readonly times: number
}

/** The newest evidence of each deployment, for people who ask why. Nothing is decided by it. */
export interface RecentEvidence {
  note(index: number, evidence: Evidence): void
  /** Newest first, at most 16 runs. */
  of(index: number): readonly EvidenceRun[]
  /** Goes on with what another one, which is no longer told anything, has heard of the same deployment. */
  inherit(index: number, from: RecentEvidence, earlier: number): void
  /** The newest run, the older ones behind it. */
  newest(index: number): Run | undefined
}

const MOST_RUNS = 16

/** A run that is still written on, and the one before it. */
export interface Run extends EvidenceRun {
  at: number
  times: number
  older: Run | undefined
}

/**
 * Keeps 16 runs of each deployment. A healthy one under traffic is one run, whose two numbers are written for each
 * answer; one of which nothing was heard is nothing.
 */
export function createRecentEvidence(count: number): RecentEvidence {
  const newest: (Run | undefined)[] = Array.from({ length: count }, () => undefined)
  return {
    note: (index, { kind, depth, source, at }) => {
      const last = newest[index]
      if (last !== undefined && last.kind === kind && last.depth === depth && last.source === source) {
        last.at = at
        last.times += 1
        return
      }
      const run: Run = { kind, depth, source, firstAt: at, at, times: 1, older: last }
      newest[index] = run
      forgetBeyond(run, MOST_RUNS)
    },
    of: (index) => {
      const runs: EvidenceRun[] = []
      for (let run = newest[index]; run !== undefined; run = run.older) {
        const { older: _, ...shown } = run
        runs.push(shown)
      }
      return runs
    },
    inherit: (index, from, earlier) => {
      newest[index] = from.newest(earlier)
    },
    newest: (index) => newest[index],
  }
}

function forgetBeyond(newest: Run, most: number): void {
  let run: Run | undefined = newest
  for (let kept = 1; kept < most && run !== undefined; kept += 1) run = run.older
  if (run !== undefined) run.older = undefined
}
