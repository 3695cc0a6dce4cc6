/** Enough to tell prompts apart, and nothing beside sending them. */
const BYTES = 64
/** The end of a key is what differs. */
const KEY_CHARS = 16

/**
 * A number for who asks and what: FNV-1a over some bytes of the body, spread over all of it, its length, and the end of
 * the caller's key. Never 0, which stands for nobody. It tells one stubborn request from many; nobody can be known by it.
 */
export function promptHash(body: Buffer, key: string): number {
  let value = 0x811c9dc5 ^ body.length
  const step = Math.max(Math.floor(body.length / BYTES), 1)
  for (let at = 0; at < body.length; at += step) value = Math.imul(value ^ (body[at] ?? 0), 0x01000193)
  for (let at = Math.max(key.length - KEY_CHARS, 0); at < key.length; at += 1)
    value = Math.imul(value ^ key.charCodeAt(at), 0x01000193)
  return value >>> 0 || 1
}
