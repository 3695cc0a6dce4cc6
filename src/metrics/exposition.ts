import type { MetricRow } from './table.ts'

/** A page of Prometheus's text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export interface Page {
  /** A counter or a gauge; values of labels in the order of the row. */
  sample(labels: readonly string[], value: number): void
  /** A histogram's row as `observe` fills it. */
  histogram(labels: readonly string[], counts: Float64Array): void
}

/** Its content type. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Writes one metric: its head, and whatever `write` adds. */
export function exposed(row: MetricRow, write: (page: Page) => void): string {
  const lines = [`# HELP ${row.name} ${row.help}`, `# TYPE ${row.name} ${row.type}`]
  const bounds = row.buckets ?? []
  write({
    sample: (labels, value) => lines.push(`${row.name}${named(row.labels, labels)} ${value}`),
    histogram: (labels, counts) => {
      let sum = 0
      for (const [at, bound] of [...bounds, '+Inf'].entries()) {
        sum += counts[at] ?? 0
        lines.push(`${row.name}_bucket${named([...row.labels, 'le'], [...labels, String(bound)])} ${sum}`)
      }
      lines.push(`${row.name}_sum${named(row.labels, labels)} ${counts[bounds.length + 1] ?? 0}`)
      lines.push(`${row.name}_count${named(row.labels, labels)} ${sum}`)
    },
  })
  return `${lines.join('\n')}\n`
}

function named(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  return `{${names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`).join(',')}}`
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
}
