import type { Codec } from '../adapter.ts'
import { toMistralCompletion } from '../mistral/completion.ts'
import { completionCodec } from '../openai/completion.ts'
import { postJson } from '../post-json.ts'
import { rawMethod, VERTEX } from './address.ts'
import { vertexModel } from './model-name.ts'

/** Answered with a message. */
const MESSAGES = completionCodec({
  url: (target) => VERTEX.url(target, 'rawPredict'),
  completionAnswer: 'message',
})

/**
 * Codestral fills in the middle at the very address where it chats, and a `prompt` in place of messages says which is meant
 * (the hook of Mistral's client for Google Cloud, https://github.com/mistralai/client-python;
 * https://docs.litellm.ai/docs/providers/vertex_partner; read 2026-11-27). No other model there completes a text.
 */
export const vertexCompletion: Codec<'completion'> = {
  ...MESSAGES,
  servedModels: 'Codestral',
  serves: ({ model }) => {
    const { words, name } = vertexModel(model)
    // What a wildcard stands for is not known before somebody asks.
    if (model.includes('*')) return true
    return words === 'mistral' && name.startsWith('codestral')
  },
  encode: (request, target) => {
    const { name: model } = vertexModel(target.model)
    const { said, dropped } = toMistralCompletion(request, { ...target, model })
    return { ...postJson(VERTEX.url(target, rawMethod(request)), said), dropped }
  },
}
