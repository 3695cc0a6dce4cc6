import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { AzureOpenAI, BadRequestError, OpenAI } from 'openai'
import { z } from 'zod'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const KEY = 'sk-master-of-the-gateway'
const fake = await startFakeProvider()
after(() => fake.stop())

interface Params {
  readonly order?: string
  readonly mode: string
  readonly more?: Readonly<Record<string, unknown>>
}

/** A deployment of the fake; Azure's and Cohere's bases have no version. */
function listed(name: string, model: string, { order = 'ok', mode, more = {} }: Params): Listed {
  const base = /^(azure|cohere)\//.test(model) ? `${fake.url}/${order}` : `${fake.url}/${order}/v1`
  return {
    model_name: name,
    litellm_params: { model, api_base: base, api_key: 'sk-of-upstream', ...more },
    model_info: { mode },
  }
}

/** One operation: where it is asked for, and the smallest body that does. */
interface Row {
  readonly mode: string
  readonly model: string
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

const ROWS: readonly Row[] = [
  {
    mode: 'completion',
    model: 'text-completion-openai/gpt-3.5-turbo-instruct',
    path: '/completions',
    body: { prompt: 'hi' },
  },
  {
    mode: 'embedding',
    model: 'openai/text-embedding-3-small',
    path: '/embeddings',
    body: { input: ['hi', 'ho'] },
  },
  {
    mode: 'image_generation',
    model: 'openai/dall-e-3',
    path: '/images/generations',
    body: { prompt: 'a dot' },
  },
  {
    mode: 'audio_speech',
    model: 'openai/tts-1',
    path: '/audio/speech',
    body: { input: 'hi', voice: 'alloy' },
  },
  {
    mode: 'rerank',
    model: 'cohere/rerank-v3.5',
    path: '/rerank',
    body: { query: 'q', documents: ['a', 'b'], top_n: 1 },
  },
]

/** What each ailment becomes for the client: status and kind. */
const FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  e400: [400, 'bad_request'],
  e429r30: [429, 'rate_limited'],
  e500: [500, 'server_error'],
  reset: [502, 'unreachable'],
  garbage: [502, 'wrong_shape'],
  html: [502, 'wrong_shape'],
  shape: [502, 'wrong_shape'],
  empty: [502, 'empty'],
  err200: [500, 'server_error'],
  hang: [504, 'timeout'],
}

const sickName = (mode: string, order: string): string => `${mode}-${order}`

const MODELS: readonly Listed[] = [
  ...ROWS.map(({ mode, model }) => listed(mode, model, { mode })),
  listed('azure-completion', 'azure/davinci', { mode: 'completion' }),
  listed('azure-embedding', 'azure/ada', { mode: 'embedding' }),
  listed('azure-image', 'azure/dall-e-3', { mode: 'image_generation' }),
  listed('azure-speech', 'azure/tts', { mode: 'audio_speech' }),
  listed('cohere-embedding', 'cohere/embed-v4.0', { mode: 'embedding' }),
  listed('vllm-rerank', 'hosted_vllm/bge', { mode: 'rerank' }),
  listed('chat', 'openai/gpt-4o', { mode: 'chat' }),
  listed('sized', 'openai/text-embedding-3-large', {
    mode: 'embedding',
    more: { dimensions: 5, temperature: 0.1, top_k: 4 },
  }),
  listed('mixed', 'cohere/command-r', { mode: 'chat' }),
  listed('mixed', 'openai/gpt-3.5-turbo-instruct', { mode: 'completion' }),
  listed('cut-speech', 'openai/tts-1', { mode: 'audio_speech', order: 'cut' }),
  listed('dripping-speech', 'openai/tts-1', { mode: 'audio_speech', order: 'drip50' }),
  ...ROWS.flatMap(({ mode, model }) =>
    Object.keys(FAULTS).map((order) =>
      listed(sickName(mode, order), model, {
        mode,
        order,
        more: { num_retries: 0, ...(order === 'hang' && { timeout: 0.3 }) },
      }),
    ),
  ),
]

