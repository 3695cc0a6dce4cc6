import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolution } from '../core/resolve.ts'
import { isReasoningModel } from './catalogue.ts'
import { allAdapters, resolveModel } from './registry.ts'

const ADAPTERS = await allAdapters()

type Hints = Parameters<typeof resolveModel>[1]

const FOUND: readonly (readonly [string, Hints, Resolution])[] = [
  ['openai/gpt-4o', {}, { provider: 'openai', upstreamModel: 'gpt-4o' }],
  ['openai/meta-llama/Llama-3-8b', {}, { provider: 'openai', upstreamModel: 'meta-llama/Llama-3-8b' }],
  ['azure/chatgpt-v-2', {}, { provider: 'azure', upstreamModel: 'chatgpt-v-2' }],
  ['gpt-4o', {}, { provider: 'openai', upstreamModel: 'gpt-4o' }],
  ['ft:gpt-4o-mini:me::1', {}, { provider: 'openai', upstreamModel: 'ft:gpt-4o-mini:me::1' }],
  ['o3-mini', {}, { provider: 'openai', upstreamModel: 'o3-mini' }],
  ['*', {}, { provider: 'openai', upstreamModel: '*' }],
  // A known host in api_base names the provider where the model does not, the model's own words stay whole.
  [
    'a-model',
    { apiBase: 'https://openrouter.ai/api/v1' },
    { provider: 'openrouter', upstreamModel: 'a-model' },
  ],
  [
    'meta-llama/Llama-3',
    { apiBase: 'https://api.together.ai/v1' },
    { provider: 'together_ai', upstreamModel: 'meta-llama/Llama-3' },
  ],
  [
    'voyage-3',
    { apiBase: 'https://ai.mongodb.com/v1' },
    { provider: 'voyage', upstreamModel: 'voyage-3', catalogueMode: 'embedding' },
  ],
  ['gpt-4o', { apiBase: 'https://api.groq.com/openai/v1' }, { provider: 'groq', upstreamModel: 'gpt-4o' }],
  [
    'codestral-latest',
    { apiBase: 'https://codestral.mistral.ai/v1' },
    { provider: 'codestral', upstreamModel: 'codestral-latest' },
  ],
  ['groq/*', {}, { provider: 'groq', upstreamModel: '*' }],
  ['whisper-1', {}, { provider: 'openai', upstreamModel: 'whisper-1', catalogueMode: 'audio_transcription' }],
  ['tts-1', {}, { provider: 'openai', upstreamModel: 'tts-1', catalogueMode: 'audio_speech' }],
  ['dall-e-3', {}, { provider: 'openai', upstreamModel: 'dall-e-3', catalogueMode: 'image_generation' }],
  [
    'gpt-image-1',
    {},
    { provider: 'openai', upstreamModel: 'gpt-image-1', catalogueMode: 'image_generation' },
  ],
  [
    'text-embedding-ada-002',
    {},
    { provider: 'openai', upstreamModel: 'text-embedding-ada-002', catalogueMode: 'embedding' },
  ],
  [
    'gpt-4o-realtime-preview',
    {},
    { provider: 'openai', upstreamModel: 'gpt-4o-realtime-preview', catalogueMode: 'realtime' },
  ],
  [
    'gpt-3.5-turbo-instruct',
    {},
    {
      provider: 'text-completion-openai',
      upstreamModel: 'gpt-3.5-turbo-instruct',
      catalogueMode: 'completion',
    },
  ],
  [
    'text-completion-openai/my-model',
    {},
    { provider: 'text-completion-openai', upstreamModel: 'my-model', catalogueMode: 'completion' },
  ],
  ['command-r', {}, { provider: 'cohere_chat', upstreamModel: 'command-r' }],
  [
    'rerank-english-v3.0',
    {},
    { provider: 'cohere', upstreamModel: 'rerank-english-v3.0', catalogueMode: 'rerank' },
  ],
  [
    'hosted_vllm/BAAI/bge-m3',
    {},
    { provider: 'hosted_vllm', upstreamModel: 'BAAI/bge-m3', catalogueMode: 'embedding' },
  ],
  [
    'llama3-8b',
    { apiBase: 'https://api.groq.com/openai/v1' },
    { provider: 'groq', upstreamModel: 'llama3-8b' },
  ],
  [
    'anthropic.claude-3-sonnet-20240229-v1:0',
    {},
    { provider: 'bedrock', upstreamModel: 'anthropic.claude-3-sonnet-20240229-v1:0' },
  ],
  [
    'eu.anthropic.claude-3-5-sonnet-20240620-v1:0',
    {},
    { provider: 'bedrock', upstreamModel: 'eu.anthropic.claude-3-5-sonnet-20240620-v1:0' },
  ],
  ['moonshot.kimi-k2-thinking', {}, { provider: 'bedrock', upstreamModel: 'moonshot.kimi-k2-thinking' }],
  [
    'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc',
    {},
    {
      provider: 'bedrock',
      upstreamModel: 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc',
    },
  ],
  [
    'bedrock/us.stability.sd3-5-large-v1:0',
    {},
    {
      provider: 'bedrock',
      upstreamModel: 'us.stability.sd3-5-large-v1:0',
      catalogueMode: 'image_generation',
    },
  ],
  [
    'bedrock/amazon.titan-embed-text-v2:0',
    {},
    { provider: 'bedrock', upstreamModel: 'amazon.titan-embed-text-v2:0', catalogueMode: 'embedding' },
  ],
  [
    'bedrock_converse/us.amazon.nova-pro-v1:0',
    {},
    { provider: 'bedrock_converse', upstreamModel: 'us.amazon.nova-pro-v1:0' },
  ],
  ['anthropic/claude-3-5-sonnet', {}, { provider: 'anthropic', upstreamModel: 'claude-3-5-sonnet' }],
  ['claude-opus-4-5', {}, { provider: 'anthropic', upstreamModel: 'claude-opus-4-5' }],
  ['gemini-2.5-pro', {}, { provider: 'vertex_ai', upstreamModel: 'gemini-2.5-pro' }],
  [
    'gemini/gemini-2.5-flash-image',
    {},
    { provider: 'gemini', upstreamModel: 'gemini-2.5-flash-image', catalogueMode: 'image_generation' },
  ],
  [
    'gemini/gemini-live-2.5-flash-preview',
    {},
    { provider: 'gemini', upstreamModel: 'gemini-live-2.5-flash-preview', catalogueMode: 'realtime' },
  ],
  ['my-model', { customProvider: 'openai' }, { provider: 'openai', upstreamModel: 'my-model' }],
  ['openai/my-model', { customProvider: 'openai' }, { provider: 'openai', upstreamModel: 'my-model' }],
  [
    'org/my-model',
    { customProvider: 'hosted_vllm' },
    { provider: 'hosted_vllm', upstreamModel: 'org/my-model' },
  ],
]

