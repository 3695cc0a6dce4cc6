/** Cancels what it was returned for; calling it twice is harmless. */
export type Cancel = () => void

/** Time as an argument, so that tests can wind it by hand. All times are milliseconds. */
export interface Clock {
  /** Wall time, milliseconds since 1970: what people read. It may be set forward and back at any moment. */
  now(): number
  /** Whole milliseconds since some moment: what durations and due times are counted in. Nobody can set it. */
  elapsed(): number
  /** The same moment with its fraction of a millisecond, for times that are shown. */
  precise(): number
  /** Calls `run` once, `delayMs` from now. The timer alone never keeps the process alive. */
  after(delayMs: number, run: () => void): Cancel
}

/** setTimeout fires at once for longer delays; 24 days is "later" for every caller. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => Math.round(performance.now()),
  precise: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A clock that stands still until `wind` moves it, for tests. */
export interface HandClock extends Clock {
  /** Moves time forward, running every timer that falls due on the way, in order. */
  wind(byMs: number): void
  /** Sets the wall time forward, or back, as an administrator would; no timer takes notice. */
  set(byMs: number): void
  /** How many timers are waiting. */
  pending(): number
}

/** Makes a hand-wound clock that starts at `startMs`. */
export function createHandClock(startMs = 1_700_000_000_000): HandClock {
  let setMs = startMs
  let nowMs = 0
  let timers: { readonly at: number; readonly run: () => void }[] = []
  return {
    now: () => setMs + nowMs,
    elapsed: () => nowMs,
    precise: () => nowMs,
    after: (delayMs, run) => {
      const timer = { at: nowMs + Math.max(delayMs, 0), run }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    wind: (byMs) => {
      const end = nowMs + byMs
      for (;;) {
        const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter((other) => other !== next)
        nowMs = next.at
        next.run()
      }
      nowMs = end
    },
    set: (byMs) => {
      setMs += byMs
    },
    pending: () => timers.length,
  }
}
