import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { numberOf, textOf } from '../../answer.ts'

/**
 * `usageMetadata` of a Live session (https://ai.google.dev/api/live#UsageMetadata) as the usage of a response of
 * OpenAI's: thoughts are what is written too. Null where there is none.
 */
export function liveUsage(value: Json | undefined): JsonObject | null {
  if (!isJsonObject(value)) return null
  const count = (name: string): number => numberOf(value[name]) ?? 0
  const read = count('promptTokenCount') + count('toolUsePromptTokenCount')
  const written = count('responseTokenCount') + count('thoughtsTokenCount')
  const { text_tokens, audio_tokens } = byKind(value['responseTokensDetails'])
  return {
    total_tokens: numberOf(value['totalTokenCount']) ?? read + written,
    input_tokens: read,
    output_tokens: written,
    input_token_details: {
      ...byKind(value['promptTokensDetails'], value['toolUsePromptTokensDetails']),
      cached_tokens: count('cachedContentTokenCount'),
      cached_tokens_details: { ...byKind(value['cacheTokensDetails']) },
    },
    output_token_details: { text_tokens: text_tokens + count('thoughtsTokenCount'), audio_tokens },
  }
}

interface Kinds {
  readonly text_tokens: number
  readonly audio_tokens: number
  readonly image_tokens: number
}

/** `[{modality: 'AUDIO', tokenCount: 5}]`; frames of a video are pictures. */
function byKind(...lists: readonly (Json | undefined)[]): Kinds {
  const counts = { text_tokens: 0, audio_tokens: 0, image_tokens: 0 }
  for (const one of lists.flatMap((list): readonly Json[] => (Array.isArray(list) ? list : []))) {
    const kind = isJsonObject(one) ? textOf(one['modality']) : undefined
    const count = isJsonObject(one) ? (numberOf(one['tokenCount']) ?? 0) : 0
    if (kind === 'AUDIO') counts.audio_tokens += count
    else if (kind === 'IMAGE' || kind === 'VIDEO') counts.image_tokens += count
    else counts.text_tokens += count
  }
  return counts
}
