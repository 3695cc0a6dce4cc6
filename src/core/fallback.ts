import { isJsonObject } from './json.ts'
import type { JsonObject } from './json.ts'

/** Another model group to ask where one has failed. */
export interface Fallback {
  readonly model: string
  /** Members that the body gets in place of its own. */
  readonly body: JsonObject
}

/** Fallbacks by model group, best first; `*` stands for every group that is not named. */
export type FallbackLists = ReadonlyMap<string, readonly Fallback[]>

/** Nobody waits for more, and a client may have written the list. */
const MAX_FALLBACKS = 50

/** Reads `["b", {"model": "c", "temperature": 0}]`; entries of other shapes are left out. */
export function readFallbacks(list: unknown): readonly Fallback[] {
  if (!Array.isArray(list)) return []
  return list.slice(0, MAX_FALLBACKS).flatMap((entry: unknown) => readFallback(entry) ?? [])
}

function readFallback(entry: unknown): Fallback | undefined {
  if (typeof entry === 'string' && entry !== '') return { model: entry, body: {} }
  if (!isJsonObject(entry)) return undefined
  const { model, ...body } = entry
  return typeof model === 'string' && model !== '' ? { model, body } : undefined
}

/** True for lists by group, as a config has them: maps alone, of which each member is a list. */
export function areFallbackLists(lists: readonly unknown[]): boolean {
  return (
    lists.length > 0 &&
    lists.every((entry) => isJsonObject(entry) && Object.values(entry).every((each) => Array.isArray(each)))
  )
}

/** Reads `[{"a": ["b", "c"]}, {"*": ["d"]}]`; a group that is named twice keeps the last list. */
export function readFallbackLists(lists: unknown): FallbackLists {
  const read = new Map<string, readonly Fallback[]>()
  if (!Array.isArray(lists)) return read
  for (const entry of lists) {
    if (!isJsonObject(entry)) continue
    for (const [group, list] of Object.entries(entry)) read.set(group, readFallbacks(list))
  }
  return read
}
