import * as z from 'zod'
import { closest } from '../core/closest.ts'
import { infoShape, paramShape } from './schema-deployment.ts'
import { looksSecret } from './secrets.ts'
import { factsOf, type SettingFacts } from './schema-types.ts'

/** The settings of one block, ready to be looked up. */
export type Block = ReadonlyMap<string, KnownKey>

/** One known setting. */
export interface KnownKey extends SettingFacts {
  /** Takes a value that is not null. */
  readonly type: z.ZodType
  /** Where it takes a block of our own: the keys of that. */
  readonly members: readonly string[]
}

/** Turns a shape into a block. */
export function blockOf(shape: Readonly<Record<string, z.ZodType>>): Block {
  return new Map(
    Object.entries(shape).map(([name, setting]) => {
      const facts = factsOf(setting) ?? { description: '', acted: true, secret: false }
      const type = withoutNull(setting)
      return [name, { ...facts, type, members: membersOf(type) }]
    }),
  )
}

function membersOf(type: unknown): readonly string[] {
  if (type instanceof z.ZodUnion) return type.options.flatMap(membersOf)
  return type instanceof z.ZodObject ? Object.keys(type.shape) : []
}

function withoutNull(setting: z.ZodType): z.ZodType {
  let type: unknown = setting
  while (type instanceof z.ZodOptional || type instanceof z.ZodNullable) type = type.unwrap()
  return type instanceof z.ZodType ? type : setting
}

/** `litellm_params`. */
export const PARAMS: Block = blockOf(paramShape)

/** `model_info`. */
export const INFO: Block = blockOf(infoShape)

/** Families of connection fields and prices: never part of a body, whatever their ending. */
const NEVER_SENT =
  /^(?:aws|vertex|azure|watsonx|databricks|sagemaker|oci|s3|gcs|litellm|mock)_|(?:^|_)cost(?:_|$)|^no-log$|^custom_/

/** Request parameters that people set per deployment: sent, and not reported. */
const REQUEST_PARAMS: ReadonlySet<string> = new Set(
  `temperature top_p top_k min_p top_a n stream stream_options stop max_tokens max_completion_tokens
  max_output_tokens presence_penalty frequency_penalty repetition_penalty logit_bias logprobs top_logprobs user
  seed response_format tools tool_choice parallel_tool_calls functions function_call modalities audio prediction
  reasoning reasoning_effort include_reasoning verbosity service_tier store web_search_options thinking
  enable_thinking thinking_budget guided_json guided_regex guided_choice guided_grammar chat_template_kwargs
  extra_query dimensions encoding_format input_type truncate truncation voice speed size quality style
  instructions language prompt background moderation output_format output_compression partial_images image_size
  aspect_ratio num_ctx num_predict num_gpu keep_alive think options safety_settings top_n return_documents
  max_chunks_per_doc transforms route provider models anthropic_version anthropic_beta best_of use_beam_search
  ignore_eos skip_special_tokens add_generation_prompt documents user_location disable_reasoning`.split(
    /\s+/,
  ),
)

/** What a key of litellm_params is to us. */
export type ParamKind =
  /** Has a meaning of its own; not part of a body. `acted`: something follows from it. */
  | { readonly kind: 'known'; readonly acted: boolean }
  /** A request parameter that is often set here. */
  | { readonly kind: 'request' }
  /** Belongs into model_info; not sent. */
  | { readonly kind: 'misplaced' }
  /** A misspelt connection field; not sent. */
  | { readonly kind: 'near_miss'; readonly meant: string }
  /** Unknown to us: sent, as LiteLLM does, and reported. */
  | { readonly kind: 'unknown' }

/** Sorts the keys of litellm_params. */
export function paramKind(name: string): ParamKind {
  const known = PARAMS.get(name)
  if (known !== undefined) return { kind: 'known', acted: known.acted }
  if (REQUEST_PARAMS.has(name)) return { kind: 'request' }
  if (name === 'model_info' || INFO.has(name)) return { kind: 'misplaced' }
  const meant = name.length < 6 ? undefined : closest(name, CONNECTION_KEYS)
  if (meant !== undefined) return { kind: 'near_miss', meant }
  return NEVER_SENT.test(name) ? { kind: 'known', acted: false } : { kind: 'unknown' }
}

/** Of a provider's setting in litellm_params: must its value be hidden? */
export function isSecretSetting(name: string): boolean {
  return PARAMS.get(name)?.secret ?? looksSecret(name)
}

/** The fields whose misspelling would lead a request astray or put a secret into its body. */
const CONNECTION_KEYS: readonly string[] = [...PARAMS.keys()].filter((name) =>
  /^(?:api_base|api_key|api_version|organization|timeout|(?:aws|vertex|azure)_.*)$/.test(name),
)
