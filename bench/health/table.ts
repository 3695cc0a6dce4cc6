/** A figure, and what it should be: the middle of all seeds, and the worst of them. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly worst: number
  readonly must: number
  readonly aim: number
  readonly digits: number
  readonly isMissed: boolean
}

/** The value below which this share of the list lies; NaN for an empty list. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN
}

/** The rows as a table for people. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ name, value, worst, must, aim, digits, isMissed }) => [
    name,
    value.toFixed(digits),
    worst.toFixed(digits),
    `≤ ${must}`,
    `≤ ${aim}`,
    isMissed ? 'MISSED' : value <= aim ? 'ok' : 'ok, aim missed',
  ])
  const table = [['figure', 'median', 'worst', 'must', 'aim', ''], ...cells]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
