import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Media } from '../surface-face.ts'
import { countable, inliningOf } from './cloud-surface.ts'

const TARGET = { provider: 'bedrock', model: 'm', base: '', bodyDefaults: {} }
const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0'

const image = (url: string): JsonObject => ({ type: 'image', source: { type: 'url', url } })
const turn = (...content: readonly Json[]): JsonObject => ({ role: 'user', content })

function inliningIn(messages: readonly JsonObject[], more: JsonObject = {}): ReturnType<typeof inliningOf> {
  const body = Buffer.from(JSON.stringify({ max_tokens: 9, messages, ...more }, undefined, 1))
  return inliningOf(body, scanObject(body))
}

test('bytes stand in place of each address, wherever in a conversation it stands', () => {
  const paper = {
    type: 'document',
    title: 'Report',
    source: { type: 'url', url: 'http://papers.test/a.pdf' },
  }
  const note = { type: 'document', source: { type: 'url', url: 'https://papers.test/a.txt' } }
  const result = { type: 'tool_result', tool_use_id: 't', content: [image('https://pictures.test/a.png')] }
  const kept = [
    { type: 'image', source: { type: 'url', url: 's3://bucket/a.png' } },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'eA==' } },
    { type: 'text', text: 'https://pictures.test/a.png', cache_control: { type: 'ephemeral' } },
  ]
  const first = { role: 'user', content: 'ping' }
  const inlining = inliningIn([
    first,
    turn(image('https://pictures.test/a.png'), paper, note),
    turn(result, ...kept),
  ])
  assert.deepEqual(inlining?.urls, [
    'https://pictures.test/a.png',
    'http://papers.test/a.pdf',
    'https://papers.test/a.txt',
  ])
  const found: readonly (readonly [string, Media])[] = [
    ['https://pictures.test/a.png', { contentType: 'image/png', bytes: Buffer.from('x') }],
    ['http://papers.test/a.pdf', { contentType: 'application/pdf', bytes: Buffer.from('%PDF-') }],
    ['https://papers.test/a.txt', { contentType: 'text/plain', bytes: Buffer.from('pöng') }],
  ]
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'eA==' } }
  assert.deepEqual(JSON.parse(inlining.filled(new Map(found)).toString()), {
    max_tokens: 9,
    messages: [
      first,
      turn(
        picture,
        {
          type: 'document',
          title: 'Report',
          source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
        },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'pöng' } },
      ),
      turn({ ...result, content: [picture] }, ...kept),
    ],
  })
})

test('nothing is fetched for what only looks like an address', () => {
  const tool = {
    name: 'fetch',
    input_schema: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] },
  }
  assert.equal(inliningIn([turn({ type: 'text', text: '{"type":"url"}' })], { tools: [tool] }), undefined)
  assert.equal(
    inliningIn([turn({ type: 'text', text: 'ping' })], { metadata: { user_id: 'url' } }),
    undefined,
  )
  assert.equal(
    inliningIn([
      turn({ type: 'tool_use', id: 't', name: 'fetch', input: { type: 'url', url: 'https://a.test/' } }),
    ]),
    undefined,
  )
})

test('what is counted is what Anthropic counts, in the form that the model knows', () => {
  const messages = [{ role: 'user', content: 'ping' }]
  const asked = {
    model: 'm',
    messages,
    thinking: { type: 'adaptive' },
    metadata: { user_id: 'u' },
    cache_control: null,
  }
  assert.deepEqual(countable(TARGET, SONNET, asked), {
    messages,
    thinking: { type: 'enabled', budget_tokens: 4_096 },
  })
  assert.equal(
    countable(TARGET, SONNET, { messages: [turn(image('https://pictures.test/a.png'))] }),
    undefined,
  )
})
