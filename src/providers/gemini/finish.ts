import { GatewayError } from '../../core/failure.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { numberOf, textOf } from '../answer.ts'

/** Why Gemini stops for the sake of what was said (https://ai.google.dev/api/generate-content#FinishReason). */
const FILTERED = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'ESCALATION',
  'PUP_LIMITED_DISABLED',
  'MODEL_ARMOR',
])

/** Ends that are neither the model's own nor the filter's: something went wrong there. */
const FAILED = new Set([
  'MALFORMED_FUNCTION_CALL',
  'MALFORMED_RESPONSE',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'OTHER',
  'NO_IMAGE',
  'IMAGE_OTHER',
])

/** What a candidate has said by its end. */
export interface Said {
  readonly hasCalls: boolean
  readonly isSilent: boolean
}

/**
 * Why a candidate ended, in OpenAI's words; null where it does not say.
 * @throws GatewayError server_error where it failed and said nothing, empty where it ended well and said nothing
 */
export function finishReason(candidate: JsonObject, said: Said): string | null {
  const reason = textOf(candidate['finishReason'])
  if (reason === undefined || reason === 'FINISH_REASON_UNSPECIFIED') return null
  if (reason === 'MAX_TOKENS' || reason === 'CONTINUATION') return 'length'
  if (FILTERED.has(reason)) return 'content_filter'
  if (said.isSilent && FAILED.has(reason)) {
    const words = textOf(candidate['finishMessage'])
    throw new GatewayError(
      'server_error',
      `the answer ended with ${reason}${words === undefined ? '' : `: ${words}`}`,
    )
  }
  if (said.isSilent && reason === 'STOP')
    throw new GatewayError('empty', 'the answer ended with STOP and says nothing')
  return said.hasCalls ? 'tool_calls' : 'stop'
}

/** A prompt that was not let through: there are no candidates then (https://ai.google.dev/api/generate-content#PromptFeedback). */
export function blockedPrompt(body: JsonObject): GatewayError | undefined {
  const feedback = body['promptFeedback']
  const reason = isJsonObject(feedback) ? textOf(feedback['blockReason']) : undefined
  if (!isJsonObject(feedback) || reason === undefined || reason === 'BLOCK_REASON_UNSPECIFIED')
    return undefined
  const words = textOf(feedback['blockReasonMessage'])
  return new GatewayError(
    'content_policy',
    `the prompt was blocked (${reason})${words === undefined ? '' : `: ${words}`}`,
    { upstreamStatus: 400 },
  )
}

/** `usageMetadata` (https://ai.google.dev/api/generate-content#UsageMetadata) as OpenAI's: thoughts are what is written too. */
export function usageOf(value: Json | undefined): { readonly usage?: JsonObject } {
  if (!isJsonObject(value)) return {}
  const count = (key: string): number => numberOf(value[key]) ?? 0
  const read = count('promptTokenCount') + count('toolUsePromptTokenCount')
  const written = count('candidatesTokenCount') + count('thoughtsTokenCount')
  const thoughts = numberOf(value['thoughtsTokenCount'])
  const cached = numberOf(value['cachedContentTokenCount'])
  const prompt = {
    ...(cached !== undefined && { cached_tokens: cached }),
    ...byKind(value['promptTokensDetails']),
  }
  const completion = {
    ...(thoughts !== undefined && { reasoning_tokens: thoughts }),
    ...byKind(value['candidatesTokensDetails']),
  }
  return {
    usage: {
      prompt_tokens: read,
      completion_tokens: written,
      total_tokens: numberOf(value['totalTokenCount']) ?? read + written,
      ...(Object.keys(prompt).length > 0 && { prompt_tokens_details: prompt }),
      ...(Object.keys(completion).length > 0 && { completion_tokens_details: completion }),
    },
  }
}

/** `[{modality: 'TEXT', tokenCount: 5}]` → `{text_tokens: 5}`. */
function byKind(details: Json | undefined): JsonObject {
  if (!Array.isArray(details)) return {}
  const counts: Record<string, number> = {}
  for (const one of details) {
    const kind = isJsonObject(one) ? textOf(one['modality']) : undefined
    const count = isJsonObject(one) ? numberOf(one['tokenCount']) : undefined
    if (kind === undefined || count === undefined) continue
    const name = `${kind.toLowerCase()}_tokens`
    counts[name] = (counts[name] ?? 0) + count
  }
  return counts
}

/** `logprobsResult` as OpenAI's `logprobs`; null where none were asked for. */
export function logprobsOf(value: Json | undefined): JsonObject | null {
  const chosen = isJsonObject(value) ? value['chosenCandidates'] : undefined
  if (!isJsonObject(value) || !Array.isArray(chosen)) return null
  const listed: readonly Json[] = chosen
  const top: readonly Json[] = Array.isArray(value['topCandidates']) ? value['topCandidates'] : []
  return {
    content: listed.map((one, at) => token(one, candidatesIn(top[at]))),
    refusal: null,
  }
}

function candidatesIn(beside: Json | undefined): readonly JsonObject[] {
  const others = isJsonObject(beside) ? beside['candidates'] : undefined
  return Array.isArray(others) ? others.map((one: Json) => token(one)) : []
}

function token(one: Json, others?: readonly JsonObject[]): JsonObject {
  const text = isJsonObject(one) ? (textOf(one['token']) ?? '') : ''
  const logprob = isJsonObject(one) ? (numberOf(one['logProbability']) ?? 0) : 0
  return {
    token: text,
    logprob,
    bytes: [...Buffer.from(text)],
    ...(others !== undefined && { top_logprobs: others }),
  }
}
