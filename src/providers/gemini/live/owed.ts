/** Turns of the upstream's that are over for the client, and whose end is still to come. */
export interface Owed {
  /** `isMuted`: what still comes of it is left out. */
  add(isMuted: boolean): void
  isMuted(): boolean
  /** Says whether anything was left out until now. */
  unmute(): boolean
  any(): boolean
  /** The end of one has come. */
  paid(): void
  clear(): void
}

/** Makes it, with nothing owed. */
export function createOwed(): Owed {
  let turns = 0
  let isMuted = false
  const unmute = (): boolean => {
    const was = isMuted
    isMuted = false
    return was
  }
  return {
    add: (mutes) => {
      turns += 1
      isMuted = mutes
    },
    isMuted: () => isMuted,
    unmute,
    any: () => turns > 0,
    paid: () => {
      turns = Math.max(0, turns - 1)
      unmute()
    },
    clear: () => {
      turns = 0
    },
  }
}
