import { RESPONSE_FIELDS } from './response-fields.ts'
import type { Operation } from './routes.ts'

/** JSON types as a field table names them. */
export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'

/** What a route's body must and may hold. Source: OpenAI's API description 2.3.0 and Cohere's API reference. */
export interface FieldTable {
  readonly required: readonly string[]
  /** True where the provider refuses fields that are not listed (`additionalProperties: false`). */
  readonly strict: boolean
  readonly types: Readonly<Record<string, readonly FieldType[]>>
  /** Smallest value of a number. */
  readonly minimum?: Readonly<Record<string, number>>
}

const TEXT = ['string'] as const
const WHOLE = ['integer'] as const
const NUMBER = ['integer', 'number'] as const
const FLAG = ['boolean'] as const
const LIST = ['array'] as const
const MAP = ['object'] as const
const TEXT_OR_LIST = ['string', 'array'] as const
const TEXT_OR_MAP = ['string', 'object'] as const

/** What chat and completion share. */
const SAMPLING = {
  model: TEXT,
  max_tokens: WHOLE,
  temperature: NUMBER,
  top_p: NUMBER,
  n: WHOLE,
  stream: FLAG,
  stream_options: MAP,
  stop: TEXT_OR_LIST,
  seed: WHOLE,
  user: TEXT,
  frequency_penalty: NUMBER,
  presence_penalty: NUMBER,
  logit_bias: MAP,
} as const

const RERANK: FieldTable = {
  required: ['query', 'documents'],
  strict: false,
  types: { model: TEXT, query: TEXT, documents: LIST, top_n: WHOLE },
  minimum: { top_n: 1 },
}

const COHERE_EMBED: FieldTable = {
  required: ['input_type'],
  strict: false,
  types: {
    model: TEXT,
    texts: LIST,
    images: LIST,
    inputs: LIST,
    input_type: TEXT,
    embedding_types: LIST,
    truncate: TEXT,
  },
}

/** The bodies by operation; operations without a JSON body have none. */
export const FIELDS: { readonly [O in Operation]?: FieldTable } = {
  chat: {
    required: ['model', 'messages'],
    strict: false,
    types: {
      ...SAMPLING,
      messages: LIST,
      max_completion_tokens: WHOLE,
      logprobs: FLAG,
      tools: LIST,
      tool_choice: TEXT_OR_MAP,
      response_format: MAP,
      reasoning_effort: TEXT,
    },
    minimum: { max_tokens: 1, max_completion_tokens: 1, n: 1, temperature: 0 },
  },
  completion: {
    required: ['model', 'prompt'],
    strict: false,
    types: { ...SAMPLING, prompt: TEXT_OR_LIST, best_of: WHOLE, echo: FLAG, suffix: TEXT, logprobs: WHOLE },
    minimum: { max_tokens: 0, n: 1, temperature: 0 },
  },
  embedding: {
    required: ['model', 'input'],
    strict: true,
    types: { model: TEXT, input: TEXT_OR_LIST, encoding_format: TEXT, dimensions: WHOLE, user: TEXT },
    minimum: { dimensions: 1 },
  },
  image: {
    required: ['prompt'],
    strict: true,
    types: {
      model: TEXT,
      prompt: TEXT,
      n: WHOLE,
      quality: TEXT,
      response_format: TEXT,
      output_format: TEXT,
      output_compression: WHOLE,
      stream: FLAG,
      partial_images: WHOLE,
      size: TEXT,
      moderation: TEXT,
      background: TEXT,
      style: TEXT,
      user: TEXT,
    },
    minimum: { n: 1 },
  },
  image_edit: {
    required: ['images', 'prompt'],
    strict: true,
    types: {
      model: TEXT,
      images: LIST,
      mask: MAP,
      prompt: TEXT,
      n: WHOLE,
      quality: TEXT,
      input_fidelity: TEXT,
      size: TEXT,
      user: TEXT,
      output_format: TEXT,
      output_compression: WHOLE,
      moderation: TEXT,
      background: TEXT,
      stream: FLAG,
      partial_images: WHOLE,
    },
    minimum: { n: 1 },
  },
  speech: {
    required: ['model', 'input', 'voice'],
    strict: true,
    types: {
      model: TEXT,
      input: TEXT,
      voice: TEXT_OR_MAP,
      instructions: TEXT,
      response_format: TEXT,
      speed: NUMBER,
      stream_format: TEXT,
    },
    minimum: { speed: 0.25 },
  },
  moderation: { required: ['input'], strict: true, types: { model: TEXT, input: TEXT_OR_LIST } },
  new_response: RESPONSE_FIELDS,
  new_batch: {
    required: ['input_file_id', 'endpoint', 'completion_window'],
    strict: true,
    types: {
      input_file_id: TEXT,
      endpoint: TEXT,
      completion_window: TEXT,
      metadata: MAP,
      output_expires_after: MAP,
    },
  },
  new_upload: {
    required: ['bytes', 'filename', 'mime_type', 'purpose'],
    strict: true,
    types: { bytes: WHOLE, filename: TEXT, mime_type: TEXT, purpose: TEXT, expires_after: MAP },
  },
  upload_completion: { required: ['part_ids'], strict: true, types: { part_ids: LIST, md5: TEXT } },
  rerank: RERANK,
  rerank_v2: {
    ...RERANK,
    required: ['model', 'query', 'documents'],
    strict: true,
    types: { ...RERANK.types, max_tokens_per_doc: WHOLE, priority: WHOLE },
  },
  cohere_chat_v1: {
    required: ['message'],
    strict: false,
    types: {
      model: TEXT,
      message: TEXT,
      chat_history: LIST,
      max_tokens: WHOLE,
      stream: FLAG,
      temperature: NUMBER,
    },
  },
  cohere_chat_v2: {
    required: ['model', 'messages'],
    strict: true,
    types: {
      model: TEXT,
      messages: LIST,
      tools: LIST,
      strict_tools: FLAG,
      tool_choice: TEXT,
      documents: LIST,
      citation_options: MAP,
      response_format: MAP,
      safety_mode: TEXT,
      max_tokens: WHOLE,
      stop_sequences: LIST,
      stream: FLAG,
      temperature: NUMBER,
      seed: WHOLE,
      frequency_penalty: NUMBER,
      presence_penalty: NUMBER,
      p: NUMBER,
      k: WHOLE,
      logprobs: FLAG,
      thinking: MAP,
      priority: WHOLE,
    },
  },
  cohere_embed_v1: COHERE_EMBED,
  cohere_embed_v2: {
    ...COHERE_EMBED,
    required: ['model', 'input_type'],
    strict: true,
    types: { ...COHERE_EMBED.types, max_tokens: WHOLE, output_dimension: WHOLE, priority: WHOLE },
  },
}

