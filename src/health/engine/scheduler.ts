import type { Cancel, Clock } from '../../core/clock.ts'
import { createAdmission } from './admission.ts'
import type { AdmissionRules, Job } from './admission.ts'
import { createDueHeap } from './due-heap.ts'
import type { Plan } from './next-probe.ts'

/** Who looks, and when: one timer for all deployments. */
export interface Scheduler {
  start(): void
  /** Ends the timer; looks that run are the caller's to end. */
  stop(): void
  /** Evidence came that may make the next look due earlier. What only puts it off is noticed when it falls due. */
  replan(index: number): void
  /** The look that was launched for this deployment has ended, and its evidence is in. */
  done(index: number): void
  /** When it will next be looked at, or thought of; infinite while a look of it waits or runs. */
  nextAt(index: number): number
  numbers(): SchedulerNumbers
}

/** What the scheduler has done so far. */
export interface SchedulerNumbers {
  readonly launched: number
  /** Due, but not any more when their turn came. */
  readonly spared: number
  readonly waiting: number
  readonly running: number
  /** How late the latest look began, milliseconds after it was due and there was room for it. */
  readonly latenessMs: number
}

/** What the scheduler runs on. */
export interface SchedulerDeps {
  readonly count: number
  readonly clock: Pick<Clock, 'elapsed' | 'after'>
  /** In [0, 1). */
  readonly random: () => number
  /** What is planned for a deployment; `roll` is its share of the jitter until its next look has ended. */
  readonly plan: (index: number, now: number, roll: number) => Plan | undefined
  /** When time alone changes a deployment's state, and what is then to be done. */
  readonly wakeAt: (index: number) => number
  readonly wake: (index: number, now: number) => void
  /** Where it lives, and how urgent its look is. */
  readonly jobOf: (index: number, plan: Plan) => Job
  /** Begins a look, and calls `done` in the end. */
  readonly launch: (index: number, plan: Plan, now: number) => void
  readonly admission: AdmissionRules
}

/** Where nothing is planned (no money, no way to look), the question is asked again after this. */
const ASK_AGAIN_MS = 60_000
/** Timers fire a little late; a shorter delay only costs. */
const LEAST_DELAY_MS = 1
/** How many looks begin in one turn of the event loop: traffic comes first. */
const BATCH = 64

const IDLE = 0
const WAITING = 1
const RUNNING = 2

/** Makes a scheduler; nothing happens before `start`. */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { count, clock } = deps
  const heap = createDueHeap(count)
  const admission = createAdmission(deps.admission)
  const rolls = Float64Array.from({ length: count }, deps.random)
  const phases = new Uint8Array(count)
  const running = new Map<number, Job>()
  let cancelTimer: Cancel | undefined
  let armedAt = Number.POSITIVE_INFINITY
  let isStarted = false
  let launched = 0
  let spared = 0
  let latenessMs = 0

  const planOf = (index: number, now: number): Plan | undefined => deps.plan(index, now, rolls[index] ?? 0)

  /** When it must be thought of next: for a look, or because time alone changes its state. */
  function arm(index: number, now: number): void {
    const at = planOf(index, now)?.at ?? now + ASK_AGAIN_MS
    heap.set(index, Math.min(at, deps.wakeAt(index)))
  }

  function setTimer(now: number): void {
    if (!isStarted) return
    const first = heap.first()
    const at = Math.min(first === undefined ? Number.POSITIVE_INFINITY : heap.at(first), admission.wakeAt())
    if (at === armedAt && cancelTimer !== undefined) return
    cancelTimer?.()
    cancelTimer = undefined
    armedAt = at
    if (at === Number.POSITIVE_INFINITY) return
    // A timer may never fire before its time: the same moment would be thought of twice.
    cancelTimer = clock.after(Math.max(Math.ceil(at - now), LEAST_DELAY_MS), onTimer)
  }

  function onTimer(): void {
    cancelTimer = undefined
    const now = clock.elapsed()
    let turns = 0
    for (let index = heap.first(); index !== undefined && heap.at(index) <= now; index = heap.first()) {
      if (turns++ >= BATCH) break
      think(index, now)
    }
    serve(now)
    setTimer(now)
  }

  function think(index: number, now: number): void {
    const dueAt = heap.at(index)
    if (deps.wakeAt(index) <= now) deps.wake(index, now)
    const plan = planOf(index, now)
    if (plan === undefined || plan.at > now) {
      arm(index, now)
      return
    }
    latenessMs = now - dueAt
    heap.remove(index)
    phases[index] = WAITING
    admission.offer(deps.jobOf(index, plan), now)
  }

  function serve(now: number): void {
    for (let job = admission.next(now); job !== undefined; job = admission.next(now)) {
      const { index } = job
      // Traffic may have answered while it waited.
      const plan = planOf(index, now)
      if (plan === undefined || plan.at > now) {
        spared += 1
        phases[index] = IDLE
        admission.release(job)
        arm(index, now)
        continue
      }
      phases[index] = RUNNING
      running.set(index, job)
      launched += 1
      deps.launch(index, plan, now)
    }
  }

  return {
    start: () => {
      if (isStarted) return
      isStarted = true
      const now = clock.elapsed()
      for (let index = 0; index < count; index += 1) arm(index, now)
      setTimer(now)
    },
    stop: () => {
      isStarted = false
      cancelTimer?.()
      cancelTimer = undefined
    },
    replan: (index) => {
      if (!isStarted || phases[index] !== IDLE) return
      const now = clock.elapsed()
      arm(index, now)
      setTimer(now)
    },
    done: (index) => {
      const job = running.get(index)
      if (job === undefined) return
      const now = clock.elapsed()
      running.delete(index)
      admission.release(job)
      phases[index] = IDLE
      rolls[index] = deps.random()
      arm(index, now)
      serve(now)
      setTimer(now)
    },
    nextAt: (index) => heap.at(index),
    numbers: () => ({
      launched,
      spared,
      waiting: admission.waiting(),
      running: admission.running(),
      latenessMs,
    }),
  }
}
