import type { MetricRow } from './table.ts'

/** The content type of Prometheus's text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The lines that come before a metric's samples. */
export function headOf(row: MetricRow): string {
  return `# HELP ${row.name} ${row.help}\n# TYPE ${row.name} ${row.type}\n`
}

/** One sample of a counter or a gauge; values of labels in the order of the row. */
export function sampleOf(row: MetricRow, labels: readonly string[], value: number): string {
  return `${row.name}${named(row.labels, labels)} ${value}\n`
}

/** A histogram's row, as `observe` fills it. */
export function histogramOf(row: MetricRow, labels: readonly string[], counts: Float64Array): string {
  const bounds = row.buckets ?? []
  const names = [...row.labels, 'le']
  let text = ''
  let sum = 0
  for (const [at, bound] of [...bounds, '+Inf'].entries()) {
    sum += counts[at] ?? 0
    text += `${row.name}_bucket${named(names, [...labels, String(bound)])} ${sum}\n`
  }
  const own = named(row.labels, labels)
  return `${text}${row.name}_sum${own} ${counts[bounds.length + 1] ?? 0}\n${row.name}_count${own} ${sum}\n`
}

function named(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  return `{${names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`).join(',')}}`
}

function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
}
