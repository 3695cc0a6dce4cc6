/** What a request asks of whoever is chosen for it, as far as that matters for the choice. */
export interface Need {
  readonly isStream: boolean
  /** About how many tokens the request is; counted when first asked for. */
  tokens(): number
}

/** A session, or anything else that has no body. */
export const NOTHING: Need = { isStream: false, tokens: () => 0 }

/** Makes the need of a request with this body. */
export function createNeed(body: Buffer, isStream: boolean): Need {
  let known: number | undefined
  return { isStream, tokens: () => (known ??= estimateTokens(body)) }
}

/** English text in the common vocabularies, and near enough for a guess. */
const BYTES_PER_TOKEN = 4
/** In a smaller body nothing can hide that would matter. */
const SMALL_BYTES = 16 * 1024
/** A longer run of base64 is a picture or a sound: its bytes are no text. */
const LONG_RUN = 2048

/** About how many tokens a JSON body is: a quarter of its bytes, embedded files left out. */
export function estimateTokens(body: Buffer): number {
  const bytes = body.length < SMALL_BYTES ? body.length : body.length - embeddedBytes(body)
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}

/** Bytes in long runs without anything that text has: spaces, punctuation, escapes. */
function embeddedBytes(body: Buffer): number {
  let embedded = 0
  // A run that long has its bytes at every LONG_RUN-th place: most of the body is never looked at.
  for (let at = LONG_RUN - 1; at < body.length; at += LONG_RUN) {
    if (!isBase64(body[at])) continue
    let start = at
    while (start > 0 && isBase64(body[start - 1])) start--
    let end = at
    while (end < body.length && isBase64(body[end])) end++
    if (end - start >= LONG_RUN) embedded += end - start
    at = end - 1
  }
  return embedded
}

function isBase64(byte: number | undefined): boolean {
  if (byte === undefined) return false
  const lower = byte | 0x20
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2f ||
    byte === 0x3d ||
    byte === 0x2d ||
    byte === 0x5f
  )
}
