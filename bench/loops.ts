import { openCaller, type Caller } from './caller.ts'
import { chatRequest } from './messages.ts'
import type { ClosedLoop, OpenLoop, Order, Seen } from './order.ts'
import { createTally, type Planned } from './tally.ts'

/** How much longer than asked for a stalled contestant may take before what it was asked counts as broken. */
const PATIENCE_MS = 10_000
/** Connections are opened before the first planned moment, some at a time, and not waited for longer than this. */
const CONNECT_MS = 2000
const CONNECT_AT_ONCE = 64
/** Begun later than this is late. */
export const LATE_MS = 5

/** Asks again on each connection as soon as the answer is whole, until the time is over. */
export function closedLoop(order: Order, { kind, connections, durationMs }: ClosedLoop): Promise<Seen> {
  const request = chatRequest(kind, order.port, order.headers)
  const tally = createTally(kind, performance.now(), durationMs)
  return new Promise((resolve) => {
    const open = new Set<Caller>()
    const finish = (): void => {
      clearTimeout(timer)
      resolve(tally.seen())
    }
    const add = (): void => {
      let sent = 0
      const caller: Caller = openCaller(order.port, {
        ready: () => {
          sent = performance.now()
          if (sent < tally.until) {
            tally.asked()
            caller.ask(request)
            return
          }
          caller.close()
          open.delete(caller)
          if (open.size === 0) finish()
        },
        answered: (status, head) => tally.answered(status, head, sent),
        broke: () => tally.broke(),
      })
      open.add(caller)
    }
    const timer = setTimeout(() => {
      for (const caller of open) {
        caller.close()
        tally.broke()
      }
      finish()
    }, durationMs + PATIENCE_MS)
    for (let index = 0; index < connections; index++) add()
  })
}

/**
 * Begins a request at each planned moment, on whatever connection is free. One that finds none waits, and its time
 * runs: a contestant that stalls cannot hide it by being asked less. What waits is a number, not a list; what still
 * waits when the time is over is never begun.
 */
export async function openLoop(order: Order, task: OpenLoop): Promise<Seen> {
  const { kind, connections, durationMs } = task
  const request = chatRequest(kind, order.port, order.headers)
  const plan = createPlan(task)
  const free: (() => void)[] = []
  let tally = createTally(kind, performance.now(), durationMs)
  let running = 0
  const beginDue = (): void => {
    for (let now = performance.now(); plan.isDue(now); now = performance.now()) {
      const ask = free.pop()
      if (ask === undefined) return plan.starve(now)
      ask()
    }
  }
  const openOne = (): Caller => {
    let moment = 0
    const ask = (): void => {
      moment = plan.take(performance.now())
      running++
      tally.asked()
      caller.ask(request)
    }
    const caller: Caller = openCaller(order.port, {
      ready: () => {
        free.push(ask)
        // Whoever waits has waited long enough: not until the next tick of a timer.
        beginDue()
      },
      answered: (status, head) => {
        running--
        tally.answered(status, head, moment)
      },
      broke: () => {
        running--
        tally.broke()
      },
    })
    return caller
  }
  const callers: Caller[] = []
  while (callers.length < connections) {
    callers.push(openOne())
    // Not all at once: what a busy listener cannot accept in time the kernel would drop.
    const isPause = callers.length % CONNECT_AT_ONCE === 0 || callers.length === connections
    if (isPause) await until(() => free.length === callers.length, CONNECT_MS)
  }
  tally = createTally(kind, performance.now(), durationMs)
  plan.start(tally.begun)
  await until(() => {
    beginDue()
    return plan.isDone() || performance.now() >= tally.until
  }, durationMs + PATIENCE_MS)
  plan.stop()
  await until(() => running === 0, PATIENCE_MS)
  callers.forEach((caller) => caller.close())
  for (; running > 0; running--) tally.broke()
  return tally.seen(plan.outcome())
}

/** Which request is next, when it should begin, and how late it did. */
interface Plan {
  start(begun: number): void
  isDue(now: number): boolean
  /** The time is over: nothing is due any more. */
  stop(): void
  isDone(): boolean
  /** Begins the next one; gives its moment. */
  take(now: number): number
  /** One is due and no connection is free. */
  starve(now: number): void
  outcome(): Planned
}

function createPlan({ durationMs, perSecond }: OpenLoop): Plan {
  const planned = Math.floor((durationMs * perSecond) / 1000)
  let begun = Number.POSITIVE_INFINITY
  let next = 0
  let isOver = false
  let starvedAt = 0
  let late = 0
  let lateByGenerator = 0
  const momentOfNext = (): number => begun + (next * 1000) / perSecond
  const isDone = (): boolean => next === planned
  return {
    start: (at) => void (begun = at),
    isDue: (now) => !isOver && !isDone() && momentOfNext() <= now,
    stop: () => void (isOver = true),
    isDone,
    take: (now) => {
      const moment = momentOfNext()
      next++
      if (now - moment <= LATE_MS) return moment
      if (starvedAt >= moment) late++
      else lateByGenerator++
      return moment
    },
    starve: (now) => void (starvedAt = now),
    outcome: () => ({ late, lateByGenerator, neverBegun: planned - next }),
  }
}

/** Looks every millisecond whether it is so, and no longer than the deadline. */
function until(isSo: () => boolean, deadlineMs: number): Promise<void> {
  const end = performance.now() + deadlineMs
  return new Promise((resolve) => {
    const look = (): void => {
      if (isSo() || performance.now() >= end) resolve()
      else setTimeout(look, 1)
    }
    look()
  })
}
