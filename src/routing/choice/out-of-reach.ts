import type { Deployment } from '../../core/deployment.ts'
import { createLookout } from './lookout.ts'
import type { Lookout, LookoutDeps } from './lookout.ts'

/** Deployments that a request could not connect to. Until a connection comes about no client is made to wait for one. */
export interface OutOfReach {
  /** Until somebody looks again, milliseconds; undefined: it may be asked. To ask is to want it back. */
  leftMs(index: number): number | undefined
  /** A request has come back from it unsent. */
  missed(deployment: Deployment): void
  /** Those that are out of reach, by index. */
  missing(): Iterable<number>
}

/** What is out of reach is found out with. */
export interface OutOfReachDeps extends LookoutDeps {
  /** False: nobody is put aside. */
  readonly isEnabled: boolean
  /** Does a connection to it come about? Within bounds of its own; never rejects. */
  readonly reach: (deployment: Deployment) => Promise<boolean>
  /** When it last answered anybody, by `Clock.elapsed`. */
  readonly lastOkAt: (index: number) => number
}

/** The first look comes after this, milliseconds. */
const FIRST_LOOK_MS = 1_000

interface Missed {
  readonly at: number
  readonly lookout: Lookout
}

/** Makes the record of one gateway; everybody is in reach. */
export function createOutOfReach(deps: OutOfReachDeps): OutOfReach {
  const { clock, lastOkAt } = deps
  const missing = new Map<number, Missed>()
  return {
    leftMs: (index) => {
      const missed = missing.get(index)
      if (missed === undefined) return undefined
      const { at, lookout } = missed
      if (lookout.isBack() || lastOkAt(index) > at) {
        lookout.stop()
        missing.delete(index)
        return undefined
      }
      lookout.wanted()
      return lookout.leftMs()
    },
    missing: () => missing.keys(),
    missed: (deployment) => {
      if (!deps.isEnabled || missing.has(deployment.index)) return
      const lookout = createLookout(FIRST_LOOK_MS, () => deps.reach(deployment), deps)
      missing.set(deployment.index, { at: clock.elapsed(), lookout })
    },
  }
}
