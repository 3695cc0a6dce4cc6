import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Target } from '../adapter.ts'
import { jinaUrl } from './address.ts'
import { jinaEmbedding } from './embedding.ts'
import { jinaRerank } from './rerank.ts'

const TARGET: Target = {
  provider: 'jina_ai',
  model: 'jina-embeddings-v3',
  base: 'https://api.jina.ai/v1',
  bodyDefaults: { task: 'retrieval.query' },
}

for (const [base, expected] of [
  ['https://api.jina.ai/v1', 'https://api.jina.ai/v1/rerank'],
  ['https://api.jina.ai', 'https://api.jina.ai/v1/rerank'],
  ['https://proxy.test/jina/v1/rerank', 'https://proxy.test/jina/v1/rerank'],
  ['https://proxy.test/jina/v1/embeddings', 'https://proxy.test/jina/v1/rerank'],
] as const) {
  test(`${base} ranks at ${expected}`, () => assert.equal(jinaUrl({ ...TARGET, base }, 'rerank'), expected))
}

test("the encoding is asked for under Jina's name, the task comes from the deployment", () => {
  const { body } = jinaEmbedding.encode({ input: ['a'], encoding_format: 'base64', user: 'u' }, TARGET)
  assert.deepEqual(JSON.parse(String(body)), {
    input: ['a'],
    embedding_type: 'base64',
    task: 'retrieval.query',
    model: 'jina-embeddings-v3',
  })
})

test("a ranking keeps Cohere's words", () => {
  const request = { query: 'q', documents: ['a'], top_n: 1, return_documents: false, max_chunks_per_doc: 3 }
  const { body, dropped } = jinaRerank.encode(request, { ...TARGET, bodyDefaults: {} })
  assert.deepEqual(JSON.parse(String(body)), {
    query: 'q',
    documents: ['a'],
    top_n: 1,
    return_documents: false,
    model: 'jina-embeddings-v3',
  })
  assert.deepEqual(dropped, ['max_chunks_per_doc'])
})
