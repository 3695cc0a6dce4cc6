import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FormField } from '../../core/client-form.ts'
import { fieldsAsJson } from './form-fields.ts'

const said = (...fields: readonly (readonly [string, string?])[]): unknown =>
  JSON.parse(
    fieldsAsJson(
      fields.map(([name, text]): FormField => (text === undefined ? { name } : { name, text })),
    ).toString(),
  )

test('fields are text, but for what only the gateway reads', () => {
  assert.deepEqual(
    said(
      ['model', '4'],
      ['temperature', '0.5'],
      ['timeout', '2.5'],
      ['fallbacks', '["a"]'],
      ['tags', 'a, b'],
    ),
    { model: '4', temperature: '0.5', timeout: 2.5, fallbacks: ['a'], tags: 'a, b' },
  )
})

test('a wish for events is one in any case', () => {
  for (const text of ['true', 'True', 'TRUE']) assert.deepEqual(said(['stream', text]), { stream: true })
  for (const text of ['false', '1', 'yes', '']) assert.deepEqual(said(['stream', text]), { stream: false })
})

test('names with brackets are lists, or members of something that is not looked into', () => {
  assert.deepEqual(said(['include[]', 'a'], ['include[]', 'b'], ['metadata[x]', '1'], ['[]', 'c']), {
    include: ['a', 'b'],
    metadata: '1',
    '[]': ['c'],
  })
})

test('of files, and of texts that are not known, only the name is there; the last of a name counts', () => {
  assert.deepEqual(said(['file'], ['model', 'a'], ['model', 'b'], ['image[]'], ['image[]']), {
    file: null,
    model: 'b',
    image: [null, null],
  })
})

test('a field may be named as what every object has', () => {
  assert.equal(
    fieldsAsJson([
      { name: '__proto__', text: 'a' },
      { name: 'constructor', text: 'b' },
    ]).toString(),
    '{"__proto__":"a","constructor":"b"}',
  )
})
