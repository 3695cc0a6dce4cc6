import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, askAzure, CHAT, fakeForTests, json, soundForm, wav } from './fixtures.ts'

const fake = await fakeForTests()
const OK = `${fake.url}/ok`

const CHAT_ANSWER = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1700000000,
  model: 'gpt-4o',
  choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
}
const EMBEDDING_ANSWER = {
  object: 'list',
  model: 'text-embedding-3-small',
  data: [{ object: 'embedding', index: 0, embedding: [0.1, -0.2, 0.3] }],
  usage: { prompt_tokens: 4, total_tokens: 4 },
}
const RERANK_ANSWER = {
  id: 'r1',
  results: [{ index: 0, relevance_score: 0.9 }],
  meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
}
const COHERE_USAGE = {
  billed_units: { input_tokens: 5, output_tokens: 1 },
  tokens: { input_tokens: 5, output_tokens: 1 },
}

const POSTED: readonly (readonly [name: string, path: string, body: object, answer: object])[] = [
  ['chat', '/v1/chat/completions', CHAT, CHAT_ANSWER],
  [
    'completion',
    '/v1/completions',
    { model: 'gpt-3.5-turbo-instruct', prompt: 'ping', max_tokens: 16 },
    {
      id: 'cmpl-1',
      object: 'text_completion',
      created: 1700000000,
      model: 'gpt-3.5-turbo-instruct',
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    },
  ],
  ['embedding', '/v1/embeddings', { model: 'text-embedding-3-small', input: ['ping'] }, EMBEDDING_ANSWER],
  [
    'image',
    '/v1/images/generations',
    { model: 'dall-e-3', prompt: 'a dot' },
    { created: 1700000000, data: [{ url: 'http://127.0.0.1/img.png' }] },
  ],
  ['rerank v1', '/v1/rerank', { model: 'rerank-english-v3.0', query: 'q', documents: ['d'] }, RERANK_ANSWER],
  [
    'rerank v2',
    '/v2/rerank',
    { model: 'rerank-v3.5', query: 'q', documents: ['d', 'e'], top_n: 1 },
    RERANK_ANSWER,
  ],
  [
    'Cohere chat v2',
    '/v2/chat',
    { model: 'command-r', messages: [{ role: 'user', content: 'ping' }], max_tokens: 16 },
    {
      id: 'c1',
      message: { role: 'assistant', content: [{ type: 'text', text: 'pong' }] },
      finish_reason: 'COMPLETE',
      usage: COHERE_USAGE,
    },
  ],
  [
    'Cohere chat v1',
    '/v1/chat',
    { model: 'command-r', message: 'ping' },
    { response_id: 'c1', text: 'pong', generation_id: 'g', finish_reason: 'COMPLETE', meta: COHERE_USAGE },
  ],
  [
    'Cohere embed v2',
    '/v2/embed',
    { model: 'embed-v4.0', texts: ['x'], input_type: 'search_document', embedding_types: ['float'] },
    {
      id: 'e1',
      embeddings: { float: [[0.1, 0.2]] },
      texts: ['x'],
      meta: { billed_units: { input_tokens: 3 } },
      response_type: 'embeddings_by_type',
    },
  ],
  [
    'Cohere embed v1',
    '/v1/embed',
    { model: 'embed-english-v3.0', texts: ['x'], input_type: 'search_document' },
    {
      id: 'e1',
      texts: ['x'],
      embeddings: [[0.1, 0.2]],
      meta: { billed_units: { input_tokens: 3 } },
      response_type: 'embeddings_floats',
    },
  ],
]

for (const [name, path, body, answer] of POSTED) {
  test(`${name} gets its answer, limits left and region`, async () => {
    const got = await ask(OK + path, { body })
    assert.deepEqual([got.status, json(got)], [200, answer])
    assert.equal(got.headers.get('content-type'), 'application/json')
    assert.equal(got.headers.get('x-ratelimit-remaining-requests'), '9')
    assert.equal(got.headers.get('x-ratelimit-remaining-tokens'), '900')
    assert.equal(got.headers.get('x-ms-region'), 'East US')
  })
}

test('a base without an order segment is served too', async () => {
  assert.deepEqual(json(await ask(`${fake.url}/v1/chat/completions`, { body: CHAT })), CHAT_ANSWER)
})

const AZURE: readonly (readonly [string, object, object])[] = [
  ['chat/completions', { messages: CHAT.messages }, { ...CHAT_ANSWER, model: 'dep' }],
  ['embeddings', { input: ['ping'] }, { ...EMBEDDING_ANSWER, model: 'dep' }],
  [
    'images/generations',
    { prompt: 'a dot' },
    { created: 1700000000, data: [{ url: 'http://127.0.0.1/img.png' }] },
  ],
]

for (const [tail, body, answer] of AZURE) {
  test(`an Azure deployment serves ${tail} without a model in the body`, async () => {
    const url = `${OK}/openai/deployments/dep/${tail}?api-version=2024-10-21`
    assert.deepEqual(json(await askAzure(url, { body })), answer)
  })
}

test('batches are listed, on OpenAI and on Azure', async () => {
  const empty = { object: 'list', data: [], first_id: null, last_id: null, has_more: false }
  assert.deepEqual(json(await ask(`${OK}/v1/batches?limit=1`)), empty)
  assert.deepEqual(json(await askAzure(`${OK}/openai/batches?api-version=2024-10-21`)), empty)
})

