import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { once } from 'node:events'
import { MODES } from '../core/mode.ts'
import { ask, askAzure, CHAT, fakeForTests, soundForm, wav } from './fixtures.ts'
import type { Got } from './fixtures.ts'
import { RULES } from './rules.ts'

const fake = await fakeForTests()

test('there are at least 25 rule-sets, named apart, each with its source', () => {
  assert.ok(RULES.length >= 25)
  assert.equal(new Set(RULES.map((rule) => rule.name)).size, RULES.length)
  for (const rule of RULES) {
    assert.match(rule.name, /^[a-z0-9-]+$/)
    assert.ok(rule.source.length > 10, rule.name)
    assert.ok(MODES.includes(rule.mode), rule.name)
    assert.match(rule.model, /^[a-z-]+\/.+$/)
  }
})

const TEXT_ONLY = { model: 'gpt-4o', messages: CHAT.messages } as const

/** A chat under a rule, Azure's where the rule is Azure's. */
function chat(rule: string, body: object = CHAT): Promise<Got> {
  if (RULES.find(({ name }) => name === rule)?.model.startsWith('azure/') !== true) {
    return ask(`${fake.url}/rule-${rule}/v1/chat/completions`, { body })
  }
  const url = `${fake.url}/rule-${rule}/openai/deployments/d/chat/completions?api-version=2024-10-21`
  return askAzure(url, { body })
}

