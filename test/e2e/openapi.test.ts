import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { OpenAI, toFile } from 'openai'
import { isJsonObject } from '../../src/core/json.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'
import { descriptionOf, withJudge } from './judge.ts'
import type { Gateway } from './program.ts'

/** OpenAI's own description of its API. */
const { path: SPEC, skip } = descriptionOf('openai')

/**
 * A deployment, and the route of the description that its probe must satisfy. The server makes its answers up
 * from what the description requires, and in an image's answer that is no image.
 */
const PROBED: readonly (readonly [name: string, model: string, mode: string, route: string])[] = [
  ['chat', 'openai/gpt-4o', 'chat', 'POST /chat/completions'],
  ['reasoning', 'openai/gpt-5-nano', 'chat', 'POST /chat/completions'],
  ['wildcard', 'openai/*', 'chat', 'POST /chat/completions'],
  ['completion', 'text-completion-openai/gpt-3.5-turbo-instruct', 'completion', 'POST /completions'],
  ['embedding', 'openai/text-embedding-3-small', 'embedding', 'POST /embeddings'],
  ['image', 'openai/gpt-image-1', 'image_generation', 'POST /images/generations'],
  ['transcription', 'openai/whisper-1', 'audio_transcription', 'POST /audio/transcriptions'],
  ['speech', 'openai/tts-1', 'audio_speech', 'POST /audio/speech'],
  ['batch', 'openai/gpt-4o-mini', 'batch', 'GET /batches'],
]

const listed = (name: string, model: string, mode: string, base: string): Listed => ({
  model_name: name,
  litellm_params: { model, api_base: base, api_key: 'sk-of-upstream' },
  model_info: { mode },
})

