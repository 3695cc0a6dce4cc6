import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { OpenAI } from 'openai'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, listAt } from './asking.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const KEY = 'sk-master-of-the-gateway'
const UPSTREAM_KEY = 'key-of-the-upstream'
const fake = await startFakeProvider({ keys: [UPSTREAM_KEY] })
after(() => fake.stop())

/** A deployment: its model as a config writes it, its mode, and its address behind the order. */
interface Row {
  readonly model: string
  readonly mode: string
  readonly base: string
  /** What its probe asks for, behind the order. */
  readonly asked: string
}

const CHATS: Readonly<Record<string, Row>> = {
  cohere: { model: 'cohere_chat/command-a-03-2025', mode: 'chat', base: '', asked: '/v2/chat' },
  mistral: {
    model: 'mistral/mistral-small-latest',
    mode: 'chat',
    base: '/as-mistral/v1',
    asked: '/as-mistral/v1/chat/completions',
  },
  magistral: {
    model: 'mistral/magistral-medium-latest',
    mode: 'chat',
    base: '/as-mistral/v1',
    asked: '/as-mistral/v1/chat/completions',
  },
  ollama: { model: 'ollama/llama3.2', mode: 'chat', base: '/as-ollama', asked: '/as-ollama/api/chat' },
  'ollama-chat': {
    model: 'ollama_chat/qwen3:8b',
    mode: 'chat',
    base: '/as-ollama',
    asked: '/as-ollama/api/chat',
  },
  huggingface: {
    model: 'huggingface/meta-llama/Llama-3.1-8B-Instruct',
    mode: 'chat',
    base: '/as-huggingface',
    asked: '/as-huggingface/v1/chat/completions',
  },
}

const ROWS: Readonly<Record<string, Row>> = {
  ...CHATS,
  'cohere-embed': { model: 'cohere/embed-v4.0', mode: 'embedding', base: '', asked: '/v2/embed' },
  'cohere-rerank': { model: 'cohere/rerank-v3.5', mode: 'rerank', base: '', asked: '/v2/rerank' },
  'mistral-embed': {
    model: 'mistral/mistral-embed',
    mode: 'embedding',
    base: '/as-mistral/v1',
    asked: '/as-mistral/v1/embeddings',
  },
  codestral: {
    model: 'text-completion-codestral/codestral-latest',
    mode: 'completion',
    base: '/as-mistral/v1',
    asked: '/as-mistral/v1/fim/completions',
  },
  voxtral: {
    model: 'mistral/voxtral-mini-latest',
    mode: 'audio_transcription',
    base: '/as-mistral/v1',
    asked: '/as-mistral/v1/audio/transcriptions',
  },
  'ollama-text': {
    model: 'ollama/llama3.1',
    mode: 'completion',
    base: '/as-ollama/api',
    asked: '/as-ollama/api/generate',
  },
  'ollama-embed': {
    model: 'ollama/nomic-embed-text',
    mode: 'embedding',
    base: '/as-ollama',
    asked: '/as-ollama/api/embed',
  },
  'embedding-server': {
    model: 'huggingface/Qwen/Qwen3-Embedding-0.6B',
    mode: 'embedding',
    base: '/as-huggingface/embed',
    asked: '/as-huggingface/embed',
  },
  'huggingface-embed': {
    model: 'huggingface/intfloat/e5-small',
    mode: 'embedding',
    base: '/as-huggingface/hf-inference',
    asked: '/as-huggingface/hf-inference/models/intfloat/e5-small/pipeline/feature-extraction',
  },
}

function listed(name: string, { model, mode, base }: Row, origin = `${fake.url}/ok`): Listed {
  return {
    model_name: name,
    litellm_params: { model, api_base: `${origin}${base}`, api_key: UPSTREAM_KEY },
    model_info: { id: name, mode, health_check_timeout: 5 },
  }
}

const SETTINGS = { general_settings: { drain_delay: 0 }, router_settings: { num_retries: 0 } }
const GUARDED = { ...SETTINGS, general_settings: { ...SETTINGS.general_settings, master_key: KEY } }

