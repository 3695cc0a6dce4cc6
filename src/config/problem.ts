import type { Source, YamlNode } from './node.ts'

/**
 * How bad: `fatal` stops the start, `error` costs a deployment or a setting, `warning` is probably a mistake,
 * `note` is worth knowing.
 */
export type Severity = 'fatal' | 'error' | 'warning' | 'note'

/** Something wrong with a config, and where. Never holds a secret. */
export interface Problem {
  readonly severity: Severity
  readonly file: string
  /** From 1. Absent for problems of the whole file. */
  readonly line?: number
  /** From 1, in characters. */
  readonly column?: number
  /** `model_list.0.model_info.mode`; empty for the whole file. */
  readonly path: string
  /** What is wrong and what to do. */
  readonly message: string
}

/** `config.yaml:5:13 model_list.0.model_info.mode: what is wrong, what to do` */
export function formatProblem(problem: Problem): string {
  const line = problem.line === undefined ? '' : `:${problem.line}:${problem.column ?? 1}`
  const path = problem.path === '' ? '' : ` ${problem.path}`
  return `${problem.file}${line}${path}: ${problem.message}`
}

/** A problem at a place in a file. */
export function problemAt(
  severity: Severity,
  place: Pick<YamlNode, 'source' | 'at'>,
  path: string,
  message: string,
): Problem {
  return { severity, file: place.source.file, ...lineAndColumn(place.source, place.at), path, message }
}

/** Line and column, both from 1; columns count characters, not UTF-16 units. */
export function lineAndColumn(
  source: Source,
  at: number,
): { readonly line: number; readonly column: number } {
  const starts = source.lineStarts()
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= at) low = middle
    else high = middle - 1
  }
  const before = source.text.slice(starts[low] ?? 0, at)
  return { line: low + 1, column: Array.from(before).length + 1 }
}

/** More problems of the same kind than this are folded into the first one. */
const MOST_ALIKE = 10

/**
 * Problems as a user wants to read them: in the order of the files and lines, each place once (an anchored
 * block is read as often as it is used), and long runs of one mistake folded into the first of them.
 */
export function tidied(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))]
  const ordered = problems.toSorted(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  )
  return folded(onePerPlace(ordered))
}

function onePerPlace(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string>()
  return problems.filter(({ file, line, column, path, message }) => {
    const key = `${file} ${line === undefined ? path : `${line}:${column}`} ${message}`
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
}

function folded(problems: readonly Problem[]): readonly Problem[] {
  const kinds = problems.map(
    ({ severity, path, message }) => `${severity} ${path.replace(/\d+/g, '*')} ${message}`,
  )
  const counts = new Map<string, number>()
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const seen = new Set<string>()
  return problems.flatMap((problem, index) => {
    const kind = kinds[index] ?? ''
    const count = counts.get(kind) ?? 1
    if (count <= MOST_ALIKE) return [problem]
    if (seen.has(kind)) return []
    seen.add(kind)
    return [
      { ...problem, message: `${problem.message} (and ${(count - 1).toLocaleString('en-US')} more like it)` },
    ]
  })
}