/** OpenAI's own speech models know these voices only; other providers' have their own. */
export const OPENAI_VOICES: readonly string[] = [
  'alloy',
  'ash',
  'ballad',
  'cedar',
  'coral',
  'echo',
  'fable',
  'marin',
  'nova',
  'onyx',
  'sage',
  'shimmer',
  'verse',
]

/** A well-known model asked on the wrong route of OpenAI: the provider refuses by what the model is. */
export interface WrongRoute {
  readonly operation: Operation
  readonly models: RegExp
  readonly status: number
  readonly message: string
  readonly param: string | null
}

/** Only names that are OpenAI's beyond doubt, so that no self-hosted model is refused for its name. */
export const WRONG_ROUTES: readonly WrongRoute[] = [
  {
    operation: 'chat',
    models:
      /^(text-embedding-|whisper-1$|tts-1|dall-e-|gpt-image-|omni-moderation|davinci-002|babbage-002|gpt-3\.5-turbo-instruct)/,
    status: 404,
    message:
      'This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?',
    param: 'model',
  },
  {
    operation: 'completion',
    models: /^(gpt-4|gpt-5|chatgpt-|o[134](-|$)|gpt-3\.5-turbo(-\d+)?$)/,
    status: 404,
    message:
      'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?',
    param: 'model',
  },
  {
    operation: 'embedding',
    models: /^(gpt-|chatgpt-|o[134](-|$)|whisper-1$|tts-1|dall-e-)/,
    status: 403,
    message: 'You are not allowed to generate embeddings from this model',
    param: null,
  },
  {
    operation: 'image',
    models: /^(gpt-[345]|chatgpt-(?!image)|o[134](-|$)|text-embedding-|whisper-1$|tts-1)/,
    status: 400,
    message: 'This model does not support image generation.',
    param: 'model',
  },
]

/** OpenAI's reasoning models: no max_tokens, and no temperature but 1. */
export const REASONING_MODELS = /^(o[134](-|$)|gpt-5(?!.*-chat))/
