import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../core/json-spans.ts'
import type { JsonObject } from '../core/json.ts'
import type { Target } from './adapter.ts'
import { azureAi } from './azure-ai/adapter.ts'
import { cohereRerank } from './cohere/rerank.ts'

const SECOND = 'https://api.cohere.com'
const FIRST = 'https://api.cohere.com/v1'

const targetAt = (base: string, bodyDefaults: JsonObject = {}): Target => ({
  provider: 'cohere',
  model: 'rerank-v3.5',
  base,
  bodyDefaults,
})

function takes(body: JsonObject, target: Target, codec = cohereRerank): boolean | undefined {
  const bytes = Buffer.from(JSON.stringify({ query: 'q', ...body }))
  return codec.relay?.takes?.(target, bytes, scanObject(bytes))
}

test('only what both versions of Cohere’s rerank understand is passed on to the second', () => {
  const cases: readonly (readonly [JsonObject, boolean])[] = [
    [{ documents: ['a', 'b'] }, true],
    [{ documents: ['an object: {"text": "a"}'], top_n: 1 }, true],
    [{ documents: ['a'], max_tokens_per_doc: 9, more: { deep: {} } }, true],
    [{ documents: [{ text: 'a' }] }, false],
    [{ documents: ['a', { title: 'a' }] }, false],
    [{ documents: ['a'], return_documents: false }, false],
    [{ documents: ['a'], rank_fields: ['title'] }, false],
    [{ documents: ['a'], user: 'u' }, false],
  ]
  for (const [body, isPlain] of cases) {
    assert.equal(takes(body, targetAt(SECOND)), isPlain, JSON.stringify(body))
    assert.equal(takes(body, targetAt(FIRST)), true)
  }
  assert.equal(takes({ documents: ['a'] }, targetAt(SECOND, { return_documents: true })), false)
  assert.equal(takes({ documents: ['a'] }, targetAt(SECOND, { top_n: 3 })), true)
})

test('Azure’s door to Cohere’s second version is as strict, that to the first is not', () => {
  const codec = azureAi.codecs.rerank
  assert.ok(codec !== 'unsupported')
  const body = { documents: [{ text: 'a' }] }
  assert.equal(takes(body, targetAt('https://r.services.ai.azure.com'), codec), false)
  assert.equal(takes(body, targetAt('https://m.eastus2.models.ai.azure.com'), codec), true)
})

test('what the second version does not know is said by the gateway, named, or nobody’s', () => {
  const request = { query: 'q', documents: ['a'], return_documents: true, user: 'u', max_chunks_per_doc: 2 }
  const target = targetAt(SECOND, { max_tokens_per_doc: 7, rank_fields: ['x'] })
  const { body, dropped } = cohereRerank.encode(request, target)
  assert.deepEqual(JSON.parse(String(body)), {
    query: 'q',
    documents: ['a'],
    max_tokens_per_doc: 7,
    model: 'rerank-v3.5',
  })
  assert.deepEqual(dropped, ['max_chunks_per_doc'])
  const first = cohereRerank.encode(request, targetAt(FIRST))
  assert.equal(JSON.parse(String(first.body)).return_documents, true)
})
