import type { JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { jsonReply } from '../reply.ts'
import type { Reply } from '../reply.ts'
import { hasBearer } from './bearer.ts'
import { faultIn } from './closed-body.ts'
import type { ClosedBody } from './closed-body.ts'
import { compatibleNative } from './compatible.ts'
import type { Native } from './native.ts'
import { ranked, vectors } from './ranked.ts'

/** https://docs.nvidia.com/nim/nemo-retriever/text-reranking/2.3/using-reranking.html, read 2026-11-27. */
const RANKING: ClosedBody = {
  required: { model: ['text'], query: ['object'], passages: ['objects'] },
  optional: { truncate: ['text'] },
}
/** https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html, read 2026-11-27. */
const EMBEDDING: ClosedBody = {
  required: { model: ['text'], input: ['text', 'texts'], input_type: ['text'] },
  optional: {
    encoding_format: ['text'],
    truncate: ['text'],
    dimensions: ['whole'],
    embedding_type: ['text'],
    user: ['text'],
  },
}

/** A container's chat, images or transcripts, and the list that it shows to everybody. */
const chats = compatibleNative({
  id: 'nvidia_nim',
  source:
    'https://docs.nvidia.com/nim/large-language-models/latest/api-reference.html, https://docs.nvidia.com/nim/visual-genai/latest/api, https://docs.nvidia.com/nim/speech/26.07.0/reference/api-references/asr',
  base: 'https://integrate.api.nvidia.com/v1',
  serves: ['completion', 'image', 'transcription'],
  models: 'public',
})

/** NVIDIA NIM: OpenAI's chat, embeddings that must say what they are for, rankings of its own. */
export const nvidiaNim: Native = {
  id: 'nvidia_nim',
  answer: (call) => {
    const isRanking = /^\/v1\/(?:ranking|retrieval\/[\w-]+\/[\w-]+\/reranking)$/.test(call.path)
    if (!isRanking && call.path !== '/v1/embeddings') return chats.answer(call)
    if (call.method !== 'POST') return say(405, 'Method Not Allowed')
    if (!hasBearer(call)) return say(401, 'Unauthorized')
    const { json = {} } = call
    const fault = faultIn(call.json, isRanking ? RANKING : EMBEDDING)
    if (fault !== undefined) return say(422, `${fault.name}: ${fault.kind}`)
    if (!isRanking) return jsonReply(200, embeddingsOf(json))
    return isJsonObject(json['query']) && typeof json['query']['text'] === 'string'
      ? jsonReply(200, rankingOf(json))
      : say(422, 'query.text: Field required')
  },
  error: (status, message, headers) => jsonReply(status, { detail: message }, headers),
}

function rankingOf({ passages }: JsonObject): JsonObject {
  const rankings = ranked(passages, undefined).map(({ index, score }) => ({ index, logit: score * 10 - 5 }))
  return { rankings, usage: { prompt_tokens: 26, total_tokens: 26 } }
}

function embeddingsOf({ input, model, encoding_format: encoding }: JsonObject): JsonObject {
  const usage = { prompt_tokens: 4, total_tokens: 4 }
  return { object: 'list', data: vectors(input, encoding === 'base64'), model, usage }
}

function say(status: number, detail: string): Reply {
  return jsonReply(status, { detail })
}
