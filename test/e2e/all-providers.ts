import { generateKeyPairSync } from 'node:crypto'
import { COMPATIBLE_LAWS } from '../../src/fake-provider/natives/compatible-laws.ts'
import type { Listed } from './health-answer.ts'

type Params = Readonly<Record<string, unknown>>

/** Models that decide what a row's deployment is for. */
const MODELS: Readonly<Record<string, string>> = {
  xai: 'grok-4',
  deepseek: 'deepseek-reasoner',
  infinity: 'BAAI/bge-small-en-v1.5',
}

/** Every row of the compatible table, at its double below `url` (`http://host/order`). */
export function rowDeployments(url: string, key: string): readonly Listed[] {
  return COMPATIBLE_LAWS.map(({ id, base, chats, isKeyless }) => ({
    model_name: id,
    litellm_params: {
      model: `${id}/${MODELS[id] ?? 'the-model'}`,
      api_base: `${url}/as-${id}${new URL(base).pathname.replace(/\/$/, '')}`,
      ...(isKeyless !== true && { api_key: key }),
    },
    model_info: {
      mode: id === 'text-completion-codestral' ? 'completion' : chats === false ? 'embedding' : 'chat',
    },
  }))
}

/** A service account of Vertex AI's double: it checks signatures with the key that `private_key_id` is. */
export function serviceAccount(url: string): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    type: 'service_account',
    project_id: 'a-project',
    private_key_id: publicKey.export({ type: 'spki', format: 'der' }).toString('base64url'),
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    client_email: 'robot@a-project.iam.gserviceaccount.com',
    token_uri: `${url}/as-vertex_ai/token`,
  }
}

/** All that a double takes which takes nothing else; the first is the key that most deployments have. */
export const KEYS = [
  'key-of-the-upstream',
  'dapi-1234567',
  'bedrock-api-key-0123456789',
  'AKIAEXAMPLE:secret-of-AKIAEXAMPLE',
] as const

/** Where tokens are to be had, for who cannot say so in a config. */
export function tokenHosts(url: string): Readonly<Record<string, string>> {
  return { WATSONX_IAM_URL: `${url}/as-watsonx/identity/token` }
}

/**
 * A deployment in each mode of every provider that is more than a row of the table, at its double below `url`. OpenAI, Azure
 * and Cohere are the fake provider itself. `tokens` is where tokens are fetched, by default the same.
 */
