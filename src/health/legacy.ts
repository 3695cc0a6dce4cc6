import type { Clock } from '../core/clock.ts'
import type { Was } from '../core/was.ts'
import type { WritableBoard } from './board.ts'
import { inheritPlans, inheritPurse, inheritStandings } from './engine/inherit.ts'
import type { Legacy } from './engine/inherit.ts'
import { inheritLessons } from './lessons.ts'
import type { Lessons } from './lessons.ts'

/** What passes from the checks of one config to those of the next. */
export interface ChecksLegacy {
  readonly engine: Legacy
  readonly board: WritableBoard
  readonly lessons: Lessons
}

/** What the checks of the next config may ask of these, and what these may ask of those before. */
export function succession(
  legacy: ChecksLegacy,
  clock: Pick<Clock, 'elapsed'>,
): { readonly legacy: ChecksLegacy; inherit(from: ChecksLegacy, was: Was): void } {
  return { legacy, inherit: (from, was) => inherit(legacy, from, was, clock.elapsed()) }
}

/** All at once, and before anything is started: nobody reads a half of it. */
function inherit(to: ChecksLegacy, from: ChecksLegacy, was: Was, now: number): void {
  inheritLessons(to.lessons, from.lessons, to.engine.members.length, was)
  to.board.inherit(from.board, was)
  inheritStandings(to.engine, from.engine, was, now)
  inheritPlans(to.engine, from.engine, was)
  inheritPurse(to.engine, from.engine, was, now)
}