test('every JSON route of the nine modes', async (t) => {
  const settings = { general_settings: { master_key: KEY }, router_settings: { num_retries: 0 } }
  await withModels(
    MODELS,
    async (gateway) => {
      const cases: readonly (readonly [string, (gateway: Gateway) => Promise<void>])[] = [
        ["gives OpenAI's own client completions, whole and streamed", completions],
        ["gives OpenAI's own client embeddings of every provider", embeddings],
        ["gives OpenAI's own client images", images],
        ["gives OpenAI's own client speech", speech],
        ["reaches Azure's deployments for its own client", azure],
        ['gives reranked documents, in three versions of one route', rerank],
        ['says objects as texts to who ranks only these', rerankObjects],
        ['gives the very answer that the upstream gave', sameAnswers],
        ['is there with and without a version, and with the model in the path', paths],
        ['names what a body lacks, and a model that is not there', mistakes],
        ['wants a key', keys],
        ['passes on what it does not know, and fills in only what belongs to the mode', bodies],
        ['asks only a provider that has the mode, and says so where none has', wrongModes],
        ["turns every ailment into the right status and OpenAI's envelope", ailments],
        ['lets sound through as it comes, and breaks off what breaks off', broken],
      ]
      for (const [name, run] of cases) await t.test(name, () => run(gateway))
    },
    settings,
  )
})

