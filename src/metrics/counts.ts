/** Rows of numbers, each made when it is first asked for: what is never counted takes no room. */
export interface Rows {
  /** The row with this number, to be counted up in place. */
  row(key: number): Float64Array
  entries(): Iterable<readonly [key: number, row: Float64Array]>
  /** Gives every row another key; undefined drops it. */
  rename(keyOf: (key: number) => number | undefined): void
}

/** Rows of `width` numbers, all zero. */
export function createRows(width: number): Rows {
  let rows = new Map<number, Float64Array>()
  return {
    row: (key) => {
      const known = rows.get(key)
      if (known !== undefined) return known
      const made = new Float64Array(width)
      rows.set(key, made)
      return made
    },
    entries: () => rows.entries(),
    rename: (keyOf) => {
      const renamed = new Map<number, Float64Array>()
      for (const [key, row] of rows) {
        const next = keyOf(key)
        if (next !== undefined) renamed.set(next, row)
      }
      rows = renamed
    },
  }
}

/** Adds to one number of a row. */
export function add(row: Float64Array, at: number, amount: number): void {
  row[at] = (row[at] ?? 0) + amount
}

/** The width of a row that holds a histogram: its buckets, the one without bound, the sum. */
export function histogramWidth(bounds: readonly number[]): number {
  return bounds.length + 2
}

/** Counts a value into the bucket it belongs to, and into the sum. */
export function observe(row: Float64Array, bounds: readonly number[], value: number): void {
  let at = 0
  while (at < bounds.length && value > (bounds[at] ?? 0)) at++
  add(row, at, 1)
  add(row, bounds.length + 1, value)
}
