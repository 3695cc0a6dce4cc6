import type { Was } from '../core/was.ts'
import type { Learned } from './ladder.ts'

/** What checks have learned, by the index of a deployment: later ones take one request. */
export interface Lessons {
  /** How it wants to be asked. */
  readonly forms: Map<number, Learned>
  /** Those whose free request has gone well before. */
  readonly lookedAt: Set<number>
  /** When an answer was last asked for, by `Clock.elapsed`; kept of those whose answers are to be rare. */
  readonly paidAt: Map<number, number>
}

/** Nothing is learned yet. */
export function createLessons(): Lessons {
  return { forms: new Map(), lookedAt: new Set(), paidAt: new Map() }
}

/** Takes over what was learned under the config before of the deployments that are called as they were. */
export function inheritLessons(to: Lessons, from: Lessons, count: number, was: Was): void {
  for (let index = 0; index < count; index += 1) {
    const earlier = was(index)
    if (earlier === undefined) continue
    const form = from.forms.get(earlier)
    if (form !== undefined) to.forms.set(index, form)
    if (from.lookedAt.has(earlier)) to.lookedAt.add(index)
    const paidAt = from.paidAt.get(earlier)
    if (paidAt !== undefined) to.paidAt.set(index, paidAt)
  }
}
