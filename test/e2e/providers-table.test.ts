import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { OpenAI } from 'openai'
import { COMPATIBLE_LAWS } from '../../src/fake-provider/natives/compatible-laws.ts'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { rowDeployments } from './all-providers.ts'
import { ask, at, AUTH, KEY, listAt, MESSAGES, UPSTREAM_KEY, type Answer } from './asking.ts'
import { askHealth, withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const SETTINGS = { general_settings: { drain_delay: 0 } }
let fake: FakeProvider
before(async () => {
  fake = await startFakeProvider({ keys: [UPSTREAM_KEY] })
})
after(() => fake.stop())

const ofRows = (): readonly Listed[] => rowDeployments(`${fake.url}/ok`, UPSTREAM_KEY)

interface Own {
  readonly name: string
  readonly model: string
  readonly mode: string
  /** Below the double. */
  readonly base: string
}

/** Providers with words of their own. */
const OWN: readonly Own[] = [
  { name: 'voyage-embedding', model: 'voyage/voyage-3.5', mode: 'embedding', base: '/v1' },
  { name: 'voyage-rerank', model: 'voyage/rerank-2.5', mode: 'rerank', base: '/v1' },
  { name: 'jina-embedding', model: 'jina_ai/jina-embeddings-v3', mode: 'embedding', base: '/v1' },
  {
    name: 'jina-rerank',
    model: 'jina_ai/jina-reranker-v2-base-multilingual',
    mode: 'rerank',
    base: '/v1/rerank',
  },
  { name: 'nim-chat', model: 'nvidia_nim/meta/llama-3.1-8b-instruct', mode: 'chat', base: '/v1' },
  { name: 'nim-embedding', model: 'nvidia_nim/nvidia/nv-embedqa-e5-v5', mode: 'embedding', base: '/v1' },
  { name: 'nim-rerank', model: 'nvidia_nim/nvidia/llama-nemotron-rerank-1b-v2', mode: 'rerank', base: '/v1' },
]

function ofOwn(): readonly Listed[] {
  return OWN.map(({ name, model, mode, base }) => ({
    model_name: name,
    litellm_params: {
      model,
      api_base: `${fake.url}/ok/as-${model.split('/')[0]}${base}`,
      api_key: UPSTREAM_KEY,
    },
    model_info: { mode },
  }))
}

describe('the providers of the table', () => {
  test('all of them are healthy, each proven by one request', async () => {
    const atRoot = `${fake.url}/ok/as-infinity`
    const ranks = { model: 'infinity/BAAI/bge-reranker-base', api_base: atRoot }
    const infinity = { model_name: 'infinity-rerank', litellm_params: ranks, model_info: { mode: 'rerank' } }
    const models = [...ofRows(), ...ofOwn(), infinity]
    assert.ok(models.length >= 45)
    await withModels(
      models,
      async (gateway) => {
        fake.clearJournal()
        const health = await askHealth(gateway)
        const sick = health.unhealthy_endpoints.map(({ model_name, error }) => `${model_name}: ${error}`)
        assert.deepEqual(sick, [])
        assert.equal(health.healthy_count, models.length)
        assert.equal(fake.journal().length, models.length)
      },
      SETTINGS,
    )
  })

  test("what a provider's models refuse is left out where drop_params is on, and named; else the provider decides", async () => {
    await withModels(
      ofRows(),
      async (gateway) => {
        for (const { id, refuses = [], budget } of COMPATIBLE_LAWS) {
          const fields = refuses.flatMap((one) => one.fields).filter((name) => name !== 'seed')
          if (fields.length === 0) continue
          const body = {
            model: id,
            messages: MESSAGES,
            ...Object.fromEntries(fields.map((name) => [name, valueOf(name)])),
          }
          const refused = await ask(`${gateway.url}/v1/chat/completions`, { headers: AUTH, body })
          assert.equal(refused.status, 400, `${id}: ${refused.text}`)
          assert.equal(refused.headers.get('x-pulsegate-error-source'), 'upstream')
          const dropped = await ask(`${gateway.url}/v1/chat/completions`, {
            headers: AUTH,
            body: {
              ...body,
              drop_params: true,
              seed: 7,
              ...(budget !== undefined && { max_completion_tokens: 9 }),
            },
          })
          assert.equal(dropped.status, 200, `${id}: ${dropped.text}`)
          const named = dropped.headers.get('x-pulsegate-dropped-params')?.split(/,\s*/) ?? []
          assert.deepEqual([...named].sort(), [...fields].sort(), id)
        }
      },
      SETTINGS,
    )
  })

  test("OpenAI's own client streams from each of them", async () => {
    const chatting = ofRows().filter(({ model_info }) => model_info?.['mode'] === 'chat')
    await withModels(
      chatting,
      async (gateway) => {
        const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: KEY, maxRetries: 0 })
        for (const { model_name } of chatting) {
          const stream = await client.chat.completions.create({
            model: model_name,
            messages: [...MESSAGES],
            stream: true,
          })
          let text = ''
          for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
          assert.equal(text, 'pong', model_name)
        }
      },
      SETTINGS,
    )
  })
})

