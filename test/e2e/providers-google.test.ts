import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { OpenAI } from 'openai'
import type { JsonObject } from '../../src/core/json.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import type { JournalEntry } from '../../src/fake-provider/journal.ts'
import { serviceAccount } from './all-providers.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const KEY = 'gm-canary-key'
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const fake = await startFakeProvider({ keys: [KEY] })
after(() => fake.stop())

const ACCOUNT = serviceAccount(`${fake.url}/ok`)

function listed(name: string, model: string, mode: string, params: JsonObject): Listed {
  return {
    model_name: name,
    litellm_params: { model, ...params },
    model_info: { mode, id: `id-${name}`, health_check_timeout: 8 },
  }
}

const studio = (name: string, model: string, mode = 'chat', base = `${fake.url}/ok/as-gemini`): Listed =>
  listed(name, `gemini/${model}`, mode, { api_base: `${base}/v1beta`, api_key: KEY })

const vertex = (name: string, model: string, mode = 'chat', more: JsonObject = {}): Listed =>
  listed(name, model.includes('/') ? model : `vertex_ai/${model}`, mode, {
    api_base: `${fake.url}/ok/as-vertex_ai`,
    vertex_location: 'europe-west4',
    vertex_credentials: ACCOUNT,
    ...more,
  })

/** Models on Vertex AI that are not Google's. */
const PARTNERS: readonly Listed[] = [
  vertex('v-llama', 'vertex_ai/meta/llama-3.3-70b-instruct-maas'),
  vertex('v-oss', 'vertex_ai/openai/gpt-oss-120b-maas'),
  vertex('v-deployed', 'vertex_ai/openai/1234567890'),
  vertex('v-number', '987654321'),
  vertex('v-mistral', 'mistral-large-2411@001'),
  vertex('v-codestral', 'codestral-2'),
  vertex('v-fim', 'codestral-2', 'completion'),
  vertex('v-jamba', 'jamba-1.5-large@001'),
  vertex('v-vectors', 'vertex_ai/intfloat/multilingual-e5-large-instruct-maas', 'embedding'),
]

const FAMILY: readonly Listed[] = [
  studio('chat', 'gemini-2.5-flash'),
  studio('third', 'gemini-3-flash-preview'),
  studio('embedding', 'gemini-embedding-001', 'embedding'),
  studio('imagen', 'imagen-4.0-generate-001', 'image_generation'),
  studio('painter', 'gemini-2.5-flash-image', 'image_generation'),
  studio('speaker', 'gemini-2.5-flash-preview-tts', 'audio_speech'),
  studio('live', 'gemini-live-2.5-flash-preview', 'realtime'),
  vertex('v-chat', 'gemini-2.5-flash'),
  vertex('v-bare', 'gemini-2.5-flash', 'chat', { model: 'gemini-2.5-flash' }),
  vertex('v-beta', 'vertex_ai_beta/gemini-2.5-flash'),
  vertex('v-endpoint', 'vertex_ai/gemini/1234567890'),
  vertex('v-embedding', 'text-embedding-005', 'embedding'),
  vertex('v-imagen', 'imagen-4.0-generate-001', 'image_generation'),
  vertex('v-speaker', 'gemini-2.5-flash-tts', 'audio_speech'),
  vertex('v-claude', 'claude-sonnet-4-5@20250929'),
  vertex('v-live', 'gemini-live-2.5-flash', 'realtime'),
  ...PARTNERS,
]

const TOKEN = 'POST vertex_ai/token'
const HERE = 'projects/a-project/locations/europe-west4'

