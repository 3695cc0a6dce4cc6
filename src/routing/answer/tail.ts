import type { Usage } from '../../core/answer-facts.ts'
import { TAIL_BYTES, usageAtEnd } from './usage.ts'

/** The last pieces of a large answer: kept as they came, joined only when it has ended. */
export interface Tail {
  push(chunk: Buffer): void
  /** What the answer says it cost, where its last bytes do. */
  usage(): Usage | undefined
}

/** Keeps nothing yet. */
export function createTail(): Tail {
  const pieces: Buffer[] = []
  let bytes = 0
  return {
    push: (chunk) => {
      pieces.push(chunk)
      bytes += chunk.length
      for (
        let first = pieces[0];
        first !== undefined && bytes - first.length >= TAIL_BYTES;
        [first] = pieces
      ) {
        bytes -= first.length
        pieces.shift()
      }
    },
    usage: () => {
      const all = Buffer.concat(pieces.map((piece) => piece.subarray(-TAIL_BYTES))).subarray(-TAIL_BYTES)
      return usageAtEnd(all, all.length)
    },
  }
}
