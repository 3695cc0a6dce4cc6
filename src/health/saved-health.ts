import type { Clock } from '../core/clock.ts'
import { FAILURE_KINDS } from '../core/failure.ts'
import { isJsonObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Verdict } from '../core/verdict.ts'
import type { WritableBoard } from './board.ts'
import type { Standings } from './engine/standings.ts'

/** What was saved of one deployment's health, and how long ago. */
export interface SavedHealth {
  /** What `save` gave; whatever else stands there is passed over. */
  readonly plain: unknown
  /** Milliseconds; 0 where one set of health checks hands over to the next in the same process. */
  readonly ageMs: number
}

/** Health that outlives a process, or a set of health checks whose config was read anew. */
export interface Saving {
  /** All that is known of a deployment, as plain JSON without secrets; undefined: nothing is. */
  save(index: number): JsonObject | undefined
  /**
   * Takes over what `save` gave, by the index it has here, wherever nothing has been learned since and what was saved
   * is not too old. Nobody is told of a transition. Gives the indexes that were taken over.
   */
  restore(saved: ReadonlyMap<number, SavedHealth>): readonly number[]
}

/** Saves and restores what engine and board hold together. */
export function createSaving(
  standings: Pick<Standings, 'save' | 'restore'>,
  board: Pick<WritableBoard, 'save' | 'restore'>,
  clock: Pick<Clock, 'elapsed'>,
): Saving {
  return {
    save: (index) => {
      const standing = standings.save(index, clock.elapsed())
      return standing && { standing, ...verdictToPlain(board.save(index)) }
    },
    restore: (saved) => {
      const plainOf = (index: number): JsonObject => {
        const plain = saved.get(index)?.plain
        return isJsonObject(plain) ? plain : {}
      }
      const kept = Array.from(saved, ([index, { ageMs }]) => {
        return [index, { plain: plainOf(index)['standing'], ageMs }] as const
      })
      const restored = standings.restore(new Map(kept), clock.elapsed())
      for (const index of restored) board.restore(index, verdictFromPlain(plainOf(index)))
      return restored
    },
  }
}

/** What the board knows of one deployment besides its standing, as it is kept. */
export interface SavedVerdict {
  readonly verdict?: Verdict
  /** It asked for an answer, and was no free look. */
  readonly isWhole: boolean
  /** A later look disproved it. */
  readonly isCleared: boolean
  /** What the newest failed call said; redacted. */
  readonly error?: string
}

/** As plain JSON. Our own request is left out: it is long, and the next probe writes another. */
function verdictToPlain({ verdict, ...rest }: SavedVerdict): JsonObject {
  return { ...rest, ...(verdict !== undefined && { verdict: plainVerdict(verdict) }) }
}

function plainVerdict(verdict: Verdict): JsonObject {
  if (verdict.kind === 'healthy') return { ...verdict }
  const { request: _, ...kept } = verdict
  return { ...kept }
}

/** Reads what `verdictToPlain` wrote; what is not of its form is left out. */
function verdictFromPlain(plain: unknown): SavedVerdict {
  if (!isJsonObject(plain)) return { isWhole: false, isCleared: false }
  const verdict = readVerdict(plain['verdict'])
  const { error } = plain
  return {
    isWhole: plain['isWhole'] === true,
    isCleared: plain['isCleared'] === true,
    ...(verdict !== undefined && { verdict }),
    ...(typeof error === 'string' && { error }),
  }
}

function readVerdict(plain: Json | undefined): Verdict | undefined {
  if (!isJsonObject(plain)) return undefined
  const { at, latencyMs, requests, probedModel, headers, kind } = plain
  if (typeof at !== 'number' || typeof latencyMs !== 'number' || typeof requests !== 'number')
    return undefined
  if (typeof probedModel !== 'string') return undefined
  const facts = { at, latencyMs, requests, probedModel, headers: textsOf(headers) }
  if (kind === 'healthy') {
    const { note } = plain
    return { ...facts, kind, ...((note === 'content_policy' || note === 'length') && { note }) }
  }
  const reason = FAILURE_KINDS.find((each) => each === plain['reason'])
  const { error, exceptionStatus, retryAfterMs } = plain
  if (reason === undefined || typeof error !== 'string' || typeof exceptionStatus !== 'number')
    return undefined
  return {
    ...facts,
    kind: 'unhealthy',
    reason,
    error,
    exceptionStatus,
    ...(plain['isReached'] === true && { isReached: true }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  }
}

function textsOf(plain: Json | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(plain)) return {}
  return Object.fromEntries(
    Object.entries(plain).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}