test('every mode of both is healthy, at one request each and one token for all that share an account', async () => {
  await withModels(FAMILY, async (gateway) => {
    fake.clearJournal()
    const answer = await askHealth(gateway)
    assertVerdicts(answer, Object.fromEntries(FAMILY.map(({ model_name }) => [model_name, 'healthy'])))
  })
  const lines = fake
    .journal()
    .filter(({ method }) => method !== 'WSMSG')
    .map(({ method, url }) => `${method} ${url.replace('/ok/as-', '')}`)
  const tokens = lines.filter((line) => line === TOKEN)
  assert.equal(tokens.length, 1)
  assert.deepEqual(lines.filter((line) => line !== TOKEN).toSorted(), [
    'POST gemini/v1beta/models/gemini-2.5-flash-image:generateContent',
    'POST gemini/v1beta/models/gemini-2.5-flash-preview-tts:generateContent',
    'POST gemini/v1beta/models/gemini-2.5-flash:generateContent',
    'POST gemini/v1beta/models/gemini-3-flash-preview:generateContent',
    'POST gemini/v1beta/models/gemini-embedding-001:batchEmbedContents',
    'POST gemini/v1beta/models/imagen-4.0-generate-001:predict',
    `POST vertex_ai/v1/${HERE}/endpoints/1234567890/chat/completions`,
    `POST vertex_ai/v1/${HERE}/endpoints/1234567890:generateContent`,
    `POST vertex_ai/v1/${HERE}/endpoints/987654321/chat/completions`,
    `POST vertex_ai/v1/${HERE}/endpoints/openapi/chat/completions`,
    `POST vertex_ai/v1/${HERE}/endpoints/openapi/chat/completions`,
    `POST vertex_ai/v1/${HERE}/endpoints/openapi/embeddings`,
    `POST vertex_ai/v1/${HERE}/publishers/ai21/models/jamba-1.5-large@001:rawPredict`,
    `POST vertex_ai/v1/${HERE}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`,
    `POST vertex_ai/v1/${HERE}/publishers/google/models/gemini-2.5-flash-tts:generateContent`,
    `POST vertex_ai/v1/${HERE}/publishers/google/models/gemini-2.5-flash:generateContent`,
    `POST vertex_ai/v1/${HERE}/publishers/google/models/gemini-2.5-flash:generateContent`,
    `POST vertex_ai/v1/${HERE}/publishers/google/models/imagen-4.0-generate-001:predict`,
    `POST vertex_ai/v1/${HERE}/publishers/google/models/text-embedding-005:predict`,
    `POST vertex_ai/v1/${HERE}/publishers/mistralai/models/codestral-2:rawPredict`,
    `POST vertex_ai/v1/${HERE}/publishers/mistralai/models/codestral-2:rawPredict`,
    `POST vertex_ai/v1/${HERE}/publishers/mistralai/models/mistral-large-2411@001:rawPredict`,
    `POST vertex_ai/v1beta1/${HERE}/publishers/google/models/gemini-2.5-flash:generateContent`,
    'WS gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
    'WS vertex_ai/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent',
  ])
})