const ANSWERED: readonly (readonly [rule: string, first: RegExp])[] = [
  ['minimum-16', /"content":"pong"/],
  ['no-temperature', /"content":"pong"/],
  ['strict-fields', /"content":"pong"/],
  ['reasoning-eats-budget', /"content":""\},"finish_reason":"length".*"reasoning_tokens":16/],
  ['reasoning-null', /"content":null\},"finish_reason":"length"/],
  ['no-content-on-length', /"message":\{"role":"assistant"\},"finish_reason":"length"/],
  ['reasoning-content', /"content":null,"reasoning_content":".+"\},"finish_reason":"stop"/],
  ['filtered-answer', /"message":\{"role":"assistant"\},"finish_reason":"content_filter"/],
  ['refusal', /"content":null,"refusal":".+"/],
  ['tool-call', /"content":null,"tool_calls":\[/],
  ['content-parts', /"content":\[\{"type":"thinking"/],
  [
    'bare-choices',
    /^\{"choices":\[\{"index":0,"message":\{"role":"assistant","content":"pong"\},"finish_reason":"stop"\}\]\}$/,
  ],
  ['null-fields', /"usage":null/],
  ['extra-fields', /"x_groq":/],
  ['filter-results', /"prompt_filter_results":\[\{/],
  ['dated-model', /"model":"gpt-4o-2024-08-06"/],
  ['foreign-finish-reason', /"finish_reason":"eos"/],
  ['odd-splits', /"system_fingerprint":"fp_ñ→🙂"/],
  ['blank-lines', /^\n+\{"id":"chatcmpl-1"/],
]

for (const [rule, text] of ANSWERED) {
  test(`rule ${rule}: a plain chat gets ${String(text)}`, async () => {
    const got = await chat(rule)
    assert.equal(got.status, 200)
    assert.match(got.text, text)
  })
}

test('rule no-usage: the answer has no usage', async () => {
  const { text } = await chat('no-usage')
  assert.match(text, /"content":"pong"/)
  assert.doesNotMatch(text, /usage/)
})

function said(content: string): object {
  return { ...CHAT, messages: [{ role: 'user', content }] }
}

const REFUSED: readonly (readonly [
  rule: string,
  body: object,
  status: number,
  words: RegExp,
  better?: object,
])[] = [
  ['minimum-16', { ...TEXT_ONLY, max_tokens: 1 }, 400, /Expected a value >= 16, but got 1/, CHAT],
  ['minimum-64', CHAT, 400, /Expected a value >= 64, but got 16/, { ...TEXT_ONLY, max_tokens: 64 }],
  [
    'renamed-budget',
    CHAT,
    400,
    /Use 'max_completion_tokens' instead/,
    { ...TEXT_ONLY, max_completion_tokens: 16 },
  ],
  [
    'old-budget-name',
    { ...TEXT_ONLY, max_completion_tokens: 16 },
    422,
    /extra_forbidden.*max_completion_tokens/,
    CHAT,
  ],
  [
    'old-budget-name',
    { ...CHAT, model: 'gpt-5-nano', max_tokens: undefined, max_completion_tokens: 16 },
    422,
    /extra_forbidden/,
    { ...CHAT, model: 'gpt-5-nano' },
  ],
  ['no-temperature', { ...CHAT, temperature: 0 }, 400, /Only the default \(1\) value/, CHAT],
  ['strict-fields', { ...CHAT, user: 'u' }, 422, /extra_forbidden.*"user"/, CHAT],
  ['limit-reached', CHAT, 400, /max_tokens or model output limit was reached/],
  ['stream-only', CHAT, 400, /only support stream mode/, { ...CHAT, stream: true }],
  ['sound-only', CHAT, 400, /modality contain audio/],
  ['prompt-filtered', CHAT, 400, /"code":"content_filter".*ResponsibleAIPolicyViolation/],
  ['context-window', said('x'.repeat(4001)), 400, /"code":"context_length_exceeded"/, CHAT],
  ['screened-prompts', said('an offence'), 400, /"code":"content_filter"/, CHAT],
  ['banned-words', said('an offence'), 400, /"code":"content_policy_violation"/, CHAT],
]

for (const [rule, body, status, words, better] of REFUSED) {
  test(`rule ${rule}: refused with ${status} ${String(words)}`, async () => {
    const got = await chat(rule, body)
    assert.equal(got.status, status)
    assert.match(got.text, words)
    if (better !== undefined) assert.equal((await chat(rule, better)).status, 200)
  })
}

const HEADS: readonly (readonly [rule: string, status: number, type: string | null, limit: string | null])[] =
  [
    ['text-plain', 200, 'text/plain; charset=utf-8', '9'],
    ['no-content-type', 200, null, '9'],
    ['created-201', 201, 'application/json', '9'],
    ['header-case', 200, 'application/json', '9'],
    ['no-limit-headers', 200, 'application/json', null],
    ['nearly-spent', 200, 'application/json', '3'],
  ]

for (const [rule, status, type, limit] of HEADS) {
  test(`rule ${rule}: the answer is the same under another head`, async () => {
    const got = await chat(rule)
    assert.match(got.text, /"content":"pong"/)
    const { headers } = got
    assert.deepEqual(
      [got.status, headers.get('content-type'), headers.get('x-ratelimit-remaining-requests')],
      [status, type, limit],
    )
  })
}

const OTHERS: readonly (readonly [
  rule: string,
  path: string,
  body: object | FormData | undefined,
  text: RegExp,
])[] = [
  [
    'completion-empty-text',
    '/v1/completions',
    { model: 'gpt-3.5-turbo-instruct', prompt: 'x' },
    /"text":"","finish_reason":"length"/,
  ],
  [
    'base64-embeddings',
    '/v1/embeddings',
    { model: 'text-embedding-3-small', input: 'x' },
    /"embedding":"zczMPc3MTL6amZk\+"/,
  ],
  [
    'embedding-no-usage',
    '/v1/embeddings',
    { model: 'bge-small-en', input: 'x' },
    /^\{"object":"list","data":\[[^\]]+\]\}\]\}$/,
  ],
  [
    'image-b64-only',
    '/v1/images/generations',
    { model: 'gpt-image-1', prompt: 'x' },
    /"b64_json":"iVBOR.*"usage"/,
  ],
  [
    'image-policy',
    '/v1/images/generations',
    { model: 'gpt-image-1', prompt: 'x' },
    /"code":"moderation_blocked"/,
  ],
  [
    'empty-transcript',
    '/v1/audio/transcriptions',
    soundForm(wav(0.5), 'a.wav', { model: 'whisper-1' }),
    /^\{"text":""\}$/,
  ],
  [
    'transcript-usage',
    '/v1/audio/transcriptions',
    soundForm(wav(0.5), 'a.wav', { model: 'whisper-1' }),
    /^\{"text":"hello",.*"usage"/,
  ],
  ['speech-octet-stream', '/v1/audio/speech', { model: 'tts-1', input: 'x', voice: 'alloy' }, /^ID3/],
  [
    'rerank-string-documents',
    '/v2/rerank',
    { model: 'rerank-v3.5', query: 'q', documents: ['d'] },
    /"document":"my sample text"/,
  ],
  [
    'rerank-no-meta',
    '/v2/rerank',
    { model: 'rerank-v3.5', query: 'q', documents: ['d'] },
    /^\{"model":"m","results":\[\{"index":0,"relevance_score":0\.9\}\]\}$/,
  ],
  ['batch-no-paging', '/v1/batches', undefined, /^\{"object":"list","data":\[\]\}$/],
]

for (const [rule, path, body, text] of OTHERS) {
  test(`rule ${rule}: ${path} answers ${String(text)}`, async () => {
    const got = await ask(`${fake.url}/rule-${rule}${path}`, { body })
    assert.match(got.text, text)
    assert.equal(got.status, rule === 'image-policy' ? 400 : 200)
    if (rule === 'speech-octet-stream')
      assert.equal(got.headers.get('content-type'), 'application/octet-stream')
  })
}

for (const rule of ['realtime-ping', 'realtime-late']) {
  test(`rule ${rule}: session.created still comes first`, async () => {
    const url = `${fake.url.replace('http', 'ws')}/rule-${rule}/v1/realtime?model=gpt-realtime`
    const socket = new WebSocket(url, { headers: { authorization: 'Bearer k' } })
    const [message] = await once(socket, 'message')
    assert.equal(JSON.parse(String(message)).type, 'session.created')
    socket.terminate()
  })
}

test('a rule does not excuse a bad request', async () => {
  const got = await ask(`${fake.url}/rule-base64-embeddings/v1/embeddings`, {
    body: { model: 'e', input: 'x', max_tokens: 16 },
  })
  assert.equal(got.status, 400)
})

test('every rule is tried above', () => {
  const tried = new Set([...ANSWERED, ...REFUSED, ...HEADS, ...OTHERS].map(([rule]) => rule))
  const left = RULES.map((rule) => rule.name).filter((name) => !tried.has(name))
  assert.deepEqual(left, ['no-usage', 'realtime-ping', 'realtime-late'])
})
