import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import { openMessageStream } from './completion-message.ts'

/** Written from https://docs.mistral.ai/capabilities/code_generation (read 2026-11-23). */
const EVENTS = [
  'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
  'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"ö"},"finish_reason":"stop"}],"usage":{"total_tokens":6}}\n\n',
].join('')

function read(bytes: Uint8Array, splits: readonly number[] = []): readonly JsonObject[] {
  const decoder = openMessageStream()
  const events: JsonObject[] = []
  let from = 0
  for (const cut of [...splits.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    events.push(...decoder.push(bytes.subarray(from, cut)))
    from = cut
  }
  return [...events, ...decoder.end()]
}

test('a streamed message is a streamed completion, however it is cut', () => {
  for (const text of [EVENTS, `${EVENTS}data: [DONE]\n\n`])
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
        assert.deepEqual(read(Buffer.from(text), splits), [
          {
            id: '1',
            object: 'text_completion',
            choices: [{ index: 0, finish_reason: null, text: '', logprobs: null }],
          },
          {
            id: '1',
            object: 'text_completion',
            choices: [{ index: 0, finish_reason: 'stop', text: 'ö', logprobs: null }],
            usage: { total_tokens: 6 },
          },
        ])
      }),
      { numRuns: 40 },
    )
})

test('a stream that ends early, or with an error, is no good stream', () => {
  const [first = ''] = EVENTS.split(/(?<=\n\n)/)
  const cases: readonly (readonly [string, string])[] = [
    [first, 'cut'],
    [`${first}data: {"error":{"message":"busy"}}\n\n`, 'server_error'],
    [`${first}data: {"id":"1"}\n\n`, 'wrong_shape'],
    [`${first}data: oops\n\n`, 'wrong_shape'],
  ]
  for (const [text, kind] of cases) assert.throws(() => read(Buffer.from(text)), { kind }, text)
})