test('another version of the API, another key, or one that was forged turns the verdict', async () => {
  const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const forged = { ...ACCOUNT, private_key: otherKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  const models = [
    listed('path', 'gemini/gemini-2.5-flash', 'chat', {
      api_base: `${fake.url}/ok/as-gemini/v2`,
      api_key: KEY,
    }),
    listed('key', 'gemini/gemini-2.5-flash', 'chat', {
      api_base: `${fake.url}/ok/as-gemini/v1beta`,
      api_key: 'another-key',
    }),
    vertex('v-path', 'gemini-2.5-flash', 'chat', { api_base: `${fake.url}/ok/as-vertex_ai/v7/projects/p` }),
    vertex('v-forged', 'gemini-2.5-flash', 'chat', { vertex_credentials: forged }),
  ]
  await withModels(models, async (gateway) => {
    const answer = await askHealth(gateway)
    assertVerdicts(answer, {
      path: 'not_found 404',
      key: 'auth 400',
      'v-path': 'not_found 404',
      'v-forged': 'auth 401',
    })
    assert.doesNotMatch(JSON.stringify(answer), /BEGIN PRIVATE|another-key|ya29/)
    const told = answer.unhealthy_endpoints.find(({ model_name }) => model_name === 'v-forged')
    assert.match(told?.error ?? '', /gave no token, it answered 400: invalid_grant: Invalid JWT Signature/)
  })
})

function client(gateway: Gateway): OpenAI {
  return new OpenAI({ apiKey: 'any', baseURL: `${gateway.url}/v1`, maxRetries: 0, timeout: 8_000 })
}

/** The last body that reached the double on a path. */
function lastBody(pattern: RegExp): unknown {
  const entry: JournalEntry | undefined = fake.journal().findLast(({ url }) => pattern.test(url))
  return entry?.body
}

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const

describe('OpenAI’s client', () => {
  for (const group of ['third', 'v-chat', 'v-claude']) {
    test(`streams parallel calls about an image from ${group}, answers them, and is answered`, async () => {
      await withModels(FAMILY, async (gateway) => {
        const openai = client(gateway)
        const url = `data:image/png;base64,${PIXEL}`
        const question = {
          role: 'user' as const,
          content: [
            { type: 'text' as const, text: 'Which weather is in these cities?' },
            { type: 'image_url' as const, image_url: { url } },
          ],
        }
        const stream = openai.chat.completions.stream({
          model: group,
          messages: [question],
          tools: [WEATHER],
          stream_options: { include_usage: true },
        })
        const { choices, usage } = await stream.finalChatCompletion()
        const message = choices[0]?.message
        assert.ok(message !== undefined)
        assert.equal(choices[0]?.finish_reason, 'tool_calls')
        const calls = (message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
        assert.deepEqual(
          calls.map(({ function: { name, arguments: text } }) => [name, text]),
          [
            ['weather', '{"city":"Paris"}'],
            ['weather', '{"city":"Oslo"}'],
          ],
        )
        assert.equal(new Set(calls.map(({ id }) => id)).size, 2)
        if (group !== 'v-claude') {
          assert.equal(usage?.completion_tokens_details?.reasoning_tokens, 2)
          assert.equal(usage?.prompt_tokens_details?.cached_tokens, 3)
        }
        assert.match(JSON.stringify(lastBody(/:stream\w+/)), new RegExp(PIXEL.slice(0, 30)))
        const results = calls
          .toReversed()
          .map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: `sunny for ${id}` }))
        const second = await openai.chat.completions.create({
          model: group,
          messages: [question, message, ...results],
          tools: [WEATHER],
        })
        assert.equal(second.choices[0]?.message.content, 'pong')
      })
    })
  }

  test('streams from models of other publishers on Vertex AI, calls tools, and is told apart', async () => {
    const chats = PARTNERS.filter(({ model_info: info }) => info?.['mode'] === 'chat')
    await withModels(FAMILY, async (gateway) => {
      const openai = client(gateway)
      for (const { model_name: model } of chats) {
        const messages = [{ role: 'user' as const, content: 'ping' }]
        const budget = { max_completion_tokens: 9 }
        const stream = openai.chat.completions.stream({ model, messages, ...budget })
        const { choices } = await stream.finalChatCompletion()
        assert.equal(choices[0]?.message.content, 'pong', model)
        const called = await openai.chat.completions.create({
          model,
          messages,
          ...budget,
          tools: [WEATHER],
          tool_choice: 'required',
        })
        const [call] = called.choices[0]?.message.tool_calls ?? []
        assert.ok(call?.type === 'function' && call.function.name === 'weather', model)
      }
      const { data } = await openai.embeddings.create({ model: 'v-vectors', input: ['a', 'b'] })
      assert.equal(data.length, 2)
      const strange = { model: 'v-llama', messages: [{ role: 'user' as const, content: 'ping' }], surplus: 1 }
      await assert.rejects(openai.chat.completions.create(strange), { status: 400, message: /surplus/ })
    })
  })

  test('has the middle of a text filled in by Codestral on Vertex AI, and by nobody else there', async () => {
    const wild = vertex('vertex/*', 'vertex_ai/*')
    await withModels([...FAMILY, wild], async (gateway) => {
      const { completions } = client(gateway)
      const asked = { prompt: 'def a():', suffix: 'return b', max_tokens: 9, seed: 3 }
      for (const model of ['v-fim', 'v-codestral', 'vertex/codestral-2@001']) {
        const { object, choices } = await completions.create({ ...asked, model })
        assert.deepEqual([object, choices[0]?.text], ['text_completion', 'pong'], model)
        let text = ''
        for await (const piece of await completions.create({ ...asked, model, stream: true }))
          text += piece.choices[0]?.text ?? ''
        assert.equal(text, 'pong', model)
      }
      assert.match(fake.journal().at(-1)?.url ?? '', /\/mistralai\/models\/codestral-2@001:streamRawPredict$/)
      assert.deepEqual(lastBody(/codestral-2@001:rawPredict$/), {
        model: 'codestral-2',
        prompt: 'def a():',
        suffix: 'return b',
        max_tokens: 9,
        random_seed: 3,
      })
      for (const model of ['v-chat', 'v-mistral', 'vertex/gemini-2.5-flash'])
        await assert.rejects(completions.create({ ...asked, model }), {
          status: 400,
          message: /\(vertex_ai\) has no completion/,
        })
    })
  })

  test('gets JSON by a schema, vectors, images and sound', async () => {
    await withModels(FAMILY, async (gateway) => {
      const openai = client(gateway)
      const schema = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }
      const json = await openai.chat.completions.create({
        model: 'chat',
        messages: [{ role: 'user', content: 'ping' }],
        reasoning_effort: 'low',
        response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema } },
      })
      assert.equal(json.choices[0]?.message.content, '{"answer":"pong"}')
      for (const model of ['embedding', 'v-embedding']) {
        const { data } = await openai.embeddings.create({ model, input: ['a', 'b'] })
        assert.deepEqual(
          data.map(({ embedding }) => embedding.map((value) => Math.round(value * 10) / 10)),
          [
            [0.1, -0.2, 0.3],
            [0.1, -0.2, 0.3],
          ],
        )
      }
      for (const model of ['imagen', 'painter', 'v-imagen']) {
        const { data } = await openai.images.generate({ model, prompt: 'a cat', size: '1024x1024' })
        assert.equal(data?.[0]?.b64_json, PIXEL, model)
      }
      for (const model of ['speaker', 'v-speaker']) {
        const sound = await openai.audio.speech.create({
          model,
          input: 'hi',
          voice: 'alloy',
          response_format: 'wav',
        })
        assert.equal(sound.headers.get('content-type'), 'audio/wav', model)
        assert.equal(
          Buffer.from(await sound.arrayBuffer())
            .subarray(0, 4)
            .toString(),
          'RIFF',
        )
      }
    })
  })

  test('is told what cannot be said, unless it may be left out', async () => {
    await withModels(FAMILY, async (gateway) => {
      const ask = (more: object) =>
        fetch(`${gateway.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'chat',
            messages: [{ role: 'user', content: 'ping' }],
            logit_bias: { 1: 5 },
            ...more,
          }),
          signal: AbortSignal.timeout(8_000),
        })
      const refused = await ask({})
      assert.equal(refused.status, 400)
      assert.match(await refused.text(), /cannot be told 'logit_bias'/)
      const dropped = await ask({ drop_params: true })
      assert.equal(dropped.status, 200)
      assert.equal(dropped.headers.get('x-pulsegate-dropped-params'), 'logit_bias')
      await dropped.text()
    })
  })
})

/** A server of Google's words that nobody here wrote. */
const mock = new LLMock({ port: 0 })
mock.on({ endpoint: 'chat' }, { content: 'pong' })
await mock.start()
after(() => mock.stop())

test('a server that nobody here wrote understands what is sent, and is understood', async () => {
  const models = [
    listed('chat', 'gemini/gemini-2.5-flash', 'chat', { api_base: mock.url, api_key: KEY }),
    listed('live', 'gemini/gemini-live-2.5-flash-preview', 'realtime', { api_base: mock.url, api_key: KEY }),
    vertex('v-chat', 'gemini-2.5-flash', 'chat', { api_base: mock.url }),
  ]
  await withModels(models, async (gateway) => {
    assertVerdicts(await askHealth(gateway), {
      chat: 'healthy',
      live: 'healthy',
      'v-chat': 'healthy',
    })
    for (const model of ['chat', 'v-chat']) {
      const stream = client(gateway).chat.completions.stream({
        model,
        messages: [{ role: 'user', content: 'ping' }],
      })
      const { choices } = await stream.finalChatCompletion()
      assert.equal(choices[0]?.message.content, 'pong', model)
      assert.equal(choices[0]?.finish_reason, 'stop', model)
    }
  })
})
