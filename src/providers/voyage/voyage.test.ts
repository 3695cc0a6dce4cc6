import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../core/secret.ts'
import { deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { voyage } from './adapter.ts'
import { voyageEmbedding } from './embedding.ts'
import { voyageRerank } from './rerank.ts'

const TARGET: Target = {
  provider: 'voyage',
  model: 'voyage-3.5',
  base: 'https://api.voyageai.com/v1',
  bodyDefaults: { truncation: false, output_dtype: 'int8', top_p: 0.5 },
}

test("embeddings are asked for in Voyage's words, with the deployment's own settings", () => {
  const { url, body } = voyageEmbedding.encode(
    { input: ['a'], dimensions: 256, encoding_format: 'float', user: 'u', input_type: 'query' },
    TARGET,
  )
  assert.equal(url, 'https://api.voyageai.com/v1/embeddings')
  assert.deepEqual(JSON.parse(String(body)), {
    input: ['a'],
    input_type: 'query',
    output_dimension: 256,
    truncation: false,
    output_dtype: 'int8',
    model: 'voyage-3.5',
  })
})

test('only base64 has a name among the encodings', () => {
  const { body } = voyageEmbedding.encode({ input: ['a'], encoding_format: 'base64' }, TARGET)
  assert.equal(JSON.parse(String(body)).encoding_format, 'base64')
})

test('a ranking says top_k, and names what it cannot say', () => {
  const request = {
    query: 'q',
    documents: ['a', 'b'],
    top_n: 1,
    rank_fields: ['text'],
    return_documents: true,
  }
  const { body, dropped } = voyageRerank.encode(request, { ...TARGET, bodyDefaults: {} })
  assert.deepEqual(JSON.parse(String(body)), {
    query: 'q',
    documents: ['a', 'b'],
    top_k: 1,
    model: 'voyage-3.5',
  })
  assert.deepEqual(dropped, ['rank_fields'])
})

test("a key of MongoDB's is used at MongoDB's address, unless another one is written", () => {
  const baseOf = (key: string, apiBase?: string): string | undefined => {
    const { connection, ...rest } = deploymentOf('voyage')
    const { apiBase: _, ...bare } = connection
    const own = { ...bare, apiKey: new Secret(key), ...(apiBase !== undefined && { apiBase }) }
    const connected = voyage.connect({ ...rest, connection: own }, {})
    return 'target' in connected ? connected.target.base : undefined
  }
  assert.equal(baseOf('pa-123'), 'https://api.voyageai.com/v1')
  assert.equal(baseOf('al-123'), 'https://ai.mongodb.com/v1')
  assert.equal(baseOf('al-123', 'https://proxy.test/v1'), 'https://proxy.test/v1')
})