test('providers with words of their own are healthy, and each is asked once', () => {
  const models = Object.entries(ROWS).map(([name, row]) => listed(name, row))
  const lost: Row = { model: 'ollama/never-pulled', mode: 'chat', base: '/as-ollama', asked: '' }
  fake.clearJournal()
  return withModels(
    [...models, listed('never-pulled', lost)],
    async (gateway) => {
      const answer = await askHealth(gateway)
      const healthy = Object.fromEntries(Object.keys(ROWS).map((name) => [name, 'healthy']))
      assertVerdicts(answer, { ...healthy, 'never-pulled': 'not_found 404' })
      const posts = fake.journal().filter(({ method }) => method === 'POST')
      const wanted = [...Object.values(ROWS).map(({ asked }) => `/ok${asked}`), '/ok/as-ollama/api/chat']
      assert.deepEqual(posts.map(({ url }) => url).toSorted(), wanted.toSorted())
    },
    SETTINGS,
  )
})

const TOOLS: OpenAI.ChatCompletionTool[] = ['weather', 'time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}))
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='
const ASKED: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'developer', content: 'Answer with tools.' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'What is the weather here, and what time is it?' },
      { type: 'image_url', image_url: { url: PIXEL } },
    ],
  },
]

test("OpenAI's own client gets the same of each of them", async (t) => {
  const models = Object.entries(ROWS).map(([name, row]) => listed(name, row))
  await withModels(
    models,
    async (gateway) => {
      const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      for (const name of Object.keys(CHATS)) {
        await t.test(`${name}: parallel calls of tools, and their results`, () => converses(client, name))
        await t.test(`${name}: parallel calls, streamed`, () => streamsCalls(client, name))
        await t.test(`${name}: a streamed text, and usage for who asks`, () => streamsText(client, name))
        await t.test(`${name}: JSON by a schema`, () => followsSchema(client, name))
      }
      await t.test('what was thought stands beside the answer', () => thinks(client))
      await t.test('vectors as numbers and as base64', () => embeds(client))
      await t.test('completions, whole and streamed', () => completes(client))
      await t.test('what cannot be said is refused, or left out and named', () => refuses(gateway))
    },
    GUARDED,
  )
})

/** Of a client's first question: two calls; of their results: an answer. */
async function converses(client: OpenAI, model: string): Promise<void> {
  const first = await client.chat.completions.create({ model, messages: ASKED, tools: TOOLS, max_tokens: 99 })
  const [choice] = first.choices
  assert.ok(choice !== undefined)
  assert.equal(choice.finish_reason, 'tool_calls')
  assert.deepEqual(calledIn(choice.message.tool_calls), [
    ['weather', { city: 'Oslo' }],
    ['time', { city: 'Oslo' }],
  ])
  const results = (choice.message.tool_calls ?? []).map(({ id }): OpenAI.ChatCompletionMessageParam => ({
    role: 'tool',
    tool_call_id: id,
    content: '{"degrees":3}',
  }))
  const messages = [...ASKED, choice.message, ...results]
  const second = await client.chat.completions.create({ model, messages, tools: TOOLS, seed: 7 })
  assert.equal(second.choices[0]?.message.content, 'pong')
  assert.equal(second.choices[0]?.finish_reason, 'stop')
  assert.equal(second.usage?.total_tokens, 6)
}

function calledIn(
  calls: readonly OpenAI.ChatCompletionMessageToolCall[] = [],
): readonly (readonly [string, unknown])[] {
  return calls.map((call) => {
    assert.ok(call.type === 'function' && call.id !== '')
    return [call.function.name, JSON.parse(call.function.arguments)]
  })
}

/** The client's own accumulator goes by the indices of the deltas. */
async function streamsCalls(client: OpenAI, model: string): Promise<void> {
  const stream = client.chat.completions.stream({ model, messages: ASKED, tools: TOOLS })
  const { choices } = await stream.finalChatCompletion()
  assert.equal(choices[0]?.finish_reason, 'tool_calls')
  assert.deepEqual(calledIn(choices[0].message.tool_calls), [
    ['weather', { city: 'Oslo' }],
    ['time', { city: 'Oslo' }],
  ])
}

