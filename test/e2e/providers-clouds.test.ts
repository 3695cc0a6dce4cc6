import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { OpenAI } from 'openai'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at } from './asking.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const fake = await startFakeProvider()
after(() => fake.stop())
const folder = await mkdtemp(join(tmpdir(), 'pulsegate-clouds-'))
after(() => rm(folder, { recursive: true, force: true }))
const federated = join(folder, 'token')
await writeFile(federated, 'federated.jwt.token\n')

const OK = `${fake.url}/ok`
const FOUNDRY = `${OK}/as-azure_ai`
const WATSONX = `${OK}/as-watsonx`
const DATABRICKS = `${OK}/as-databricks/serving-endpoints`
const ENV = {
  AZURE_AUTHORITY_HOST: `${OK}/as-entra`,
  AZURE_CREDENTIAL: 'ManagedIdentityCredential',
  AZURE_POD_IDENTITY_AUTHORITY_HOST: `${OK}/as-entra`,
  WATSONX_IAM_URL: `${WATSONX}/identity/token`,
}

type Params = Readonly<Record<string, unknown>>

/** A deployment under the name of its group. */
function listed(name: string, model: string, params: Params, mode = 'chat'): Listed {
  return {
    model_name: name,
    litellm_params: { model, ...params },
    model_info: { id: `id-${name}`, mode },
  }
}

const APPLICATION = { tenant_id: 'my-tenant', client_id: 'my-client', client_secret: 'azure~secret~1' }
const WX = { api_base: WATSONX, api_key: 'watsonx-key-1', project_id: 'project-1' }
const PAT = { api_base: DATABRICKS, api_key: 'dapi-1234567' }
const M2M = { api_base: DATABRICKS, client_id: 'app-1', client_secret: 'dose-secret-1' }
const CLAUDE = 'databricks/databricks-claude-sonnet-4'

const MODELS: readonly Listed[] = [
  listed('azure-application', 'azure/gpt-4o', { api_base: OK, ...APPLICATION }),
  listed('azure-workload', 'azure/gpt-4o', {
    api_base: OK,
    tenant_id: 'my-tenant',
    client_id: 'my-client',
    azure_ad_token: `oidc/file/${federated}`,
  }),
  listed('azure-machine', 'azure/text-embedding-3-small', { api_base: OK }, 'embedding'),
  listed(
    'azure-voice',
    'azure/gpt-realtime',
    { api_base: OK, api_version: 'v1', ...APPLICATION },
    'realtime',
  ),
  listed('azure-text', 'azure_text/instruct', { api_base: OK, ...APPLICATION }, 'completion'),
  listed('foundry', 'azure_ai/Llama-3.3-70B-Instruct', {
    api_base: `${FOUNDRY}/models`,
    api_key: 'foundry-key-1',
  }),
  listed('foundry-v1', 'azure_ai/gpt-5-mini', { api_base: `${FOUNDRY}/openai/v1`, ...APPLICATION }),
  listed('foundry-own', 'azure_ai/mistral', { api_base: FOUNDRY, api_key: 'foundry-key-1' }),
  listed('foundry-claude', 'azure_ai/claude-sonnet-4-5', { api_base: FOUNDRY, api_key: 'foundry-key-1' }),
  listed('foundry-claude-entra', 'azure_ai/claude-sonnet-4-5', {
    api_base: `${FOUNDRY}/anthropic`,
    ...APPLICATION,
  }),
  listed(
    'foundry-embed',
    'azure_ai/Cohere-embed-v3-english',
    { api_base: `${FOUNDRY}/models`, api_key: 'foundry-key-1', input_type: 'query' },
    'embedding',
  ),
  listed(
    'foundry-rerank',
    'azure_ai/cohere-rerank-v3.5',
    { api_base: FOUNDRY, api_key: 'foundry-key-1' },
    'rerank',
  ),
  listed(
    'foundry-rerank-v2',
    'azure_ai/cohere-rerank-v3.5',
    { api_base: `${FOUNDRY}/models`, api_key: 'foundry-key-1' },
    'rerank',
  ),
  listed('watsonx', 'watsonx/ibm/granite-3-8b-instruct', WX),
  listed('watsonx-own', 'watsonx/deployment/my-model', { api_base: WATSONX, api_key: 'watsonx-key-1' }),
  listed('watsonx-text', 'watsonx_text/ibm/granite-3-8b-instruct', WX, 'completion'),
  listed('watsonx-embed', 'watsonx/ibm/slate-125m', WX, 'embedding'),
  listed('watsonx-rerank', 'watsonx/cross-encoder/ms-marco-minilm-l-12-v2', WX, 'rerank'),
  listed('databricks', 'databricks/databricks-meta-llama-3-3-70b-instruct', M2M),
  listed('databricks-claude', CLAUDE, PAT),
  listed('databricks-text', 'databricks/llama', PAT, 'completion'),
  listed('databricks-embed', 'databricks/databricks-gte-large-en', PAT, 'embedding'),
]
const CHATS = [
  'foundry',
  'foundry-v1',
  'foundry-own',
  'watsonx',
  'watsonx-own',
  'databricks',
  'databricks-claude',
]
const CLAUDES = ['foundry-claude', 'foundry-claude-entra']
const SECRETS = [
  'azure~secret~1',
  'federated.jwt.token',
  'foundry-key-1',
  'watsonx-key-1',
  'dapi-1234567',
  'dose-secret-1',
]
const isForToken = (url: string): boolean => /\/as-entra\/|\/identity\/token|\/oidc\/v1\/token/.test(url)

