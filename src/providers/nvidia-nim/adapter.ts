import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { openAiCompatible } from '../openai-compatible/adapter.ts'
import type { CompatibleRow } from '../openai-compatible/row.ts'
import { modelsUrl } from '../openai/surface.ts'
import { nimRerank, RANKING_HOST } from './rerank.ts'

/** https://docs.nvidia.com/nim: OpenAI's words, but embeddings must say what they are for. */
const ROW = {
  id: 'nvidia_nim',
  base: 'https://integrate.api.nvidia.com/v1',
  baseEnv: ['NVIDIA_NIM_API_BASE'],
  keyEnv: ['NVIDIA_NIM_API_KEY'],
  required: { embedding: { input_type: 'query' } },
  // Its speech is asked for at a route and in a form of its own (https://docs.nvidia.com/nim/speech, read 2026-11-27).
  unsupported: ['audio_speech', 'realtime', 'batch'],
  // A container lists its model for everybody, and so does the catalogue.
  listing: { isPublic: true },
  hosts: [RANKING_HOST],
  cheapChatModel: 'meta/llama-3.1-8b-instruct',
} as const satisfies CompatibleRow & KeySource

const compatible = openAiCompatible(ROW)

/** NVIDIA NIM: its own containers, and NVIDIA's catalogue of them, which has its rerankers at another host. */
export const nvidiaNim: ProviderAdapter = {
  ...compatible,
  codecs: { ...compatible.codecs, rerank: nimRerank },
  connect: (deployment, env) =>
    deployment.mode === 'rerank'
      ? connectByKey({ ...ROW, base: `https://${RANKING_HOST}/v1` }, deployment, env)
      : compatible.connect(deployment, env),
  freeUrl: ({ base }) =>
    new URL(base).hostname === RANKING_HOST
      ? undefined
      : modelsUrl({ base: base.replace(/\/(?:ranking|retrieval\/.*)$/, '') }),
}
