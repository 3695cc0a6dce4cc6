import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../core/deployment.ts'
import type { RouteName } from '../../core/mode.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import { answerOf, deploymentOf } from '../adapter.contract.ts'
import { azureAi } from './adapter.ts'
import { azureAiUrl } from './address.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const RESOURCE = 'https://res.services.ai.azure.com'
const MODEL = 'https://cohere-1.eastus2.models.ai.azure.com'
const INFERENCE = 'api-version=2024-05-01-preview'

const PLACES: readonly (readonly [string, RouteName, string, string?])[] = [
  [RESOURCE, 'chat', `${RESOURCE}/models/chat/completions?${INFERENCE}`],
  [`${RESOURCE}/models`, 'chat', `${RESOURCE}/models/chat/completions?${INFERENCE}`],
  [`${RESOURCE}/models/chat/completions`, 'chat', `${RESOURCE}/models/chat/completions?${INFERENCE}`],
  [RESOURCE, 'chat', `${RESOURCE}/models/chat/completions?api-version=2025-04-01`, '2025-04-01'],
  [RESOURCE, 'embedding', `${RESOURCE}/models/embeddings?${INFERENCE}`],
  [`${RESOURCE}/openai/v1`, 'chat', `${RESOURCE}/openai/v1/chat/completions`],
  [`${RESOURCE}/openai/v1`, 'embedding', `${RESOURCE}/openai/v1/embeddings`],
  [
    `${RESOURCE}/openai/deployments/mine`,
    'chat',
    `${RESOURCE}/openai/deployments/mine/chat/completions?api-version=2024-10-21`,
  ],
  [
    RESOURCE,
    'image_generation',
    `${RESOURCE}/openai/deployments/the-model/images/generations?api-version=2024-10-21`,
  ],
  [RESOURCE, 'rerank', `${RESOURCE}/providers/cohere/v2/rerank`],
  [`${RESOURCE}/models`, 'rerank', `${RESOURCE}/providers/cohere/v2/rerank`],
  [`${RESOURCE}/providers/cohere/v2/rerank`, 'rerank', `${RESOURCE}/providers/cohere/v2/rerank`],
  [MODEL, 'chat', `${MODEL}/chat/completions`],
  [`${MODEL}/v1`, 'chat', `${MODEL}/v1/chat/completions`],
  [MODEL, 'embedding', `${MODEL}/embeddings?api-version=1`, '1'],
  [MODEL, 'rerank', `${MODEL}/v1/rerank`],
  [`${MODEL}/v2`, 'rerank', `${MODEL}/v2/rerank`],
  [`${MODEL}/v1/rerank`, 'rerank', `${MODEL}/v1/rerank`],
  ['http://127.0.0.1:9/ok/models', 'chat', `http://127.0.0.1:9/ok/models/chat/completions?${INFERENCE}`],
]
for (const [base, route, url, apiVersion] of PLACES) {
  test(`${route} at ${base} ${apiVersion ?? 'without a version'}`, () => {
    const target = { provider: 'azure_ai', model: 'the-model', base, bodyDefaults: {} }
    assert.equal(azureAiUrl({ ...target, ...(apiVersion !== undefined && { apiVersion }) }, route), url)
  })
}

async function sentTo(
  apiBase: string,
  connection: Partial<Connection>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly asked: readonly WireRequest[] }> {
  const asked: WireRequest[] = []
  const ground = groundOn({
    send: (wire) => {
      asked.push(wire)
      return Promise.resolve(answerOf({ access_token: 'entra-token', expires_in: 3_600 }))
    },
  })
  const result = azureAi.connect(
    deploymentOf('azure_ai', { connection: { headers: {}, apiBase, ...connection } }),
    env,
  )
  assert.ok('authorize' in result, 'message' in result ? result.message : '')
  const { headers } = await result.authorize({ method: 'GET', url: apiBase, headers: {} }, ground)
  return { headers, asked }
}

