import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { openAiCompatible } from '../openai-compatible/adapter.ts'
import type { CompatibleRow } from '../openai-compatible/row.ts'
import { modelsUrl } from '../openai/surface.ts'
import { assemblyAiTranscription, isTranscribing, TRANSCRIBING } from './transcription.ts'

/** Its gateway to language models (https://www.assemblyai.com/docs/llm-gateway/overview, read 2026-11-27). */
const CHAT_ROW: CompatibleRow = {
  id: 'assemblyai',
  base: 'https://llm-gateway.assemblyai.com/v1',
  keyEnv: ['ASSEMBLYAI_API_KEY'],
  // Its reference has chats alone.
  unsupported: [
    'completion',
    'embedding',
    'image_generation',
    'audio_speech',
    'rerank',
    'batch',
    'realtime',
    'moderation',
  ],
}

/** Transcription lives elsewhere, and takes the key without a word before it. */
const SOURCE: KeySource = {
  base: 'https://api.assemblyai.com',
  // LiteLLM's variable is for its other address.
  baseEnv: [],
  keyEnv: ['ASSEMBLYAI_API_KEY'],
  header: { name: 'authorization', prefix: '' },
}

const chat = openAiCompatible(CHAT_ROW)

/**
 * AssemblyAI: transcription in its own words (https://www.assemblyai.com/docs/api-reference, read 2026-11-27), and a
 * gateway to language models in OpenAI's. The deployment's mode says which of the two it is.
 */
export const assemblyAi: ProviderAdapter = {
  ...chat,
  codecs: { ...chat.codecs, audio_transcription: assemblyAiTranscription },
  connect: (deployment, env) => {
    if (deployment.mode !== 'audio_transcription') return chat.connect(deployment, env)
    const connected = connectByKey(SOURCE, deployment, env)
    return 'message' in connected
      ? connected
      : { ...connected, target: { ...connected.target, apiVersion: TRANSCRIBING } }
  },
  // https://www.assemblyai.com/docs/guides/common_errors_and_solutions, read 2026-11-27.
  classify: createClassify([
    {
      statuses: [400, 402, 403],
      text: /account balance is negative|insufficient funds|top up/i,
      kind: 'quota',
      isKeyWide: true,
    },
    {
      statuses: [400],
      text: /invalid (?:value for )?['"]?speech_models?|speech_models?['"]? (?:must|is not)/i,
      kind: 'not_found',
    },
  ]),
  freeUrl: (target) => (isTranscribing(target) ? `${target.base}/v2/transcript?limit=1` : modelsUrl(target)),
}
