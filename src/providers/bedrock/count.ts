import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { Target, TokenCount } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { countable } from '../anthropic/cloud-surface.ts'
import { picked } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { toConverse } from './converse-request.ts'
import { CLAUDE_VERSION } from './invoke.ts'
import { invokedId, modelName, modelUrl } from './model-id.ts'

/** What `CountTokens` takes of a Converse request (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseTokensRequest.html). */
const FIELDS = ['messages', 'system', 'toolConfig', 'additionalModelRequestFields'] as const

/** No request is whole without a bound for its answer, which is not counted. */
const ANSWER_TOKENS = 1_024

/**
 * Counts for claudes alone, by the name of the model itself and not of a profile
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/count-tokens.html).
 */
export const bedrockCount: TokenCount = {
  encode: (request, target) => {
    const name = countedName(target)
    if (name === undefined) return undefined
    const { body } = toConverse(request, target, name)
    return counter(target, name, { converse: picked(body, FIELDS) })
  },
  encodeMessages: (request, target) => {
    const name = target.claude === false ? undefined : countedName(target)
    const counted = name === undefined ? undefined : countable(target, name, request)
    if (name === undefined || counted === undefined) return undefined
    const { thinking } = counted
    const budget = isJsonObject(thinking) ? numberOf(thinking['budget_tokens']) : undefined
    const body = { anthropic_version: CLAUDE_VERSION, max_tokens: (budget ?? 0) + ANSWER_TOKENS, ...counted }
    return counter(target, name, {
      invokeModel: { body: Buffer.from(JSON.stringify(body)).toString('base64') },
    })
  },
  decode: ({ inputTokens }) => numberOf(inputTokens),
}

function countedName({ model }: Target): string | undefined {
  const name = modelName(invokedId(model) ?? model)
  return name.startsWith('anthropic.') ? name : undefined
}

function counter(target: Target, name: string, input: JsonObject): WireRequest {
  return postJson(modelUrl(target.base, name, 'count-tokens'), { input })
}
