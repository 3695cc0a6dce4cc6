const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Up to here a byte loop beats the call into native search. */
const WALKED_BYTES = 12

/**
 * Where the string of a JSON text ends that opens at `start`, in bytes that are not parsed: one past its closing quote;
 * -1 where it does not close.
 */
export function closingEnd(body: Buffer, start: number): number {
  let at = start + 1
  for (;;) {
    const walked = Math.min(at + WALKED_BYTES, body.length)
    for (; at < walked; at++) {
      const byte = body[at]
      if (byte === QUOTE) return at + 1
      // The byte after a backslash never ends a string.
      if (byte === BACKSLASH) at++
    }
    const quote = body.indexOf(QUOTE, at)
    if (quote === -1) return -1
    let backslashes = 0
    while (quote - 1 - backslashes >= at && body[quote - 1 - backslashes] === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}
