import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { isReasoningModel } from '../../providers/catalogue.ts'
import { effortOfBudget } from './effort.ts'
import { isStrict, jsonSchemaOf } from './generate-schema.ts'
import { objectIn } from './generate-words.ts'
import { present, textOf } from './read-json.ts'
import type { Spoken, WordsGround } from './surface.ts'

/** Fields of `generationConfig` (https://ai.google.dev/api/generate-content#generationconfig) that a chat has a word for. */
const SAME: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  candidateCount: 'n',
  seed: 'seed',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
}

/** Read below. */
const READ = new Set([
  'logprobs',
  'maxOutputTokens',
  'mediaResolution',
  'responseJsonSchema',
  'responseLogprobs',
  'responseMimeType',
  'responseModalities',
  'responseSchema',
  'stopSequences',
  'thinkingConfig',
])

/** What a chat's member is called in Google's words: so it is named where a provider cannot be told it. */
export const GENERATE_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(SAME).map(([own, name]) => [name, `generationConfig.${own}`])),
  max_tokens: 'generationConfig.maxOutputTokens',
  max_completion_tokens: 'generationConfig.maxOutputTokens',
  stop: 'generationConfig.stopSequences',
  logprobs: 'generationConfig.responseLogprobs',
  top_logprobs: 'generationConfig.logprobs',
  response_format: 'generationConfig.responseMimeType',
  reasoning_effort: 'generationConfig.thinkingConfig',
  tool_choice: 'toolConfig.functionCallingConfig',
}

/** How the answer is to be made, in a chat's words. */
export function configWords(written: Json | undefined, ground: WordsGround): Spoken {
  const config = objectIn(written)
  const told = Object.entries(SAME).filter(([own]) => saysSomething(own, config[own]))
  const said = ground.lacksTopK === true ? told.filter(([own]) => own !== 'topK') : told
  const effort = effortOf(config['thinkingConfig'], ground)
  const format = formatOf(config)
  const others = Object.keys(config).filter(
    (name) => !Object.hasOwn(SAME, name) && !READ.has(name) && saysSomething(name, config[name]),
  )
  const wantsLogprobs = config['responseLogprobs'] === true
  const stops = config['stopSequences']
  return {
    body: present({
      ...Object.fromEntries(said.map(([own, name]) => [name, config[own]])),
      [isReasoningModel(ground.knownModel) ? 'max_completion_tokens' : 'max_tokens']:
        config['maxOutputTokens'] ?? undefined,
      stop: Array.isArray(stops) && stops.length > 0 ? stops : undefined,
      ...(wantsLogprobs && { logprobs: true, top_logprobs: config['logprobs'] ?? undefined }),
      reasoning_effort: effort.effort,
      response_format: format.format,
    }),
    lost: [
      ...others,
      ...(said.length < told.length ? ['topK'] : []),
      ...(effort.lost === true ? ['thinkingConfig'] : []),
      ...format.lost,
      ...lostModalities(config),
    ].map((name) => `generationConfig.${name}`),
    ...(effort.isFulfilled === true && { wishes: ['reasoning_effort'] }),
  }
}

/** One answer is what there is without a word. */
function saysSomething(name: string, value: Json | undefined): boolean {
  return (
    value !== undefined && value !== null && value !== false && !(name === 'candidateCount' && value === 1)
  )
}

function lostModalities({ responseModalities: listed }: JsonObject): readonly string[] {
  const asked: readonly Json[] = Array.isArray(listed) ? listed : []
  return asked.every((one) => one === 'TEXT' || one === 'MODALITY_UNSPECIFIED') ? [] : ['responseModalities']
}

/** How hard to think, in OpenAI's words. */
interface Effort {
  readonly effort?: string
  /** Whoever never thinks does what is asked: that is nothing, or as it sees fit. */
  readonly isFulfilled?: boolean
  readonly lost?: true
}

/** How hard to think (https://ai.google.dev/gemini-api/docs/thinking). */
function effortOf(written: Json | undefined, { knownModel, isRelayed }: WordsGround): Effort {
  const { effort, isFulfilled = false } = wantedEffort(objectIn(written))
  if (effort === undefined || !isRelayed) return { ...(effort !== undefined && { effort }), isFulfilled }
  // Who always reasons comes no nearer to not reasoning.
  if (isReasoningModel(knownModel)) return { effort: effort === 'none' ? 'low' : effort }
  return isFulfilled ? {} : { lost: true }
}

function wantedEffort({ thinkingBudget: budget, thinkingLevel, includeThoughts }: JsonObject): Effort {
  const level = textOf(thinkingLevel)?.toLowerCase() ?? ''
  if (level !== '' && level !== 'thinking_level_unspecified') return { effort: level }
  if (budget === 0) return { effort: 'none', isFulfilled: true }
  if (budget === -1) return { effort: 'medium', isFulfilled: true }
  if (typeof budget !== 'number')
    return includeThoughts === true ? { effort: 'medium', isFulfilled: true } : {}
  const bounded = effortOfBudget(budget)
  return bounded === undefined ? {} : { effort: bounded }
}

/** https://ai.google.dev/gemini-api/docs/structured-output */
function formatOf({ responseMimeType: type, responseSchema, responseJsonSchema }: JsonObject): {
  readonly format: JsonObject | undefined
  readonly lost: readonly string[]
} {
  // One of some words, bare of any JSON.
  if (
    type !== undefined &&
    type !== null &&
    type !== '' &&
    type !== 'application/json' &&
    type !== 'text/plain'
  )
    return { format: undefined, lost: ['responseMimeType'] }
  const schema = isJsonObject(responseJsonSchema)
    ? responseJsonSchema
    : isJsonObject(responseSchema)
      ? jsonSchemaOf(responseSchema)
      : undefined
  if (schema === undefined)
    return { format: type === 'application/json' ? { type: 'json_object' } : undefined, lost: [] }
  const strict = isStrict(schema) ? true : undefined
  return {
    format: { type: 'json_schema', json_schema: present({ name: 'output', schema, strict }) },
    lost: [],
  }
}
