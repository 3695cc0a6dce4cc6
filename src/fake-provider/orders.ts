import { parseOrder } from './order.ts'
import type { Behaviour } from './order.ts'

/** The orders in force: by path segment, and by name (a segment or a model). */
export interface Orders {
  /**
   * From now on `name` behaves like this.
   * @throws RangeError for a word that is no order
   */
  set(name: string, word: string): void
  /** True where a first path segment is an order word or a name that has an order. */
  readonly isOrder: (segment: string) => boolean
  /** The behaviour of a segment, else of a model, else `ok`; and how many requests this order has had before. */
  find(
    segment: string | undefined,
    model: string,
  ): { readonly behaviour: Behaviour; readonly earlier: number }
}

/** More names than any test sets; the oldest is forgotten first. */
const MAX_NAMES = 20_000

const OK: Behaviour = { kind: 'ok' }

/** Starts with the given orders by name. */
export function createOrders(initial: Readonly<Record<string, string>>): Orders {
  const byName = new Map<string, Behaviour>()
  // Only `recover` counts; by segment and model, so that two deployments do not use up each other's failures.
  const counts = new Map<string, number>()
  const countOf = (segment: string | undefined, model: string): number => {
    const key = `${segment ?? ''}\n${model}`
    const earlier = counts.get(key) ?? 0
    bounded(counts, key, earlier + 1)
    return earlier
  }
  const set = (name: string, word: string): void => {
    const behaviour = parseOrder(word)
    if (behaviour === undefined) throw new RangeError(`"${word}" is no order of the fake provider`)
    for (const key of counts.keys()) {
      const [segment, model] = key.split('\n')
      if (segment === name || model === name) counts.delete(key)
    }
    bounded(byName, name, behaviour)
  }
  for (const [name, word] of Object.entries(initial)) set(name, word)
  return {
    set,
    isOrder: (segment) => segment !== '' && (byName.has(segment) || parseOrder(segment) !== undefined),
    find: (segment, model) => {
      const behaviour =
        (segment === undefined ? byName.get(model) : (byName.get(segment) ?? parseOrder(segment))) ?? OK
      return { behaviour, earlier: behaviour.kind === 'recover' ? countOf(segment, model) : 0 }
    },
  }
}

function bounded<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value)
  if (map.size <= MAX_NAMES) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
