import { isDeepStrictEqual } from 'node:util'
import { isJsonObject } from '../../src/core/json.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'

/** One place where two answers differ; a side that lacks it has no value. */
export interface Difference {
  /** `version/scenario/step`. */
  readonly at: string
  /** Keys and indexes from the top, joined by ` > `. */
  readonly path: string
  readonly litellm?: Json | undefined
  readonly ours?: Json | undefined
}

/**
 * A difference that is meant. `at` and `path` are matched part by part, `*` standing for any text within a part.
 * A value is `absent`, or a text with `*` in it, or any other JSON value as it is; `*` alone is any value.
 */
export interface Intended {
  readonly at: string
  readonly path: string
  readonly litellm: Json
  readonly ours: Json
  /** In words: why Pulsegate does it its own way. */
  readonly why: string
}

/** What is wrong between the differences that are there and those that are meant. */
export interface Judgement {
  readonly unlisted: readonly Difference[]
  readonly unused: readonly Intended[]
}

const ABSENT = 'absent'
const SEPARATOR = ' > '

/** Where two values differ: the topmost key that one side lacks, or the leaf whose values are unequal. */
export function differences(at: string, litellm: Json, ours: Json): readonly Difference[] {
  return walk(at, [], litellm, ours)
}

/** Holds the differences found against those meant: none may be unlisted, no line may be unused. */
export function judge(found: readonly Difference[], intended: readonly Intended[]): Judgement {
  const lines = intended.map((line) => ({ line, matches: matcher(line) }))
  const used = new Set<Intended>()
  const unlisted = found.filter((difference) => {
    const meant = lines.filter(({ matches }) => matches(difference))
    for (const { line } of meant) used.add(line)
    return meant.length === 0
  })
  return { unlisted, unused: intended.filter((line) => !used.has(line)) }
}

/** A difference as a line for the file of those that are meant, its reason left open. */
export function toText({ at, path, litellm = ABSENT, ours = ABSENT }: Difference): string {
  return JSON.stringify({ at, path, litellm, ours })
}

function walk(
  at: string,
  path: readonly string[],
  litellm: Json | undefined,
  ours: Json | undefined,
): readonly Difference[] {
  if (isDeepStrictEqual(litellm, ours)) return []
  const [left, right] = [branches(litellm), branches(ours)]
  const isBothLists = Array.isArray(litellm) === Array.isArray(ours)
  if (left === undefined || right === undefined || !isBothLists)
    return [{ at, path: path.join(SEPARATOR), litellm, ours }]
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].flatMap((key) => walk(at, [...path, key], left[key], right[key]))
}

/** What a value is made of; undefined for a leaf. */
function branches(value: Json | undefined): JsonObject | undefined {
  if (Array.isArray(value)) return Object.fromEntries(value.entries())
  return isJsonObject(value) ? value : undefined
}

function matcher(line: Intended): (difference: Difference) => boolean {
  const isAt = partsMatcher(line.at, '/')
  const isPath = partsMatcher(line.path, SEPARATOR)
  const isTheirs = valueMatcher(line.litellm)
  const isOurs = valueMatcher(line.ours)
  return ({ at, path, litellm, ours }) => isAt(at) && isPath(path) && isTheirs(litellm) && isOurs(ours)
}

function partsMatcher(pattern: string, separator: string): (text: string) => boolean {
  const parts = pattern.split(separator).map(textMatcher)
  return (text) => {
    const given = text.split(separator)
    return given.length === parts.length && given.every((part, index) => parts[index]?.(part))
  }
}

function valueMatcher(pattern: Json): (value: Json | undefined) => boolean {
  if (pattern === ABSENT) return (value) => value === undefined
  if (pattern === '*') return (value) => value !== undefined
  if (typeof pattern !== 'string') return (value) => isDeepStrictEqual(value, pattern)
  const matches = textMatcher(pattern)
  return (value) => typeof value === 'string' && matches(value)
}

function textMatcher(pattern: string): (text: string) => boolean {
  const source = pattern.split('*').map((part) => RegExp.escape(part)).join('.*')
  const whole = new RegExp(`^${source}$`, 's')
  return (text) => whole.test(text)
}