for (const [model, hints, resolution] of FOUND) {
  test(`${model} ${JSON.stringify(hints)} is found`, () =>
    assert.deepEqual(resolveModel(model, hints), resolution))
}

const notBuilt = (provider: string): string =>
  `provider "${provider}" is not built yet; the deployment is listed, but nothing is sent to it`

const PROBLEMS: readonly (readonly [string, Hints, string, string])[] = [
  ['anthropic_text/claude-2', {}, 'anthropic_text', notBuilt('anthropic_text')],
  ['together/llama', {}, 'together', 'unknown provider "together"; did you mean "together_ai"?'],
  ['google/gemini-2.5-pro', {}, 'google', 'unknown provider "google"; did you mean "gemini"?'],
  ['zhipu/glm-4', {}, 'zhipu', 'unknown provider "zhipu"; did you mean "zai"?'],
  ['opnai/gpt-4o', {}, 'opnai', 'unknown provider "opnai"; did you mean "openai"?'],
  [
    'agno/team',
    {},
    'agno',
    'unknown provider "agno"; for an OpenAI-compatible server write openai/<model> with an api_base',
  ],
  [
    'rewrite-fast',
    {},
    'unknown',
    'model "rewrite-fast" names no provider: write it as provider/model, such as openai/rewrite-fast',
  ],
  [
    'rewrite-fast',
    { apiBase: 'http://10.0.0.1:8000/v1' },
    'unknown',
    'model "rewrite-fast" names no provider: for an OpenAI-compatible server at api_base write openai/rewrite-fast',
  ],
  [
    'gpt-oss-20b',
    {},
    'unknown',
    'model "gpt-oss-20b" names no provider: write it as provider/model, such as openai/gpt-oss-20b',
  ],
]

for (const [model, hints, provider, problem] of PROBLEMS) {
  test(`${model} ${JSON.stringify(hints)} is explained`, () => {
    const resolution = resolveModel(model, hints)
    assert.equal(resolution.provider, provider)
    assert.equal(resolution.problem, problem)
  })
}

test('no two adapters have one name', () => {
  const ids = ADAPTERS.map((adapter) => adapter.id)
  assert.deepEqual([...new Set(ids)], ids)
})

test('reasoning models are known by their names', () => {
  const thinking = [
    'o1',
    'o3-mini',
    'o4-mini-2025-04-16',
    'gpt-5',
    'gpt-5-mini',
    'gpt-5.2',
    'gpt-5.3-chat',
    'openai/o3',
    'o_series/my-deployment',
  ]
  const plain = [
    'gpt-4o',
    'gpt-4.1',
    'gpt-5-chat-latest',
    'omni-moderation-latest',
    'o-model',
    'olmo-2',
    'llama-3',
    'my-gpt-5x',
  ]
  assert.deepEqual([...thinking, ...plain].filter(isReasoningModel), thinking)
})
