import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  adapterContract,
  deploymentOf,
  relayContract,
  REQUESTS,
  type GoodAnswer,
} from './adapter.contract.ts'
import type { Deployment } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'
import type { HttpMode } from '../core/mode.ts'
import type { ProviderAdapter } from './adapter.ts'
import { cohere } from './cohere/adapter.ts'
import { mistral } from './mistral/adapter.ts'
import { FILL_IN_THE_MIDDLE } from './mistral/completion.fixture.ts'
import { ollama } from './ollama/adapter.ts'
import { adapterFor, allAdapters } from './registry.ts'
import { OWN_ANSWERS } from './sound-answers.fixture.ts'

const ADAPTERS = await allAdapters()

/** https://docs.cohere.com/reference/rerank */
const RERANKED = {
  id: 'r1',
  results: [{ index: 0, relevance_score: 0.9 }],
  meta: { billed_units: { search_units: 1 } },
}

/** Written from the required fields of OpenAI's OpenAPI document (August 2026). */
const OPENAI_ANSWERS: { readonly [M in HttpMode]: GoodAnswer } = {
  chat: {
    source: 'CreateChatCompletionResponse',
    body: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
      system_fingerprint: 'fp_1',
    },
    value: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
      system_fingerprint: 'fp_1',
    },
  },
  completion: {
    source: 'CreateCompletionResponse',
    body: {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
    },
    value: {
      text: 'pong',
      model: 'm',
      whole: {
        id: 'cmpl-1',
        object: 'text_completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
      },
    },
  },
  embedding: {
    source: 'CreateEmbeddingResponse',
    body: {
      object: 'list',
      model: 'm',
      data: [{ object: 'embedding', index: 0, embedding: [0.1, -0.2, 0.3] }],
      usage: { prompt_tokens: 1, total_tokens: 1 },
    },
    value: {
      dimensions: 3,
      model: 'm',
      vectors: [[0.1, -0.2, 0.3]],
      usage: { prompt_tokens: 1, total_tokens: 1 },
    },
  },
  image_generation: {
    source: 'ImagesResponse',
    body: { created: 1, data: [{ b64_json: 'AA==' }, { url: 'https://images.test/1.png' }] },
    value: { images: 2 },
  },
  audio_transcription: {
    source: 'CreateTranscriptionResponseJson',
    body: { text: 'hello' },
    value: { text: 'hello' },
  },
  audio_speech: {
    source: 'createSpeech: application/octet-stream',
    contentType: 'audio/mpeg',
    body: Buffer.from('ID3sound'),
    value: { sizeBytes: 8, contentType: 'audio/mpeg' },
  },
  rerank: {
    source: 'https://docs.cohere.com/reference/rerank',
    body: RERANKED,
    value: { results: RERANKED.results, whole: RERANKED },
  },
  batch: {
    source: 'ListBatchesResponse',
    body: { object: 'list', data: [], has_more: false },
    value: { batches: 0 },
  },
  moderation: {
    source: 'CreateModerationResponse',
    body: { id: 'modr-1', model: 'm', results: [{ flagged: false, categories: {}, category_scores: {} }] },
    value: { results: 1 },
  },
}

/** Bases of the contract end in /v1, so these are version 1's answers; version 2's are in cohere.test.ts. */
const COHERE_V1_ANSWERS: { readonly [M in HttpMode]?: GoodAnswer } = {
  chat: {
    source: 'https://docs.cohere.com/v1/reference/chat',
    body: {
      response_id: 'c1',
      generation_id: 'g1',
      text: 'pong',
      finish_reason: 'COMPLETE',
      meta: { tokens: { input_tokens: 5, output_tokens: 1 } },
    },
    value: {
      id: 'g1',
      object: 'chat.completion',
      created: 0,
      model: 'the-model',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    },
  },
  embedding: {
    source: 'https://docs.cohere.com/v1/reference/embed (embeddings_floats)',
    body: { id: 'e1', texts: ['ping'], embeddings: [[0.1, 0.2]], response_type: 'embeddings_floats' },
    value: { dimensions: 2, model: 'the-model', vectors: [[0.1, 0.2]] },
  },
  rerank: OPENAI_ANSWERS.rerank,
}

