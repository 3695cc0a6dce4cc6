import { dirname, join, resolve } from 'node:path'
import {
  createSource,
  kindName,
  type ListNode,
  type MapEntry,
  type MapNode,
  type Source,
  type YamlNode,
} from './node.ts'
import { problemAt, type Problem } from './problem.ts'
import { parseYaml } from './yaml.ts'

/** Larger configs are surely a mistake; all files together. */
const MOST_BYTES = 32 * 1024 * 1024

const MOST_FILES = 200

/** Reads one file; rejects where it cannot. */
export type ReadFile = (path: string) => Promise<Uint8Array>

/** All files of a config in one tree. */
export interface Files {
  /** Absent where nothing can be made of the files. */
  readonly root?: MapNode
  readonly problems: readonly Problem[]
}

interface Reading {
  readonly readFile: ReadFile
  readonly problems: Problem[]
  bytes: number
  files: number
}

/** Reads a config file and what it includes, and puts them together. */
export async function readFiles(path: string, readFile: ReadFile): Promise<Files> {
  const reading: Reading = { readFile, problems: [], bytes: 0, files: 0 }
  const root = await readTree(path, [], undefined, reading)
  return root === undefined ? { problems: reading.problems } : { root, problems: reading.problems }
}

/** Parses a text in place of a file. */
export function readText(source: Source): Files {
  const { root, problems } = parseYaml(source)
  return root?.kind === 'map' ? { root, problems } : { problems }
}

async function readTree(
  path: string,
  chain: readonly string[],
  from: YamlNode | undefined,
  reading: Reading,
): Promise<MapNode | undefined> {
  const where = (message: string): Problem =>
    from === undefined
      ? { severity: 'fatal', file: path, path: '', message }
      : problemAt('fatal', from, 'include', message)
  const cycle = chain.findIndex((earlier) => resolve(earlier) === resolve(path))
  if (cycle !== -1) {
    reading.problems.push(
      where(`the files include each other: ${[...chain.slice(cycle), path].join(' → ')}; break the circle`),
    )
    return undefined
  }
  const text = await readTextOf(path, where, reading)
  if (text === undefined) return undefined
  const { root, problems } = parseYaml(createSource(path, text))
  reading.problems.push(...problems)
  if (root?.kind !== 'map') {
    if (problems.some(({ severity }) => severity === 'fatal')) return undefined
    const isEmpty = root === undefined || root.kind === 'null'
    reading.problems.push(
      where(
        isEmpty
          ? 'the file is empty; it needs a model_list'
          : `must be a map with a model_list, not ${kindName(root)}`,
      ),
    )
    return undefined
  }
  return withIncludes(root, path, [...chain, path], reading)
}

async function readTextOf(
  path: string,
  where: (message: string) => Problem,
  reading: Reading,
): Promise<string | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await reading.readFile(path)
  } catch (error) {
    reading.problems.push(where(`cannot read ${path}: ${reasonOf(error)}`))
    return undefined
  }
  reading.bytes += bytes.length
  reading.files++
  if (reading.bytes > MOST_BYTES || reading.files > MOST_FILES) {
    const size = `${Math.ceil(reading.bytes / 1024 / 1024)} MB in ${reading.files} file${reading.files === 1 ? '' : 's'}`
    reading.problems.push(where(`too large: ${size}; a config may have 32 MB and ${MOST_FILES} files`))
    return undefined
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    // The decoder does not say where; the remedy is the same everywhere.
    reading.problems.push(where('not valid YAML: the text is not UTF-8; save it as UTF-8'))
    return undefined
  }
}

/** What people need to hear of a system error; anything else in its own words. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason'
  const code = 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EACCES') return 'permission denied'
  return code === 'EISDIR' ? 'it is a directory' : error.message
}

async function withIncludes(
  root: MapNode,
  path: string,
  chain: readonly string[],
  reading: Reading,
): Promise<MapNode> {
  const include = root.entries.get('include')?.value
  if (include === undefined) return root
  const items = include.kind === 'list' ? include.items : [include]
  let merged = root
  for (const item of items) {
    // The schema reports what is no name.
    if (item.kind !== 'text') continue
    const part = await readTree(join(dirname(path), item.value), chain, item, reading)
    if (part !== undefined) merged = mergeMaps(merged, part, '', reading.problems)
  }
  return merged
}

/** Lists are put together; maps are merged key by key; of two other values the included one wins. */
function mergeMaps(base: MapNode, included: MapNode, path: string, problems: Problem[]): MapNode {
  const entries = new Map<string, MapEntry>(base.entries)
  for (const [name, entry] of included.entries) {
    if (path === '' && name === 'include') continue
    const before = entries.get(name)
    const place = path === '' ? name : `${path}.${name}`
    entries.set(
      name,
      before === undefined
        ? entry
        : { key: before.key, value: mergeValues(before.value, entry, place, problems) },
    )
  }
  return { ...base, entries }
}

function mergeValues(base: YamlNode, included: MapEntry, path: string, problems: Problem[]): YamlNode {
  const { value } = included
  if (base.kind === 'null') return value
  if (value.kind === 'null') return base
  if (base.kind === 'map' && value.kind === 'map') return mergeMaps(base, value, path, problems)
  if (base.kind === 'list' && value.kind === 'list') return joined(base, value)
  problems.push(problemAt('note', included.key, path, `set in ${base.source.file} too; this one wins`))
  return value
}

function joined(base: ListNode, included: ListNode): ListNode {
  return { ...base, items: [...base.items, ...included.items] }
}
