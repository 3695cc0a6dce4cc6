import type { Deployment } from '../core/deployment.ts'
import { isJsonObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { ChatMessage, HttpMode, Mode, Operations } from '../core/mode.ts'
import { isReasoningModel } from '../providers/catalogue.ts'
import { goldenTimes } from './golden.ts'
import type { Question } from './golden.ts'
import { BUDGETS, BUDGET_FIELDS } from './ladder.ts'
import type { BudgetField, Learned, Sent } from './ladder.ts'
import type { HealthSettings } from './settings.ts'
import { speechWav } from './speech-wav.ts'

/** The cheapest honest request of a mode. A realtime probe is a dialled session: nothing to say. */
export type Probe =
  | { [M in HttpMode]: { readonly mode: M; readonly request: Operations[M]['request'] } }[HttpMode]
  | { readonly mode: 'realtime' }

/** A probe, and what a refusal of it may be about. */
export interface PlannedProbe {
  readonly probe: Probe
  readonly sent: Sent
  /** Defaults of the deployment that must not join this probe's body. */
  readonly withoutDefaults: readonly string[]
}

/** What a probe is made from besides the deployment. */
export interface ProbeInputs {
  readonly mode: Mode
  /** The model behind the deployment, as far as the config tells: it decides how a budget is named. */
  readonly knownModel: string
  readonly isWildcard: boolean
  readonly learned: Learned
  readonly settings: Pick<HealthSettings, 'prompt' | 'maxTokens' | 'maxTokensReasoning'>
  /** What is asked in place of the usual, in words. */
  readonly question?: Question
}

/** Neutral, harmless, short: the same for every chat probe, so that providers may cache it. */
const CHAT_PROMPT = 'Say hello.'
const RERANK_DOCUMENTS = ['my sample text']
const DEFAULT_VOICE = 'alloy'

/** Never taken from `health_check_params`: what the connection and the other knobs decide. */
const NOT_FROM_PARAMS = [
  'model',
  'mode',
  'stream',
  'stream_options',
  'timeout',
  'api_key',
  'api_base',
  'base_url',
  'api_version',
  'organization',
  'custom_llm_provider',
  'extra_headers',
  'headers',
]

/** Never taken from the deployment's defaults: they would make the probe dear, streamed or contradictory. */
const NEVER_DEFAULTED = ['stream', 'stream_options', ...BUDGET_FIELDS]

/**
 * Nor these of a chat: our prompt and budget do not go with them. OpenAI refuses `json_object` where no message
 * says "json", Anthropic a thinking budget above `max_tokens`; tools, searches and many answers cost money.
 */
const SHAPES_OF_CHAT = [
  'response_format',
  'thinking',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'web_search_options',
  'n',
  'best_of',
]

/**
 * The probe of a deployment. Its body: the mode's minimum, then `health_check_params`, then the knobs.
 * Pure; the same inputs give the same probe.
 */
export function planProbe(deployment: Deployment, inputs: ProbeInputs): PlannedProbe {
  const isReasoning = isReasoningModel(inputs.knownModel)
  const extras = optionalFields(deployment, inputs, isReasoning)
  const sentBudget = BUDGET_FIELDS.find((field) => typeof extras[field] === 'number')
  const budget = sentBudget === undefined ? undefined : extras[sentBudget]
  const withoutDefaults = [
    ...NEVER_DEFAULTED,
    ...(isWords(inputs.mode) ? SHAPES_OF_CHAT : []),
    ...(isReasoning ? ['temperature'] : []),
    ...inputs.learned.dropped,
  ]
  const fromDefaults = Object.keys(deployment.bodyDefaults).filter(
    (field) => !withoutDefaults.includes(field),
  )
  const isBudget = (field: string) => BUDGET_FIELDS.some((name) => name === field)
  const fromExtras = Object.keys(extras).filter((field) => !isBudget(field))
  return {
    probe: probeOf(inputs, extras),
    sent: {
      ...(sentBudget === undefined ? {} : { budgetField: sentBudget }),
      ...(typeof budget === 'number' ? { budget } : {}),
      optional: [
        ...new Set([
          ...fromExtras,
          ...(inputs.mode === 'audio_transcription' ? ['response_format'] : []),
          ...fromDefaults,
        ]),
      ],
    },
    withoutDefaults,
  }
}

function probeOf(inputs: ProbeInputs, extras: JsonObject): Probe {
  const { mode, settings, learned, question } = inputs
  switch (mode) {
    case 'chat':
      return { mode, request: { ...extras, messages: messagesOf(extras['messages'], question) } }
    case 'completion':
      return {
        mode,
        request: { ...extras, prompt: question?.prompt ?? text(extras['prompt'], settings.prompt) },
      }
    case 'embedding':
      return { mode, request: { ...extras, input: texts(extras['input'], [settings.prompt]) } }
    case 'image_generation':
      return { mode, request: { ...extras, prompt: text(extras['prompt'], settings.prompt) } }
    case 'audio_transcription':
      return { mode, request: transcription(extras, learned) }
    case 'audio_speech':
      return { mode, request: { ...extras, ...speech(extras, settings.prompt) } }
    case 'rerank':
      return { mode, request: { ...extras, ...rerank(extras, settings.prompt) } }
    case 'batch':
      return { mode, request: { limit: 1 } }
    case 'realtime':
      return { mode }
  }
}

function speech(extras: JsonObject, prompt: string): { readonly input: string; readonly voice: string } {
  return { input: text(extras['input'], prompt), voice: text(extras['voice'], DEFAULT_VOICE) }
}

function rerank(
  extras: JsonObject,
  prompt: string,
): { readonly query: string; readonly documents: readonly string[] } {
  return { query: text(extras['query'], prompt), documents: texts(extras['documents'], RERANK_DOCUMENTS) }
}

function transcription(extras: JsonObject, learned: Learned): Operations['audio_transcription']['request'] {
  const fields: Record<string, string> = learned.dropped.includes('response_format')
    ? {}
    : { response_format: 'json' }
  for (const [name, value] of Object.entries(extras)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      fields[name] = String(value)
  }
  return { file: { name: 'speech.wav', contentType: 'audio/wav', bytes: speechWav() }, fields }
}

/** The modes whose answer is words that are paid for one by one. */
function isWords(mode: Mode): boolean {
  return mode === 'chat' || mode === 'completion'
}

/** Everything in the body besides the mode's minimum. */
function optionalFields(deployment: Deployment, inputs: ProbeInputs, isReasoning: boolean): JsonObject {
  const { probe } = deployment
  const { learned, mode } = inputs
  const left = new Set<string>([...NOT_FROM_PARAMS, ...BUDGET_FIELDS, ...learned.dropped])
  const fields: Record<string, Json | undefined> = { ...learned.added }
  for (const [name, value] of Object.entries(probe.params)) if (!left.has(name)) fields[name] = value
  const mayReason = isWords(mode) && !learned.dropped.includes('reasoning_effort')
  if (probe.reasoningEffort !== undefined && mayReason) fields['reasoning_effort'] = probe.reasoningEffort
  if (probe.voice !== undefined && mode === 'audio_speech') fields['voice'] = probe.voice
  const takesBudget = probe.supportsMaxTokens ?? isWords(mode)
  const field = budgetField(probe.params, inputs, isReasoning)
  if (takesBudget && field !== 'none') fields[field] = budgetOf(deployment, inputs, isReasoning)
  return fields
}

/** Reasoning models refuse `max_tokens` in a chat; `/completions` knows no other name. */
function budgetField(params: JsonObject, inputs: ProbeInputs, isReasoning: boolean): BudgetField | 'none' {
  if (inputs.learned.budgetField !== undefined) return inputs.learned.budgetField
  const written = BUDGET_FIELDS.find((field) => params[field] !== undefined)
  if (written !== undefined) return written
  return isReasoning && inputs.mode === 'chat' ? 'max_completion_tokens' : 'max_tokens'
}

/** First of: what a refusal taught, the deployment's knobs, its params, the environment, 16 tokens. */
function budgetOf(deployment: Deployment, inputs: ProbeInputs, isReasoning: boolean): number {
  const { probe } = deployment
  const { learned, settings, isWildcard, question } = inputs
  const ofKind = isReasoning ? probe.maxTokensReasoning : probe.maxTokensNonReasoning
  const fromParams = BUDGET_FIELDS.map((field) => probe.params[field]).find(
    (value) => typeof value === 'number',
  )
  const configured =
    probe.maxTokens ??
    (isWildcard ? undefined : ofKind) ??
    (typeof fromParams === 'number' ? fromParams : undefined) ??
    (isReasoning && !isWildcard ? settings.maxTokensReasoning : undefined) ??
    settings.maxTokens ??
    BUDGETS[0]
  const times = question === undefined ? 1 : goldenTimes(inputs.mode, inputs.knownModel)
  return Math.max(configured, learned.budget ?? 0) * times
}

function text(value: Json | undefined, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise
}

function texts(value: Json | undefined, otherwise: readonly string[]): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')
    ? value
    : otherwise
}

function messagesOf(value: Json | undefined, question: Question | undefined): readonly ChatMessage[] {
  if (question !== undefined) return [{ role: 'user', content: question.prompt }]
  return isMessages(value) ? value : [{ role: 'user', content: CHAT_PROMPT }]
}

function isMessages(value: unknown): value is readonly ChatMessage[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => isJsonObject(item) && typeof item['role'] === 'string')
  )
}
