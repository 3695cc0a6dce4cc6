/** Of a longer text as many characters are looked at, all over it. */
const MOST_CHARS = 64 * 1024
/** The merging of pairs takes time with the square of a run without a space: no run is longer than this. */
const PIECE_CHARS = 256
/** A piece rather ends before a space, where a token would end too. */
const SPACE_WITHIN = 64

/** Pieces of a text that stand for all of it. */
export interface Samples {
  readonly pieces: readonly string[]
  /** How many times their characters the text has: 1 where they are all of it. */
  readonly share: number
}

/** A text of up to `MOST_CHARS` characters whole, a longer one as far as it can be looked at in a tenth of a second. */
export function samplesOf(text: string): Samples {
  const jump =
    text.length <= MOST_CHARS ? 0 : Math.floor((text.length * PIECE_CHARS) / MOST_CHARS) - PIECE_CHARS
  const pieces: string[] = []
  let chars = 0
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at)
    pieces.push(text.slice(at, end))
    chars += end - at
    at = jump === 0 ? end : afterJump(text, end + jump)
  }
  return { pieces, share: chars === 0 ? 1 : text.length / chars }
}

/** Where a word begins, if one does soon: half a word is more tokens than its share. */
function afterJump(text: string, start: number): number {
  return start + Math.max(text.slice(start, start + SPACE_WITHIN).indexOf(' '), 0)
}

function pieceEnd(text: string, start: number): number {
  const end = start + PIECE_CHARS
  if (end >= text.length) return text.length
  const space = text.slice(end - SPACE_WITHIN, end).lastIndexOf(' ')
  if (space !== -1) return end - SPACE_WITHIN + space
  // Not between the halves of one character.
  return isLowHalf(text.charCodeAt(end)) ? end + 1 : end
}

function isLowHalf(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
