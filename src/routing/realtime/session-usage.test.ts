import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usageInEvent } from './session-usage.ts'

const USAGE = { total_tokens: 30, input_tokens: 20, output_tokens: 10 } as const
const COUNTED = { promptTokens: 20, completionTokens: 10, totalTokens: 30 } as const
const HEARD = 'conversation.item.input_audio_transcription.completed'
const LONG = 'x'.repeat(2_000)

const EVENTS: readonly (readonly [what: string, event: unknown, counted: unknown])[] = [
  ['a response that is done', { type: 'response.done', event_id: 'e', response: { usage: USAGE } }, COUNTED],
  [
    'one whose members are in the order of the alphabet',
    { event_id: 'e', response: { output: [LONG], usage: USAGE }, type: 'response.done' },
    COUNTED,
  ],
  [
    'a transcript of what was heard',
    { type: HEARD, item_id: 'i', transcript: LONG, usage: { type: 'tokens', ...USAGE } },
    COUNTED,
  ],
  [
    'a transcript that is paid by the second',
    { type: HEARD, usage: { type: 'duration', seconds: 2 } },
    undefined,
  ],
  ['a response that says nothing of it', { type: 'response.done', response: { usage: null } }, undefined],
  ['another event', { type: 'response.created', response: { usage: USAGE } }, undefined],
  [
    'words that name such an event',
    { type: 'response.output_text.done', text: '"response.done"', usage: USAGE },
    undefined,
  ],
  [
    'a name within another event',
    { type: 'x', name: 'response.done', response: { usage: USAGE } },
    undefined,
  ],
  [
    'numbers that are none',
    { type: 'response.done', response: { usage: { input_tokens: -1, output_tokens: 'many' } } },
    undefined,
  ],
  ['a list', ['response.done', { usage: USAGE }], undefined],
]

for (const [what, event, counted] of EVENTS)
  test(`${what}: ${counted === undefined ? 'nothing' : 'its tokens'} can be counted`, () =>
    assert.deepEqual(usageInEvent(Buffer.from(JSON.stringify(event))), counted))

test('what is no event, or a larger one than any, is not read', () => {
  for (const text of [
    '',
    '"response.done"',
    '{"type":"response.done"',
    '{"type":"response.done","response":',
  ])
    assert.equal(usageInEvent(Buffer.from(text)), undefined, text)
  const large = { type: 'response.done', response: { usage: USAGE, output: ['x'.repeat(4 * 1024 * 1024)] } }
  assert.equal(usageInEvent(Buffer.from(JSON.stringify(large))), undefined)
})
