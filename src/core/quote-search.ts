/** Finds where the strings of a JSON text end, in bytes that are not parsed. */
export interface QuoteSearch {
  readonly body: Buffer
  /** One past the closing quote of the string that opens at `start`; -1 where it does not close. */
  closingEnd(start: number): number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Up to here a byte loop beats the call into native search. */
const WALKED_BYTES = 12
/** Text is searched several times as fast as bytes, but must be made of them first: this much at a time. */
const WINDOW_BYTES = 16 * 1024

/** A search through one body; it is fastest when asked for strings in their order. */
export function createQuoteSearch(body: Buffer): QuoteSearch {
  /** The stretch of the body that stands ready as text, one character a byte. */
  let text = ''
  let textStart = 0

  const nextQuote = (at: number): number => {
    if (at < textStart || at >= textStart + text.length) {
      textStart = at
      text = body.toString('latin1', at, at + WINDOW_BYTES)
    }
    const found = text.indexOf('"', at - textStart)
    // None in the rest of it: this is one long value, which is not worth making text of.
    return found === -1 ? body.indexOf(QUOTE, textStart + text.length) : textStart + found
  }
  const closingEnd = (start: number): number => {
    let at = start + 1
    for (;;) {
      const walked = Math.min(at + WALKED_BYTES, body.length)
      for (; at < walked; at++) {
        const byte = body[at]
        if (byte === QUOTE) return at + 1
        // The byte after a backslash never ends a string.
        if (byte === BACKSLASH) at++
      }
      const quote = nextQuote(at)
      if (quote === -1) return -1
      let backslashes = 0
      while (quote - 1 - backslashes >= at && body[quote - 1 - backslashes] === BACKSLASH) backslashes++
      if (backslashes % 2 === 0) return quote + 1
      at = quote + 1
    }
  }
  return { body, closingEnd }
}