test('every deployment is called in its own words, with its own token', async (t) => {
  await withModels(
    MODELS,
    async (gateway) => {
      await t.test('and is healthy, with one request each', () => healthy(gateway))
      await t.test('and chats, whole and streamed', () => chats(gateway))
      await t.test('and is given several tools, and answers of them', () => tools(gateway))
      await t.test('and is given pictures and schemas', () => picturesAndSchemas(gateway))
      await t.test('and thinks where it is asked to', () => thoughts(gateway))
      await t.test('and is asked in Anthropic’s words as they came', () => messages(gateway))
      await t.test('and serves its other modes', () => otherModes(gateway))
      await t.test('and hands out keys for browsers', () => sessionKey(gateway))
      await t.test('and says what it cannot be told', () => unsaid(gateway))
      await t.test('and no secret and no token is seen', () => nothingSeen(gateway))
    },
    { router_settings: { num_retries: 0 } },
    { env: ENV },
  )
})

async function healthy(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  assertVerdicts(
    await askHealth(gateway),
    Object.fromEntries(MODELS.map(({ model_name }) => [model_name, 'healthy'])),
  )
  const asked = fake.journal().filter(({ url, method }) => !isForToken(url) && method !== 'WSMSG')
  assert.equal(asked.length, MODELS.length, asked.map(({ url }) => url).join('\n'))
  const tokens = fake.journal().filter(({ url }) => isForToken(url))
  // An application, a federated token and a machine at Azure; a key at IBM; an application at Databricks.
  assert.equal(tokens.length, 5, 'one token a credential, held from then on')
}

const clientOf = (gateway: Gateway): OpenAI =>
  new OpenAI({ apiKey: 'sk-any', baseURL: `${gateway.url}/v1`, maxRetries: 0 })

const MESSAGES: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'ping' }]

async function chats(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  for (const model of ['azure-application', 'azure-workload', ...CHATS, ...CLAUDES]) {
    const answer = await client.chat.completions.create({ model, messages: MESSAGES })
    assert.equal(answer.choices[0]?.message.content, 'pong', model)
    assert.equal(answer.usage?.total_tokens, 6, model)
    for (const include_usage of [true, false]) {
      const stream = await client.chat.completions.create({
        model,
        messages: MESSAGES,
        stream: true,
        ...(include_usage && { stream_options: { include_usage } }),
      })
      const texts: string[] = []
      const usages: unknown[] = []
      for await (const chunk of stream) {
        texts.push(chunk.choices[0]?.delta.content ?? '')
        if (chunk.usage) usages.push([chunk.choices.length, chunk.usage.total_tokens])
      }
      assert.equal(texts.join(''), 'pong', model)
      assert.deepEqual(usages, include_usage ? [[0, 6]] : [], model)
    }
  }
}

const TOOLS: OpenAI.ChatCompletionFunctionTool[] = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { place: { type: 'string' } } } },
}))

