import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateTokens } from './need.ts'

test('a body is a quarter of its bytes in tokens, and pictures in it are none', () => {
  const prose = 'The quick brown fox. '.repeat(2000)
  const picture = 'iVBORw0KGgo+/'.repeat(20_000)
  const cases: readonly (readonly [string, number])[] = [
    ['{}', 1],
    [prose, 10_500],
    [`{"text":"${prose}","url":"data:image/png;base64,${picture}"}`, 10_511],
    [`"${picture}" ${prose} "${picture}"`, 10_502],
    ['x'.repeat(2047) + ' ' + 'x'.repeat(2047) + ' '.repeat(16_000), 5024],
  ]
  for (const [body, tokens] of cases) assert.equal(estimateTokens(Buffer.from(body)), tokens)
})
