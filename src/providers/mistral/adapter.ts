import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { modelsUrl } from '../openai/surface.ts'
import { MISTRAL_CODECS } from './codecs.ts'

/** Mistral: OpenAI's words in strict bodies. What they take as it is, is passed on; the rest is translated. */
export const mistral: ProviderAdapter = {
  id: 'mistral',
  codecs: MISTRAL_CODECS,
  realtime: 'unsupported',
  // Its batches are jobs of a form of their own.
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  connect: (deployment, env) =>
    connectByKey(
      source('https://api.mistral.ai/v1', 'MISTRAL_API_KEY', ['MISTRAL_API_BASE', 'MISTRAL_AZURE_API_BASE']),
      deployment,
      env,
    ),
  classify: createClassify(),
  freeUrl: modelsUrl,
  cheapChatModel: 'mistral-small-latest',
}

/** Mistral's code models at an address of their own. */
export const codestral: ProviderAdapter = {
  ...mistral,
  id: 'codestral',
  codecs: {
    ...MISTRAL_CODECS,
    embedding: 'unsupported',
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    batch: 'unsupported',
  },
  connect: (deployment, env) =>
    connectByKey(
      source('https://codestral.mistral.ai/v1', 'CODESTRAL_API_KEY', ['CODESTRAL_API_BASE']),
      deployment,
      env,
    ),
  cheapChatModel: 'codestral-latest',
}

/** LiteLLM's name for those models where they complete text. */
export const textCompletionCodestral: ProviderAdapter = {
  ...codestral,
  id: 'text-completion-codestral',
}

function source(base: string, keyEnv: string, baseEnv: readonly string[]): KeySource {
  return { base, baseEnv, keyEnv: [keyEnv] }
}
