import type { Printed } from './prints.ts'

/** How one config differs from the one before. */
export interface ConfigDiff {
  readonly added: number
  readonly removed: number
  readonly changed: number
  readonly unchanged: number
  /** By index: where it stood before, where it is called there in the same way; -1: nowhere. */
  readonly was: Int32Array
}

const NOWHERE = -1

/**
 * Pairs deployments up: those that are equal, then those that are called in the same way, then those of one id, then
 * those of one model group, in their order. Only the first two pairs keep what is known of them.
 */
export function diffOf(before: readonly Printed[], after: readonly Printed[]): ConfigDiff {
  const was = new Int32Array(after.length).fill(NOWHERE)
  const isPaired = new Uint8Array(after.length)
  const isTaken = new Uint8Array(before.length)
  const pair = (key: (one: Printed) => string, isKept: boolean): number => {
    const waiting = waitingBy(before, isTaken, key)
    let pairs = 0
    after.forEach((one, index) => {
      if (isPaired[index] === 1) return
      const earlier = waiting.get(key(one))?.shift()
      if (earlier === undefined) return
      isPaired[index] = 1
      isTaken[earlier] = 1
      if (isKept) was[index] = earlier
      pairs += 1
    })
    return pairs
  }
  const unchanged = pair(({ whole }) => whole, true)
  const changed =
    pair(({ call }) => call, true) + pair(({ id }) => id, false) + pair(({ group }) => group, false)
  const pairs = unchanged + changed
  return { added: after.length - pairs, removed: before.length - pairs, changed, unchanged, was }
}

/** Those that have no partner yet, in their order, by a key. */
function waitingBy(
  all: readonly Printed[],
  isTaken: Uint8Array,
  key: (one: Printed) => string,
): ReadonlyMap<string, number[]> {
  const waiting = new Map<string, number[]>()
  all.forEach((one, index) => {
    if (isTaken[index] === 1) return
    const same = waiting.get(key(one))
    if (same === undefined) waiting.set(key(one), [index])
    else same.push(index)
  })
  return waiting
}
