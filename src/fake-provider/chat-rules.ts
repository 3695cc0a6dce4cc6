import type { Json, JsonObject } from '../core/json.ts'
import { isJsonObject } from '../core/json.ts'
import { wantsStream } from './call.ts'
import type { Call } from './call.ts'
import { azureError, jsonReply, openaiError } from './reply.ts'
import type { Reply } from './reply.ts'
import { budgetRenamed, temperatureRefused } from './reasoning-words.ts'
import type { Rule } from './rule.ts'

const chat = (
  name: string,
  source: string,
  habit: Pick<Rule, 'refuse' | 'alter' | 'dress'>,
  model = 'openai/gpt-4o',
): Rule => ({
  name,
  source,
  mode: 'chat',
  model,
  ...habit,
})

/** Chat providers' habits in what they accept and what they answer. How they write it: see mode-rules.ts. */
export const CHAT_RULES: readonly Rule[] = [
  // Budgets and names of fields.
  chat('minimum-16', 'OpenAI: output budgets below 16 are refused', {
    refuse: (call) => belowMinimum(call, 16),
  }),
  chat('minimum-64', 'vendors with a higher floor, in the same words', {
    refuse: (call) => belowMinimum(call, 64),
  }),
  chat(
    'renamed-budget',
    'OpenAI reasoning guide: max_tokens is refused in favour of max_completion_tokens',
    { refuse: (call) => (has(call, 'max_tokens') ? budgetRenamed() : undefined) },
    'openai/my-reasoner',
  ),
  chat(
    'old-budget-name',
    'Mistral and older vLLM: max_completion_tokens is an extra field (422)',
    {
      refuse: (call) =>
        has(call, 'max_completion_tokens') ? extraField('max_completion_tokens') : undefined,
    },
    'openai/gpt-5-nano',
  ),
  chat('no-temperature', 'OpenAI reasoning guide: only the default temperature', {
    refuse: (call) => (has(call, 'temperature') ? temperatureRefused() : undefined),
  }),
  chat('strict-fields', 'Mistral API reference: the chat body is additionalProperties false (422)', {
    refuse: (call) => {
      const unknown = Object.keys(call.json ?? {}).find((name) => !MISTRAL_FIELDS.has(name))
      return unknown === undefined ? undefined : extraField(unknown)
    },
  }),
  chat('limit-reached', 'OpenAI reasoning models, 2025 and later: a spent budget as a 400', {
    refuse: () =>
      openaiError(400, {
        message:
          'Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.',
      }),
  }),
  chat('stream-only', 'DashScope, QwQ and open-source Qwen3: stream=true is required', {
    refuse: (call) =>
      wantsStream(call)
        ? undefined
        : openaiError(400, {
            message:
              'This model only support stream mode, please enable the stream parameter to access the model. ',
            code: 'invalid_parameter_error',
          }),
  }),
  chat(
    'sound-only',
    'OpenAI audio models: a text that asks for text is refused',
    {
      refuse: () =>
        openaiError(400, {
          message: 'This model requires that either input content or output modality contain audio.',
          param: 'model',
          code: 'invalid_value',
        }),
    },
    'openai/gpt-4o-audio-preview',
  ),
  chat(
    'prompt-filtered',
    'Azure content filtering: the prompt is refused with innererror',
    { refuse: () => azureFiltered() },
    'azure/gpt-4o',
  ),
  chat('context-window', 'OpenAI error codes: a prompt beyond the context window is refused', {
    refuse: (call) => (promptOf(call).length > WINDOW_CHARS ? contextExceeded() : undefined),
  }),
  chat(
    'screened-prompts',
    'Azure content filtering: only a prompt that offends is refused',
    { refuse: (call) => (promptOf(call).includes(OFFENCE) ? azureFiltered() : undefined) },
    'azure/gpt-4o',
  ),
  chat('banned-words', 'OpenAI moderation of prompts: content_policy_violation', {
    refuse: (call) => (promptOf(call).includes(OFFENCE) ? policyViolated() : undefined),
  }),
  // Answers that look empty.
  chat('reasoning-eats-budget', 'OpenAI reasoning guide: the budget went into reasoning, content is ""', {
    alter: (json) => ({
      ...choice(json, { role: 'assistant', content: '' }, 'length'),
      usage: REASONING_USAGE,
    }),
  }),
  chat('reasoning-null', 'vLLM reasoning parsers: the same with content null', {
    alter: (json) => ({
      ...choice(json, { role: 'assistant', content: null }, 'length'),
      usage: REASONING_USAGE,
    }),
  }),
  chat('no-content-on-length', "Gemini's OpenAI surface: a spent budget leaves a message without content", {
    alter: (json) => choice(json, { role: 'assistant' }, 'length'),
  }),
  chat('reasoning-content', 'DeepSeek reasoner: null content beside reasoning_content', {
    alter: (json) =>
      choice(json, { role: 'assistant', content: null, reasoning_content: 'The user says ping' }, 'stop'),
  }),
  chat(
    'filtered-answer',
    'Azure content filtering: finish_reason content_filter, no content',
    { alter: (json) => choice(json, { role: 'assistant' }, 'content_filter') },
    'azure/gpt-4o',
  ),
  chat('refusal', 'OpenAI structured outputs guide: a refusal stands in place of content', {
    alter: (json) =>
      choice(json, { role: 'assistant', content: null, refusal: "I can't help with that." }, 'stop'),
  }),
  chat('tool-call', 'OpenAI function calling guide: null content beside tool_calls', {
    alter: (json) =>
      choice(json, { role: 'assistant', content: null, tool_calls: [TOOL_CALL] }, 'tool_calls'),
  }),
  chat('content-parts', 'Mistral reasoning models: content is an array of parts', {
    alter: (json) => choice(json, { role: 'assistant', content: CONTENT_PARTS }, 'stop'),
  }),
  // Answers with less, more or other fields.
  chat('no-usage', 'self-hosted servers: usage is optional in the API description', {
    alter: (json) => Object.fromEntries(Object.entries(json).filter(([name]) => name !== 'usage')),
  }),
  chat('bare-choices', 'small gateways: nothing but choices', {
    alter: (json) => ({ choices: json['choices'] }),
  }),
  chat('null-fields', 'vLLM: every unused field is there and null', {
    alter: (json) => ({
      ...json,
      usage: null,
      system_fingerprint: null,
      service_tier: null,
      prompt_logprobs: null,
    }),
  }),
  chat('extra-fields', 'Groq: x_groq and usage timings', {
    alter: (json) => ({ ...json, x_groq: { id: 'req_1' }, usage_breakdown: null, service_tier: 'on_demand' }),
  }),
  chat(
    'filter-results',
    'Azure: prompt_filter_results and content_filter_results on every answer',
    {
      alter: (json) => ({
        ...json,
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
      }),
    },
    'azure/gpt-4o',
  ),
  chat('dated-model', 'OpenAI: an alias answers as its dated snapshot', {
    alter: (json, call) => ({ ...json, model: `${call.model}-2024-08-06` }),
  }),
  chat('foreign-finish-reason', 'Together: finish_reason eos', {
    alter: (json) => choice(json, { role: 'assistant', content: 'pong' }, 'eos'),
  }),
]