async function streamsText(client: OpenAI, model: string): Promise<void> {
  const stream = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'ping' }],
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let finish: string | null | undefined
  const usages: number[] = []
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ''
    finish = chunk.choices[0]?.finish_reason ?? finish
    if (chunk.usage) usages.push(chunk.usage.total_tokens)
  }
  assert.deepEqual([text, finish, usages], ['pong', 'stop', [6]])
}

async function followsSchema(client: OpenAI, model: string): Promise<void> {
  const schema = { type: 'object', properties: { ok: { type: 'boolean' } } }
  fake.clearJournal()
  await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: 'ping' }],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
  })
  assert.ok(JSON.stringify(fake.journal()[0]?.body).includes(JSON.stringify(schema)))
}

async function thinks(client: OpenAI): Promise<void> {
  for (const model of ['cohere', 'magistral', 'ollama-chat']) {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'ping' }]
    const asked = { model, messages, reasoning_effort: 'high' } as const
    const whole = await client.chat.completions.create(asked)
    assert.deepEqual(at(whole, 'choices', 0, 'message', 'reasoning_content'), 'hm', model)
    assert.equal(whole.choices[0]?.message.content, 'pong', model)
    let thought = ''
    let text = ''
    for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) {
      const piece = at(choices, 0, 'delta', 'reasoning_content')
      thought += typeof piece === 'string' ? piece : ''
      text += choices[0]?.delta.content ?? ''
    }
    assert.deepEqual([thought, text], ['hm', 'pong'], model)
  }
}

async function embeds(client: OpenAI): Promise<void> {
  for (const model of [
    'mistral-embed',
    'ollama-embed',
    'huggingface-embed',
    'embedding-server',
    'cohere-embed',
  ])
    for (const encoding_format of ['float', 'base64'] as const) {
      const { data } = await client.embeddings.create({ model, input: ['a', 'b'], encoding_format })
      assert.equal(data.length, 2, model)
      const [first] = data
      const isNumbers = Array.isArray(first?.embedding)
      assert.equal(isNumbers, encoding_format === 'float', `${model} ${encoding_format}`)
    }
  for (const model of ['ollama-embed', 'embedding-server']) {
    const { data } = await client.embeddings.create({ model, input: 'a', dimensions: 2 })
    assert.equal(data[0]?.embedding.length, 2, model)
  }
}

async function completes(client: OpenAI): Promise<void> {
  for (const model of ['codestral', 'ollama-text']) {
    const asked = { model, prompt: 'pi', suffix: 'g', max_tokens: 9, seed: 1 }
    const whole = await client.completions.create(asked)
    assert.equal(whole.choices[0]?.text, 'pong', model)
    let text = ''
    for await (const { choices } of await client.completions.create({ ...asked, stream: true }))
      text += choices[0]?.text ?? ''
    assert.equal(text, 'pong', model)
  }
}

async function refuses(gateway: Gateway): Promise<void> {
  const send = (body: object) =>
    ask(`${gateway.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${KEY}` },
      body: { messages: [{ role: 'user', content: 'ping' }], user: 'u', store: true, n: 1, ...body },
    })
  for (const model of ['cohere', 'mistral', 'ollama']) {
    const refused = await send({ model, logit_bias: { 5: 1 } })
    assert.equal(refused.status, 400, model)
    assert.equal(at(refused.json, 'error', 'param'), 'logit_bias')
    const dropped = await send({ model, logit_bias: { 5: 1 }, drop_params: true })
    assert.equal(dropped.status, 200, dropped.text)
    assert.equal(dropped.headers.get('x-pulsegate-dropped-params'), 'logit_bias')
    const silent = await send({ model })
    assert.equal(silent.status, 200, silent.text)
    assert.equal(silent.headers.get('x-pulsegate-dropped-params'), null)
  }
  const sound = { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }
  const unsayable = await send({ model: 'ollama', messages: [{ role: 'user', content: [sound] }] })
  assert.equal(unsayable.status, 400)
  assert.equal(at(unsayable.json, 'error', 'param'), 'messages')
  const cited = await send({ model: 'cohere', documents: ['ping means pong'], logprobs: true })
  assert.equal(listAt(cited.json, 'choices', 0, 'message', 'annotations').length, 1)
  assert.equal(at(cited.json, 'choices', 0, 'logprobs', 'content', 0, 'token'), 'pong')
}