async function tools(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  for (const model of [...CHATS, ...CLAUDES]) {
    const asked = { model, messages: MESSAGES, tools: TOOLS, tool_choice: 'auto' } as const
    const { choices } = await client.chat.completions.create(asked)
    const calls = choices[0]?.message.tool_calls ?? []
    assert.equal(choices[0]?.finish_reason, 'tool_calls', model)
    assert.deepEqual(calls.map(nameAndArguments), WEATHER_AND_TIME, model)
    const stream = client.chat.completions.stream(asked)
    const whole = await stream.finalChatCompletion()
    assert.deepEqual(whole.choices[0]?.message.tool_calls?.map(nameAndArguments), WEATHER_AND_TIME, model)
    const answers: OpenAI.ChatCompletionToolMessageParam[] = calls.map(({ id }) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'fine',
    }))
    const messages = [...MESSAGES, { role: 'assistant', tool_calls: calls } as const, ...answers]
    const last = await client.chat.completions.create({ model, messages, tools: TOOLS })
    assert.equal(last.choices[0]?.message.content, 'pong', model)
  }
}

const WEATHER_AND_TIME = [
  ['weather', '{"place":"Paris"}'],
  ['time', '{"place":"Paris"}'],
]

function nameAndArguments(call: OpenAI.ChatCompletionMessageToolCall): readonly string[] {
  return call.type === 'function' ? [call.function.name, call.function.arguments] : []
}

async function picturesAndSchemas(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const schema = { type: 'object', properties: { answer: { type: 'string' } } }
  for (const model of CHATS) {
    fake.clearJournal()
    const content: OpenAI.ChatCompletionContentPart[] = [
      { type: 'text', text: 'what is this' },
      { type: 'image_url', image_url: { url: 'https://pictures.test/1.png' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
    ]
    const answer = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content }],
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
    })
    assert.equal(answer.choices[0]?.message.content, '{"answer":"pong"}', model)
    const body = Object(fake.journal()[0]?.body)
    assert.deepEqual(Reflect.get(body, 'messages'), [{ role: 'user', content }], model)
    assert.deepEqual(
      Reflect.get(body, 'response_format'),
      { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
      model,
    )
  }
}

async function thoughts(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const asked = { model: 'databricks-claude', messages: MESSAGES, reasoning_effort: 'medium' } as const
  const { choices } = await client.chat.completions.create(asked)
  assert.equal(choices[0]?.message.content, 'pong')
  assert.equal(Reflect.get(choices[0]?.message ?? {}, 'reasoning_content'), 'They say ping.')
  const texts: unknown[] = []
  for await (const chunk of await client.chat.completions.create({ ...asked, stream: true }))
    texts.push(Reflect.get(chunk.choices[0]?.delta ?? {}, 'reasoning_content'))
  assert.deepEqual(
    texts.filter((text) => text !== undefined),
    ['They say ping.'],
  )
}

/** Claude alone speaks them there; all others are asked for a chat. */
async function messages(gateway: Gateway): Promise<void> {
  const mark = { type: 'ephemeral', ttl: '1h' }
  const body = {
    system: [{ type: 'text', text: 'Be brief.', cache_control: mark }],
    max_tokens: 99,
    messages: MESSAGES,
  }
  for (const model of CLAUDES) {
    const got = await ask(`${gateway.url}/v1/messages`, { body: { model, ...body } })
    assert.equal(got.status, 200, got.text)
    assert.deepEqual(at(got.json, 'content'), [{ type: 'text', text: 'pong' }])
    assert.deepEqual(fake.journal().at(-1)?.body, { model: 'claude-sonnet-4-5', ...body })
    assert.match(fake.journal().at(-1)?.url ?? '', /\/anthropic\/v1\/messages$/)
    const streamed = await ask(`${gateway.url}/v1/messages`, { body: { model, ...body, stream: true } })
    assert.match(streamed.text, /event: message_stop/)
  }
  const other = await ask(`${gateway.url}/v1/messages`, { body: { model: 'foundry', ...body } })
  assert.equal(other.status, 200, other.text)
  assert.equal(other.headers.get('x-pulsegate-dropped-params'), 'system[].cache_control')
}

async function otherModes(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  for (const model of ['azure-machine', 'foundry-embed', 'watsonx-embed', 'databricks-embed']) {
    const { data } = await client.embeddings.create({ model, input: ['a', 'b'], encoding_format: 'float' })
    assert.deepEqual(
      data.map(({ embedding }) => embedding.length),
      [3, 3],
      model,
    )
  }
  for (const model of ['azure-text', 'watsonx-text', 'databricks-text']) {
    const { choices } = await client.completions.create({ model, prompt: 'ping', max_tokens: 5 })
    assert.equal(choices[0]?.text, 'pong', model)
  }
  let text = ''
  for await (const chunk of await client.completions.create({
    model: 'watsonx-text',
    prompt: 'p',
    stream: true,
  }))
    text += chunk.choices[0]?.text ?? ''
  assert.equal(text, 'pong')
  for (const model of ['foundry-rerank', 'foundry-rerank-v2', 'watsonx-rerank']) {
    const body = { model, query: 'q', documents: ['a', { text: 'b' }, 'c'], top_n: 2 }
    const answer = await ask(`${gateway.url}/v1/rerank`, { body })
    const { results } = Object(answer.json)
    assert.deepEqual(
      results,
      [
        { index: 0, relevance_score: 0.9 },
        { index: 1, relevance_score: 0.45 },
      ],
      model,
    )
  }
}

