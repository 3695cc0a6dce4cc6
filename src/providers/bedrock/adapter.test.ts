import type { HttpMode } from '../../core/mode.ts'
import { adapterContract, type GoodAnswer } from '../adapter.contract.ts'
import { bedrock, bedrockConverse } from './adapter.ts'

/** The contract's model is nobody's: it draws as Amazon's do, and embeds as Titan does. */
const ANSWERS: { readonly [M in HttpMode]?: GoodAnswer } = {
  chat: {
    source: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
    body: {
      output: { message: { role: 'assistant', content: [{ text: 'pong' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 5, outputTokens: 1, totalTokens: 6 },
      metrics: { latencyMs: 7 },
    },
    value: {
      id: '',
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
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html',
    body: { embedding: [0.1, 0.2], inputTextTokenCount: 3 },
    value: {
      dimensions: 2,
      model: 'the-model',
      vectors: [[0.1, 0.2]],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    },
  },
  image_generation: {
    source: 'https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html',
    body: { images: ['AA=='], error: null },
    value: { images: 1, whole: { created: 0, data: [{ b64_json: 'AA==' }] } },
  },
  rerank: {
    source: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html',
    body: { results: [{ index: 0, relevanceScore: 0.9 }] },
    value: {
      results: [{ index: 0, relevance_score: 0.9 }],
      whole: {
        id: '',
        results: [{ index: 0, relevance_score: 0.9 }],
        meta: { api_version: { version: '2' } },
      },
    },
  },
}

for (const adapter of [bedrock, bedrockConverse]) adapterContract(adapter, ANSWERS)
