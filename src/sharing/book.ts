import type { Was } from '../core/was.ts'
import type { SharedRow } from './sharing.ts'

/** What this gateway remembers of what it shares, by deployment and by identity. Bounded by the deployments. */
export interface Book {
  readonly count: number
  /** Each deployment's identity, and whose identity that is. */
  readonly ids: readonly string[]
  indexesOf(id: string): readonly number[]
  /** The newest row of each identity. */
  readonly rows: Map<string, SharedRow>
  /** No look before this, by deployment. */
  readonly holds: Float64Array
  /** A look is wanted now. */
  readonly wanted: Uint8Array
  /** Up to which success the others know of this deployment, or we of them. */
  readonly toldOkAt: Float64Array
  /** Looks of ours that run. */
  readonly own: Map<number, OwnLook>
}

/** A look that this gateway makes. */
export interface OwnLook {
  readonly nonce: string
  /** The claim is one of ours alone: the store did not answer. */
  readonly isLocal: boolean
  /** It may be put off as far as we alone like: nobody waits for it. */
  readonly isIdle: boolean
  /** When its claim was asked for, and when it must be over. */
  readonly startedAt: number
  readonly endsAt: number
}

const NEVER = Number.NEGATIVE_INFINITY

/** Makes a book in which nothing stands. */
export function createBook(ids: readonly string[]): Book {
  const byId = new Map<string, number[]>()
  ids.forEach((id, index) => {
    const known = byId.get(id)
    if (known === undefined) byId.set(id, [index])
    else known.push(index)
  })
  return {
    count: ids.length,
    ids,
    indexesOf: (id) => byId.get(id) ?? [],
    rows: new Map(),
    holds: new Float64Array(ids.length).fill(NEVER),
    wanted: new Uint8Array(ids.length),
    toldOkAt: new Float64Array(ids.length).fill(NEVER),
    own: new Map(),
  }
}

/** Goes on with what the book of the config before knows of deployments that are called as they were. */
export function inheritBook(to: Book, from: Book, was: Was): void {
  for (let index = 0; index < to.count; index += 1) {
    const earlier = was(index)
    if (earlier === undefined) continue
    to.holds[index] = from.holds[earlier] ?? NEVER
    to.wanted[index] = from.wanted[earlier] ?? 0
    to.toldOkAt[index] = from.toldOkAt[earlier] ?? NEVER
  }
  for (const [id, row] of from.rows) {
    const indexes = to.indexesOf(id)
    // Whoever is new has yet to learn what stands there.
    const areAllKnown = indexes.every((index) => was(index) !== undefined)
    if (indexes.length > 0 && areAllKnown) to.rows.set(id, row)
  }
}
