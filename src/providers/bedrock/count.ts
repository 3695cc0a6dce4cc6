import type { TokenCount } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { picked } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { toConverse } from './converse-request.ts'
import { invokedId, modelName, modelUrl } from './model-id.ts'

/** What `CountTokens` takes of a Converse request (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseTokensRequest.html). */
const FIELDS = ['messages', 'system', 'toolConfig', 'additionalModelRequestFields'] as const

/**
 * Counts for claudes alone, by the name of the model itself and not of a profile
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html).
 */
export const bedrockCount: TokenCount = {
  encode: (request, target) => {
    const name = modelName(invokedId(target.model) ?? target.model)
    if (!name.startsWith('anthropic.')) return undefined
    const { body } = toConverse(request, target, name)
    return postJson(modelUrl(target.base, name, 'count-tokens'), {
      input: { converse: picked(body, FIELDS) },
    })
  },
  decode: ({ inputTokens }) => numberOf(inputTokens),
}
