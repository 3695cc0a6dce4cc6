import { hashOf, placeOf } from './order.ts'

/** Who else is there, as far as is known, and in which order they look. */
export interface Membership {
  /** True where somebody came or went. */
  saw(names: readonly string[]): boolean
  size(): number
  names(): readonly string[]
  /** How many go before us at a deployment. */
  place(index: number): number
}

/** Makes one that knows of nobody else. */
export function createMembership(self: string, ids: readonly string[]): Membership {
  const own = hashOf(self)
  const hashes = Uint32Array.from(ids, hashOf)
  let names: readonly string[] = [self]
  let members: readonly number[] = [own]
  return {
    saw: (seen) => {
      const all = [...new Set([...seen, self])].sort()
      if (all.join(' ') === names.join(' ')) return false
      names = all
      members = all.map(hashOf)
      return true
    },
    size: () => names.length,
    names: () => names,
    place: (index) => (members.length === 1 ? 0 : placeOf(hashes[index] ?? 0, own, members)),
  }
}
