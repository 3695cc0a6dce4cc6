import { EVENT_ID, SCALAR_STYLE, type Event } from 'js-yaml'

/**
 * The first TAB that PyYAML refuses, as an offset. YAML 1.2 allows TABs between tokens and PyYAML does not
 * (scanner.py, scan_to_next_token skips spaces only): they may stand in quoted text, in blocks after `|` or
 * `>`, and in comments, nowhere else – not even after a value.
 */
export function forbiddenTab(text: string, events: readonly Event[]): number | undefined {
  let tab = text.indexOf('\t')
  if (tab === -1) return undefined
  // Quoted texts and blocks in order of appearance; each is passed once.
  const shelters = events.flatMap((event) =>
    event.type === EVENT_ID.SCALAR && event.style !== SCALAR_STYLE.PLAIN
      ? [{ start: event.valueStart, end: event.valueEnd }]
      : [],
  )
  let index = 0
  for (; tab !== -1; tab = text.indexOf('\t', tab + 1)) {
    let shelter = shelters[index]
    while (shelter !== undefined && shelter.end <= tab) shelter = shelters[++index]
    const isInside = shelter !== undefined && shelter.start <= tab
    if (!isInside && !isInComment(text, tab, shelters[index - 1]?.end ?? 0)) return tab
  }
  return undefined
}

/** A comment starts at a `#` that is first in its line or has white space before it. */
function isInComment(text: string, at: number, after: number): boolean {
  const start = Math.max(text.lastIndexOf('\n', at) + 1, after)
  const before = text.slice(start, at)
  return /(?:^|[ \t])#/.test(before)
}
