import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { load } from 'js-yaml'
import type { Json } from '../../core/json.ts'
import { RERANK_TRANSLATION as TRANSLATION } from './rerank.ts'
import { yamlText } from './yaml-text.ts'

const PERSON = { name: 'Ada: Lovelace', tags: ['maths', 'yes'], born: { year: 1815 }, text: 'an analyst' }

test('a document is what is said of it: its text, the members asked for, or all of them as YAML', () => {
  const { text: _, ...untold } = PERSON
  const cases: readonly (readonly [Json, readonly string[] | undefined, string])[] = [
    ['a text', undefined, 'a text'],
    ['a text', ['name'], 'a text'],
    [PERSON, undefined, 'an analyst'],
    [PERSON, ['text', 'name', 'none'], 'text: an analyst\nname: "Ada: Lovelace"\n'],
    [untold, undefined, 'name: "Ada: Lovelace"\ntags:\n- maths\n- "yes"\nborn:\n  year: 1815\n'],
  ]
  for (const [document, fields, said] of cases) {
    const body = { query: 'q', documents: ['first', document], ...(fields && { rank_fields: fields }) }
    assert.deepEqual(TRANSLATION.read(body), { query: 'q', documents: ['first', said] })
  }
})

test('what is no document is refused', () => {
  const deep: Json = JSON.parse('['.repeat(17) + ']'.repeat(17))
  for (const [document, fields] of [
    [{ a: deep }, undefined],
    [7, undefined],
    [['a'], undefined],
    [{}, undefined],
    [{ text: 'a' }, ['title']],
    [{ text: 'a' }, ['toString', 1]],
  ] as const)
    assert.throws(
      () => TRANSLATION.read({ query: 'q', documents: [document], ...(fields && { rank_fields: fields }) }),
      { kind: 'bad_request', clientStatus: 400, param: 'documents' },
    )
})

test('documents are said again where that is asked for', () => {
  const results = [{ index: 1, relevance_score: 0.9 }]
  const request = { query: 'q', documents: ['a', 'b'] }
  const whole = { id: 'r', results }
  assert.deepEqual(TRANSLATION.answer({ results, whole }, request), whole)
  assert.deepEqual(TRANSLATION.answer({ results, whole }, { ...request, return_documents: true }), {
    id: 'r',
    results: [{ index: 1, relevance_score: 0.9, document: { text: 'b' } }],
  })
})

test('whatever an object holds is the same when its YAML is read', () => {
  const value = fc.jsonValue({ maxDepth: 4 }).filter((json) => !JSON.stringify(json).includes('__proto__'))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value, { minKeys: 1, noNullPrototype: true }), (object) => {
      const json: Record<string, Json> = JSON.parse(JSON.stringify(object))
      if (Object.hasOwn(json, '__proto__')) return
      assert.deepEqual(load(yamlText(json)), json)
    }),
  )
  const words = ['yes', 'null', '12', '- a', 'a: b', 'a #b', ' a', 'a\nb', '', '~', '2020-01-01', 'é.', 'y']
  const said = { list: words, more: Object.fromEntries(words.map((word) => [word, word])) }
  assert.deepEqual(load(yamlText(said)), said)
})
