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
 * A difference that is meant. `at` and `path` are matched part by part; within a part `*` is any text and `|`
 * stands between alternatives. A value is `absent`, or a text with `*` in it, or any other JSON value as it is;
 * `*` alone is any value.
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

/**
 * Holds the differences found against those meant: none may be unlisted, and each line, with each of its
 * alternatives, must be used.
 */
export function judge(found: readonly Difference[], intended: readonly Intended[]): Judgement {
  const lines = intended.map(compile)
  const unlisted = found.filter((difference) => {
    let isMeant = false
    for (const line of lines) isMeant = line.takes(difference) || isMeant
    return !isMeant
  })
  return { unlisted, unused: intended.filter((_, index) => lines[index]?.isUsed() !== true) }
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

/** A line at work: it takes the differences it speaks of, and knows whether all that it says was needed. */
interface CompiledLine {
  takes(difference: Difference): boolean
  isUsed(): boolean
}

function compile(line: Intended): CompiledLine {
  const patterns = [...line.at.split('/'), ...line.path.split(SEPARATOR)]
  const parts = patterns.map((pattern) => pattern.split('|').map(textMatcher))
  const isTheirs = valueMatcher(line.litellm)
  const isOurs = valueMatcher(line.ours)
  const idle = new Set(parts.flat())
  return {
    takes: ({ at, path, litellm, ours }) => {
      const given = [...at.split('/'), ...path.split(SEPARATOR)]
      if (given.length !== parts.length || !isTheirs(litellm) || !isOurs(ours)) return false
      const hits = given.map((text, index) => (parts[index] ?? []).filter((matches) => matches(text)))
      if (hits.some((hit) => hit.length === 0)) return false
      for (const matches of hits.flat()) idle.delete(matches)
      return true
    },
    isUsed: () => idle.size === 0,
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
  const pieces = pattern.split('*').map((piece) => piece.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  const whole = new RegExp(`^${pieces.join('.*')}$`, 's')
  return (text) => whole.test(text)
}
