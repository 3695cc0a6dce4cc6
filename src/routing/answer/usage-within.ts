import type { Usage } from '../../core/answer-facts.ts'
import { createBrackets, follow } from './brackets.ts'
import type { Brackets } from './brackets.ts'
import { usageAfterKey, usageKeyBefore } from './usage.ts'

/** Looks for usage between the two ends of a large answer, while it passes. */
export interface UsageWithin {
  push(chunk: Buffer): void
  /** Once it has ended: what its top level says, if any piece did. */
  usage(): Usage | undefined
}

/** Every usage that can be counted has such a member, and hardly anything else does: the search costs next to nothing. */
const TELLING = Buffer.from('_tokens"')
/** So far before that the key is looked for, and so much behind the key is kept: all of what a usage may take. */
const NEAR_BYTES = 1024
/** From where a usage was found the brackets are followed to the end, for it must be the top level's; no further than this. */
const MOST_FOLLOWED_BYTES = 1024 * 1024

/** A usage that may be the top level's: it is if one bracket closes all that is open there, and nothing comes after. */
interface Found {
  readonly brackets: Brackets
  /** From its key on. */
  readonly start: Buffer[]
  startBytes: number
  isClosed: boolean
}

/** Has seen nothing yet. */
export function createUsageWithin(): UsageWithin {
  const seam = createSeam()
  let found: Found | undefined
  let followed = 0
  let passed = 0
  /** Where the last one that was found turned out not to be the top level's: keys before it are done with. */
  let doneUntil = 0

  const begin = (): Found => {
    found = { brackets: createBrackets(1), start: [], startBytes: 0, isClosed: false }
    return found
  }
  /** Goes on with what was found, in bytes that begin at `base` of all; says where it turned out not to be the one, or -1. */
  const goOn = (it: Found, bytes: Buffer, from: number, base: number): number => {
    let at = from
    if (it.startBytes < NEAR_BYTES) {
      const piece = bytes.subarray(from, from + NEAR_BYTES - it.startBytes)
      it.start.push(Buffer.from(piece))
      it.startBytes += piece.length
    }
    if (!it.isClosed) {
      at = follow(it.brackets, bytes, from, bytes.length)
      followed += (at === -1 ? bytes.length : at) - from
      if (at === -1) return -1
      it.isClosed = true
    }
    const next = firstVisible(bytes, at)
    if (next === bytes.length) return -1
    found = undefined
    doneUntil = base + next
    return next
  }
  const search = (bytes: Buffer, from: number): void => {
    let at = from
    do {
      const key = keyIn(bytes, at, 0)
      if (key === -1) return
      at = goOn(begin(), bytes, key, passed)
    } while (at !== -1)
  }
  /** A key that has passed, whose usage shows only in what comes. */
  const searchSeam = (chunk: Buffer): void => {
    const start = passed - seam.size()
    const joined = seam.joined(chunk)
    const key = keyIn(joined, Math.max(0, doneUntil - start), seam.size())
    if (key !== -1 && key < seam.size()) goOn(begin(), joined.subarray(0, seam.size()), key, start)
  }
  return {
    push: (chunk) => {
      if (followed >= MOST_FOLLOWED_BYTES) return
      if (found === undefined) searchSeam(chunk)
      const from = found === undefined ? 0 : goOn(found, chunk, 0, passed)
      if (from !== -1) search(chunk, from)
      seam.remember(chunk)
      passed += chunk.length
    },
    usage: () => {
      if (found?.isClosed !== true || followed >= MOST_FOLLOWED_BYTES) return undefined
      return usageAfterKey(Buffer.concat(found.start), 0)
    },
  }
}

/** The last bytes of what has passed, and the first of what comes: a key and its value may come in two pieces. */
interface Seam {
  /** Of what has passed. */
  size(): number
  joined(chunk: Buffer): Buffer
  remember(chunk: Buffer): void
}

function createSeam(): Seam {
  const bytes = Buffer.allocUnsafe(2 * NEAR_BYTES)
  let size = 0
  return {
    size: () => size,
    joined: (chunk) => bytes.subarray(0, size + chunk.copy(bytes, size, 0, NEAR_BYTES)),
    remember: (chunk) => {
      if (chunk.length >= NEAR_BYTES) {
        size = chunk.copy(bytes, 0, chunk.length - NEAR_BYTES)
        return
      }
      const kept = Math.min(size, NEAR_BYTES - chunk.length)
      bytes.copyWithin(0, size - kept, size)
      size = kept + chunk.copy(bytes, kept)
    },
  }
}

/** Where the key of a usage stands, at or after `from`, whose tokens show at or after `shownFrom`; -1 for nowhere. */
function keyIn(bytes: Buffer, from: number, shownFrom: number): number {
  const start = Math.max(from, shownFrom - TELLING.length + 1)
  for (let hit = bytes.indexOf(TELLING, start); hit !== -1; hit = bytes.indexOf(TELLING, hit + 1)) {
    const key = usageKeyBefore(bytes, Math.max(from, hit - NEAR_BYTES), hit)
    if (key !== -1) return key
  }
  return -1
}

function firstVisible(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at++
  return at
}
