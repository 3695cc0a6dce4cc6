import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heedingOpening } from './filtered.ts'

const event = (choice: object): string => `data: ${JSON.stringify({ choices: [choice] })}\n\n`
const ROLE = event({ delta: { role: 'assistant', content: '', refusal: null }, finish_reason: null })
const FILTER = event({ delta: {}, finish_reason: 'content_filter' })
const PROMPT = 'data: {"choices":[],"prompt_filter_results":[]}\n\n'

test('a stream whose filter is heeded is held until there is content, an end or something else', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'wait'],
    ['data: {"cho', 'wait'],
    [PROMPT + ROLE, 'wait'],
    [PROMPT + ROLE + FILTER.slice(0, -1), 'wait'],
    [PROMPT + ROLE + FILTER, 'content_policy'],
    [FILTER.replaceAll('\n', '\r\n'), 'content_policy'],
    [event({ text: '', finish_reason: 'content_filter' }), 'content_policy'],
    [event({ text: 'a', finish_reason: 'content_filter' }), 'events'],
    [event({ delta: { content: 'a' } }) + FILTER, 'events'],
    [event({ delta: { tool_calls: [{ index: 0 }] } }), 'events'],
    [event({ delta: { reasoning_content: 'hm' } }), 'events'],
    [event({ delta: {}, finish_reason: 'stop' }), 'events'],
    [`: wait\n\n${ROLE}`, 'events'],
    [`${ROLE}: wait\n\n`, 'events'],
    [`${ROLE}data: [DONE]\n\n`, 'events'],
    ['data: {"error":{"message":"no"}}\n\n', 'server_error'],
    ['{"choices":[]}', 'object'],
  ]
  for (const [text, expected] of cases) {
    const found = heedingOpening(Buffer.from(text), 'choices')
    assert.equal(typeof found === 'object' ? found.kind : found, expected, text)
  }
})
