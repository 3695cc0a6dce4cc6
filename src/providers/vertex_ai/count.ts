import type { ChatRequest } from '../../core/mode.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Target, TokenCount } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { picked } from '../body-defaults.ts'
import { countable } from '../anthropic/cloud-surface.ts'
import { toMessagesBody } from '../anthropic/messages-body.ts'
import { COUNTED } from '../anthropic/surface-defaults.ts'
import { toGeminiChat } from '../gemini/chat-request.ts'
import { postJson } from '../post-json.ts'
import { CLAUDE_VERSION, VERTEX, vertexUrl } from './address.ts'
import { vertexModel } from './model-name.ts'

/** What `countTokens` takes of a request (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens). */
const GOOGLE_FIELDS = ['contents', 'systemInstruction', 'tools', 'generationConfig'] as const

/** Google's models by `countTokens`; Claude by a model of its own that counts for all others; nobody counts for the rest. */
export const vertexCount: TokenCount = {
  encode: (request, target) => {
    const { words, name } = vertexModel(target.model)
    if (words === 'anthropic') return claudeCount(request, target, name)
    if (words !== 'google') return undefined
    const { body } = toGeminiChat(request, target, VERTEX)
    return postJson(VERTEX.url(target, 'countTokens'), picked(body, GOOGLE_FIELDS))
  },
  encodeMessages: (body, target) => {
    const { words, name } = vertexModel(target.model)
    const counted = words === 'anthropic' ? countable(target, name, body) : undefined
    return counted === undefined ? undefined : claudeCounter(target, name, counted)
  },
  decode: ({ totalTokens, input_tokens: tokens }) => numberOf(totalTokens) ?? numberOf(tokens),
}

function claudeCount(request: ChatRequest, target: Target, model: string): WireRequest {
  return claudeCounter(target, model, picked(toMessagesBody(request, target).body, COUNTED))
}

function claudeCounter(target: Target, model: string, counted: JsonObject): WireRequest {
  const url = vertexUrl(withoutModel(target), 'publishers/anthropic/models/count-tokens', 'rawPredict')
  return postJson(url, { anthropic_version: CLAUDE_VERSION, model, ...counted })
}

/** A base that names the model leads to no other. */
function withoutModel(target: Target): Target {
  return { ...target, base: target.base.replace(/\/publishers\/[^/]+\/models\/[^/]+$/, '') }
}
