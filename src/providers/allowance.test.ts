import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scarceMs } from './allowance.ts'

type Headers = Readonly<Record<string, string>>

const openAi = (limit: string, remaining: string, reset?: string): Headers => ({
  'x-ratelimit-limit-requests': limit,
  'x-ratelimit-remaining-requests': remaining,
  ...(reset !== undefined && { 'x-ratelimit-reset-requests': reset }),
})

const CASES: readonly (readonly [name: string, headers: Headers, wait: number | undefined])[] = [
  ['no word of it', {}, undefined],
  ['plenty', openAi('500', '499', '120ms'), 0],
  ['a tenth is enough', openAi('500', '50', '54s'), 0],
  ['less than a tenth, until it is full again', openAi('500', '49', '54s'), 54_000],
  ['nothing', openAi('500', '0', '6m0s'), 360_000],
  ["a day's limit, an hour at a time", openAi('1000', '20', '23h50m'), 3_600_000],
  ['nobody says until when', openAi('500', '3'), 60_000],
  ['Azure says 0', openAi('500', '3', '0'), 60_000],
  ['Azure says -1', openAi('500', '3', '-1'), 60_000],
  ['Azure names no limit, and something is left', { 'x-ratelimit-remaining-requests': '9' }, undefined],
  ['Azure names no limit, and nothing is left', { 'x-ratelimit-remaining-requests': '0' }, 60_000],
  [
    'tokens do not count',
    { 'x-ratelimit-limit-tokens': '100', 'x-ratelimit-remaining-tokens': '0' },
    undefined,
  ],
  ['no number', openAi('many', 'few', 'soon'), undefined],
  [
    "Anthropic's names, and a point in time",
    {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '4',
      'anthropic-ratelimit-requests-reset': '2026-11-23T08:00:30Z',
      date: 'Mon, 23 Nov 2026 08:00:00 GMT',
    },
    30_000,
  ],
  [
    'Anthropic, with plenty',
    { 'anthropic-ratelimit-requests-limit': '50', 'anthropic-ratelimit-requests-remaining': '49' },
    0,
  ],
]

for (const [name, headers, wait] of CASES)
  test(`the allowance of requests: ${name}`, () => {
    assert.equal(scarceMs(headers), wait)
  })
