import {
  EVENT_ID,
  getScalarValue,
  SCALAR_STYLE,
  type Event,
  type MappingEvent,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml'
import { nameOfKey, scalarText, type MapEntry, type ScalarNode, type Source, type YamlNode } from './node.ts'
import { lineAndColumn, problemAt, type Problem } from './problem.ts'
import { BadScalar, readPlain, readTagged } from './yaml-scalar.ts'

/** Aliases can make a small file huge; this many values is far beyond any real config. */
const MOST_VALUES = 5_000_000

/** Aliases can nest deeper than the parser allows; whoever walks the tree calls itself. */
const MOST_LEVELS = 500

// A password may start with `*` or `&`: no message repeats what stands there.
const NO_ANCHOR = '"*" starts an alias, and no anchor above has its name; quote the value if it is text'
const BARE_ANCHOR = '"&" starts an anchor, and nothing follows: this is empty; quote the value if it is text'

/** PyYAML would refuse this text here. */
export class Refusal extends Error {
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

interface Anchor {
  /** Absent while its own node is being read. */
  node?: YamlNode
  readonly at: number
  /** Values in it, itself included. */
  size: number
  /** Levels of lists and maps in it. */
  levels: number
}

/** An open list or map. */
interface Frame {
  readonly at: number
  readonly anchor: Anchor | undefined
  /** Present for a list. */
  readonly items: YamlNode[] | undefined
  readonly own: Map<string, MapEntry>
  /** What `<<` brought, in the order in which PyYAML puts it in front. */
  readonly merged: MapEntry[]
  /** The key that waits for its value. */
  key: ScalarNode | undefined
  isMerge: boolean
  /** Values in here, aliases counted as often as they stand. */
  size: number
  /** Levels of lists and maps in here, this one included. */
  levels: number
}

/** A range in the text; -1 where there is none. */
interface AnchorRange {
  readonly anchorStart: number
  readonly anchorEnd: number
}

/** Builds one tree from the events of one text. For one use. */
export class TreeBuilder {
  readonly #source: Source
  readonly #text: string
  readonly #problems: Problem[] = []
  readonly #anchors = new Map<string, Anchor>()
  readonly #frames: Frame[] = []
  #root: YamlNode | undefined
  #documents = 0
  #lastAt = 0

  /** `text`: what the events' offsets are to be read from; `source`: what problems point at. */
  constructor(source: Source, text: string) {
    this.#source = source
    this.#text = text
  }

  /** @throws Refusal where PyYAML would refuse the text */
  build(events: readonly Event[]): {
    readonly root: YamlNode | undefined
    readonly problems: readonly Problem[]
  } {
    for (const event of events) this.#take(event)
    return { root: this.#root, problems: this.#problems }
  }

  #take(event: Event): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        this.#documents++
        if (this.#documents === 1) return
        throw new Refusal(this.#lastAt, 'a second document starts below this (---); a config is one document')
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING:
        this.#open(event)
        return
      case EVENT_ID.SCALAR:
        this.#scalar(event)
        return
      case EVENT_ID.ALIAS:
        this.#alias(event)
        return
      case EVENT_ID.POP:
        // The last one closes the document and finds nothing open.
        this.#close()
        return
    }
  }

  #open(event: SequenceEvent | MappingEvent): void {
    const tag = event.tagStart === -1 ? '' : this.#text.slice(event.tagStart, event.tagEnd)
    if (!/^(?:|!|!!map|!!seq)$/.test(tag)) {
      throw new Refusal(event.tagStart, 'this tag cannot be read here; remove it')
    }
    if (this.#wantsKey() !== undefined)
      throw new Refusal(event.start, 'a key must be plain text, not a list or a map')
    this.#lastAt = event.start
    this.#frames.push({
      at: event.start,
      anchor: this.#declare(event),
      items: event.type === EVENT_ID.SEQUENCE ? [] : undefined,
      own: new Map(),
      merged: [],
      key: undefined,
      isMerge: false,
      size: 1,
      levels: 1,
    })
  }

  /** The open map, if its next value is a key. */
  #wantsKey(): Frame | undefined {
    const top = this.#frames.at(-1)
    return top !== undefined && top.items === undefined && top.key === undefined ? top : undefined
  }

  #declare(range: AnchorRange): Anchor | undefined {
    if (range.anchorStart === -1) return undefined
    const name = this.#text.slice(range.anchorStart, range.anchorEnd)
    const before = this.#anchors.get(name)
    if (before !== undefined) {
      const { line } = lineAndColumn(this.#source, before.at)
      throw new Refusal(range.anchorStart - 1, `this anchor stands twice (first on line ${line}); rename one`)
    }
    const anchor: Anchor = { at: range.anchorStart, size: 1, levels: 0 }
    this.#anchors.set(name, anchor)
    return anchor
  }

  #scalar(event: ScalarEvent): void {
    // An empty value has no place of its own; what stands before it is the nearest.
    const at = event.valueStart === -1 ? this.#lastAt : event.valueStart - (isQuoted(event) ? 1 : 0)
    this.#lastAt = at
    const node = readScalar(this.#source, this.#text, event, at)
    const anchor = this.#declare(event)
    if (anchor !== undefined) anchor.node = node
    if (anchor !== undefined && event.valueStart === -1) this.#reportBareAnchor(anchor.at - 1)
    const map = this.#wantsKey()
    if (map === undefined) {
      this.#add(node, 1, 0)
      return
    }
    map.key = node
    map.isMerge = node.kind === 'text' && node.value === '<<' && event.style === SCALAR_STYLE.PLAIN
  }

  /** `key: &Passw0rd` is an empty key, which nobody means. */
  #reportBareAnchor(at: number): void {
    const key = this.#frames.at(-1)?.key
    const path = key === undefined ? '' : pathOf(this.#frames, key)
    this.#problems.push(problemAt('warning', { source: this.#source, at }, path, BARE_ANCHOR))
  }

  #alias(range: AnchorRange): void {
    const name = this.#text.slice(range.anchorStart, range.anchorEnd)
    const anchor = this.#anchors.get(name)
    const node = anchor?.node
    if (anchor === undefined) throw new Refusal(range.anchorStart - 1, NO_ANCHOR)
    if (node === undefined)
      throw new Refusal(range.anchorStart - 1, 'this alias stands inside of its own anchor')
    const map = this.#wantsKey()
    if (map === undefined) {
      this.#add(node, anchor.size, anchor.levels)
      return
    }
    if (node.kind === 'list' || node.kind === 'map')
      throw new Refusal(range.anchorStart, 'a key must be plain text')
    map.key = node
    map.isMerge = false
  }

  #close(): void {
    const frame = this.#frames.pop()
    if (frame === undefined) return
    const source = this.#source
    const node: YamlNode = frame.items
      ? { kind: 'list', items: frame.items, source, at: frame.at }
      : { kind: 'map', entries: withMerged(frame), source, at: frame.at }
    if (frame.anchor !== undefined) {
      frame.anchor.node = node
      frame.anchor.size = frame.size
      frame.anchor.levels = frame.levels
    }
    this.#add(node, frame.size, frame.levels)
  }

  #add(node: YamlNode, size: number, levels: number): void {
    const top = this.#frames.at(-1)
    if (top === undefined) {
      this.#root = node
      return
    }
    top.size += size
    top.levels = Math.max(top.levels, levels + 1)
    if (top.levels > MOST_LEVELS)
      throw new Refusal(top.at, `more than ${MOST_LEVELS} levels of lists and maps; use fewer`)
    if (top.size > MOST_VALUES) {
      throw new Refusal(top.at, 'the aliases in here expand to millions of values; write fewer of them')
    }
    if (top.items !== undefined) top.items.push(node)
    else if (top.key !== undefined) this.#put(top, top.key, node)
  }

  #put(top: Frame, key: ScalarNode, value: YamlNode): void {
    top.key = undefined
    if (top.isMerge) {
      for (const entry of mergedEntries(key, value)) top.merged.push(entry)
      return
    }
    const name = nameOfKey(key)
    const before = top.own.get(name)
    if (before !== undefined) {
      const { line } = lineAndColumn(this.#source, before.key.at)
      const message = `the key "${scalarText(key)}" stands twice (first on line ${line}): this one wins; remove the other`
      this.#problems.push(problemAt('warning', key, pathOf(this.#frames, key), message))
    }
    top.own.set(name, { key, value })
  }
}

