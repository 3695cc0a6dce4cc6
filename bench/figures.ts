/** One measurement of one contestant. */
export interface Window {
  /** Microseconds of CPU a request, or an event of a stream. */
  readonly cpuUs: number
  /** Requests, or events, a second. */
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly rssMb: number
  /** CPU of the contestant, as a share of the time. */
  readonly busy: number
  /** CPU of everybody else on the contestant's core, as a share of the time. */
  readonly foreign: number
  readonly failures: number
}

/** What one contestant did in a scenario, round by round. */
export interface Measured {
  readonly name: string
  readonly windows: readonly Window[]
}

/** The middle and the ends of what several rounds gave. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** The spread of a list that is not empty. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  }
}

/** Each round's value divided by the same round's value of another. */
export function ratios(values: readonly number[], floor: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value / (floor[round] ?? Number.NaN)))
}

/**
 * What may be said of two contestants: nothing, where the rounds differ among themselves by more than the two
 * differ from each other.
 */
export function verdict(values: readonly number[], floor: readonly number[], unit: string): string {
  const difference = spreadOf(values.map((value, round) => value - (floor[round] ?? Number.NaN)))
  const wide = difference.most - difference.least
  const size = Math.abs(difference.median)
  const shown = `${difference.median < 0 ? '−' : '+'}${size.toFixed(1)} ${unit}`
  return wide >= size
    ? `no verdict (${shown}, but the rounds differ by ${wide.toFixed(1)})`
    : `${shown} (${difference.least.toFixed(1)} … ${difference.most.toFixed(1)})`
}

/** `12.3 (11.9–13.0)`. */
export function shownSpread({ median, least, most }: Spread, digits = 1): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
}

/** Columns as wide as they need to be. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length)
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
