import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { memberValue, scanObject, spliceBody, type BodyEdits, type JsonSpans } from '../../core/json-spans.ts'
import type { Refused, Target } from '../adapter.ts'
import type { Refitted } from '../refitted.ts'
import { picked } from '../body-defaults.ts'
import type { Inlining, Media } from '../surface-face.ts'
import { claudeModel } from './claude-model.ts'
import { withMarkedEnd } from './messages-body.ts'
import { refitted } from './refit.ts'
import { COUNTED, toldDefaults } from './surface-defaults.ts'

/**
 * What a cloud that serves Claude in Anthropic's words is not told: the model stands in the path, the end of what is to be
 * cached is marked where it is, and tiers are Anthropic's own (https://platform.claude.com/docs/en/api/service-tiers).
 */
export const CLOUD_UNSAID = ['cache_control', 'model', 'service_tier'] as const

const SAMPLING = ['temperature', 'top_k', 'top_p'] as const

/**
 * What clouds refuse of Anthropic's words: what runs at Anthropic alone (`inference_geo` by
 * https://platform.claude.com/docs/en/build-with-claude/data-residency, read 2026-11-27; the others, of its code execution,
 * its MCP connector and its fast mode, ask for servers of its own), and sampling where the model takes none.
 */
export const CLOUD_REFUSES: readonly Refused[] = [
  {
    fields: ['container', 'inference_geo', 'mcp_servers', 'speed'],
    of: (model) => /\bclaude-/.test(model),
    models: 'Claude',
  },
  { fields: SAMPLING, of: (model) => claudeModel(model).refusesSampling, models: 'Claude since 4.7' },
]

/**
 * A body in Anthropic's words as a cloud takes it, where more is to be done than to leave members out: a deployment's
 * defaults, the end of what is to be cached, for which clouds do not look themselves, and thoughts in a form that the
 * model knows. `claude` is the model by a name that tells its version.
 */
export function refittedForCloud(
  target: Target,
  claude: string,
  body: Buffer,
  spans: JsonSpans,
): Refitted | undefined {
  const named = { ...target, model: claude }
  const filled = spliced(body, spans, toldDefaults(named, body, spans))
  const marked = spliced(filled.body, filled.spans, markFor(filled.body, filled.spans))
  const last = refitted(named, marked.body, marked.spans)
  return last ?? (marked.body === body ? undefined : { body: marked.body, dropped: [] })
}

/** What a cloud counts of a request in Anthropic's words; undefined where it would have to fetch something first. */
export function countable(target: Target, claude: string, asked: JsonObject): JsonObject | undefined {
  const body = Buffer.from(JSON.stringify(asked))
  const spans = scanObject(body)
  if (inliningOf(body, spans) !== undefined) return undefined
  const fitted = refittedForCloud(target, claude, body, spans)
  const words = fitted === undefined ? asked : parseJson(fitted.body.toString())
  return isJsonObject(words) ? picked(words, COUNTED) : undefined
}

type Texts = NonNullable<BodyEdits['set']>

interface Scanned {
  readonly body: Buffer
  readonly spans: JsonSpans
}

function spliced(body: Buffer, spans: JsonSpans, set: Texts | undefined): Scanned {
  if (set === undefined) return { body, spans }
  const anew = spliceBody(body, spans, { set })
  return { body: anew, spans: scanObject(anew) }
}

function has({ members }: JsonSpans, name: string): boolean {
  return members.some(({ key }) => key === name)
}

/** The messages with their last block marked, where a mark on the whole asks for it. */
function markFor(body: Buffer, spans: JsonSpans): Texts | undefined {
  if (!has(spans, 'cache_control')) return undefined
  const mark = memberValue(body, spans, 'cache_control')
  const messages = memberValue(body, spans, 'messages')
  if (!isJsonObject(mark) || !Array.isArray(messages)) return undefined
  const marked = withMarkedEnd({ cache_control: mark, messages: withLastAsBlocks(messages) })
  return { messages: JSON.stringify(marked['messages']) }
}

function withLastAsBlocks(messages: readonly Json[]): readonly Json[] {
  const last = messages.at(-1)
  if (!isJsonObject(last) || typeof last['content'] !== 'string') return messages
  return [...messages.slice(0, -1), { ...last, content: [{ type: 'text', text: last['content'] }] }]
}

const URL_TYPE = '"url"'
const COLON = 0x3a

/** Pictures and documents that a conversation names by their address: clouds fetch nothing, and want the bytes. */
export function inliningOf(body: Buffer, spans: JsonSpans): Inlining | undefined {
  if (!mayNameUrls(body)) return undefined
  const messages = memberValue(body, spans, 'messages')
  const urls = new Set<string>()
  withSources(messages, (url) => {
    urls.add(url)
    return undefined
  })
  if (urls.size === 0) return undefined
  return {
    urls: [...urls],
    filled: (found) => {
      const filled = withSources(messages, (url) => found.get(url))
      return spliceBody(body, spans, { set: { messages: JSON.stringify(filled) } })
    },
  }
}

/** The word stands for a value somewhere; tools have members of that name, and nothing is read for it. */
function mayNameUrls(body: Buffer): boolean {
  for (let at = body.indexOf(URL_TYPE); at !== -1; at = body.indexOf(URL_TYPE, at + URL_TYPE.length)) {
    let before = at - 1
    while ((body[before] ?? COLON) <= 0x20) before--
    if (body[before] === COLON) return true
  }
  return false
}

/** Messages, or the blocks of one or of a tool's result, with what is found in place of addresses. */
function withSources(list: Json | undefined, find: (url: string) => Media | undefined): Json | undefined {
  if (!Array.isArray(list)) return list
  return list.map((each: Json): Json => {
    if (!isJsonObject(each)) return each
    const { source, content } = each
    const media = isJsonObject(source) ? mediaOf(source, find) : undefined
    const inner = Array.isArray(content) ? { content: withSources(content, find) } : {}
    return { ...each, ...inner, ...(media !== undefined && { source: sourceOf(media) }) }
  })
}

function mediaOf({ type, url }: JsonObject, find: (url: string) => Media | undefined): Media | undefined {
  return type === 'url' && typeof url === 'string' && /^https?:/i.test(url) ? find(url) : undefined
}

function sourceOf({ contentType, bytes }: Media): JsonObject {
  const held = Buffer.from(bytes)
  return contentType === 'text/plain'
    ? { type: 'text', media_type: contentType, data: held.toString() }
    : { type: 'base64', media_type: contentType, data: held.toString('base64') }
}