test('models are listed and shown one by one', async () => {
  const named = await fakeForTests({ models: { 'my-model': 'ok' } })
  const entry = { id: 'my-model', object: 'model', created: 1700000000, owned_by: 'fake-provider' }
  assert.deepEqual(json(await ask(`${named.url}/v1/models`)), { object: 'list', data: [entry] })
  assert.deepEqual(json(await ask(`${named.url}/v1/models/my-model`)), entry)
})

test('speech is bytes of sound, of the type asked for', async () => {
  const body = { model: 'tts-1', input: 'ok', voice: 'alloy' }
  const mp3 = await ask(`${OK}/v1/audio/speech`, { body })
  assert.deepEqual(
    [mp3.status, mp3.headers.get('content-type'), mp3.text],
    [200, 'audio/mpeg', 'ID3fakeaudio'],
  )
  const wavAnswer = await ask(`${OK}/v1/audio/speech`, { body: { ...body, response_format: 'wav' } })
  assert.equal(wavAnswer.headers.get('content-type'), 'audio/wav')
})

test('a transcription is JSON, or text where asked for', async () => {
  const url = `${OK}/v1/audio/transcriptions`
  const asJson = await ask(url, { body: soundForm(wav(0.5), 'a.wav', { model: 'whisper-1' }) })
  assert.deepEqual(json(asJson), { text: 'hello' })
  const asText = await ask(url, {
    body: soundForm(wav(0.5), 'a.wav', { model: 'whisper-1', response_format: 'text' }),
  })
  assert.equal(asText.text, 'hello\n')
})

test('base64 embeddings are the same floats', async () => {
  const body = { model: 'text-embedding-3-small', input: 'ping', encoding_format: 'base64' }
  assert.match((await ask(`${OK}/v1/embeddings`, { body })).text, /"embedding":"zczMPc3MTL6amZk\+"/)
})

test('each input gets its embedding, of the dimensions asked for', async () => {
  const body = { model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 2 }
  assert.match(
    (await ask(`${OK}/v1/embeddings`, { body })).text,
    /"index":0,"embedding":\[0\.1,-0\.2\]\},\{"object":"embedding","index":1,"embedding":\[0\.1,-0\.2\]/,
  )
})

test('gpt-image models answer with base64, n times', async () => {
  const body = { model: 'gpt-image-1', prompt: 'a dot', n: 2 }
  assert.equal((await ask(`${OK}/v1/images/generations`, { body })).text.match(/b64_json/g)?.length, 2)
})

test('a streamed chat says po, ng, stop, DONE', async () => {
  const got = await ask(`${OK}/v1/chat/completions`, { body: { ...CHAT, stream: true } })
  assert.equal(got.headers.get('content-type'), 'text/event-stream')
  const chunk = (delta: object, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1700000000,
      model: 'gpt-4o',
      choices: [{ index: 0, delta, finish_reason }],
    })}\n\n`
  assert.equal(
    got.text,
    chunk({ role: 'assistant', content: '' }) +
      chunk({ content: 'po' }) +
      chunk({ content: 'ng' }) +
      chunk({}, 'stop') +
      'data: [DONE]\n\n',
  )
})

test('a stream that asked for usage ends with it', async () => {
  const body = { ...CHAT, stream: true, stream_options: { include_usage: true } }
  const { text } = await ask(`${OK}/v1/chat/completions`, { body })
  assert.match(
    text,
    /"choices":\[\],"usage":\{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6\}\}\n\ndata: \[DONE\]\n\n$/,
  )
})

test("an Azure stream starts with the prompt's filter results", async () => {
  const url = `${OK}/openai/deployments/dep/chat/completions?api-version=2024-10-21`
  const { text } = await askAzure(url, { body: { messages: CHAT.messages, stream: true } })
  assert.match(text, /^data: \{[^\n]*"choices":\[\],"prompt_filter_results":\[\]\}\n\n/)
})

test('a streamed completion is text in pieces', async () => {
  const body = { model: 'gpt-3.5-turbo-instruct', prompt: 'ping', stream: true }
  const { text } = await ask(`${OK}/v1/completions`, { body })
  assert.match(
    text,
    /"text":"po".*\n\ndata: .*"text":"ng".*\n\ndata: .*"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/,
  )
})

test("Cohere's v2 stream goes from message-start to message-end", async () => {
  const body = { model: 'command-r', messages: [{ role: 'user', content: 'ping' }], stream: true }
  const { text } = await ask(`${OK}/v2/chat`, { body })
  assert.deepEqual(
    [...text.matchAll(/^event: (.+)$/gm)].map((match) => match[1]),
    ['message-start', 'content-start', 'content-delta', 'content-delta', 'content-end', 'message-end'],
  )
})

test("Cohere's v1 stream is one event a line", async () => {
  const { text } = await ask(`${OK}/v1/chat`, { body: { message: 'ping', stream: true } })
  assert.deepEqual(
    [...text.matchAll(/"event_type":"([^"]+)"/g)].map((match) => match[1]),
    ['stream-start', 'text-generation', 'text-generation', 'stream-end'],
  )
})