test('a model asked for what it is not for stays there for those who use it well', async () => {
  const chats = new Set<string>()
  const upstream = createServer((request, response) => {
    const isChat = request.url?.endsWith('/chat/completions') === true
    if (isChat) chats.add(request.url ?? '')
    request.resume().on('end', () => {
      response.writeHead(isChat ? 200 : 404, { 'content-type': 'application/json' })
      response.end(isChat ? '{"choices":[{"index":0}]}' : '{"error":{"message":"it embeds nothing"}}')
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const address = upstream.address()
  assert.ok(address !== null && typeof address === 'object')
  const twins = ['a', 'b'].map((id) => ({
    model_name: 'chat',
    litellm_params: {
      model: 'openai/gpt-4o',
      api_base: `http://127.0.0.1:${address.port}/${id}/v1`,
      api_key: 'sk-up',
    },
    model_info: { id },
  }))
  try {
    await withModels(twins, async (gateway) => {
      const { status, error } = await post(gateway, '/embeddings', { model: 'a', input: 'hi' })
      assert.equal(status, 404)
      assert.match(error?.message ?? '', /it embeds nothing/)
      // Each goes to one of the two; that none of them meets `a` by chance is one in two billion.
      for (let times = 0; times < 31; times += 1)
        assert.equal((await post(gateway, '/chat/completions', { model: 'chat', messages: [] })).status, 200)
    })
  } finally {
    upstream.closeAllConnections()
    upstream.close()
  }
  assert.deepEqual([...chats].toSorted(), ['/a/v1/chat/completions', '/b/v1/chat/completions'])
})

const clientOf = (gateway: Gateway): OpenAI =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })

async function completions(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  for (const model of ['completion', 'azure-completion']) {
    const whole = await client.completions.create({ model, prompt: 'hi' })
    assert.deepEqual([whole.choices[0]?.text, whole.usage?.total_tokens], ['pong', 6], model)
    let text = ''
    for await (const { choices } of await client.completions.create({ model, prompt: 'hi', stream: true }))
      text += choices[0]?.text ?? ''
    assert.equal(text, 'pong', model)
  }
}

async function embeddings(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const vectors: Readonly<Record<string, readonly number[]>> = {
    embedding: [0.1, -0.2, 0.3],
    'azure-embedding': [0.1, -0.2, 0.3],
    'cohere-embedding': [0.1, 0.2],
  }
  for (const [model, vector] of Object.entries(vectors)) {
    // Left alone, this client asks for base64 and turns it into numbers of 32 bits.
    const packed = await client.embeddings.create({ model, input: ['a', 'b'] })
    assert.deepEqual(
      packed.data.map(({ embedding, index }) => [index, embedding.map((one) => Math.round(one * 1e6) / 1e6)]),
      [
        [0, vector],
        [1, vector],
      ],
      model,
    )
    assert.ok(packed.usage.prompt_tokens > 0, model)
    const plain = await client.embeddings.create({ model, input: 'a', encoding_format: 'float' })
    assert.deepEqual(
      plain.data.map(({ embedding }) => embedding),
      [vector],
      model,
    )
  }
  await assert.rejects(
    client.embeddings.create({ model: 'cohere-embedding', input: [1, 2] }),
    (error) => error instanceof BadRequestError && /'input' must be a text/.test(error.message),
  )
}

async function images(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const linked = await client.images.generate({ model: 'image_generation', prompt: 'a dot' })
  assert.equal(linked.data?.[0]?.url, 'http://127.0.0.1/img.png')
  const packed = await client.images.generate({
    model: 'image_generation',
    prompt: 'dots',
    n: 2,
    response_format: 'b64_json',
  })
  assert.deepEqual(
    packed.data?.map(({ b64_json: text }) => text?.slice(0, 8)),
    ['iVBORw0K', 'iVBORw0K'],
  )
}

async function speech(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const asked = { model: 'audio_speech', input: 'hi', voice: 'alloy' } as const
  const response = await client.audio.speech.create(asked)
  assert.equal(response.headers.get('content-type'), 'audio/mpeg')
  assert.equal(response.headers.get('content-length'), '12')
  assert.equal(response.headers.get('x-litellm-model-group'), 'audio_speech')
  assert.equal(await response.text(), 'ID3fakeaudio')
  fake.clearJournal()
  const wave = await client.audio.speech.create({ ...asked, response_format: 'wav' })
  assert.equal(wave.headers.get('content-type'), 'audio/wav')
  await wave.arrayBuffer()
  assert.equal(fake.journal()[0]?.headers.accept, 'application/octet-stream')
}

async function azure(gateway: Gateway): Promise<void> {
  const settings = { apiKey: KEY, apiVersion: '2024-10-21', endpoint: gateway.url, maxRetries: 0 }
  const at = (deployment: string): AzureOpenAI => new AzureOpenAI({ ...settings, deployment })
  fake.clearJournal()
  const text = await at('azure-completion').completions.create({ model: '', prompt: 'hi' })
  assert.equal(text.choices[0]?.text, 'pong')
  const vector = await at('azure-embedding').embeddings.create({ model: '', input: 'hi' })
  assert.equal(vector.data[0]?.embedding.length, 3)
  const image = await at('azure-image').images.generate({ prompt: 'a dot' })
  assert.equal(image.data?.length, 1)
  const sound = await at('azure-speech').audio.speech.create({ model: '', input: 'hi', voice: 'alloy' })
  assert.equal(await sound.text(), 'ID3fakeaudio')
  const version = '?api-version=2024-10-21'
  assert.deepEqual(
    fake.journal().map(({ url }) => url),
    [
      `/ok/openai/deployments/davinci/completions${version}`,
      `/ok/openai/deployments/ada/embeddings${version}`,
      `/ok/openai/deployments/dall-e-3/images/generations${version}`,
      `/ok/openai/deployments/tts/audio/speech${version}`,
    ],
  )
}

const RERANKED = z.object({ results: z.array(z.object({ index: z.number(), relevance_score: z.number() })) })

async function rerank(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  const asked: string[] = []
  for (const model of ['rerank', 'vllm-rerank'])
    for (const path of ['/rerank', '/v1/rerank', '/v2/rerank']) {
      const { status, json } = await post(gateway, path, { model, query: 'q', documents: ['a', 'b'] })
      assert.equal(status, 200)
      assert.deepEqual(RERANKED.parse(json).results, [
        { index: 0, relevance_score: 0.9 },
        { index: 1, relevance_score: 0.45 },
      ])
      asked.push(model === 'rerank' ? '/ok/v2/rerank' : '/ok/v1/rerank')
    }
  assert.deepEqual(
    fake.journal().map(({ url }) => url),
    asked,
  )
}

/** The second version of Cohere's API takes texts alone, and says no document again. */
async function rerankObjects(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  const { status, json } = await post(gateway, '/v1/rerank', {
    model: 'rerank',
    query: 'q',
    documents: [{ title: 'A', text: 'a' }, 'b', { title: 'C', year: 3 }],
    return_documents: true,
    top_n: 2,
  })
  assert.equal(status, 200)
  const said = z
    .looseObject({ id: z.string(), meta: z.looseObject({}), results: z.array(z.json()) })
    .parse(json)
  assert.deepEqual(said.results, [
    { index: 0, relevance_score: 0.9, document: { text: 'a' } },
    { index: 1, relevance_score: 0.45, document: { text: 'b' } },
  ])
  assert.deepEqual(fake.journal().at(-1)?.body, {
    model: 'rerank-v3.5',
    query: 'q',
    documents: ['a', 'b', 'title: C\nyear: 3\n'],
    top_n: 2,
  })
}

async function sameAnswers(gateway: Gateway): Promise<void> {
  for (const { mode, model, path, body } of ROWS) {
    const upstreamModel = model.slice(model.indexOf('/') + 1)
    const direct = await fetch(`${fake.url}/ok/v1${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-of-upstream', 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, model: upstreamModel }),
    })
    const relayed = await post(gateway, path, { ...body, model: mode })
    assert.equal(relayed.text, await direct.text(), path)
    assert.equal(relayed.headers.get('content-type'), direct.headers.get('content-type'), path)
  }
}

async function paths(gateway: Gateway): Promise<void> {
  for (const { mode, path, body } of ROWS)
    for (const where of [
      path,
      `/v1${path}`,
      `/openai/deployments/${mode}${path}?api-version=2024-10-21`,
      `/engines/${mode}${path}`,
      `/v1/engines/${mode}${path}`,
    ]) {
      const isNamed = where.includes(`/${mode}/`)
      const answer = await post(gateway, where, { ...(!isNamed && { model: mode }), ...body })
      assert.equal(answer.status, 200, where)
      assert.equal(answer.headers.get('x-litellm-model-group'), mode, where)
    }
}

/** LiteLLM's name of each route, which its sentences begin with. */
const NAMES: Readonly<Record<string, string>> = { '/images/generations': '/image/generations' }

async function mistakes(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  for (const { mode, path, body } of ROWS) {
    const name = NAMES[path] ?? path
    const [first] = Object.keys(body)
    const cases: readonly (readonly [object, string])[] = [
      [{ model: mode }, `${name}: Missing required parameter: '${first}'.`],
      [
        { ...body, model: 'nobody' },
        `${name}: Invalid model name passed in model=nobody. Call \`/v1/models\` to view available models for your key.`,
      ],
      [{ ...body, model: mode, api_base: 'http://127.0.0.1:1' }, "'api_base' cannot be set by a client"],
    ]
    for (const [asked, message] of cases) {
      const { status, error } = await post(gateway, path, asked)
      assert.equal(status, 400, message)
      assert.ok(error?.message.startsWith(message), error?.message)
    }
    const got = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${KEY}` } })
    await got.arrayBuffer()
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST'], path)
  }
  assert.equal(fake.journal().length, 0)
}

async function keys(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  for (const { mode, path, body } of ROWS) {
    const { status, error } = await post(gateway, path, { model: mode, ...body }, 'sk-of-a-stranger')
    assert.deepEqual([status, error?.type], [401, 'auth'], path)
  }
  assert.equal(fake.journal().length, 0)
}

async function bodies(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  await post(gateway, '/v1/completions', { model: 'completion', prompt: 'é', vendor: { deep: [1] } })
  await post(gateway, '/v1/embeddings', { model: 'sized', input: 'a', timeout: 9 })
  await post(gateway, '/v1/embeddings', { model: 'cohere-embedding', input: 'a', dimensions: 256 })
  await post(gateway, '/v1/rerank', {
    model: 'rerank',
    query: 'q',
    documents: ['a'],
    max_tokens_per_doc: 9,
  })
  assert.deepEqual(
    fake.journal().map(({ body }) => body),
    [
      { model: 'gpt-3.5-turbo-instruct', prompt: 'é', vendor: { deep: [1] } },
      { model: 'text-embedding-3-large', input: 'a', dimensions: 5 },
      {
        model: 'embed-v4.0',
        texts: ['a'],
        input_type: 'search_document',
        embedding_types: ['float'],
        output_dimension: 256,
      },
      { model: 'rerank-v3.5', query: 'q', documents: ['a'], max_tokens_per_doc: 9 },
    ],
  )
}

async function wrongModes(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  const none = await post(gateway, '/v1/images/generations', { model: 'cohere-embedding', prompt: 'a dot' })
  assert.equal(none.status, 400)
  assert.match(none.error?.message ?? '', /model=cohere-embedding .*\(cohere\) has no image_generation/)
  assert.equal(fake.journal().length, 0)
  for (let times = 0; times < 8; times += 1) {
    const { status } = await post(gateway, '/v1/completions', { model: 'mixed', prompt: 'hi' })
    assert.equal(status, 200)
  }
  assert.deepEqual(new Set(fake.journal().map(({ url }) => url)), new Set(['/ok/v1/completions']))
  // A provider that has the mode says itself what it thinks of the model.
  const asked = await post(gateway, '/v1/embeddings', { model: 'chat', input: 'a' })
  assert.equal(fake.journal().at(-1)?.url, '/ok/v1/embeddings')
  assert.equal(asked.headers.get('x-litellm-model-group'), 'chat')
}

async function ailments(gateway: Gateway): Promise<void> {
  const asks = ROWS.flatMap((row) => Object.entries(FAULTS).map(([order, found]) => ({ row, order, found })))
  await Promise.all(
    asks.map(async ({ row: { mode, path, body }, order, found: [status, type] }) => {
      const model = sickName(mode, order)
      const answer = await post(gateway, path, { model, ...body })
      assert.deepEqual([answer.status, answer.error?.type], [status, type], model)
      assert.ok(answer.error?.message.includes(`deployment "${model}"`), answer.error?.message)
      assert.equal(answer.headers.get('retry-after'), order === 'e429r30' ? '30' : null, model)
    }),
  )
}

async function broken(gateway: Gateway): Promise<void> {
  const ask = (model: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/audio/speech`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'hi', voice: 'alloy' }),
    })
  const cut = await ask('cut-speech')
  assert.equal(cut.status, 200)
  await assert.rejects(cut.arrayBuffer())
  const pieces: string[] = []
  const dripping = await ask('dripping-speech')
  assert.ok(dripping.body)
  for await (const piece of dripping.body) pieces.push(Buffer.from(piece).toString())
  assert.equal(pieces.join(''), 'ID3fakeaudio')
  assert.ok(pieces.length > 1, 'the sound was kept until its end')
}

const ENVELOPE = z.object({ error: z.object({ message: z.string(), type: z.string() }) })

interface Posted {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
  readonly error?: z.infer<typeof ENVELOPE>['error']
}

async function post(gateway: Gateway, path: string, body: object, key = KEY): Promise<Posted> {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type') === 'application/json'
  const json: unknown = isJson ? JSON.parse(text) : text
  const { status, headers } = response
  return { status, headers, text, json, ...(status >= 400 && { error: ENVELOPE.parse(json).error }) }
}