export function nativeDeployments(url: string, key: string, tokens = url): readonly Listed[] {
  const at = (base: string, more: Params = {}): Params => ({
    api_base: `${url}${base}`,
    api_key: key,
    ...more,
  })
  const bedrock = {
    aws_bedrock_runtime_endpoint: `${url}/as-bedrock`,
    aws_region_name: 'us-east-1',
    aws_access_key_id: 'AKIAEXAMPLE',
    aws_secret_access_key: 'secret-of-AKIAEXAMPLE',
  }
  const vertex = {
    api_base: `${url}/as-vertex_ai`,
    vertex_location: 'europe-west4',
    vertex_credentials: serviceAccount(tokens),
  }
  const watsonx = at('/as-watsonx', { project_id: 'project-1' })
  const databricks = at('/as-databricks/serving-endpoints', { api_key: 'dapi-1234567' })
  const foundry = at('/as-azure_ai')
  const [openai, azure, cohere] = [at('/v1'), at('', { api_version: '2024-10-21' }), at('')]
  const gemini = at('/as-gemini/v1beta')
  const byMode: Readonly<Record<string, readonly (readonly [model: string, params: Params])[]>> = {
    chat: [
      ['openai/gpt-4o', openai],
      ['azure/gpt-4o', azure],
      ['anthropic/claude-haiku-4-5', at('/as-anthropic')],
      ['bedrock/anthropic.claude-3-sonnet-20240229-v1:0', bedrock],
      ['bedrock/amazon.nova-pro-v1:0', { ...bedrock, api_key: 'bedrock-api-key-0123456789' }],
      ['bedrock_converse/openai.gpt-oss-120b-1:0', bedrock],
      ['bedrock/invoke/anthropic.claude-3-sonnet-20240229-v1:0', bedrock],
      ['gemini/gemini-2.5-flash', gemini],
      ['vertex_ai/gemini-2.5-flash', vertex],
      ['vertex_ai_beta/gemini-2.5-flash', vertex],
      ['vertex_ai/meta/llama-3.3-70b-instruct-maas', vertex],
      ['vertex_ai/mistral-large-2411@001', vertex],
      ['vertex_ai/jamba-1.5-large@001', vertex],
      ['vertex_ai/openai/1234567890', vertex],
      ['vertex_ai/claude-sonnet-4-5@20250929', vertex],
      ['cohere/command-a-03-2025', cohere],
      ['cohere_chat/command-r', cohere],
      ['mistral/mistral-small-latest', at('/as-mistral/v1')],
      ['codestral/codestral-latest', at('/as-mistral/v1')],
      ['ollama/llama3.2', at('/as-ollama')],
      ['ollama_chat/qwen3:8b', at('/as-ollama')],
      ['mistral/magistral-medium-latest', at('/as-mistral/v1')],
      ['huggingface/meta-llama/Llama-3.1-8B-Instruct', at('/as-huggingface')],
      ['replicate/meta/meta-llama-3-8b-instruct', at('/as-replicate/v1')],
      ['watsonx/ibm/granite-3-8b-instruct', watsonx],
      ['databricks/databricks-claude-sonnet-4', databricks],
      ['azure_ai/Llama-3.3-70B-Instruct', at('/as-azure_ai/models')],
      ['azure_ai/claude-sonnet-4-5', foundry],
      ['nvidia_nim/meta/llama-3.1-8b-instruct', at('/as-nvidia_nim/v1')],
      ['assemblyai/gpt-5-mini', at('/as-assemblyai/v1')],
    ],
    completion: [
      ['text-completion-openai/gpt-3.5-turbo-instruct', openai],
      ['azure_text/instruct', azure],
      ['watsonx_text/ibm/granite-3-8b-instruct', watsonx],
      ['text-completion-codestral/codestral-latest', at('/as-mistral/v1')],
      ['databricks/llama', databricks],
      ['vertex_ai/codestral-2', vertex],
      ['ollama/llama3.1', at('/as-ollama/api')],
      ['openai/gpt-3.5-turbo-instruct', openai],
      ['azure/instruct', azure],
      ['nvidia_nim/bigcode/starcoder2-7b', at('/as-nvidia_nim/v1')],
      ['azure_ai/Llama-3.3-70B-Instruct', foundry],
      ['mistral/codestral-latest', at('/as-mistral/v1')],
      ['codestral/codestral-latest', at('/as-mistral/v1')],
      ['ollama_chat/llama3.1', at('/as-ollama')],
      ['huggingface/bigcode/starcoder2-3b', at('/as-huggingface')],
      ['watsonx/ibm/granite-3-8b-instruct', watsonx],
      ['vertex_ai_beta/codestral-2', vertex],
    ],
    embedding: [
      ['openai/text-embedding-3-small', openai],
      ['cohere/embed-v4.0', cohere],
      ['bedrock/amazon.titan-embed-text-v1', bedrock],
      ['gemini/gemini-embedding-001', gemini],
      ['vertex_ai/text-embedding-005', vertex],
      ['vertex_ai/intfloat/multilingual-e5-large-instruct-maas', vertex],
      ['mistral/mistral-embed', at('/as-mistral/v1')],
      ['ollama/nomic-embed-text', at('/as-ollama')],
      ['huggingface/intfloat/e5-small', at('/as-huggingface/hf-inference')],
      ['watsonx/ibm/slate-125m', watsonx],
      ['databricks/databricks-gte-large-en', databricks],
      ['azure_ai/Cohere-embed-v3-english', at('/as-azure_ai/models', { input_type: 'query' })],
      ['voyage/voyage-3.5', at('/as-voyage/v1')],
      ['jina_ai/jina-embeddings-v3', at('/as-jina_ai/v1')],
      ['nvidia_nim/nvidia/nv-embedqa-e5-v5', at('/as-nvidia_nim/v1')],
      ['azure/text-embedding-3-small', azure],
      ['bedrock_converse/amazon.titan-embed-text-v2:0', bedrock],
      ['bedrock/cohere.embed-english-v3', bedrock],
      ['vertex_ai_beta/text-embedding-005', vertex],
      ['cohere_chat/embed-v4.0', cohere],
      ['ollama_chat/nomic-embed-text', at('/as-ollama')],
    ],
    image_generation: [
      ['openai/gpt-image-1', openai],
      ['gemini/imagen-4.0-generate-001', gemini],
      ['bedrock/amazon.nova-canvas-v1:0', bedrock],
      ['vertex_ai/imagen-4.0-generate-001', vertex],
      ['azure/gpt-image-1', azure],
      ['nvidia_nim/black-forest-labs/flux.1-dev', at('/as-nvidia_nim/v1')],
      ['azure_ai/FLUX-1.1-pro', at('/as-azure_ai/models')],
      ['bedrock/stability.stable-image-core-v1:1', bedrock],
      ['bedrock_converse/amazon.nova-canvas-v1:0', bedrock],
      ['vertex_ai_beta/imagen-4.0-generate-001', vertex],
    ],
    audio_transcription: [
      ['openai/whisper-1', openai],
      ['deepgram/nova-3', at('/as-deepgram/v1')],
      ['elevenlabs/scribe_v1', at('/as-elevenlabs')],
      ['assemblyai/universal-2', at('/as-assemblyai')],
      ['mistral/voxtral-mini-latest', at('/as-mistral/v1')],
      ['azure/whisper-1', azure],
      ['nvidia_nim/nvidia/parakeet', at('/as-nvidia_nim/v1')],
    ],
    audio_speech: [
      ['openai/tts-1', openai],
      ['deepgram/aura-2-thalia-en', at('/as-deepgram/v1')],
      ['elevenlabs/eleven_multilingual_v2', at('/as-elevenlabs')],
      ['gemini/gemini-2.5-flash-preview-tts', gemini],
      ['vertex_ai/gemini-2.5-flash-tts', vertex],
      ['azure/tts-1', azure],
      ['mistral/voxtral-mini-tts-3-0', at('/as-mistral/v1')],
      ['vertex_ai_beta/gemini-2.5-flash-tts', vertex],
    ],
    rerank: [
      ['cohere/rerank-v3.5', cohere],
      ['bedrock/cohere.rerank-v3-5:0', bedrock],
      ['azure_ai/cohere-rerank-v3.5', foundry],
      ['watsonx/cross-encoder/ms-marco-minilm-l-12-v2', watsonx],
      ['voyage/rerank-2.5', at('/as-voyage/v1')],
      ['jina_ai/jina-reranker-v2-base-multilingual', at('/as-jina_ai/v1')],
      ['nvidia_nim/nvidia/llama-nemotron-rerank-1b-v2', at('/as-nvidia_nim/v1')],
      ['bedrock_converse/amazon.rerank-v1:0', bedrock],
      ['cohere_chat/rerank-v3.5', cohere],
      ['openai/rerank', openai],
    ],
    batch: [
      ['openai/gpt-4o-batch', openai],
      ['azure/gpt-4o-batch', azure],
      ['anthropic/claude-haiku-4-5', at('/as-anthropic')],
      ['mistral/mistral-small-latest', at('/as-mistral/v1')],
    ],
    realtime: [
      ['openai/gpt-realtime', openai],
      ['xai/grok-voice-latest', at('/as-xai/v1')],
      ['gemini/gemini-live-2.5-flash-preview', gemini],
      ['azure/gpt-realtime', azure],
      ['vertex_ai/gemini-live-2.5-flash', vertex],
      ['vertex_ai_beta/gemini-live-2.5-flash', vertex],
    ],
  }
  return Object.entries(byMode).flatMap(([mode, listed]) =>
    listed.map(([model, params]) => ({
      model_name: `${mode} of ${model}`,
      litellm_params: { model, ...params },
      model_info: { mode, health_check_timeout: 20 },
    })),
  )
}
