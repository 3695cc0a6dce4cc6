/** How deep in brackets a place in a JSON text is: followed through pieces, nothing is kept of them. */
export interface Brackets {
  depth: number
  isInString: boolean
  /** The byte before was a backslash that escapes the next one. */
  isEscaped: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Starts outside of any string, this deep. */
export function createBrackets(depth: number): Brackets {
  return { depth, isInString: false, isEscaped: false }
}

/** Follows one piece from `start` to `end`; stops behind the bracket that brings the depth to 0, else returns -1. */
export function follow(brackets: Brackets, bytes: Buffer, start: number, end: number): number {
  let { depth, isInString, isEscaped } = brackets
  let stop = -1
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (isInString) {
      if (isEscaped) isEscaped = false
      else if (byte === BACKSLASH) isEscaped = true
      else if (byte === QUOTE) isInString = false
    } else if (byte === QUOTE) isInString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--
      if (depth > 0) continue
      stop = at + 1
      break
    }
  }
  Object.assign(brackets, { depth, isInString, isEscaped })
  return stop
}
