import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, CHAT, fakeForTests, json, soundForm, wav } from './fixtures.ts'
import type { Ask } from './fixtures.ts'

/** An edit of one picture, named as clients name several. */
function pictureForm(type: string, fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('image[]', new Blob(['a picture'], { type }), 'a.png')
  return form
}

const fake = await fakeForTests()
const lenient = await fakeForTests({ strict: false })

/** An OpenAI error's code (or null), param (or null) and a piece of its message. */
type Words = readonly [code: string | null, param: string | null, message: RegExp]

const EMBED = { model: 'text-embedding-3-small', input: ['x'] }
const SPEAK = { model: 'tts-1', input: 'ok', voice: 'alloy' }
const SOUND = soundForm(wav(0.5), 'a.wav', { model: 'whisper-1' })

const OPENAI: readonly (readonly [name: string, path: string, request: Ask, status: number, words: Words])[] =
  [
    ['an unknown URL', '/v1/nothing', {}, 404, [null, null, /Invalid URL \(GET \/v1\/nothing\)/]],
    [
      'a doubled v1',
      '/v1/v1/chat/completions',
      { body: CHAT },
      404,
      [null, null, /Invalid URL \(POST \/v1\/v1/],
    ],
    ['a GET of chat', '/v1/chat/completions', {}, 405, ['method_not_supported', null, /Not allowed to GET/]],
    [
      'a POST of models',
      '/v1/models',
      { body: {} },
      405,
      ['method_not_supported', null, /Not allowed to POST/],
    ],
    [
      'a missing model',
      '/v1/chat/completions',
      { body: { messages: CHAT.messages } },
      400,
      ['missing_required_parameter', 'model', /'model'/],
    ],
    [
      'missing messages',
      '/v1/chat/completions',
      { body: { model: 'gpt-4o' } },
      400,
      ['missing_required_parameter', 'messages', /'messages'/],
    ],
    [
      'no messages',
      '/v1/chat/completions',
      { body: { ...CHAT, messages: [] } },
      400,
      ['empty_array', 'messages', /empty array/],
    ],
    [
      'a textual budget',
      '/v1/chat/completions',
      { body: { ...CHAT, max_tokens: '16' } },
      400,
      ['invalid_type', 'max_tokens', /an integer, but got a string/],
    ],
    [
      'a budget of 0',
      '/v1/chat/completions',
      { body: { ...CHAT, max_tokens: 0 } },
      400,
      ['integer_below_min_value', 'max_tokens', />= 1, but got 0/],
    ],
    [
      'two budgets',
      '/v1/chat/completions',
      { body: { ...CHAT, max_completion_tokens: 16 } },
      400,
      ['invalid_parameter_combination', null, /at the same time/],
    ],
    [
      'max_tokens to a reasoning model',
      '/v1/chat/completions',
      { body: { ...CHAT, model: 'gpt-5-nano' } },
      400,
      ['unsupported_parameter', 'max_tokens', /Use 'max_completion_tokens'/],
    ],
    [
      'a temperature to a reasoning model',
      '/v1/chat/completions',
      { body: { model: 'o3-mini', messages: CHAT.messages, temperature: 0 } },
      400,
      ['unsupported_value', 'temperature', /Only the default/],
    ],
    [
      'stream_options without a stream',
      '/v1/chat/completions',
      { body: { ...CHAT, stream_options: {} } },
      400,
      [null, 'stream_options', /only allowed when/],
    ],
    [
      'an embedding model in a chat',
      '/v1/chat/completions',
      { body: { ...CHAT, model: 'text-embedding-3-small' } },
      404,
      [null, 'model', /not a chat model/],
    ],
    [
      'a chat model in a completion',
      '/v1/completions',
      { body: { model: 'gpt-4o', prompt: 'x' } },
      404,
      [null, 'model', /is a chat model/],
    ],
    [
      'a chat model as an embedder',
      '/v1/embeddings',
      { body: { ...EMBED, model: 'gpt-4o' } },
      403,
      [null, null, /not allowed to generate embeddings/],
    ],
    [
      'a budget for an embedding',
      '/v1/embeddings',
      { body: { ...EMBED, max_tokens: 16 } },
      400,
      ['unknown_parameter', 'max_tokens', /Unknown parameter/],
    ],
    [
      'an unknown image field',
      '/v1/images/generations',
      { body: { model: 'dall-e-3', prompt: 'x', seed: 1 } },
      400,
      ['unknown_parameter', 'seed', /Unknown/],
    ],
    [
      'response_format to gpt-image',
      '/v1/images/generations',
      { body: { model: 'gpt-image-1', prompt: 'x', response_format: 'url' } },
      400,
      ['unknown_parameter', 'response_format', /Unknown/],
    ],
    [
      'speech without a voice',
      '/v1/audio/speech',
      { body: { model: 'tts-1', input: 'ok' } },
      400,
      ['missing_required_parameter', 'voice', /'voice'/],
    ],
    [
      'an unknown voice',
      '/v1/audio/speech',
      { body: { ...SPEAK, voice: 'hal' } },
      400,
      ['invalid_value', 'voice', /'alloy'/],
    ],
    [
      'a budget for speech',
      '/v1/audio/speech',
      { body: { ...SPEAK, max_tokens: 16 } },
      400,
      ['unknown_parameter', 'max_tokens', /Unknown/],
    ],
    [
      'broken JSON',
      '/v1/chat/completions',
      { body: '{"model":', headers: { 'content-type': 'application/json' } },
      400,
      [null, null, /could not parse/],
    ],
    [
      'another content type',
      '/v1/chat/completions',
      { body: 'x', headers: { 'content-type': 'text/plain' } },
      400,
      ['unsupported_content_type', null, /'application\/json'/],
    ],
    [
      'JSON in place of a form',
      '/v1/audio/transcriptions',
      { body: { model: 'whisper-1' } },
      400,
      ['unsupported_content_type', null, /multipart/],
    ],
    [
      'a language to translate from',
      '/v1/audio/translations',
      { body: soundForm(wav(0.5), 'a.wav', { model: 'whisper-1', language: 'de' }) },
      400,
      ['unknown_parameter', 'language', /Unknown/],
    ],
    [
      'an edit without a prompt',
      '/v1/images/edits',
      { body: pictureForm('image/png', {}) },
      400,
      ['missing_required_parameter', 'prompt', /'prompt'/],
    ],
    [
      'an edit of what is no picture',
      '/v1/images/edits',
      { body: pictureForm('text/plain', { prompt: 'a hat' }) },
      400,
      ['unsupported_file_mimetype', 'image[]', /text\/plain/],
    ],
    [
      'an edit by JSON that names no picture',
      '/v1/images/edits',
      { body: { prompt: 'a hat' } },
      400,
      ['missing_required_parameter', 'images', /'images'/],
    ],
    [
      'a form without a model',
      '/v1/audio/transcriptions',
      { body: soundForm(wav(0.5), 'a.wav', {}) },
      400,
      ['missing_required_parameter', 'model', /'model'/],
    ],
    [
      'a file without an extension',
      '/v1/audio/transcriptions',
      { body: soundForm(wav(0.5), 'blob', { model: 'whisper-1' }) },
      400,
      [null, 'file', /Unrecognized file format/],
    ],
    [
      'a sound that is none',
      '/v1/audio/transcriptions',
      { body: soundForm(Buffer.from('hello'), 'a.wav', { model: 'whisper-1' }) },
      400,
      ['invalid_value', 'file', /corrupted/],
    ],
    [
      'a sound too short',
      '/v1/audio/transcriptions',
      { body: soundForm(wav(0.05), 'a.wav', { model: 'whisper-1' }) },
      400,
      ['audio_too_short', 'file', /0\.1 seconds/],
    ],
    [
      'an unknown form field',
      '/v1/audio/transcriptions',
      { body: soundForm(wav(0.5), 'a.wav', { model: 'whisper-1', max_tokens: '16' }) },
      400,
      ['unknown_parameter', 'max_tokens', /Unknown/],
    ],
    [
      'a key under another name',
      '/v1/chat/completions',
      { body: CHAT, headers: { authorization: '', 'api-key': 'k' } },
      401,
      [null, null, /didn't provide an API key/],
    ],
    [
      'a malformed key',
      '/v1/chat/completions',
      { body: CHAT, headers: { authorization: 'Basic abc' } },
      401,
      [null, null, /didn't provide an API key/],
    ],
    ['a session without its upgrade', '/v1/realtime?model=gpt-realtime', {}, 400, [null, null, /WebSocket/]],
  ]

for (const [name, path, request, status, [code, param, message]] of OPENAI) {
  test(`OpenAI refuses ${name}`, async () => {
    const got = await ask(`${fake.url}/ok${path}`, request)
    const { error } = JSON.parse(got.text)
    assert.deepEqual([got.status, error.code, error.param], [status, code, param])
    assert.match(error.message, message)
    assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code'])
  })
}

const AZURE_CHAT = '/openai/deployments/dep/chat/completions'
const DATED = '?api-version=2024-10-21'
const KEY = { authorization: '', 'api-key': 'az-key' }
const NOT_FOUND = { statusCode: 404, message: 'Resource not found' }
const BODY = { messages: CHAT.messages }

const AZURE: readonly (readonly [name: string, path: string, request: Ask, status: number, words: RegExp])[] =
  [
    [
      'a missing api-version',
      AZURE_CHAT,
      { body: BODY, headers: KEY },
      404,
      /"statusCode":404,"message":"Resource not found"/,
    ],
    [
      'an api-version that is no date',
      `${AZURE_CHAT}?api-version=v1`,
      { body: BODY, headers: KEY },
      400,
      /API version not supported/,
    ],
    [
      'a dated version on the v1 surface',
      `/openai/v1/chat/completions${DATED}`,
      { body: CHAT, headers: KEY },
      400,
      /API version not supported/,
    ],
    [
      'no key',
      AZURE_CHAT + DATED,
      { body: BODY, headers: { authorization: '' } },
      401,
      /"code":"401".*invalid subscription key/,
    ],
    [
      'a key sent as a bearer',
      AZURE_CHAT + DATED,
      { body: BODY, headers: { authorization: 'Bearer az-key' } },
      401,
      /Access token is missing, invalid/,
    ],
    [
      'the retired image route',
      `/openai/images/generations:submit${DATED}`,
      { body: { prompt: 'x' }, headers: KEY },
      404,
      /Resource not found/,
    ],
    [
      'batches under a deployment',
      `/openai/deployments/dep/batches${DATED}`,
      { headers: KEY },
      404,
      /Resource not found/,
    ],
    [
      'a chat with a batch deployment',
      `/openai/deployments/batch-gpt-4o/chat/completions${DATED}`,
      { body: BODY, headers: KEY },
      400,
      /"code":"OperationNotSupported"/,
    ],
    [
      'missing messages',
      AZURE_CHAT + DATED,
      { body: {}, headers: KEY },
      400,
      /Missing required parameter: 'messages'/,
    ],
  ]

for (const [name, path, request, status, words] of AZURE) {
  test(`Azure refuses ${name}`, async () => {
    const got = await ask(`${fake.url}/ok${path}`, request)
    assert.equal(got.status, status)
    assert.match(got.text, words)
  })
}

test('Azure takes an Entra token, and OpenAI clients on its v1 surface', async () => {
  const token = { authorization: 'Bearer eyJhbGciOi.eyJhdWQi.c2ln' }
  assert.equal((await ask(`${fake.url}${AZURE_CHAT}${DATED}`, { body: BODY, headers: token })).status, 200)
  assert.equal((await ask(`${fake.url}/openai/v1/chat/completions`, { body: CHAT })).status, 200)
  assert.equal(
    (await ask(`${fake.url}/openai/v1/chat/completions?api-version=preview`, { body: CHAT, headers: KEY }))
      .status,
    200,
  )
  assert.deepEqual(json(await ask(`${fake.url}/openai/deployments/d/nothing${DATED}`)), NOT_FOUND)
})

const COHERE: readonly (readonly [
  name: string,
  path: string,
  request: Ask,
  status: number,
  words: RegExp,
])[] = [
  [
    'an embed without input_type',
    '/v2/embed',
    { body: { model: 'embed-v4.0', texts: ['x'] } },
    400,
    /input_type is required/,
  ],
  [
    'an embed without texts',
    '/v2/embed',
    { body: { model: 'embed-v4.0', input_type: 'search_document' } },
    400,
    /texts, images or inputs/,
  ],
  [
    'a v1 chat with v2 messages',
    '/v1/chat',
    { body: { messages: CHAT.messages } },
    400,
    /message is required/,
  ],
  [
    'a rerank of nothing',
    '/v1/rerank',
    { body: { model: 'm', query: 'q', documents: [] } },
    400,
    /must not be empty/,
  ],
  [
    'an object for the v2 rerank',
    '/v2/rerank',
    { body: { model: 'm', query: 'q', documents: ['a', { text: 'd' }] } },
    400,
    /documents\[1\] must be a string/,
  ],
  [
    'an object without a text for the v1 rerank',
    '/v1/rerank',
    { body: { model: 'm', query: 'q', documents: [{ title: 'd' }] } },
    400,
    /documents\[0\] must be a string/,
  ],
  [
    'a v2 rerank without a model',
    '/v2/rerank',
    { body: { query: 'q', documents: ['d'] } },
    400,
    /model is required/,
  ],
  [
    'a chat without a key',
    '/v2/chat',
    { body: { model: 'command-r', messages: CHAT.messages }, headers: { authorization: '' } },
    401,
    /no api key supplied/,
  ],
  ['an unknown path', '/v2/complete', { body: {} }, 404, /resource not found/],
  ['a GET of chat', '/v2/chat', {}, 405, /method not allowed/],
]

for (const [name, path, request, status, words] of COHERE) {
  test(`Cohere refuses ${name}`, async () => {
    const got = await ask(fake.url + path, request)
    assert.equal(got.status, status)
    assert.match(got.text, words)
    assert.match(got.text, /^\{"id":"[^"]+","message":"[^"]+"\}$/)
  })
}

test('a lenient fake lets unknown fields and names pass', async () => {
  const body = { ...EMBED, model: 'gpt-4o', max_tokens: 16 }
  assert.equal((await ask(`${lenient.url}/v1/embeddings`, { body })).status, 200)
})

test('fields that are named as every object’s own are unknown like any other', async () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    const body: unknown = JSON.parse(`{"model":"tts-1","input":"ok","voice":"alloy","${name}":1}`)
    const given = await ask(`${lenient.url}/v1/audio/speech`, { body })
    assert.equal(given.status, 200, name)
  }
})

test('chat bodies may carry fields that nobody knows', async () => {
  const body = { ...CHAT, made_up_field: { x: 1 } }
  assert.equal((await ask(`${fake.url}/v1/chat/completions`, { body })).status, 200)
})

test('the same sound in the right form passes', async () => {
  assert.equal((await ask(`${fake.url}/v1/audio/transcriptions`, { body: SOUND })).status, 200)
})

test('where keys are given, another key and none at all get the words of the provider', async () => {
  const keyed = await fakeForTests({ keys: ['sk-right', 'az-right'] })
  const chat = (headers: Record<string, string>) =>
    ask(`${keyed.url}/v1/chat/completions`, { body: CHAT, headers })
  assert.equal((await chat({ authorization: 'Bearer sk-right' })).status, 200)
  const wrong = await chat({ authorization: 'Bearer sk-wrong-key-1234' })
  assert.equal(wrong.status, 401)
  assert.match(wrong.text, /Incorrect API key provided: sk-\*+1234\..*"code":"invalid_api_key"/)
  assert.equal((await chat({ authorization: '' })).status, 401)
  const azure = (key: string) =>
    ask(`${keyed.url}${AZURE_CHAT}${DATED}`, { body: BODY, headers: { authorization: '', 'api-key': key } })
  assert.deepEqual([(await azure('az-right')).status, (await azure('az-wrong')).status], [200, 401])
  const cohere = await ask(`${keyed.url}/v2/chat`, { body: { model: 'c', messages: CHAT.messages } })
  assert.deepEqual([cohere.status, /invalid api token/.test(cohere.text)], [401, true])
})