/** Where `rule-context-window` ends, and what the rules that screen prompts look for. */
const WINDOW_CHARS = 4000
const OFFENCE = 'offence'

const REASONING_USAGE = {
  prompt_tokens: 5,
  completion_tokens: 16,
  total_tokens: 21,
  completion_tokens_details: { reasoning_tokens: 16 },
} as const

const TOOL_CALL = { id: 'call_1', type: 'function', function: { name: 'ping', arguments: '{}' } } as const

const CONTENT_PARTS = [
  { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
  { type: 'text', text: 'pong' },
] as const

/** Mistral API reference, chat completion request. */
const MISTRAL_FIELDS = new Set([
  'model',
  'messages',
  'temperature',
  'top_p',
  'max_tokens',
  'stream',
  'stop',
  'random_seed',
  'response_format',
  'tools',
  'tool_choice',
  'presence_penalty',
  'frequency_penalty',
  'n',
  'prediction',
  'parallel_tool_calls',
  'prompt_mode',
  'reasoning_effort',
  'safe_prompt',
  'metadata',
  'guardrails',
  'prompt_cache_key',
])

function has(call: Call, field: string): boolean {
  const value = call.json?.[field]
  return value !== undefined && value !== null
}

function belowMinimum(call: Call, least: number): Reply | undefined {
  for (const name of ['max_tokens', 'max_completion_tokens']) {
    const value = call.json?.[name]
    if (typeof value !== 'number' || value >= least) continue
    const message = `Invalid '${name}': integer below minimum value. Expected a value >= ${least}, but got ${value} instead.`
    return openaiError(400, { message, param: name, code: 'integer_below_min_value' })
  }
  return undefined
}

/** Mistral's validation error: pydantic's words in its own envelope. */
function extraField(name: string): Reply {
  const detail = [
    { type: 'extra_forbidden', loc: ['body', name], msg: 'Extra inputs are not permitted', input: null },
  ]
  return jsonReply(422, {
    object: 'error',
    message: { detail },
    type: 'invalid_request_error',
    param: null,
    code: null,
  })
}

function promptOf(call: Call): string {
  return JSON.stringify(call.json?.['messages'] ?? '')
}

function contextExceeded(): Reply {
  return openaiError(400, {
    message:
      "This model's maximum context length is 1000 tokens. However, your messages resulted in 2000 tokens. Please reduce the length of the messages.",
    param: 'messages',
    code: 'context_length_exceeded',
  })
}

function policyViolated(): Reply {
  return openaiError(400, {
    message: 'Your request was rejected as a result of our safety system.',
    code: 'content_policy_violation',
  })
}

function azureFiltered(): Reply {
  const message =
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry."
  const innererror = {
    code: 'ResponsibleAIPolicyViolation',
    content_filter_result: { hate: { filtered: true, severity: 'high' } },
  }
  return azureError(400, 'content_filter', message, { type: null, param: 'prompt', status: 400, innererror })
}

/** The answer with its one choice replaced. */
function choice(json: JsonObject, message: JsonObject, finish: Json): JsonObject {
  const choices = json['choices']
  const first = Array.isArray(choices) && isJsonObject(choices[0]) ? choices[0] : {}
  return { ...json, choices: [{ ...first, message, finish_reason: finish }] }
}
