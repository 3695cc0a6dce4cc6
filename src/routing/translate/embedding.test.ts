import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMBEDDING_TRANSLATION as TRANSLATION } from './embedding.ts'

test('one text or several can be embedded, tokens cannot', () => {
  assert.deepEqual(TRANSLATION.read({ input: 'a', user: 'u' }), { input: ['a'], user: 'u' })
  assert.deepEqual(TRANSLATION.read({ input: ['a', 'b'] }), { input: ['a', 'b'] })
  for (const input of [[], [1, 2], [[1], [2]], ['a', 1], 7, null, {}])
    assert.throws(() => TRANSLATION.read({ input }), {
      kind: 'bad_request',
      clientStatus: 400,
      param: 'input',
    })
})

test('a vector comes back in the form that was asked for', () => {
  // 0.5 and -2 as little-endian 32-bit floats.
  const base64 = 'AAAAPwAAAMA='
  const cases: readonly (readonly [string | undefined, string | readonly number[], unknown])[] = [
    [undefined, [0.5, -2], [0.5, -2]],
    ['float', [0.5, -2], [0.5, -2]],
    ['base64', [0.5, -2], base64],
    ['base64', base64, base64],
    ['float', base64, [0.5, -2]],
  ]
  for (const [form, vector, expected] of cases) {
    const request = { input: ['a', 'b'], ...(form !== undefined && { encoding_format: form }) }
    const usage = { prompt_tokens: 3, total_tokens: 3 }
    assert.deepEqual(
      TRANSLATION.answer({ dimensions: 2, model: 'm', vectors: [vector, vector], usage }, request),
      {
        object: 'list',
        data: [
          { object: 'embedding', index: 0, embedding: expected },
          { object: 'embedding', index: 1, embedding: expected },
        ],
        model: 'm',
        usage: { prompt_tokens: 3, total_tokens: 3 },
      },
    )
  }
})
