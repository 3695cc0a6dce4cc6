import type { Json } from '../core/json.ts'

/** One file's text; nodes point into it. */
export interface Source {
  /** As the user wrote it: shown in front of every problem. */
  readonly file: string
  readonly text: string
  /** Offsets of the first character of each line. */
  readonly lineStarts: () => readonly number[]
}

/** Wraps a text; its lines are looked for when a problem first asks. */
export function createSource(file: string, text: string): Source {
  let starts: readonly number[] | undefined
  return { file, text, lineStarts: () => (starts ??= findLineStarts(text)) }
}

function findLineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

interface Place {
  readonly source: Source
  /** Offset of the first character, UTF-16 units. */
  readonly at: number
}

/** A YAML value with its place; numbers and dates keep what Python would print. */
export type YamlNode = ScalarNode | ListNode | MapNode

/** A value without parts. */
export type ScalarNode = Place &
  (
    | { readonly kind: 'null' }
    | { readonly kind: 'bool'; readonly value: boolean }
    /** `digits`: the exact decimal text, where a double cannot hold the value. */
    | { readonly kind: 'int'; readonly value: number; readonly digits?: string }
    | { readonly kind: 'float'; readonly value: number }
    | { readonly kind: 'text'; readonly value: string }
    /** `value`: isoformat(). `printed` and `code`: Python's str() and repr() of it. */
    | { readonly kind: 'date'; readonly value: string; readonly printed: string; readonly code: string }
  )

/** A sequence. */
export type ListNode = Place & { readonly kind: 'list'; readonly items: readonly YamlNode[] }

/** A mapping in file order. Keys that are no strings have a name that no string can have (see `nameOfKey`). */
export type MapNode = Place & { readonly kind: 'map'; readonly entries: ReadonlyMap<string, MapEntry> }

/** One `key: value`. */
export interface MapEntry {
  readonly key: ScalarNode
  readonly value: YamlNode
}

/** The name under which a key is found: its text, or a marked form for keys that are no strings (`1:`). */
export function nameOfKey(key: ScalarNode): string {
  return key.kind === 'text' ? key.value : `\0${key.kind} ${scalarText(key)}`
}

/** A scalar as a user would read it. */
export function scalarText(node: ScalarNode): string {
  switch (node.kind) {
    case 'null':
      return 'null'
    case 'int':
      return node.digits ?? String(node.value)
    case 'bool':
    case 'float':
    case 'text':
    case 'date':
      return String(node.value)
  }
}

/** The value of a key, absent where the key is missing or null: Python's `None` means "not set" everywhere. */
export function child(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node?.kind !== 'map') return undefined
  const value = node.entries.get(name)?.value
  return value?.kind === 'null' ? undefined : value
}

/** The text of a string node. */
export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'text' || node?.kind === 'date' ? node.value : undefined
}

/** A map node's entries; none for anything else. */
export function entriesOf(node: YamlNode | undefined): ReadonlyMap<string, MapEntry> {
  return node?.kind === 'map' ? node.entries : NO_ENTRIES
}

const NO_ENTRIES: ReadonlyMap<string, MapEntry> = new Map()

/** The node as JSON: dates as ISO text, keys as text, duplicate-free. */
export function toJson(node: YamlNode): Json {
  switch (node.kind) {
    case 'null':
      return null
    case 'list':
      return node.items.map(toJson)
    case 'map': {
      const pairs: [string, Json][] = []
      for (const { key, value } of node.entries.values()) pairs.push([scalarText(key), toJson(value)])
      // fromEntries defines own properties, so that a key named __proto__ stays data.
      return Object.fromEntries(pairs)
    }
    case 'bool':
    case 'int':
    case 'float':
    case 'text':
    case 'date':
      return node.value
  }
}

/** What a user calls this kind of value. */
export function kindName(node: YamlNode): string {
  switch (node.kind) {
    case 'null':
      return 'nothing'
    case 'bool':
      return 'a boolean'
    case 'int':
    case 'float':
      return 'a number'
    case 'text':
      return 'text'
    case 'date':
      return 'a date'
    case 'list':
      return 'a list'
    case 'map':
      return 'a map'
  }
}
