import type { Cancel, Clock } from '../../core/clock.ts'
import { createAdmission } from './admission.ts'
import type { Admission, AdmissionRules, Job } from './admission.ts'
import { createDueHeap } from './due-heap.ts'
import type { DueHeap } from './due-heap.ts'
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
  /** When it will next be looked at, or thought of: now, while a look of it waits or runs. */
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

interface Loop {
  readonly deps: SchedulerDeps
  readonly heap: DueHeap
  readonly admission: Admission
  /** Each deployment's share of the jitter. */
  readonly rolls: Float64Array
  readonly phases: Uint8Array
  readonly running: Map<number, Job>
  cancelTimer: Cancel | undefined
  armedAt: number
  isStarted: boolean
  launched: number
  spared: number
  latenessMs: number
}

/** Makes a scheduler; nothing happens before `start`. */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { count, clock } = deps
  const loop: Loop = {
    deps,
    heap: createDueHeap(count),
    admission: createAdmission(deps.admission),
    rolls: Float64Array.from({ length: count }, deps.random),
    phases: new Uint8Array(count),
    running: new Map(),
    cancelTimer: undefined,
    armedAt: Number.POSITIVE_INFINITY,
    isStarted: false,
    launched: 0,
    spared: 0,
    latenessMs: 0,
  }
  return {
    start: () => {
      if (loop.isStarted) return
      loop.isStarted = true
      const now = clock.elapsed()
      for (let index = 0; index < count; index += 1) arm(loop, index, now)
      setTimer(loop, now)
    },
    stop: () => {
      loop.isStarted = false
      loop.cancelTimer?.()
      loop.cancelTimer = undefined
    },
    replan: (index) => {
      if (!loop.isStarted || loop.phases[index] !== IDLE) return
      const now = clock.elapsed()
      arm(loop, index, now)
      setTimer(loop, now)
    },
    done: (index) => done(loop, index),
    nextAt: (index) => (loop.phases[index] === IDLE ? loop.heap.at(index) : clock.elapsed()),
    numbers: () => ({
      launched: loop.launched,
      spared: loop.spared,
      waiting: loop.admission.waiting(),
      running: loop.admission.running(),
      latenessMs: loop.latenessMs,
    }),
  }
}

function planOf({ deps, rolls }: Loop, index: number, now: number): Plan | undefined {
  return deps.plan(index, now, rolls[index] ?? 0)
}

/** When it must be thought of next: for a look, or because time alone changes its state. */
function arm(loop: Loop, index: number, now: number): void {
  const at = planOf(loop, index, now)?.at ?? now + ASK_AGAIN_MS
  loop.heap.set(index, Math.min(at, loop.deps.wakeAt(index)))
}

function setTimer(loop: Loop, now: number): void {
  const { heap, admission, deps } = loop
  if (!loop.isStarted) return
  const first = heap.first()
  const at = Math.min(first === undefined ? Number.POSITIVE_INFINITY : heap.at(first), admission.wakeAt())
  if (at === loop.armedAt && loop.cancelTimer !== undefined) return
  loop.cancelTimer?.()
  loop.cancelTimer = undefined
  loop.armedAt = at
  if (at === Number.POSITIVE_INFINITY) return
  // A timer may never fire before its time: the same moment would be thought of twice.
  const delayMs = Math.max(Math.ceil(at - now), LEAST_DELAY_MS)
  loop.cancelTimer = deps.clock.after(delayMs, () => onTimer(loop))
}

function onTimer(loop: Loop): void {
  const { heap } = loop
  loop.cancelTimer = undefined
  const now = loop.deps.clock.elapsed()
  let turns = 0
  for (let index = heap.first(); index !== undefined && heap.at(index) <= now; index = heap.first()) {
    if (turns++ >= BATCH) break
    think(loop, index, now)
  }
  serve(loop, now)
  setTimer(loop, now)
}

function think(loop: Loop, index: number, now: number): void {
  const { deps, heap } = loop
  const dueAt = heap.at(index)
  if (deps.wakeAt(index) <= now) deps.wake(index, now)
  const plan = planOf(loop, index, now)
  if (plan === undefined || plan.at > now) {
    arm(loop, index, now)
    return
  }
  loop.latenessMs = now - dueAt
  heap.remove(index)
  loop.phases[index] = WAITING
  loop.admission.offer(deps.jobOf(index, plan), now)
}

function serve(loop: Loop, now: number): void {
  const { admission } = loop
  for (let job = admission.next(now); job !== undefined; job = admission.next(now)) {
    const { index } = job
    // Traffic may have answered while it waited.
    const plan = planOf(loop, index, now)
    if (plan === undefined || plan.at > now) {
      loop.spared += 1
      loop.phases[index] = IDLE
      admission.release(job)
      arm(loop, index, now)
      continue
    }
    loop.phases[index] = RUNNING
    loop.running.set(index, job)
    loop.launched += 1
    loop.deps.launch(index, plan, now)
  }
}

function done(loop: Loop, index: number): void {
  const job = loop.running.get(index)
  if (job === undefined) return
  const now = loop.deps.clock.elapsed()
  loop.running.delete(index)
  loop.admission.release(job)
  loop.phases[index] = IDLE
  loop.rolls[index] = loop.deps.random()
  arm(loop, index, now)
  serve(loop, now)
  setTimer(loop, now)
}