/** Does it go through the contract beside its code? Those with words of their own do: a test of their folder says so. */
function isElsewhere({ id }: ProviderAdapter): boolean {
  return OWN_CONTRACTS.some((source) => source.includes(`id: '${id}'`))
}

/** The adapters of the folders whose own tests hold them to the contract, as they are written. */
const OWN_CONTRACTS: readonly string[] = globSync('*/adapter.ts', { cwd: import.meta.dirname })
  .map((path) => join(import.meta.dirname, path))
  .filter((path) =>
    globSync('*.test.ts', { cwd: dirname(path) }).some((name) =>
      readFileSync(join(dirname(path), name), 'utf8').includes('adapterContract('),
    ),
  )
  .map((path) => readFileSync(path, 'utf8'))

/** Rankings in words of their own, and what becomes of a document that comes as a bare text. */
const RANKINGS: Readonly<Record<string, GoodAnswer>> = {
  voyage: {
    source: 'https://docs.voyageai.com/reference/reranker-api',
    body: {
      object: 'list',
      data: [{ relevance_score: 0.4375, index: 1, document: 'b' }],
      model: 'rerank-2.5',
      usage: { total_tokens: 26 },
    },
    value: {
      results: [{ index: 1, relevance_score: 0.4375 }],
      whole: {
        results: [{ index: 1, relevance_score: 0.4375, document: { text: 'b' } }],
        meta: { billed_units: { total_tokens: 26 }, tokens: { input_tokens: 26 } },
      },
    },
  },
  jina_ai: {
    source: 'https://api.jina.ai/redoc',
    body: {
      model: 'jina-reranker-v2-base-multilingual',
      results: [
        { index: 0, relevance_score: 0.9, document: { text: 'a' } },
        { index: 1, relevance_score: 0.1, document: 'b' },
      ],
    },
    value: {
      results: [
        { index: 0, relevance_score: 0.9 },
        { index: 1, relevance_score: 0.1 },
      ],
      whole: {
        results: [
          { index: 0, relevance_score: 0.9, document: { text: 'a' } },
          { index: 1, relevance_score: 0.1, document: { text: 'b' } },
        ],
      },
    },
  },
  nvidia_nim: {
    source: 'https://docs.nvidia.com/nim/nemo-retriever/text-reranking/2.3/using-reranking.html',
    body: { rankings: [{ index: 0, logit: -1.5 }] },
    value: {
      results: [{ index: 0, relevance_score: -1.5 }],
      whole: { results: [{ index: 0, relevance_score: -1.5 }] },
    },
  },
}

