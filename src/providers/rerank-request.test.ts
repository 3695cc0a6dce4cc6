import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Target } from './adapter.ts'
import { jinaRerank } from './jina-ai/rerank.ts'
import { nimRerank } from './nvidia-nim/rerank.ts'
import { voyageRerank } from './voyage/rerank.ts'

const TARGET: Target = { provider: 'p', model: 'm', base: 'https://host.test/v1', bodyDefaults: {} }
/** What a provider need not be told: it changes no answer, or the gateway does it to the answer. */
const GATEWAYS_OWN = ['user', 'metadata', 'return_documents', 'top_n']
const NAMES = [
  ...GATEWAYS_OWN,
  'rank_fields',
  'max_tokens_per_doc',
  'max_chunks_per_doc',
  'truncation',
  'made_up',
]

test('every field of a rerank request is carried, named, or the gateway minds it', () => {
  const extras = fc.dictionary(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 9 }))
  fc.assert(
    fc.property(fc.constantFrom(voyageRerank, jinaRerank, nimRerank), extras, (codec, more) => {
      const request = Object.freeze({ query: 'q', documents: Object.freeze(['a', 'b']), ...more })
      const { body, dropped = [] } = codec.encode(request, TARGET)
      const sent: unknown = JSON.parse(String(body))
      assert.ok(typeof sent === 'object' && sent !== null)
      for (const [name, value] of Object.entries(more)) {
        const isKnown = dropped.includes(name) || GATEWAYS_OWN.includes(name)
        if (!isKnown) assert.equal(Reflect.get(sent, name), value, name)
        else if (dropped.includes(name)) assert.equal(Reflect.get(sent, name), undefined, name)
      }
    }),
  )
})