async function sessionKey(gateway: Gateway): Promise<void> {
  const body = { session: { type: 'realtime', model: 'azure-voice' } }
  const answer = await ask(`${gateway.url}/v1/realtime/client_secrets`, { body })
  assert.equal(answer.status, 200, answer.text)
}

async function unsaid(gateway: Gateway): Promise<void> {
  const body = { model: 'watsonx', messages: MESSAGES, parallel_tool_calls: false }
  const refused = await ask(`${gateway.url}/v1/chat/completions`, { body })
  assert.equal(refused.status, 400)
  assert.match(refused.text, /cannot be told 'parallel_tool_calls'/)
  const dropped = await ask(`${gateway.url}/v1/chat/completions`, { body: { ...body, drop_params: true } })
  assert.equal(dropped.status, 200, dropped.text)
  assert.equal(dropped.headers.get('x-pulsegate-dropped-params'), 'parallel_tool_calls')
}

async function nothingSeen(gateway: Gateway): Promise<void> {
  const seen = [
    gateway.stderr(),
    gateway.stdout(),
    (await ask(`${gateway.url}/health`)).text,
    (await ask(`${gateway.url}/model/info`)).text,
  ].join('\n')
  // Every token of the doubles ends so.
  for (const secret of [...SECRETS, 'c2lnbmVk']) assert.ok(!seen.includes(secret), secret)
}

test('a credential that is refused is an unhealthy one, and the sentence says which', async () => {
  const wrong = 'wrong-and-secret'
  const models = [
    listed('azure-secret', 'azure/gpt-4o', { api_base: OK, ...APPLICATION, client_secret: wrong }),
    listed('azure-client', 'azure/gpt-4o', { api_base: OK, ...APPLICATION, client_id: 'unknown-client' }),
    listed('azure-tenant', 'azure/gpt-4o', { api_base: OK, ...APPLICATION, tenant_id: 'unknown-tenant' }),
    listed('azure-scope', 'azure/gpt-4o', { api_base: OK, ...APPLICATION, azure_scope: 'api://none' }),
    listed('watsonx', 'watsonx/ibm/granite', { ...WX, api_key: wrong }),
    listed('databricks', 'databricks/llama', { ...M2M, client_secret: wrong }),
  ]
  await withModels(
    models,
    async (gateway) => {
      const answer = await askHealth(gateway)
      assertVerdicts(answer, Object.fromEntries(models.map(({ model_name }) => [model_name, 'auth 401'])))
      const said = new Map(
        answer.unhealthy_endpoints.map(({ model_name, error = '' }) => [model_name, error]),
      )
      const expected: Readonly<Record<string, RegExp>> = {
        'azure-secret':
          /Entra ID at .* answered 401 and refused the client_secret \(invalid_client\): AADSTS7000215/,
        'azure-client': /refused the client_id \(unauthorized_client\): AADSTS700016/,
        'azure-tenant': /refused the tenant_id \(invalid_request\): AADSTS90002/,
        'azure-scope': /refused the azure_scope \(invalid_scope\): AADSTS70011/,
        watsonx: /IBM Cloud IAM at .* answered 400 and refused the api_key \(BXNIM0415E\)/,
        databricks:
          /Databricks at .* answered 401 and refused the client_id or client_secret \(invalid_client\)/,
      }
      for (const [name, pattern] of Object.entries(expected)) assert.match(said.get(name) ?? '', pattern)
      const client = await ask(`${gateway.url}/v1/chat/completions`, {
        body: { model: 'azure-secret', messages: MESSAGES },
      })
      assert.equal(client.status, 401, client.text)
      for (const text of [JSON.stringify(answer), client.text, gateway.stderr()])
        assert.ok(!text.includes(wrong))
    },
    { router_settings: { num_retries: 0 } },
    { env: ENV },
  )
})
