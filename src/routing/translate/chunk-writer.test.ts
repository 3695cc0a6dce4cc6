import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  assert as assertProperty,
  constant,
  double,
  oneof,
  property,
  record,
  string,
} from 'fast-check'
import type { ChatChunk } from '../../core/mode.ts'
import { createChunkWriter } from './chunk-writer.ts'

const text = string({ unit: 'binary', maxLength: 20 })
const index = oneof(constant(0), constant(3), double(), constant('1'), constant(undefined))
const delta = oneof(
  record({ content: text }),
  record({ content: oneof(text, constant(null)), role: constant('assistant') }, { requiredKeys: [] }),
  constant('word'),
)
const choice = record(
  { index, delta, finish_reason: oneof(constant(null), constant('stop')), logprobs: constant(null) },
  { requiredKeys: [] },
)
const chunk = record(
  {
    id: oneof(constant('a'), text),
    object: constant('chat.completion.chunk' as const),
    created: oneof(constant(0), constant(7)),
    model: oneof(constant('m'), text),
    choices: array(choice, { maxLength: 2 }),
    usage: record({ total_tokens: constant(3) }),
    service_tier: constant('default'),
  },
  { requiredKeys: ['id', 'object', 'created', 'model', 'choices'] },
)

test('chunks are written as JSON.stringify writes them, whatever is in them and came before them', () => {
  assertProperty(
    property(array(chunk, { maxLength: 8 }), (chunks) => {
      const writer = createChunkWriter()
      for (const one of chunks) {
        const given: ChatChunk = one
        assert.deepEqual(JSON.parse(writer.json(given)), JSON.parse(JSON.stringify(given)))
      }
    }),
    { numRuns: 500 },
  )
})
