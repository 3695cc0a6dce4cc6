import { Secret } from '../../core/secret.ts'
import type { ProviderAdapter } from '../adapter.ts'
import type { SecretHeader } from '../auth/authorize.ts'
import { BEARER } from '../auth/authorize.ts'
import { API_KEY, connectAzure } from '../auth/azure.ts'
import { resolveBase, targetOf, withAddress } from '../auth/connect.ts'
import { fromEnv } from '../auth/key.ts'
import { createClassify } from '../classify.ts'
import { classifyAnthropic } from '../anthropic/refusals.ts'
import { anthropicSurfaces } from '../anthropic/surfaces.ts'
import { chatCodec } from '../openai/chat.ts'
import { openAiCodecs } from '../openai/codecs.ts'
import { rerankCodec } from '../openai/rerank.ts'
import type { Surface } from '../openai/surface.ts'
import { REFUSED_IN_REASONING } from '../refused-params.ts'
import { rerankOfTexts } from '../rerank-texts.ts'
import { azureAiUrl, hostOf, isInference } from './address.ts'
import { azureAiChat, connectClaude, isClaude, isClaudeError } from './claude.ts'

const BASE_ENV = ['AZURE_AI_API_BASE'] as const
const KEY_ENV = ['AZURE_AI_API_KEY'] as const
/** Hosts that take a key as Azure does; models that are deployed on their own take a bearer. */
const AZURE_HOSTS = /\.(services\.ai|openai|cognitiveservices)\.azure\.(com|us|cn)$/
/** What tokens for models of their own are for (https://learn.microsoft.com/python/api/azure-ai-inference). */
const MODEL_HOSTS = /\.(models\.ai\.azure\.com|inference\.ml\.azure\.com|inference\.ai\.azure\.com)$/
const MODEL_SCOPE = 'https://ml.azure.com/.default'

/**
 * Members that the Model Inference API does not know are refused unless this says that they are the model's own
 * (https://learn.microsoft.com/azure/machine-learning/reference-model-inference-api#extensibility, read 2026-11-27).
 */
const PASS_THROUGH: SecretHeader = {
  name: 'extra-parameters',
  prefix: '',
  secret: new Secret('pass-through'),
  isPlaceholder: true,
}

const connect: ProviderAdapter['connect'] = (written, env) => {
  const deployment = withAddress(written, env, BASE_ENV)
  const base = resolveBase(deployment, BASE_ENV)
  if (typeof base !== 'string') return base
  if (isClaude(deployment.upstreamModel, base)) return connectClaude(deployment, env, base)
  const host = hostOf(base)
  const { apiVersion = fromEnv(env, ['AZURE_AI_API_VERSION']) } = deployment.connection
  const keys = {
    keyEnv: KEY_ENV,
    keyHeader: AZURE_HOSTS.test(host) ? API_KEY : BEARER,
    ...(MODEL_HOSTS.test(host) && { scope: MODEL_SCOPE }),
    ...(isInference(base) && { more: [PASS_THROUGH] }),
  }
  return connectAzure(keys, deployment, env, targetOf(deployment, base, apiVersion))
}

const SURFACE: Surface = { url: azureAiUrl }

const classify = createClassify([
  { code: /^(unknown_model|Model_?NotFound|no_model_name)$/i, kind: 'not_found' },
  { statuses: [400], text: /the api deployment .* does not exist|unknown model/i, kind: 'not_found' },
])

/** Azure AI Foundry: models of many makers, in OpenAI's words, and rerank in Cohere's. */
export const azureAi: ProviderAdapter = {
  id: 'azure_ai',
  codecs: {
    ...openAiCodecs(SURFACE),
    chat: azureAiChat(chatCodec(SURFACE)),
    rerank: rerankOfTexts(rerankCodec(SURFACE), (target) =>
      azureAiUrl(target, 'rerank').endsWith('/v2/rerank'),
    ),
    audio_transcription: 'unsupported',
    audio_speech: 'unsupported',
    batch: 'unsupported',
    moderation: 'unsupported',
  },
  realtime: 'unsupported',
  objects: 'unsupported',
  realtimeKeys: 'unsupported',
  // What counts tokens is not documented there.
  surfaces: {
    messages: { ...anthropicSurfaces.messages, serves: ({ model, base }) => isClaude(model, base) },
  },
  connect,
  readsName: (model) => isClaude(model, ''),
  auth: '`api-key: …` or `authorization: Bearer …`, by the host, or a token it gets',
  refuses: [REFUSED_IN_REASONING],
  classify: (response) => (isClaudeError(response) ? classifyAnthropic(response) : classify(response)),
}
