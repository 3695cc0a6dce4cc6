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

interface Tree {
  readonly due: Float64Array
  /** Who stands at a position. */
  readonly heap: Int32Array
  /** At which position somebody stands. */
  readonly positions: Int32Array
  size: number
}

/** Makes an empty heap with room for `count` numbers: 16 bytes each. */
export function createDueHeap(count: number): DueHeap {
  const tree: Tree = {
    due: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    heap: new Int32Array(count),
    positions: new Int32Array(count).fill(ABSENT),
    size: 0,
  }
  const { due, heap, positions } = tree
  return {
    set: (index, at) => {
      due[index] = at
      const known = positions[index] ?? ABSENT
      settle(tree, index, known === ABSENT ? tree.size++ : known)
    },
    remove: (index) => {
      const position = positions[index] ?? ABSENT
      if (position === ABSENT) return
      positions[index] = ABSENT
      due[index] = Number.POSITIVE_INFINITY
      tree.size -= 1
      if (position < tree.size) settle(tree, heap[tree.size] ?? 0, position)
    },
    first: () => (tree.size === 0 ? undefined : heap[0]),
    at: (index) => due[index] ?? Number.POSITIVE_INFINITY,
    size: () => tree.size,
  }
}

function dueAt({ due, heap }: Tree, position: number): number {
  return due[heap[position] ?? 0] ?? Number.POSITIVE_INFINITY
}

function put({ heap, positions }: Tree, index: number, position: number): void {
  heap[position] = index
  positions[index] = position
}

/** Up or down from a position, to where it belongs. */
function settle(tree: Tree, index: number, from: number): void {
  const { due, heap } = tree
  const at = due[index] ?? 0
  let here = from
  while (here > 0) {
    const parent = (here - 1) >> 2
    if (dueAt(tree, parent) <= at) break
    put(tree, heap[parent] ?? 0, here)
    here = parent
  }
  for (;;) {
    const child = earliestChild(tree, here)
    if (child === ABSENT || dueAt(tree, child) >= at) break
    put(tree, heap[child] ?? 0, here)
    here = child
  }
  put(tree, index, here)
}

function earliestChild(tree: Tree, position: number): number {
  const start = position * ARITY + 1
  const end = Math.min(start + ARITY, tree.size)
  let best = ABSENT
  for (let child = start; child < end; child += 1)
    if (best === ABSENT || dueAt(tree, child) < dueAt(tree, best)) best = child
  return best
}
