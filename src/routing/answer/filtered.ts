import { isJsonObject, parseJson } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { opening } from './judge.ts'
import type { Flaw, Opening } from './judge.ts'

/** An answer that a content filter has ended, where somebody else is to be asked then. */
export const FILTERED: Flaw = {
  kind: 'content_policy',
  seen: 'with what a content filter left (finish_reason content_filter)',
}

/** Has a content filter ended the first choice of a whole answer? */
export function isFiltered(bytes: Buffer): boolean {
  if (!bytes.includes('"content_filter"')) return false
  const answer = objectIn(bytes.toString())
  const first = answer === undefined ? undefined : choicesOf(answer)[0]
  return first?.['finish_reason'] === 'content_filter'
}

/**
 * The opening of a stream of which a filter's end before any content is heeded: it is held until one or the other comes.
 * A comment goes out at once as ever, and what follows it is the answer.
 */
export function heedingOpening(bytes: Buffer, proof: string): Opening {
  const first = opening(bytes, proof)
  if (first !== 'events') return first
  const whole = bytes.subarray(0, Math.max(bytes.lastIndexOf('\n\n'), bytes.lastIndexOf('\r\n\r\n'), 0))
  for (const line of whole.toString().split(/\r?\n/)) {
    if (line.startsWith(':')) return 'events'
    if (!line.startsWith('data:')) continue
    const event = objectIn(line.slice(5))
    if (event === undefined) return 'events'
    for (const choice of choicesOf(event)) {
      if (hasContent(choice)) return 'events'
      if (choice['finish_reason'] === 'content_filter') return FILTERED
      if (typeof choice['finish_reason'] === 'string') return 'events'
    }
  }
  return 'wait'
}

function choicesOf({ choices }: JsonObject): readonly JsonObject[] {
  return Array.isArray(choices) ? choices.filter(isJsonObject) : []
}

/** A role is none, nor is an empty text; whatever else a delta may hold is. */
function hasContent({ delta, text }: JsonObject): boolean {
  if (text !== undefined) return text !== '' && text !== null
  if (!isJsonObject(delta)) return false
  return Object.entries(delta).some(
    ([name, value]) => name !== 'role' && value !== '' && value !== null && value !== undefined,
  )
}

function objectIn(text: string): JsonObject | undefined {
  // What it is instead is for others to say.
  const json = parseJson(text)
  return isJsonObject(json) ? json : undefined
}
