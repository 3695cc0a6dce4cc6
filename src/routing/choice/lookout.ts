import type { Cancel, Clock } from '../../core/clock.ts'

/** Looks out for the return of a deployment that nobody could connect to. */
export interface Lookout {
  /** A connection came about: a request may try it. */
  isBack(): boolean
  /** Until the next look, milliseconds; 0 while one is under way. */
  leftMs(): number
  /** Somebody asks for it. Where nobody does, nobody looks. */
  wanted(): void
  /** Nothing that it is still finding out matters any more. */
  stop(): void
}

/** What a lookout runs on. */
export interface LookoutDeps {
  readonly clock: Pick<Clock, 'elapsed' | 'after'>
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Rests grow up to this. */
const LONGEST_MS = 30_000

/**
 * Looks after `restMs` for the first time, and while that is in vain again after rests that double, each but for up
 * to half of it by chance. After a rest in which nobody asked it waits for somebody to do so. `reach` must come to an
 * end, and not reject.
 */
export function createLookout(
  restMs: number,
  reach: () => Promise<boolean>,
  { clock, random }: LookoutDeps,
): Lookout {
  let state: 'resting' | 'idle' | 'looking' | 'back' | 'stopped' = 'resting'
  let isWanted = true
  let growingMs = restMs
  let dueMs = 0
  let cancel: Cancel = () => {}
  const rest = (ms: number): void => {
    state = 'resting'
    dueMs = clock.elapsed() + ms
    cancel = clock.after(ms, () => {
      if (isWanted) look()
      else state = 'idle'
    })
  }
  const look = (): void => {
    state = 'looking'
    isWanted = false
    void reach().then((isReached) => {
      if (state === 'stopped') return
      if (isReached) state = 'back'
      else {
        growingMs = Math.min(growingMs * 2, LONGEST_MS)
        rest(growingMs * (1 - random() / 2))
      }
    })
  }
  rest(restMs)
  return {
    isBack: () => state === 'back',
    leftMs: () => (state === 'resting' ? Math.max(dueMs - clock.elapsed(), 0) : 0),
    wanted: () => {
      isWanted = true
      if (state === 'idle') look()
    },
    stop: () => {
      state = 'stopped'
      cancel()
    },
  }
}