test('a key goes where its host looks for it, and members of the model’s own are announced', async () => {
  const key = { apiKey: new Secret('the-key') }
  const pass = { 'extra-parameters': 'pass-through' }
  const table: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    [RESOURCE, { 'api-key': 'the-key', ...pass }],
    [`${RESOURCE}/openai/v1`, { 'api-key': 'the-key' }],
    ['https://res.openai.azure.com/openai/v1', { 'api-key': 'the-key' }],
    [MODEL, { authorization: 'Bearer the-key', ...pass }],
    ['https://proxy.test/models', { authorization: 'Bearer the-key', ...pass }],
  ]
  for (const [base, headers] of table) assert.deepEqual((await sentTo(base, key)).headers, headers, base)
  const own = { headers: { 'extra-parameters': new Secret('drop') } }
  const { headers } = await sentTo(RESOURCE, { ...own, ...key })
  assert.equal(headers['extra-parameters'], 'drop')
})

test('an application gets tokens for the place that it calls', async () => {
  const client = {
    settings: { tenant_id: 'my-tenant', client_id: 'my-client' },
    secrets: { client_secret: new Secret('my~secret') },
  }
  const table: readonly (readonly [string, string])[] = [
    [RESOURCE, 'https://cognitiveservices.azure.com/.default'],
    [MODEL, 'https://ml.azure.com/.default'],
  ]
  for (const [base, scope] of table) {
    const { headers, asked } = await sentTo(base, client, { AZURE_AI_API_KEY: 'env-key' })
    assert.equal(headers['authorization'], 'Bearer entra-token')
    assert.equal(new URLSearchParams(String(asked[0]?.body)).get('scope'), scope)
  }
})

test('what is missing is said', () => {
  const connect = (connection: Partial<Connection>): unknown =>
    azureAi.connect(deploymentOf('azure_ai', { connection: { headers: {}, ...connection } }), {})
  assert.deepEqual(connect({ apiKey: new Secret('k') }), {
    message: 'no address: set api_base in litellm_params, or AZURE_AI_API_BASE in the environment',
  })
  assert.deepEqual(connect({ apiBase: RESOURCE }), {
    message:
      'no API key: set api_key, client_secret or azure_ad_token in litellm_params, or AZURE_AI_API_KEY or AZURE_AD_TOKEN in the environment',
  })
})

test('Claude is called at its own address, in its own words, whatever the base was pasted with', async () => {
  const { chat } = azureAi.codecs
  assert.ok(chat !== 'unsupported')
  for (const base of [
    RESOURCE,
    `${RESOURCE}/models`,
    `${RESOURCE}/anthropic`,
    `${RESOURCE}/anthropic/v1/messages`,
  ]) {
    const connected = azureAi.connect(
      deploymentOf('azure_ai', {
        upstreamModel: 'claude-sonnet-4-5',
        connection: {
          headers: {},
          apiBase: base,
          apiVersion: '2024-05-01-preview',
          apiKey: new Secret('the-key'),
        },
      }),
      {},
    )
    assert.ok('authorize' in connected)
    const { target } = connected
    const wire = chat.encode({ messages: [{ role: 'user', content: 'ping' }], max_tokens: 16 }, target)
    assert.equal(wire.url, `${RESOURCE}/anthropic/v1/messages`)
    const { model, max_tokens: most } = JSON.parse(String(wire.body))
    assert.deepEqual([model, most], ['claude-sonnet-4-5', 16])
    assert.equal(chat.isRelayed?.(target), false)
    assert.equal(chat.inlines?.('http://pictures.test/1.png', target), true)
    const ground = groundOn({ send: () => assert.fail('a token was fetched') })
    const { headers } = await connected.authorize(wire, ground)
    assert.deepEqual(headers, {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-api-key': 'the-key',
      'anthropic-version': '2023-06-01',
    })
  }
  const other = { provider: 'azure_ai', model: 'llama', base: RESOURCE, bodyDefaults: {} }
  assert.equal(chat.isRelayed?.(other), true)
  assert.equal(chat.inlines?.('http://pictures.test/1.png', other), false)
})
