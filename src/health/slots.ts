import type { Clock } from '../core/clock.ts'
import { GatewayError } from '../core/failure.ts'

/** How many probes may run. */
export interface SlotLimits {
  /** At once, over all hosts. */
  readonly total: number
  /** At once on one host. */
  readonly perHost: number
  /** After this a probe that is still silent gives its slot away and goes on, milliseconds. */
  readonly patienceMs: number
  /** Never more in flight than this, silent ones included. */
  readonly inFlight?: number
}

export const DEFAULT_SLOT_LIMITS: SlotLimits = { total: 64, perHost: 16, patienceMs: 2_000 }

/** Gives a slot back; calling it twice is harmless. */
export type Release = () => void

/** Admission of probes. Waiting is first come, first served for each host; a busy host delays no other. */
export interface Slots {
  /**
   * Resolves when a probe of this host may start. Where `oneAtATime`, its slot on the host is kept to the
   * end: such a host would only answer slower.
   * @throws GatewayError cancelled when `signal` aborts first
   */
  acquire(host: string, oneAtATime: boolean, signal: AbortSignal): Promise<Release>
  /** How many are waiting. */
  waiting(): number
}

interface Waiter {
  readonly oneAtATime: boolean
  readonly start: (release: Release) => void
}

interface HostQueue {
  busy: number
  readonly waiters: Set<Waiter>
}

/** Who runs and who waits. */
interface Floor {
  readonly clock: Clock
  readonly limits: SlotLimits
  readonly hosts: Map<string, HostQueue>
  /** Hosts with somebody waiting; the one served last stands last. */
  readonly queued: Set<string>
  busy: number
  inFlight: number
  waiting: number
}

/** Makes the slots of one gateway. Callers bound the queue: each deployment waits at most once. */
export function createSlots(clock: Clock, limits: SlotLimits = DEFAULT_SLOT_LIMITS): Slots {
  const floor: Floor = {
    clock,
    limits,
    hosts: new Map(),
    queued: new Set(),
    busy: 0,
    inFlight: 0,
    waiting: 0,
  }
  return {
    acquire: (host, oneAtATime, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(cancelled())
        const waiter: Waiter = {
          oneAtATime,
          start: (release) => {
            signal.removeEventListener('abort', giveUp)
            resolve(release)
          },
        }
        const giveUp = (): void => {
          if (abandon(floor, host, waiter)) reject(cancelled())
        }
        signal.addEventListener('abort', giveUp, { once: true })
        enqueue(floor, host, waiter)
        serve(floor)
      }),
    waiting: () => floor.waiting,
  }
}

function isFull({ limits, busy, inFlight }: Floor): boolean {
  return busy >= limits.total || inFlight >= (limits.inFlight ?? Infinity)
}

/** Looks at each waiting host once at most: serving one moves it to the end of the very set walked here. */
function serve(floor: Floor): void {
  let left = floor.queued.size
  for (const host of floor.queued) {
    if (isFull(floor) || left === 0) return
    left -= 1
    serveHost(floor, host)
  }
}

function serveHost(floor: Floor, host: string): void {
  const queue = floor.hosts.get(host)
  if (queue === undefined) return
  for (const waiter of queue.waiters) {
    if (isFull(floor) || queue.busy >= (waiter.oneAtATime ? 1 : floor.limits.perHost)) break
    queue.waiters.delete(waiter)
    floor.waiting -= 1
    waiter.start(occupy(floor, host, queue, waiter.oneAtATime))
  }
  floor.queued.delete(host)
  if (queue.waiters.size > 0) floor.queued.add(host)
}

function occupy(floor: Floor, host: string, queue: HostQueue, oneAtATime: boolean): Release {
  queue.busy += 1
  floor.busy += 1
  floor.inFlight += 1
  let hasSlot = true
  let isDone = false
  const leaveSlot = (): void => {
    if (!hasSlot) return
    hasSlot = false
    queue.busy -= 1
    floor.busy -= 1
  }
  const onSilence = (): void => {
    leaveSlot()
    serve(floor)
  }
  const cancelPatience = oneAtATime ? undefined : floor.clock.after(floor.limits.patienceMs, onSilence)
  return () => {
    if (isDone) return
    isDone = true
    cancelPatience?.()
    leaveSlot()
    floor.inFlight -= 1
    forgetIdle(floor, host, queue)
    serve(floor)
  }
}

function enqueue(floor: Floor, host: string, waiter: Waiter): void {
  const queue = floor.hosts.get(host) ?? { busy: 0, waiters: new Set<Waiter>() }
  floor.hosts.set(host, queue)
  queue.waiters.add(waiter)
  floor.queued.add(host)
  floor.waiting += 1
}

function abandon(floor: Floor, host: string, waiter: Waiter): boolean {
  const queue = floor.hosts.get(host)
  if (queue === undefined || !queue.waiters.delete(waiter)) return false
  floor.waiting -= 1
  if (queue.waiters.size === 0) floor.queued.delete(host)
  forgetIdle(floor, host, queue)
  return true
}

function forgetIdle(floor: Floor, host: string, queue: HostQueue): void {
  if (queue.busy === 0 && queue.waiters.size === 0 && floor.hosts.get(host) === queue)
    floor.hosts.delete(host)
}

function cancelled(): GatewayError {
  return new GatewayError('cancelled', 'the check was cancelled before it started', { source: 'gateway' })
}