describe('rerank and embeddings in words of their own', () => {
  const reranked = (gateway: Gateway, model: string, more: object = {}): Promise<Answer> =>
    ask(`${gateway.url}/v1/rerank`, {
      headers: AUTH,
      body: { model, query: 'q', documents: ['a', { text: 'b' }, 'c'], ...more },
    })

  test("rankings come back in Cohere's form, as many as were asked for, with the documents where they were asked for", async () => {
    await withModels(
      ofOwn(),
      async (gateway) => {
        for (const model of ['voyage-rerank', 'jina-rerank', 'nim-rerank']) {
          const { status, json, text } = await reranked(gateway, model, { top_n: 2, return_documents: true })
          assert.equal(status, 200, text)
          const results = listAt(json, 'results')
          assert.deepEqual(
            results.map((result) => [at(result, 'index'), at(result, 'document')]),
            [
              [0, { text: 'a' }],
              [1, { text: 'b' }],
            ],
            model,
          )
          assert.ok(results.every((result) => typeof at(result, 'relevance_score') === 'number'))
          assert.equal(at(json, 'meta', 'billed_units', 'total_tokens'), 26)
          const limited = await reranked(gateway, model, { max_tokens_per_doc: 9 })
          assert.equal(limited.status, 400)
          assert.equal(at(limited.json, 'error', 'param'), 'max_tokens_per_doc')
          const dropped = await reranked(gateway, model, { max_tokens_per_doc: 9, drop_params: true })
          assert.equal(dropped.headers.get('x-pulsegate-dropped-params'), 'max_tokens_per_doc')
          assert.equal(listAt(dropped.json, 'results').length, 3)
        }
      },
      SETTINGS,
    )
  })

  test("OpenAI's own client embeds with each, in numbers and in base64", async () => {
    await withModels(
      ofOwn(),
      async (gateway) => {
        const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: KEY, maxRetries: 0 })
        for (const model of ['voyage-embedding', 'jina-embedding', 'nim-embedding']) {
          for (const form of [undefined, 'float', 'base64'] as const) {
            const { data, usage } = await client.embeddings.create({
              model,
              input: ['a', 'b'],
              user: 'somebody',
              ...(form !== undefined && { encoding_format: form }),
            })
            assert.equal(data.length, 2, model)
            assert.ok(usage.total_tokens > 0)
            const [vector] = data.map(({ embedding }) => embedding)
            if (form === 'base64') assert.equal(vector, 'zczMPc3MTL6amZk+')
            else
              assert.deepEqual(
                vector?.map((value) => Math.round(value * 10)),
                [1, -2, 3],
                `${model} ${form}`,
              )
          }
        }
      },
      SETTINGS,
    )
  })
})

/** Something of the right type for a field. */
function valueOf(name: string): unknown {
  if (name === 'logprobs' || name === 'store') return true
  if (name === 'logit_bias') return { '1': 1 }
  if (name === 'stream_options') return {}
  if (name === 'stop' || name === 'user' || name === 'service_tier') return 'auto'
  return 1
}
