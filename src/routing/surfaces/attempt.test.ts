import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import { lineOf } from '../../providers/line.fixture.ts'
import { allAdapters } from '../../providers/registry.ts'
import { OPERATIONS } from '../request/operations.ts'
import { surfaceAttempt } from './attempt.ts'
import { MESSAGES } from './surfaces.ts'

await allAdapters()

test('thoughts go back to those of a provider’s models whose words hold them, and to no others', () => {
  const thought = { type: 'thinking', thinking: 'hm', signature: 's' }
  const body = Buffer.from(
    JSON.stringify({
      model: 'm',
      max_tokens: 9,
      messages: [
        { role: 'user', content: 'ping' },
        { role: 'assistant', content: [thought, { type: 'text', text: 'pong' }] },
        { role: 'user', content: 'ping' },
      ],
    }),
  )
  const asked = {
    operation: OPERATIONS.chat,
    body,
    spans: scanObject(body),
    stream: false,
    headers: {},
    previous: undefined,
    mayDrop: true,
    isMocked: false,
  }
  for (const [provider, model, goBack] of [
    ['bedrock', 'converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0', true],
    ['vertex_ai', 'mistral-medium-3', true],
    ['vertex_ai', 'meta/llama-3.3-70b-instruct-maas', false],
    ['openai', 'gpt-4o', false],
  ] as const) {
    const line = lineOf(provider, model, { settings: { vertex_project: 'p' } })
    const attempt = surfaceAttempt(MESSAGES, line, { ...asked, knownModel: model })
    assert.equal(attempt.body.toString().includes('"thinking_blocks"'), goBack, model)
  }
})
