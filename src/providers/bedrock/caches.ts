import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'
import { claudeVersion } from './model-id.ts'

/** Where a model lets one say that what comes before may be kept for the next request, and whether for how long. */
export interface Caches {
  readonly places: 'all' | 'messages' | 'none'
  readonly isTimed: boolean
}

/** The first claude that has a cache: Claude 3.5 Haiku, and the second Sonnet of that version. */
const FIRST_WITH_CACHE = 305
/** The first whose caches may be kept for an hour. */
const FIRST_TIMED = 405

/**
 * Claudes keep everything, Novas all but tools, and others refuse to be asked
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html, read 2026-11-27). A name that says nothing
 * is a profile of one's own: whoever marks caches for it knows what it can.
 */
export function cachesOf(name: string): Caches {
  const version = claudeVersion(name)
  if (version !== undefined) {
    const isOld = version < FIRST_WITH_CACHE || name.startsWith('anthropic.claude-3-5-sonnet-20240620')
    return { places: isOld ? 'none' : 'all', isTimed: version >= FIRST_TIMED }
  }
  if (name.startsWith('amazon.nova')) return { places: 'messages', isTimed: false }
  return name.includes('.') ? { places: 'none', isTimed: false } : { places: 'all', isTimed: true }
}

/**
 * The end of what is to be cached, where a part, a message, a call or a tool says so: `cache_control` is Anthropic's way
 * to mark it, and here that is a block of its own.
 */
export function cachePoint({ cache_control: control }: JsonObject): readonly JsonObject[] {
  if (!isJsonObject(control)) return []
  const ttl = textOf(control['ttl'])
  return [{ cachePoint: { type: 'default', ...(ttl !== undefined && { ttl }) } }]
}

/** Blocks, or tools, with no other ends than the model takes there. */
export function fitted(
  blocks: readonly JsonObject[],
  { places, isTimed }: Caches,
  where: 'messages' | 'tools',
): readonly JsonObject[] {
  const mayMark = places === 'all' || places === where
  const kept: JsonObject[] = []
  for (const block of blocks) {
    if (!isEnd(block)) kept.push(block)
    else if (mayMark && canEndBehind(kept.at(-1)))
      kept.push(isTimed ? block : { cachePoint: { type: 'default' } })
  }
  return kept
}

/** Is this block no more than the end of what is to be cached? */
export function isEnd({ cachePoint: point }: JsonObject): boolean {
  return isJsonObject(point)
}

/**
 * Bedrock refuses an end where nothing is before it ("There is nothing available to cache"), behind another one, behind
 * thoughts ("Cache point cannot be inserted after reasoning block"), and behind a document that it reads itself, which is
 * any but a PDF.
 */
function canEndBehind(block: JsonObject | undefined): boolean {
  if (block === undefined || isEnd(block) || block['reasoningContent'] !== undefined) return false
  const { document } = block
  return !isJsonObject(document) || document['format'] === 'pdf'
}
