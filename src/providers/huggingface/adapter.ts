import { isJsonObject, parseJson } from '../../core/json.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { ProviderAdapter } from '../adapter.ts'
import { numberOf } from '../answer.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { bodyText } from '../error-facts.ts'
import { chatCodec } from '../openai/chat.ts'
import { completionCodec } from '../openai/completion.ts'
import type { Surface } from '../openai/surface.ts'
import { modelName, modelsUrl, openAiUrl, ROUTER } from './address.ts'
import { huggingFaceChat, LACKS } from './chat.ts'
import { huggingFaceEmbed } from './embed.ts'

const SOURCE: KeySource = {
  base: ROUTER,
  baseEnv: ['HUGGINGFACE_API_BASE', 'HF_API_BASE'],
  keyEnv: ['HUGGINGFACE_API_KEY', 'HF_TOKEN'],
}

const SURFACE: Surface = {
  url: openAiUrl,
  model: modelName,
  // The one name of the budget that is documented.
  renames: { max_completion_tokens: 'max_tokens' },
}

const classify = createClassify([
  { statuses: [400, 404], code: /^model_not_supported$/, kind: 'not_found' },
  { statuses: [429], text: /model is overloaded|too busy/i, kind: 'overloaded' },
])

/** Hugging Face: its router to other providers, and endpoints of one's own. */
export const huggingFace: ProviderAdapter = {
  id: 'huggingface',
  codecs: {
    chat: huggingFaceChat(chatCodec(SURFACE)),
    completion: completionCodec(SURFACE),
    embedding: huggingFaceEmbed,
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) => connectByKey(SOURCE, deployment, env),
  refuses: [{ fields: LACKS }],
  classify: (response) => classify(withWait(response)),
  freeUrl: modelsUrl,
  cheapChatModel: 'meta-llama/Llama-3.1-8B-Instruct',
}

/** A model that is being loaded says in its body how many seconds that may take: as good as a `retry-after`. */
function withWait(response: WireResponse): WireResponse {
  if (response.status !== 503 || response.headers['retry-after'] !== undefined) return response
  const body = parseJson(bodyText(response))
  const seconds = isJsonObject(body) ? numberOf(body['estimated_time']) : undefined
  if (seconds === undefined || !(seconds > 0)) return response
  return { ...response, headers: { ...response.headers, 'retry-after': String(Math.ceil(seconds)) } }
}