/** https://docs.ollama.com/api (read 2026-11-27). */
const OLLAMA_ANSWERS: { readonly [M in HttpMode]?: GoodAnswer } = {
  chat: {
    source: 'https://docs.ollama.com/api/chat',
    body: {
      model: 'llama3.2',
      created_at: '2023-11-14T22:13:20.184789Z',
      message: { role: 'assistant', content: 'pong' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 5,
      eval_count: 1,
    },
    value: {
      id: 'chatcmpl-20231114221320184789',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'llama3.2',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    },
  },
  completion: {
    source: 'https://docs.ollama.com/api/generate',
    body: { model: 'llama3.2', created_at: '2023-11-14T22:13:20.184789Z', response: 'pong', done: true },
    value: {
      text: 'pong',
      model: 'llama3.2',
      whole: {
        id: 'cmpl-20231114221320184789',
        object: 'text_completion',
        created: 1_700_000_000,
        model: 'llama3.2',
        choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
      },
    },
  },
  embedding: {
    source: 'https://docs.ollama.com/api/embed',
    body: { model: 'all-minilm', embeddings: [[0.1, -0.2]], prompt_eval_count: 8 },
    value: {
      dimensions: 2,
      model: 'all-minilm',
      vectors: [[0.1, -0.2]],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    },
  },
}

for (const adapter of ADAPTERS.filter((each) => !isElsewhere(each))) {
  const rerank = RANKINGS[adapter.id]
  if (adapter.codecs.chat === cohere.codecs.chat) adapterContract(adapter, COHERE_V1_ANSWERS)
  else if (adapter.codecs.chat === ollama.codecs.chat) adapterContract(adapter, OLLAMA_ANSWERS)
  else if (adapter.codecs.chat === mistral.codecs.chat)
    adapterContract(adapter, {
      ...OPENAI_ANSWERS,
      completion: FILL_IN_THE_MIDDLE,
      ...OWN_ANSWERS['mistral'],
    })
  else
    adapterContract(adapter, {
      ...OPENAI_ANSWERS,
      ...(rerank !== undefined && { rerank }),
      ...OWN_ANSWERS[adapter.id],
    })
}

const UNKNOWN = { unknown: { deep: [1, 'ü', null] } }
const { chat, completion, embedding, image_generation, audio_speech, rerank, moderation } = REQUESTS
const BODIES = [
  { messages: chat.messages },
  { ...chat, max_tokens: 5, ...UNKNOWN },
  { messages: chat.messages, max_completion_tokens: 7, temperature: 0 },
]
/** Some of them belong to each mode; the strict bodies take no other. */
const DEFAULTS = {
  bodyDefaults: {
    temperature: 0.5,
    max_tokens: 99,
    top_k: 3,
    stream: true,
    dimensions: 8,
    size: '256x256',
    speed: 1.5,
    top_n: 2,
  },
}

/** Every mode of a provider that has both faces. */
function relayContracts(name: string, deployment: Deployment): void {
  const codecs = adapterFor(deployment.provider)?.codecs
  const has = (mode: HttpMode): boolean => {
    const codec = codecs?.[mode] ?? 'unsupported'
    return codec !== 'unsupported' && codec.relay !== undefined
  }
  if (has('chat')) relayContract(name, deployment, 'chat', BODIES)
  if (has('completion'))
    relayContract(name, deployment, 'completion', [completion, { ...completion, ...UNKNOWN }])
  if (has('embedding')) {
    const sized = { ...embedding, dimensions: 4, encoding_format: 'base64' }
    relayContract(name, deployment, 'embedding', [embedding, sized])
  }
  if (has('image_generation')) {
    const sized = { ...image_generation, size: '1024x1024', ...UNKNOWN }
    relayContract(name, deployment, 'image_generation', [image_generation, sized])
  }
  if (has('audio_speech'))
    relayContract(name, deployment, 'audio_speech', [audio_speech, { ...audio_speech, speed: 2 }])
  if (has('moderation'))
    relayContract(name, deployment, 'moderation', [moderation, { ...moderation, ...UNKNOWN }])
  if (has('rerank')) relayContract(name, deployment, 'rerank', [rerank, { ...rerank, top_n: 1, ...UNKNOWN }])
}

for (const provider of [
  'openai',
  'azure',
  'mistral',
  'fireworks_ai',
  'hosted_vllm',
  'sarvam',
  'nvidia_nim',
  'together_ai',
  'cohere',
  'azure_ai',
  'databricks',
  'huggingface',
]) {
  relayContracts(provider, deploymentOf(provider))
  relayContracts(`${provider} with defaults`, deploymentOf(provider, DEFAULTS))
}
relayContracts(
  'azure with a pasted version and own headers',
  deploymentOf('azure', {
    connection: {
      apiKey: new Secret('az-contract-key'),
      apiBase: 'http://127.0.0.1:9/openai/deployments/mine',
      apiBaseQuery: new Secret('api-version=2025-01-01-preview'),
      headers: { 'x-team': new Secret('platform') },
    },
  }),
)
