import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { isStrict, jsonSchemaOf } from './generate-schema.ts'

test('Google’s schemas are JSON Schemas, and strict where a model can be held to them', () => {
  const schema: JsonObject = {
    type: 'OBJECT',
    propertyOrdering: ['b', 'a'],
    required: ['a', 'b'],
    properties: {
      a: { type: 'ARRAY', items: { type: 'INTEGER', format: 'int64' }, minItems: '1' },
      b: { type: 'STRING', nullable: true, format: 'enum', enum: ['x', 'y'] },
    },
  }
  const before = structuredClone(schema)
  const said = jsonSchemaOf(schema)
  assert.deepEqual(said, {
    type: 'object',
    required: ['a', 'b'],
    properties: {
      a: { type: 'array', minItems: 1, items: { type: 'integer' } },
      b: { type: ['string', 'null'], enum: ['x', 'y', null] },
    },
    additionalProperties: false,
  })
  assert.deepEqual(Object.keys(isJsonObject(said['properties']) ? said['properties'] : {}), ['b', 'a'])
  assert.deepEqual(schema, before)
  assert.equal(isStrict(said), true)
  assert.deepEqual(jsonSchemaOf({ nullable: true, anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }] }), {
    anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }],
  })
  for (const loose of [
    { ...said, required: ['a'] },
    { ...said, additionalProperties: true },
    { ...said, default: {} },
    { type: 'array', items: said },
    { ...said, properties: { ...Object(said['properties']), b: { type: 'object', properties: {} } } },
  ])
    assert.equal(isStrict(loose), false, JSON.stringify(loose))
})
