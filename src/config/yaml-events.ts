import { EVENT_ID, parseEvents, SCALAR_STYLE, YAMLException, type Event } from 'js-yaml'

/** The events of a text, and the text that their offsets are to be read from. */
export interface Events {
  readonly events: readonly Event[]
  /** As long as the original, offset for offset. */
  readonly text: string
}

/** Each repair parses again; real files need one or two. */
const MOST_REPAIRS = 50

const DEFICIENT = 'deficient indentation'

/**
 * Parses a text into events. YAML 1.2 wants every line of a `[…]` or `{…}` indented deeper than its key;
 * PyYAML does not care, and people do close such lists at the key's own column. A line break in there means
 * the same as a space, so it is overwritten by one where the parser objects.
 * @throws YAMLException where the text is no YAML
 */
export function readEvents(original: string): Events {
  const first = attempt(original)
  if (!(first instanceof YAMLException)) return { events: first, text: original }
  if (first.reason !== DEFICIENT) throw first
  let joins = closerLines(original)
  let error = first
  for (let repair = 0; repair < MOST_REPAIRS; repair++) {
    const text = joinLines(original, joins)
    const outcome = attempt(text)
    if (outcome instanceof YAMLException) {
      error = outcome
      const at = lineBreakBefore(text, outcome.mark?.position ?? 0)
      if (outcome.reason !== DEFICIENT || at <= 0 || joins.has(at)) break
      joins.add(at)
      continue
    }
    const inText = insideText(outcome, joins)
    if (inText.size === 0) return { events: outcome, text }
    joins = new Set([...joins].filter((at) => !inText.has(at)))
  }
  throw error
}

function attempt(text: string): Event[] | YAMLException {
  try {
    return parseEvents(text, {})
  } catch (error) {
    if (error instanceof YAMLException) return error
    throw error
  }
}

/** The line breaks in front of lines that start by closing a list or map. */
function closerLines(text: string): Set<number> {
  const breaks = new Set<number>()
  for (const match of text.matchAll(/\n *(?=[\]}])/g)) breaks.add(match.index)
  return breaks
}

function lineBreakBefore(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1)
}

/** Writes a space over each line break, and over a comment that ends there. */
function joinLines(text: string, breaks: ReadonlySet<number>): string {
  const units = text.split('')
  for (const at of breaks) {
    const lineStart = text.lastIndexOf('\n', at - 1) + 1
    const comment = commentStart(text.slice(lineStart, at))
    const from = comment === undefined ? at : lineStart + comment
    units.fill(' ', from, at + 1)
    if (text[at - 1] === '\r') units[at - 1] = ' '
  }
  return units.join('')
}

/** Where a line's comment starts; a `#` in quotes is none. */
function commentStart(line: string): number | undefined {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, (quoted) => 'x'.repeat(quoted.length))
  const at = bare.search(/(?<![^\s[\]{},])#/)
  return at === -1 ? undefined : at
}

/** Those of the offsets that stand in quotes and `|` or `>` blocks, where a line break is text and must stay. */
function insideText(events: readonly Event[], offsets: ReadonlySet<number>): ReadonlySet<number> {
  const inside = new Set<number>()
  const sorted = [...offsets].sort((a, b) => a - b)
  let index = 0
  for (const event of events) {
    if (event.type !== EVENT_ID.SCALAR || event.style === SCALAR_STYLE.PLAIN) continue
    for (let at = sorted[index]; at !== undefined && at < event.valueEnd; at = sorted[++index]) {
      if (at >= event.valueStart) inside.add(at)
    }
  }
  return inside
}
