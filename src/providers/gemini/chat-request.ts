import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { withDefaults } from '../body-defaults.ts'
import { describedSchema } from '../described-schema.ts'
import { CHANGES_NOTHING, missed } from '../unsaid.ts'
import { untold } from '../untold.ts'
import { toConversation } from './contents.ts'
import { knowsDetail } from './parts.ts'
import { schemaField } from './schema.ts'
import type { Surface } from './surface.ts'
import { toThinking } from './thinking.ts'
import { toToolConfig, toTools } from './tools.ts'

/** Names of fields of `generationConfig` (https://ai.google.dev/api/generate-content#generationconfig): OpenAI's, and Google's own. */
const CONFIG: Readonly<Record<string, string>> = {
  max_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  n: 'candidateCount',
  seed: 'seed',
  presence_penalty: 'presencePenalty',
  frequency_penalty: 'frequencyPenalty',
  logprobs: 'responseLogprobs',
  top_logprobs: 'logprobs',
  media_resolution: 'mediaResolution',
  response_modalities: 'responseModalities',
  response_mime_type: 'responseMimeType',
  response_schema: 'responseSchema',
  response_json_schema: 'responseJsonSchema',
  speech_config: 'speechConfig',
  image_config: 'imageConfig',
  thinking_config: 'thinkingConfig',
  audio_timestamp: 'audioTimestamp',
}
const OWN_CONFIG = new Set([
  ...Object.values(CONFIG),
  'stopSequences',
  'routingConfig',
  'modelSelectionConfig',
])

/** Google's own fields of the body, as LiteLLM's users write them. */
const TOP: Readonly<Record<string, string>> = {
  safety_settings: 'safetySettings',
  cached_content: 'cachedContent',
  tool_config: 'toolConfig',
  generation_config: 'generationConfig',
}

/** OpenAI's fields that change an answer and that Gemini has no words for. */
const LACKS: readonly string[] = [
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'moderation',
  'suffix',
  'verbosity',
]

/** Read by name below. */
const READ: ReadonlySet<string> = new Set([
  ...CHANGES_NOTHING,
  ...LACKS,
  'messages',
  'model',
  'modalities',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'stop',
  'stream',
  'thinking',
  'tool_choice',
  'tools',
  'web_search_options',
])

/** A request in Gemini's words, and what it could not say. */
export interface GeminiRequest {
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/**
 * OpenAI's chat request as `GenerateContentRequest`. Fields that neither knows are carried.
 * @throws GatewayError bad_request for what cannot be said at all
 */
export function toGeminiChat(request: ChatRequest, target: Target, surface: Surface): GeminiRequest {
  const filled = withDefaults('chat', request, target.bodyDefaults)
  const { config, body } = sorted(filled)
  const thinking = toThinking(target.model, filled['reasoning_effort'], filled['thinking'])
  const modalities = toModalities(filled['modalities'])
  const generationConfig = {
    ...config,
    ...stopOf(filled['stop']),
    ...formatOf(filled['response_format']),
    ...modalities.config,
    ...(thinking.config !== undefined && { thinkingConfig: thinking.config }),
  }
  const tools = toTools(filled['tools'], filled['web_search_options'])
  // A choice without tools is refused.
  const toolConfig = tools === undefined ? undefined : toToolConfig(filled['tool_choice'], filled['tools'])
  return {
    body: {
      ...body,
      ...toConversation(request.messages, { surface, model: target.model }),
      ...(tools !== undefined && { tools }),
      ...(toolConfig !== undefined && { toolConfig }),
      ...withOwn(body['generationConfig'], generationConfig),
    },
    dropped: [
      ...missed(filled, LACKS),
      ...untold({ ...filled, messages: request.messages }, toldTo(target)),
      ...(filled['parallel_tool_calls'] === false ? ['parallel_tool_calls'] : []),
      ...(thinking.dropped === undefined ? [] : [thinking.dropped]),
      ...modalities.dropped,
    ],
  }
}

const TOLD: ReadonlySet<string> = new Set(['tools', 'tools[].function.strict', 'web_search_options'])
const TOLD_TO_THIRD: ReadonlySet<string> = new Set([...TOLD, 'messages[].content[].image_url.detail'])

/** What a model is told below the top level. */
function toldTo({ model }: Target): ReadonlySet<string> {
  return knowsDetail(model) ? TOLD_TO_THIRD : TOLD
}

/** What was written as `generationConfig` itself, under what OpenAI's fields say. */
function withOwn(own: Json | undefined, config: JsonObject): JsonObject {
  const all = { ...(isJsonObject(own) ? own : {}), ...config }
  return Object.keys(all).length === 0 ? {} : { generationConfig: all }
}

/** Every field to its place. */
function sorted(filled: JsonObject): { readonly config: JsonObject; readonly body: JsonObject } {
  const config = new Map<string, Json>()
  const body = new Map<string, Json>()
  for (const [key, value] of Object.entries(filled)) {
    if (value === undefined || value === null || READ.has(key)) continue
    const named = entryOf(CONFIG, key)
    // One answer, and no probabilities, are what there is without a word.
    if ((key === 'n' && value === 1) || (key === 'logprobs' && value === false)) continue
    if (named !== undefined) config.set(named, value)
    else if (OWN_CONFIG.has(key)) config.set(key, value)
    else body.set(entryOf(TOP, key) ?? key, value)
  }
  return { config: Object.fromEntries(config), body: Object.fromEntries(body) }
}

function stopOf(stop: Json | undefined): JsonObject {
  if (stop === undefined || stop === null) return {}
  return { stopSequences: typeof stop === 'string' ? [stop] : stop }
}

const SCHEMA = { openApi: 'responseSchema', jsonSchema: 'responseJsonSchema' } as const

/** https://ai.google.dev/gemini-api/docs/structured-output */
function formatOf(format: Json | undefined): JsonObject {
  if (!isJsonObject(format) || format['type'] === 'text') return {}
  const schema = describedSchema(format) ?? format['response_schema']
  const isSchema = isJsonObject(schema) && Object.keys(schema).length > 0
  return { responseMimeType: 'application/json', ...(isSchema ? schemaField(SCHEMA, schema) : {}) }
}

/** Images can be asked for beside text. Sound is what its speech models make, on the route for speech. */
function toModalities(modalities: Json | undefined): {
  readonly config: JsonObject
  readonly dropped: readonly string[]
} {
  const asked: readonly Json[] = Array.isArray(modalities) ? modalities : []
  const dropped = asked.includes('audio') ? ['modalities'] : []
  return { config: asked.includes('image') ? { responseModalities: ['TEXT', 'IMAGE'] } : {}, dropped }
}
