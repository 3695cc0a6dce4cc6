import type { Cancel, Clock } from '../../core/clock.ts'
import type { Traffic } from './traffic.ts'

const SWEEP_MS = 1000

/** Looks for silent calls each second. */
export function createSweep(
  clock: Pick<Clock, 'after'>,
  traffic: Pick<Traffic, 'sweep'>,
): { start(): void; stop(): void } {
  let cancel: Cancel | undefined
  const sweep = (): void => {
    traffic.sweep()
    cancel = clock.after(SWEEP_MS, sweep)
  }
  return {
    start: () => {
      cancel ??= clock.after(SWEEP_MS, sweep)
    },
    stop: () => {
      cancel?.()
      cancel = undefined
    },
  }
}