describe("OpenAI's description of its API", { skip }, () => {
  test('accepts every probe as valid, and its answers prove health', () =>
    withJudge(SPEC, async ({ url, judged }) => {
      const models = PROBED.map(([name, model, mode]) => listed(name, model, mode, url))
      await withModels(models, async (gateway) => {
        const answer = await askHealth(gateway)
        const healthy = Object.fromEntries(PROBED.map(([name]) => [name, 'healthy']))
        assertVerdicts(answer, { ...healthy, image: 'wrong_shape 500' })
      })
      assert.deepEqual(
        judged.map(({ route, judgement }) => `${route}: ${judgement}`).toSorted(),
        PROBED.map(([, , , route]) => `${route}: valid`).toSorted(),
      )
    }))

  test('refuses a probe that is not valid, so the judgement above means something', () =>
    withJudge(SPEC, async ({ url, judged }) => {
      const broken = { health_check_params: { temperature: 'warm' } }
      const chat = listed('chat', 'openai/gpt-4o', 'chat', url)
      await withModels([{ ...chat, model_info: { ...chat.model_info, ...broken } }], async (gateway) => {
        await askHealth(gateway)
      })
      assert.match(judged[0]?.judgement ?? '', /temperature|number/)
    }))

  test('accepts every call about files, batches, moderations and session keys as valid', () =>
    withJudge(SPEC, async ({ url, judged }) => {
      await withModels([listed('it', 'openai/gpt-4o', 'chat', url)], async (gateway) => {
        const client = new OpenAI({ apiKey: 'any', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
        const upload = { file: await toFile(Buffer.from('{}'), 'in.jsonl'), purpose: 'batch' } as const
        const as = { headers: { 'x-litellm-model': 'it' } }
        const { id } = await client.files.create(upload, as)
        await client.files.list({ limit: 3, purpose: 'batch' }, as)
        await client.files.retrieve(id)
        await client.files.delete(id)
        const asked = { endpoint: '/v1/chat/completions', completion_window: '24h', model: 'it' } as const
        const batch = await client.batches.create({ ...asked, input_file_id: id })
        await client.batches.list({ limit: 3, after: batch.id })
        await client.batches.retrieve(batch.id)
        await client.batches.cancel(batch.id)
        await client.moderations.create({ model: 'it', input: 'ping' })
        await client.realtime.clientSecrets.create({ session: { type: 'realtime', model: 'it' } })
      })
      assert.deepEqual(
        judged.map(({ route, judgement }) => `${route}: ${judgement}`),
        [
          'POST /files',
          'GET /files',
          'GET /files/{file_id}',
          'DELETE /files/{file_id}',
          'POST /batches',
          'GET /batches',
          'GET /batches/{batch_id}',
          'POST /batches/{batch_id}/cancel',
          'POST /moderations',
          'POST /realtime/client_secrets',
        ].map((route) => `${route}: valid`),
      )
    }))

  test('is what our own answers keep to', async () => {
    const fake = await startFakeProvider()
    try {
      await withJudge(SPEC, ({ url }) => {
        const models = [
          listed('passed-on', 'openai/gpt-4o', 'chat', url),
          listed('translated', 'cohere_chat/command-r-plus', 'chat', fake.url),
          listed('streamed', 'openai/gpt-4o', 'chat', `${fake.url}/v1`),
          listed('sick/auth', 'openai/gpt-4o', 'chat', `${fake.url}/e401/v1`),
          listed('sick/garbage', 'openai/gpt-4o', 'chat', `${fake.url}/garbage/v1`),
          listed('sick/refused', 'cohere_chat/command-r-plus', 'chat', `${fake.url}/e429`),
        ]
        return withModels(models, (gateway) => assertShapes(gateway))
      })
    } finally {
      await fake.stop()
    }
  })
})

/** The description still says `nullable`, a word of OpenAPI 3.0 that JSON Schema does not know. */
function nullsAllowed(_: string, value: unknown): unknown {
  if (!isJsonObject(value) || value['nullable'] !== true) return value
  const { nullable: _nullable, ...schema } = value
  return { anyOf: [schema, { type: 'null' }] }
}

/** Our answers by what the description calls them. */
async function assertShapes(gateway: Gateway): Promise<void> {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, validateFormats: false, allErrors: true })
  ajv.addSchema(JSON.parse(readFileSync(SPEC, 'utf8'), nullsAllowed), 'openai')
  const assertIs = (name: string, value: unknown, what: string): void => {
    const validate = ajv.getSchema(`openai#/components/schemas/${name}`)
    assert.ok(validate, `the description has ${name}`)
    assert.ok(
      validate(value),
      `${what} is no ${name}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`,
    )
  }
  const chat = (model: string, more: object = {}): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      // The first answer is what is held against the description, so none is asked for again.
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }], num_retries: 0, ...more }),
    })
  const json = async (response: Response, status: number): Promise<unknown> => {
    const text = await response.text()
    assert.equal(response.status, status, text)
    const value: unknown = JSON.parse(text)
    return value
  }
  for (const model of ['passed-on', 'translated']) {
    assertIs('CreateChatCompletionResponse', await json(await chat(model), 200), `the answer of ${model}`)
  }
  for (const model of ['streamed', 'translated']) {
    const options = { stream: true, stream_options: { include_usage: true } }
    const events = (await (await chat(model, options)).text()).split('\n\n').filter((event) => event !== '')
    assert.equal(events.pop(), 'data: [DONE]')
    assert.ok(events.length >= 2)
    for (const event of events) {
      const chunk: unknown = JSON.parse(event.replace(/^data: /, ''))
      assertIs('CreateChatCompletionStreamResponse', chunk, `an event of ${model}`)
    }
  }
  assertIs(
    'ListModelsResponse',
    await json(await fetch(`${gateway.url}/v1/models`), 200),
    'the list of models',
  )
  const one = await fetch(`${gateway.url}/v1/models/sick/auth`)
  assertIs('Model', await json(one, 200), 'one model')
  const failures: readonly (readonly [what: string, status: number, answer: Promise<Response>])[] = [
    ['a model that is not there', 400, chat('nowhere')],
    ['an upstream that refuses the key', 401, chat('sick/auth')],
    ['an upstream that talks nonsense', 502, chat('sick/garbage')],
    ['an upstream of another dialect', 429, chat('sick/refused')],
    [
      'a body that is no JSON',
      400,
      fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{' }),
    ],
    ['a path that is not there', 404, fetch(`${gateway.url}/v1/nowhere`)],
    ['a wrong method', 405, fetch(`${gateway.url}/v1/chat/completions`)],
  ]
  for (const [what, status, answer] of failures) {
    assertIs('ErrorResponse', await json(await answer, status), what)
  }
}
