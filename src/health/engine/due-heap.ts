/** Who is due first: a 4-ary heap over numbers 0…n−1, of which each stands in it at most once. */
export interface DueHeap {
  /** Puts it in, or moves it where it stands already. */
  set(index: number, at: number): void
  remove(index: number): void
  /** Who is due first; undefined when nobody is in it. */
  first(): number | undefined
  /** When it is due; infinite where it is not in the heap. */
  at(index: number): number
  size(): number
}

const ARITY = 4
const ABSENT = -1

/** Makes an empty heap with room for `count` numbers: 16 bytes each. */
export function createDueHeap(count: number): DueHeap {
  const due = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const heap = new Int32Array(count)
  const positions = new Int32Array(count).fill(ABSENT)
  let size = 0
  const dueAt = (position: number): number => due[heap[position] ?? 0] ?? Number.POSITIVE_INFINITY

  function put(index: number, position: number): void {
    heap[position] = index
    positions[index] = position
  }

  function rise(index: number, from: number): number {
    const at = due[index] ?? 0
    let here = from
    while (here > 0) {
      const parent = (here - 1) >> 2
      if (dueAt(parent) <= at) break
      put(heap[parent] ?? 0, here)
      here = parent
    }
    put(index, here)
    return here
  }

  function sink(index: number, from: number): void {
    const at = due[index] ?? 0
    let here = from
    for (;;) {
      const child = earliestChild(here)
      if (child === ABSENT || dueAt(child) >= at) break
      put(heap[child] ?? 0, here)
      here = child
    }
    put(index, here)
  }

  function earliestChild(position: number): number {
    const start = position * ARITY + 1
    const end = Math.min(start + ARITY, size)
    let best = ABSENT
    for (let child = start; child < end; child += 1)
      if (best === ABSENT || dueAt(child) < dueAt(best)) best = child
    return best
  }

  return {
    set: (index, at) => {
      due[index] = at
      const known = positions[index] ?? ABSENT
      const from = known === ABSENT ? size++ : known
      const here = rise(index, from)
      if (here === from) sink(index, from)
    },
    remove: (index) => {
      const position = positions[index] ?? ABSENT
      if (position === ABSENT) return
      positions[index] = ABSENT
      due[index] = Number.POSITIVE_INFINITY
      size -= 1
      if (position === size) return
      const last = heap[size] ?? 0
      if (rise(last, position) === position) sink(last, position)
    },
    first: () => (size === 0 ? undefined : heap[0]),
    at: (index) => due[index] ?? Number.POSITIVE_INFINITY,
    size: () => size,
  }
}
