/** Characters that are counted one by one; of a longer text as many are looked at, all over it. */
const MOST_CHARS = 64 * 1024
/** The merging of pairs takes time with the square of a run without a space: no run is longer than this. */
const PIECE_CHARS = 256
/** A piece rather ends before a space, where a token would end too. */
const SPACE_WITHIN = 64
/** Characters between two looks at whoever else waits: some ten milliseconds at the very worst. */
const CHARS_AT_ONCE = 8 * 1024
/** Texts are only texts: what looks like a control token counts as what it is written with. */
const AS_TEXT = { disallowedSpecial: new Set<string>() }

/**
 * How many tokens a text is in OpenAI's newest encoding. The encoding is loaded when it is first needed. A text of up to
 * `MOST_CHARS` is counted whole, a longer one by samples.
 */
export async function countText(text: string, pause: () => Promise<void>): Promise<number> {
  if (text === '') return 0
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
  const jump = text.length <= MOST_CHARS ? 0 : text.length / (MOST_CHARS / PIECE_CHARS) - PIECE_CHARS
  let tokens = 0
  let counted = 0
  let sincePause = 0
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at)
    tokens += countTokens(text.slice(at, end), AS_TEXT)
    counted += end - at
    sincePause += end - at
    at = jump === 0 ? end : afterJump(text, end + Math.floor(jump))
    if (sincePause < CHARS_AT_ONCE) continue
    sincePause = 0
    await pause()
  }
  return Math.round((tokens * text.length) / counted)
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
