import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import type { Clock } from '../core/clock.ts'
import { keepPace } from './keep-pace.ts'

/** V8's young generation: where everything begins that is made while a request runs. */
export interface YoungGeneration {
  sizeBytes(): number
  /** How many times its size it becomes when too much survives in it, a whole number; 1: it stays as it is. */
  growBy(factor: number): void
}

/** The one of this process. */
export const youngGeneration: YoungGeneration = {
  sizeBytes: () =>
    getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0,
  growBy: (factor) => setFlagsFromString(`--semi-space-growth-factor=${factor}`),
}

/**
 * Both halves of it together. V8 goes up to 64 MB, which under load is a third of what the process holds. Measured
 * with 64 connections (docs/performance.md): here a request costs as much CPU as there, at half of it a few per
 * cent more, at an eighth half as much again.
 */
const ENOUGH_BYTES = 16 * 1024 * 1024
/**
 * So many requests in flight do not fit into that: what they hold would be moved out of it, and collected at several
 * times the cost. Overload must not make each request dearer.
 */
export const CROWD = 100

/** Who watches the young generation. */
export interface YoungBound {
  /** Says how many requests are in flight; nobody is asked before. */
  follow(inFlight: () => number): void
  stop(): void
}

/**
 * Has the young generation grow to 16 MB, and further only while a crowd is in flight, until stopped. V8 takes a limit of its size only at the
 * start of a process, but the pace of its growth at any time; and it makes it smaller when there is nothing to do, so
 * that it must be let grow again: in one step, for while it is small a short request costs 7 % more.
 */
export function boundYoungGeneration(clock: Pick<Clock, 'after'>, young: YoungGeneration): YoungBound {
  let inFlight = (): number => 0
  const stop = keepPace(clock, {
    usual: 2,
    wanted: () => {
      const upToEnough = Math.max(1, Math.floor(ENOUGH_BYTES / young.sizeBytes()))
      return inFlight() > CROWD ? Math.max(2, upToEnough) : upToEnough
    },
    tell: (factor) => young.growBy(factor),
  })
  return {
    follow: (count) => {
      inFlight = count
    },
    stop,
  }
}
