import { isJsonObject } from '../../core/json.ts'
import { choicesAsked } from '../request/choices.ts'
import type { AskedChoices } from '../request/choices.ts'

/** Which choices of a stream have said that they are complete. */
export interface Finishes {
  /** Whole lines with something telling in them. */
  see(lines: Buffer): void
  /** Have all that were asked for? They are told apart only now, for most streams end with `[DONE]`. */
  areAll(asked: AskedChoices | undefined): boolean
}

const FINISH = '"finish_reason":'
const DATA = 'data:'
const LINE_END = 0x0a
const SPACE = 0x20
const QUOTE = 0x22
/** OpenAI's most is 128, and some say it twice. */
const MOST_KEPT = 1024
/** Lines of so many characters are told apart at once, for some say it with every word: only the numbers are kept. */
const MOST_HELD_CHARS = 64 * 1024
/** By so much of its end is a piece of a line told from another one. */
const END_CHARS = 64

/** None has yet. */
export function createFinishes(): Finishes {
  const lines: string[] = []
  const finished = new Set<number | string>()
  let held = 0
  let seen = 0
  const tellApart = (): void => {
    for (const line of lines) for (const choice of finishedIn(line)) finished.add(choice)
    lines.length = 0
    held = 0
  }
  return {
    see: (bytes) => {
      for (let at = finishIn(bytes, 0); at !== -1 && seen < MOST_KEPT;) {
        const end = bytes.indexOf(LINE_END, at)
        const lineEnd = end === -1 ? bytes.length : end
        const lineStart = bytes.lastIndexOf(LINE_END, at) + 1
        lines.push(bytes.toString('latin1', lineStart, lineEnd))
        seen += 1
        held += lineEnd - lineStart
        if (held > MOST_HELD_CHARS) tellApart()
        at = finishIn(bytes, lineEnd)
      }
    },
    areAll: (asked) => {
      if (seen === 0) return false
      const count = asked === undefined ? 1 : choicesAsked(asked)
      if (count === 1) return true
      tellApart()
      return finished.size >= count
    },
  }
}

/** Where a `finish_reason` that is a text stands at or after `start`; -1 for nowhere. */
export function finishIn(lines: Buffer, start: number): number {
  for (let at = lines.indexOf(FINISH, start); at !== -1; at = lines.indexOf(FINISH, at + FINISH.length)) {
    let value = at + FINISH.length
    while (lines[value] === SPACE) value++
    if (lines[value] === QUOTE) return at
  }
  return -1
}

/** The numbers of the choices that an event says are complete. */
function finishedIn(line: string): readonly (number | string)[] {
  try {
    const event: unknown = JSON.parse(line.slice(DATA.length))
    const choices = isJsonObject(event) ? event['choices'] : undefined
    if (!Array.isArray(choices)) return []
    return choices.flatMap((choice) => {
      if (!isJsonObject(choice) || typeof choice['finish_reason'] !== 'string') return []
      const { index } = choice
      return [typeof index === 'number' ? index : 0]
    })
  } catch (error) {
    // A line that was too long to be held came in pieces: it was about one choice, whichever.
    if (error instanceof SyntaxError) return [line.slice(-END_CHARS)]
    throw error
  }
}
