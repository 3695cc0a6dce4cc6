import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { memberValue } from '../../core/json-spans.ts'
import { refuse } from '../request/request.ts'
import { configWords } from './generate-config.ts'
import { messagesOfContents } from './generate-contents.ts'
import { hasOwnTools, mayNameOwnTools, toolWords } from './generate-tools.ts'
import { objectIn } from './generate-words.ts'
import { memberOf, objectsOf } from './read-json.ts'
import type { Spoken, WordsGround } from './surface.ts'

/** Google's members of a request by the other name that protocol buffers have for them. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['cached_content', 'cachedContent'],
  ['generation_config', 'generationConfig'],
  ['model_armor_config', 'modelArmorConfig'],
  ['safety_settings', 'safetySettings'],
  ['service_tier', 'serviceTier'],
  ['system_instruction', 'systemInstruction'],
  ['tool_config', 'toolConfig'],
])
/** What is said in other members, or changes no answer. */
const TAKEN: ReadonlySet<string> = new Set([
  'cachedContent',
  'contents',
  'generationConfig',
  'labels',
  'safetySettings',
  'serviceTier',
  'store',
  // The path says it.
  'stream',
  'stream_options',
  'systemInstruction',
  'toolConfig',
  'tools',
])
/** What only Google has. */
const ONLY_GOOGLE = ['modelArmorConfig', 'continuationToken', 'generationOutputConfig'] as const

/**
 * Gemini's `GenerateContentRequest` (https://ai.google.dev/api/generate-content) as a chat. What is not known is carried.
 * @throws GatewayError bad_request for what only Google can do
 */
export function chatOfGenerate(written: JsonObject, ground: WordsGround, isStream = false): Spoken {
  const body = Object.fromEntries(
    Object.entries(written).map(([name, value]) => [OTHER_NAMES.get(name) ?? name, value]),
  )
  const { cachedContent } = body
  if (cachedContent !== undefined && cachedContent !== null && cachedContent !== '')
    throw refuse(
      "'cachedContent': it lies at Google, and this deployment's provider cannot read it; send its contents.",
      'cachedContent',
    )
  const config = configWords(body['generationConfig'], ground)
  const tools = toolWords(body['tools'], body['toolConfig'], ground)
  const detail = objectIn(body['generationConfig'])['mediaResolution']
  const others = new Set<string>([...TAKEN, ...ONLY_GOOGLE])
  return {
    body: {
      ...Object.fromEntries(Object.entries(body).filter(([name]) => !others.has(name))),
      messages: messagesOfContents(body['systemInstruction'], body['contents'], ground, detail),
      ...config.body,
      ...tools.body,
      ...(isStream && { stream: true, stream_options: { include_usage: true } }),
    },
    lost: [
      ...ONLY_GOOGLE.filter((name) => body[name] !== undefined && body[name] !== null),
      ...(filters(body['safetySettings']) ? ['safetySettings'] : []),
      ...tools.lost,
      ...config.lost,
    ],
    ...(config.wishes !== undefined && { wishes: config.wishes }),
  }
}

/** Who has no filter of Google's does what is asked where none is wanted. */
const UNFILTERED = new Set<Json | undefined>([
  'BLOCK_NONE',
  'OFF',
  'HARM_BLOCK_THRESHOLD_UNSPECIFIED',
  undefined,
])

function filters(settings: Json | undefined): boolean {
  if (settings === undefined || settings === null) return false
  return objectsOf(settings, 'safetySettings').some(({ threshold }) => !UNFILTERED.has(threshold))
}

/** Is there anything in a body that nobody but Google can do? */
export function wantsGoogle(body: Buffer, spans: JsonSpans): boolean {
  return spans.members.some(({ key, valueStart, valueEnd }) => {
    if (key === 'tools') {
      // Few lists name one, and those that may are read.
      const isLikely = mayNameOwnTools(body.toString('latin1', valueStart, valueEnd))
      return isLikely && hasOwnTools(memberValue(body, spans, key))
    }
    if (key !== 'cachedContent' && key !== 'cached_content') return false
    const value = memberValue(body, spans, key)
    return typeof value === 'string' && value !== ''
  })
}

/** Does the client want to see what the model thought? */
export function wantsThoughts(asked: JsonObject): boolean {
  const config = objectIn(asked['generationConfig'] ?? asked['generation_config'])
  return objectIn(config['thinkingConfig'])['includeThoughts'] === true
}

/** The request whose tokens are to be counted: it may stand whole in a member (https://ai.google.dev/api/tokens). */
export function countedRequest(body: JsonObject): JsonObject {
  const whole = memberOf(body, 'generateContentRequest') ?? memberOf(body, 'generate_content_request')
  if (!isJsonObject(whole)) return body
  const { model: _, ...request } = whole
  return request
}
