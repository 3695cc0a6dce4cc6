import type { Cancel, Clock } from '../core/clock.ts'

/** A pace at which V8 lets something grow. */
export interface Pace {
  /** V8's own, which it has before and after. */
  readonly usual: number
  /** The one that is right now. */
  readonly wanted: () => number
  readonly tell: (pace: number) => void
}

const LOOK_EVERY_MS = 200

/** Looks again and again which pace is right, and tells it where it has changed; until cancelled, with the usual one. */
export function keepPace(clock: Pick<Clock, 'after'>, { usual, wanted, tell }: Pace): Cancel {
  let told = usual
  let stopWaiting: Cancel = () => {}
  const change = (pace: number): void => {
    if (pace !== told) tell(pace)
    told = pace
  }
  const look = (): void => {
    change(wanted())
    stopWaiting = clock.after(LOOK_EVERY_MS, look)
  }
  look()
  return () => {
    stopWaiting()
    change(usual)
  }
}
