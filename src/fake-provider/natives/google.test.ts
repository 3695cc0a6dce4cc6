import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiError, GoogleGenAI } from '@google/genai'
import type { JsonObject } from '../../core/json.ts'
import { ask, fakeForTests } from '../fixtures.ts'

const KEY = 'gm-key'
const fake = await fakeForTests({ keys: [KEY] })
const GENERATE = '/ok/as-gemini/v1beta/models/gemini-2.5-flash:generateContent'
const HELLO: JsonObject = { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }

const google = (order: string, apiKey = KEY): GoogleGenAI =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${fake.url}/${order}/as-gemini`, timeout: 5_000 } })

describe('Google’s own client', () => {
  const { models } = google('ok')
  const model = 'gemini-2.5-flash'

  test('is answered, whole and in pieces', async () => {
    const whole = await models.generateContent({ model, contents: 'hello', config: { maxOutputTokens: 16 } })
    assert.equal(whole.text, 'pong')
    let text = ''
    for await (const piece of await models.generateContentStream({ model, contents: 'hello' }))
      text += piece.text ?? ''
    assert.equal(text, 'pong')
  })

  test('is called back by the functions that it declares', async () => {
    const functionDeclarations = [
      { name: 'weather', parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } } },
    ]
    const { functionCalls } = await models.generateContent({
      model,
      contents: 'weather?',
      config: { tools: [{ functionDeclarations }] },
    })
    assert.deepEqual(
      functionCalls?.map(({ name, args }) => [name, args]),
      [
        ['weather', { city: 'Paris' }],
        ['weather', { city: 'Oslo' }],
      ],
    )
  })

  test('gets vectors and images', async () => {
    const { embeddings } = await models.embedContent({ model: 'gemini-embedding-001', contents: ['a', 'b'] })
    assert.equal(embeddings?.length, 2)
    const { data } = await models.generateContent({
      model: 'gemini-2.5-flash-image',
      contents: 'a cat',
      config: { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { aspectRatio: '16:9' } },
    })
    assert.match(data ?? '', /^iVBOR/)
  })

  test('is refused in Google’s words', async () => {
    const hello = { model, contents: 'hello' }
    await assert.rejects(google('ok', 'other').models.generateContent(hello), (error) => {
      assert.ok(error instanceof ApiError)
      assert.equal(error.status, 400)
      assert.match(error.message, /API key not valid/)
      return true
    })
    await assert.rejects(google('e429').models.generateContent(hello), { status: 429 })
  })
})

describe('what Google’s documentation does not allow is refused', () => {
  const cases: readonly (readonly [string, string, JsonObject, number, RegExp])[] = [
    ['another version', GENERATE.replace('v1beta', 'v2'), HELLO, 404, /not found on this server/],
    ['another method', GENERATE.replace('generateContent', 'chat'), HELLO, 404, /not supported for chat/],
    ['a key in the address', `${GENERATE}?key=${KEY}`, HELLO, 403, /unregistered callers/],
    ['an unknown field', GENERATE, { ...HELLO, surplus: 1 }, 400, /Unknown name \\"surplus\\"/],
    [
      'an unknown field inside',
      GENERATE,
      { ...HELLO, generationConfig: { max_tokens: 1 } },
      400,
      /Unknown name \\"max_tokens\\" at 'generationConfig'/,
    ],
    ['no contents', GENERATE, {}, 400, /contents is not specified/],
    ['an empty text', GENERATE, { contents: [{ role: 'user', parts: [{ text: '' }] }] }, 400, /empty text/],
    ['another role', GENERATE, { contents: [{ role: 'system', parts: [{ text: 'a' }] }] }, 400, /valid role/],
    [
      'a call that nobody answers',
      GENERATE,
      {
        contents: [
          { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
          { role: 'user', parts: [{ text: 'a' }] },
        ],
      },
      400,
      /number of function response parts/,
    ],
    [
      'an object without properties',
      GENERATE,
      { ...HELLO, tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'OBJECT' } }] }] },
      400,
      /should be non-empty for OBJECT type/,
    ],
    [
      'two ways to think',
      GENERATE,
      { ...HELLO, generationConfig: { thinkingConfig: { thinkingBudget: 1, thinkingLevel: 'low' } } },
      400,
      /only one of thinking budget and thinking level/,
    ],
  ]
  for (const [name, path, body, status, words] of cases)
    test(name, async () => {
      const headers = { 'x-goog-api-key': KEY }
      const response = await fetch(fake.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      assert.equal(response.status, status)
      assert.match(await response.text(), words)
    })

  test('a bearer, and a body that is no JSON', async () => {
    const bearer = await ask(fake.url + GENERATE, { body: HELLO })
    assert.equal(bearer.status, 401)
    const form = await fetch(fake.url + GENERATE, {
      method: 'POST',
      headers: { 'x-goog-api-key': KEY },
      body: 'a=b',
    })
    assert.equal(form.status, 400)
    await form.text()
  })
})

describe('the token endpoint of Vertex AI', () => {
  const post = async (fields: Readonly<Record<string, string>>): Promise<string> => {
    const response = await fetch(`${fake.url}/ok/as-vertex_ai/token`, {
      method: 'POST',
      body: new URLSearchParams(fields),
    })
    return `${response.status} ${await response.text()}`
  }
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

  test('gives nothing for what is no signed claim', async () => {
    assert.match(await post({ grant_type: 'password' }), /^400 .*unsupported_grant_type/)
    assert.match(await post({ grant_type: grant, assertion: 'a.b.c' }), /^400 .*Invalid JWT Signature/)
    assert.match(await post({ grant_type: grant, surplus: '1' }), /^400 .*Unknown parameter/)
  })

  test('knows the tokens that it gave, and no others', async () => {
    const url = `${fake.url}/ok/as-vertex_ai/v1/projects/p/locations/us-central1/publishers/google/models/g:generateContent`
    const { status } = await ask(url, { body: HELLO, headers: { authorization: 'Bearer ya29.made-up' } })
    assert.equal(status, 401)
  })
})
