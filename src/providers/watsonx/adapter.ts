import type { ProviderAdapter } from '../adapter.ts'
import { createClassify } from '../classify.ts'
import { isDeployment, watsonxModelsUrl } from './address.ts'
import { watsonxChat } from './chat.ts'
import { connectWatsonx } from './connect.ts'
import { watsonxEmbeddings } from './embeddings.ts'
import { watsonxGeneration } from './generation.ts'
import { watsonxRerank } from './rerank.ts'

/** IBM's watsonx.ai: chat, generation, embeddings and rerank in its own words. */
export const watsonx: ProviderAdapter = {
  id: 'watsonx',
  codecs: {
    chat: watsonxChat,
    completion: watsonxGeneration,
    embedding: watsonxEmbeddings,
    image_generation: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    rerank: watsonxRerank,
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: connectWatsonx,
  // Whose model it is stands in every body but those for deployed ones.
  readsName: (model) => isDeployment({ model }),
  // https://cloud.ibm.com/apidocs/watsonx-ai#error-handling, read 2026-11-27
  classify: createClassify([
    { code: /^(token_quota_reached|consumption_quota_reached)$/, kind: 'quota' },
    { statuses: [403], text: /quota/i, kind: 'quota' },
    { code: /^(model_not_supported|model_not_found|deployment_not_found)$/, kind: 'not_found' },
    { code: /^(downstream_request_failed|model_no_support_for_function)$/, kind: 'server_error' },
    { statuses: [400], code: /^(authentication_token_(expired|not_valid))$/, kind: 'auth' },
    { code: /^rate_limit_reached_requests$/, kind: 'rate_limited' },
  ]),
  auth: '`authorization: Bearer …`, a token it gets',
  freeUrl: watsonxModelsUrl,
  cheapChatModel: 'ibm/granite-3-8b-instruct',
}

/** LiteLLM's name for watsonx's models that complete text. */
export const watsonxText: ProviderAdapter = { ...watsonx, id: 'watsonx_text' }
