import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOrder } from './order.ts'

const WORDS: readonly (readonly [string, unknown])[] = [
  ['ok', { kind: 'ok' }],
  ['hang', { kind: 'hang' }],
  ['wserror', { kind: 'wserror' }],
  ['e401', { kind: 'status', status: 401 }],
  ['e529', { kind: 'status', status: 529 }],
  ['e429', { kind: 'status', status: 429, retryAfterS: 7 }],
  ['e429r30', { kind: 'status', status: 429, retryAfterS: 30 }],
  ['e503ms1500', { kind: 'status', status: 503, retryAfterMs: 1500 }],
  ['e503d30', { kind: 'status', status: 503, retryDateS: 30 }],
  ['slow300', { kind: 'slow', ms: 300 }],
  ['ttft40', { kind: 'ttft', ms: 40 }],
  ['drip5', { kind: 'drip', ms: 5 }],
  ['mull2000', { kind: 'mull', ms: 2_000 }],
  ['recover2', { kind: 'recover', times: 2 }],
  ['big', { kind: 'big', megabytes: 64 }],
  ['big3', { kind: 'big', megabytes: 3 }],
]

for (const [word, behaviour] of WORDS) {
  test(`the order ${word} is understood`, () => {
    assert.deepEqual(parseOrder(word), behaviour)
  })
}

for (const word of [
  '',
  'v1',
  'openai',
  'e200',
  'e4',
  'e42',
  'slow',
  'slowly',
  'rule-',
  'rule-nonsense',
  'OK',
  'hang1',
]) {
  test(`"${word}" is no order`, () => {
    assert.equal(parseOrder(word), undefined)
  })
}
