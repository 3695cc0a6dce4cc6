/** One place further back in the order waits so much longer, milliseconds. */
const STEP_MS = 250
/** Nobody waits for more places than this. */
const MOST_PLACES = 20

/** A text as 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mixed(hash)
}

/**
 * How many replicas go before this one at an identity. Everybody orders all of them alike without asking, each identity
 * in another order. A wrong idea of who lives costs a delay or a refused claim, never a second look.
 */
export function placeOf(identity: number, self: number, members: readonly number[]): number {
  const own = mixed(identity ^ self)
  let ahead = 0
  for (const member of members) if (member !== self && mixed(identity ^ member) > own) ahead += 1
  return Math.min(ahead, MOST_PLACES)
}

/** How long that place waits beyond the moment in which a look is due. */
export function waitOf(place: number): number {
  return place * STEP_MS
}

/** Every bit of the result hangs on every bit of the number. */
function mixed(number: number): number {
  let hash = number ^ (number >>> 16)
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
