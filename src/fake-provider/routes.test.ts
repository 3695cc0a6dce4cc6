import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchRoute } from './routes.ts'

const PATHS: readonly (readonly [path: string, dialect: string, operation: string, named?: string])[] = [
  ['/v1/chat/completions', 'openai', 'chat'],
  ['/chat/completions', 'openai', 'chat'],
  ['/openai/v1/chat/completions', 'openai', 'chat'],
  ['/inference/v1/chat/completions', 'openai', 'chat'],
  ['/v2/ext/openai/v1/chat/completions', 'openai', 'chat'],
  ['/v1/openai/chat/completions', 'openai', 'chat'],
  ['/v1/completions', 'openai', 'completion'],
  ['/v1/embeddings', 'openai', 'embedding'],
  ['/v1/images/generations', 'openai', 'image'],
  ['/v1/images/edits', 'openai', 'image_edit'],
  ['/v1/audio/transcriptions', 'openai', 'transcription'],
  ['/v1/audio/translations', 'openai', 'translation'],
  ['/openai/deployments/dep/audio/translations', 'azure', 'translation', 'dep'],
  ['/openai/deployments/dep/images/edits', 'azure', 'image_edit', 'dep'],
  ['/v1/audio/speech', 'openai', 'speech'],
  ['/v1/batches', 'openai', 'batches'],
  ['/v1/openai/batches', 'openai', 'batches'],
  ['/v1/models', 'openai', 'models'],
  ['/v1/models/org/model', 'openai', 'model', 'org/model'],
  ['/v1/realtime', 'openai', 'realtime'],
  ['/openai/v1/realtime', 'openai', 'realtime'],
  ['/openai/deployments/dep/chat/completions', 'azure', 'chat', 'dep'],
  ['/openai/deployments/my%20dep/embeddings', 'azure', 'embedding', 'my dep'],
  ['/gw/openai/deployments/dep/images/generations', 'azure', 'image', 'dep'],
  ['/openai/batches', 'azure', 'batches'],
  ['/openai/realtime', 'azure', 'realtime'],
  ['/v1/chat', 'cohere', 'cohere_chat_v1'],
  ['/v2/chat', 'cohere', 'cohere_chat_v2'],
  ['/v1/embed', 'cohere', 'cohere_embed_v1'],
  ['/v2/embed', 'cohere', 'cohere_embed_v2'],
  ['/rerank', 'cohere', 'rerank'],
  ['/v1/rerank', 'cohere', 'rerank'],
  ['/v2/rerank', 'cohere', 'rerank_v2'],
  ['/v1/v1/chat/completions', 'openai', 'unknown'],
  ['/v1//chat/completions', 'openai', 'unknown'],
  ['/v1/chat/completions/chat/completions', 'openai', 'unknown'],
  ['/v1/rerank/rerank', 'openai', 'unknown'],
  ['/v1/rerank/v2/rerank', 'openai', 'unknown'],
  ['/openai/deployments/dep/images/generations:submit', 'azure', 'unknown'],
  ['/openai/deployments/dep/batches', 'azure', 'unknown'],
  ['/v2/complete', 'cohere', 'unknown'],
  ['/', 'openai', 'unknown'],
]

for (const [path, dialect, operation, named] of PATHS) {
  test(`${path} is ${dialect}'s ${operation}`, () => {
    const match = matchRoute(path, false)
    assert.deepEqual([match.route.dialect, match.route.operation, match.named], [dialect, operation, named])
  })
}
