/** Puts a body together as it arrives. */
export interface BodyBuilder {
  /** Says how many bytes there are now. */
  add(chunk: Buffer): number
  /** All of it, once. */
  whole(): Buffer
  /** Lets go of what is there. */
  drop(): void
}

/** A client makes us hold at most this many times what it has sent, whatever it announces. */
const MOST_TRUST = 4

/**
 * A builder for a body of `announced` bytes; NaN where the client does not say. As soon as enough of it is there
 * the rest goes straight to its place in one buffer of that size, so that the pieces need not be kept until the
 * end: a large body costs its own size in memory, not twice that.
 */
export function createBodyBuilder(announced: number): BodyBuilder {
  let chunks: Buffer[] = []
  let bytes = 0
  let placed: Buffer | undefined
  const place = (): void => {
    // Of its own, not out of Node's shared pool: nothing of it is ever seen by another request.
    placed = Buffer.allocUnsafeSlow(announced)
    let at = 0
    for (const chunk of chunks) at += chunk.copy(placed, at)
    chunks = []
  }
  return {
    add: (chunk) => {
      const start = bytes
      bytes += chunk.length
      if (placed !== undefined && bytes <= announced) chunk.copy(placed, start)
      else if (placed === undefined) chunks.push(chunk)
      // The parser keeps to what was announced; were it ever wrong, no byte that was not sent would get out.
      else {
        chunks = [placed.subarray(0, start), chunk]
        placed = undefined
      }
      // Whole in one piece, it is taken as it is.
      if (placed === undefined && bytes < announced && bytes * MOST_TRUST >= announced) place()
      return bytes
    },
    whole: () => {
      if (placed !== undefined) return placed.subarray(0, bytes)
      const [only] = chunks
      return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes)
    },
    drop: () => {
      chunks = []
      placed = undefined
    },
  }
}