/** A `|` or `>` block that the file ends in without a line break has none in Python either. */
function asPythonEnds(text: string, input: string, event: ScalarEvent): string {
  if (event.valueEnd !== input.length || !text.endsWith('\n')) return text
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
  const lastLine = input.slice(input.lastIndexOf('\n') + 1)
  return isBlock && lastLine.trim() !== '' ? text.slice(0, -1) : text
}

function isQuoted(event: ScalarEvent): boolean {
  return event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
}

function readScalar(source: Source, input: string, event: ScalarEvent, at: number): ScalarNode {
  const text = asPythonEnds(getScalarValue(input, event), input, event)
  try {
    if (event.tagStart !== -1)
      return readTagged(source.text.slice(event.tagStart, event.tagEnd), text, source, at)
    return event.style === SCALAR_STYLE.PLAIN
      ? readPlain(text, source, at)
      : { kind: 'text', value: text, source, at }
  } catch (error) {
    if (error instanceof BadScalar)
      throw new Refusal(event.tagStart === -1 ? at : event.tagStart, error.message)
    throw error
  }
}

/** `<<: map` or `<<: [map, map]`, where the first of the list wins. */
function mergedEntries(key: ScalarNode, value: YamlNode): readonly MapEntry[] {
  if (value.kind === 'map') return [...value.entries.values()]
  const parts = value.kind === 'list' ? value.items : []
  if (value.kind !== 'list' || parts.some((part) => part.kind !== 'map')) {
    throw new Refusal(key.at, '"<<" takes a map or a list of maps')
  }
  return parts.toReversed().flatMap((part) => (part.kind === 'map' ? Array.from(part.entries.values()) : []))
}

/** Merged keys come first and keep their place; the map's own values win. */
function withMerged(frame: Frame): ReadonlyMap<string, MapEntry> {
  if (frame.merged.length === 0) return frame.own
  const entries = new Map<string, MapEntry>()
  for (const entry of frame.merged) entries.set(nameOfKey(entry.key), entry)
  for (const [name, entry] of frame.own) entries.set(name, entry)
  return entries
}

function pathOf(frames: readonly Frame[], key: ScalarNode): string {
  const above = frames.slice(0, -1).map((frame) => {
    if (frame.items !== undefined) return String(frame.items.length)
    return frame.key === undefined ? '' : scalarText(frame.key)
  })
  return [...above, scalarText(key)].join('.')
}
