/**
 * Where a deployment of this config stood in the config before it, where it is called there in the same way; undefined:
 * it is new, or is called otherwise, and nothing that was known of it holds.
 */
export type Was = (index: number) => number | undefined

const NOWHERE = -1

/** Reads a table of places; -1 is nowhere. It holds on to nothing else. */
export function wasAt(places: Int32Array): Was {
  return (index) => {
    const earlier = places[index] ?? NOWHERE
    return earlier === NOWHERE ? undefined : earlier
  }
}

/** Where it stood two configs ago. */
export function through(was: Was, before: Was): Was {
  return (index) => {
    const earlier = was(index)
    return earlier === undefined ? undefined : before(earlier)
  }
}
