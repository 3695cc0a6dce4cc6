import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, constantFrom, property, string } from 'fast-check'
import type { StreamDecoder } from '../adapter.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { openAnthropicStream } from './chat.ts'

const event = (json: string): Buffer => Buffer.from(`event: content_block_delta\ndata: ${json}\n\n`)
const deltaOf = (text: string, space: string): string =>
  `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${text}}${space}}`

/** A stream whose first block has begun. */
function begun(): StreamDecoder<ChatChunk> {
  const decoder = openAnthropicStream({
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    base: 'https://example.com',
    bodyDefaults: {},
  })
  decoder.push(event('{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'))
  return decoder
}

const contentOf = (chunks: readonly ChatChunk[]): unknown => chunks[0]?.choices[0]?.['delta']

test('the text of every delta arrives as it was, whatever is escaped in it, and however it is spaced', () => {
  const piece = string({ unit: 'binary', minLength: 1, maxLength: 12 })
  const spaces = constantFrom('', ' ', '      ')
  assertProperty(
    property(array(piece, { minLength: 1, maxLength: 5 }), spaces, (texts, space) => {
      const decoder = begun()
      for (const text of texts) {
        // Lone halves of pairs cannot stand in UTF-8.
        const given = text.toWellFormed()
        const chunks = decoder.push(event(deltaOf(JSON.stringify(given), space)))
        assert.deepEqual(contentOf(chunks), { content: given })
      }
    }),
  )
})

test('what is no JSON is no text', () => {
  for (const text of ['"a\tb"', '"a"b"', String.raw`"a\"`, '"a'])
    assert.throws(() => begun().push(event(deltaOf(text, ''))), { kind: 'wrong_shape' }, text)
})
