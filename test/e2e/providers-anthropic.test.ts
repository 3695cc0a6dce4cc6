import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { OpenAI } from 'openai'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, chat, configOf, KEY, listAt, withStage, type Entry, type Stage } from './asking.ts'

/** A server of Anthropic's API that nobody here wrote. */
const mock = new LLMock({ port: 0, auth: { apiKeys: ['sk-upstream-openai'] } })
mock.on({ userMessage: 'weather' }, { toolCalls: [{ name: 'weather', arguments: { city: 'Paris' } }] })
mock.on({ endpoint: 'chat' }, { content: 'pong' })
await mock.start()
after(() => mock.stop())

const HERE = 'ok/as-anthropic'
const ENTRIES: readonly Entry[] = [
  { group: 'claude', base: HERE, model: 'anthropic/claude-sonnet-4-5' },
  { group: 'bare', base: `${HERE}/v1`, model: 'claude-haiku-4-5' },
  { group: 'newest', base: `${HERE}/v1/messages`, model: 'anthropic/claude-opus-5-5' },
  {
    group: 'version',
    base: HERE,
    model: 'anthropic/claude-sonnet-4-6',
    params: ", api_version: '2026-10-21', temperature: 0.5",
  },
  { group: 'lenient', base: HERE, model: 'anthropic/claude-opus-4-8', params: ', drop_params: true' },
  { group: 'batches', base: HERE, model: 'anthropic/claude-haiku-4-5', info: ', mode: batch' },
  { group: 'any', base: HERE, model: 'anthropic/*' },
]

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const
const TIME = { type: 'function', function: { name: 'time' } } as const
const PING = [{ role: 'user', content: 'ping' }]
const PIXEL = 'data:image/png;base64,iVBORw0KGgo='

type Use = (stage: Stage & { readonly client: OpenAI }) => Promise<void>

/** What is tried on one stage, one after the other. */
const TRIED: (readonly [string, Use])[] = []
const onStage = (name: string, use: Use): void => void TRIED.push([name, use])

/** The bodies that the double was sent. */
const sent = (fake: FakeProvider): readonly unknown[] => fake.journal().map(({ body }) => body)

onStage('every deployment is healthy by one request of its own', async ({ gateway, fake }) => {
  const health = await ask(`${gateway.url}/health`, { headers: AUTH })
  assert.deepEqual(at(health.json, 'unhealthy_endpoints'), [], health.text)
  assert.equal(at(health.json, 'healthy_count'), ENTRIES.length)
  const asked = fake.journal().map(({ method, url }) => `${method} ${url}`)
  assert.deepEqual(
    asked.toSorted((a, b) => a.localeCompare(b)),
    [
      'GET /ok/as-anthropic/v1/messages/batches?limit=1',
      ...ENTRIES.slice(1).map(() => 'POST /ok/as-anthropic/v1/messages'),
    ],
  )
})

onStage('what its own clients ask of thoughts is told in the form that the model knows', async (stage) => {
  const { gateway, fake } = stage
  const messages = PING
  for (const [model, asked, thinking, dropped] of [
    ['bare', { thinking: { type: 'adaptive' } }, 'enabled', null],
    ['bare', { thinking: { type: 'adaptive' }, temperature: 0 }, undefined, 'thinking.type'],
    ['newest', { thinking: { type: 'enabled', budget_tokens: 2_000 } }, 'adaptive', null],
    ['claude', { thinking: { type: 'enabled', budget_tokens: 2_000 } }, 'enabled', null],
  ] as const) {
    // What is sampled with is not counted with.
    const paths = 'temperature' in asked ? [] : ['/v1/messages/count_tokens']
    for (const path of ['/v1/messages', ...paths]) {
      const bound = path === '/v1/messages' ? { max_tokens: 9_000 } : {}
      const body = { model, messages, ...bound, ...asked }
      const got = await ask(`${gateway.url}${path}`, { headers: AUTH, body })
      assert.equal(got.status, 200, `${model} ${path}: ${got.text}`)
      assert.equal(got.headers.get('x-pulsegate-dropped-params'), dropped)
      assert.equal(at(fake.journal().at(-1)?.body, 'thinking', 'type'), thinking)
    }
  }
})

onStage(
  "OpenAI's client talks to Claude: words, pictures, tools, schemas and thoughts",
  async ({ fake, client }) => {
    const asking = { model: 'claude', max_completion_tokens: 100 }
    const seen = await client.chat.completions.create({
      ...asking,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: PIXEL } },
            { type: 'image_url', image_url: { url: 'https://pictures.test/a.png' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
          ],
        },
      ],
      stop: 'ng',
    })
    assert.equal(seen.choices[0]?.message.content, 'po')
    assert.equal(seen.choices[0].finish_reason, 'stop')
    assert.deepEqual([seen.usage?.prompt_tokens, seen.usage?.total_tokens], [5, 6])
    const called = await client.chat.completions.create({
      ...asking,
      messages: [{ role: 'user', content: 'weather?' }],
      tools: [WEATHER, TIME],
      tool_choice: 'required',
    })
    const message = called.choices[0]?.message
    assert.ok(message !== undefined)
    assert.equal(called.choices[0]?.finish_reason, 'tool_calls')
    assert.deepEqual(
      message.tool_calls?.map((call) => call.type === 'function' && [call.id, call.function]),
      [
        ['toolu_01', { name: 'weather', arguments: '{"city":"Paris"}' }],
        ['toolu_02', { name: 'time', arguments: '{}' }],
      ],
    )
    const answered = await client.chat.completions.create({
      ...asking,
      tools: [WEATHER, TIME],
      messages: [
        { role: 'user', content: 'weather?' },
        message,
        { role: 'tool', tool_call_id: 'toolu_01', content: 'sun' },
        { role: 'tool', tool_call_id: 'toolu_02', content: 'noon' },
      ],
    })
    assert.equal(answered.choices[0]?.message.content, 'pong')
    const formed = await client.chat.completions.create({
      ...asking,
      messages: [{ role: 'user', content: 'ping' }],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'a', schema: { type: 'object', properties: { answer: { type: 'string' } } } },
      },
    })
    assert.deepEqual(JSON.parse(formed.choices[0]?.message.content ?? ''), { answer: 'pong' })
    const object = client.chat.completions.stream({
      ...asking,
      messages: [{ role: 'user', content: 'ping' }],
      response_format: { type: 'json_object' },
    })
    const [choice] = (await object.finalChatCompletion()).choices
    assert.deepEqual([choice?.message.content, choice?.finish_reason], ['{}', 'stop'])
    assert.equal(sent(fake).length, 5)
  },
)

onStage('thoughts come with their signature, and go back with it', async ({ gateway, fake }) => {
  for (const model of ['claude', 'newest']) {
    const tools = [WEATHER]
    const first = await chat(gateway, { model, tools, reasoning_effort: 'low', max_tokens: 2_000 })
    assert.equal(first.status, 200, first.text)
    const message = at(first.json, 'choices', 0, 'message')
    assert.equal(at(message, 'reasoning_content'), 'They say ping.')
    assert.equal(at(message, 'thinking_blocks', 0, 'signature'), 'EqQBCgIYAhIM')
    assert.equal(at(first.json, 'usage', 'completion_tokens_details', 'reasoning_tokens'), 7)
    const result = { role: 'tool', tool_call_id: 'toolu_01', content: 'sun' }
    const messages = [{ role: 'user', content: 'weather?' }, message, result]
    const more = { model, tools, messages, reasoning_effort: 'low', max_tokens: 2_000 }
    const second = await chat(gateway, more)
    assert.equal(at(second.json, 'choices', 0, 'message', 'content'), 'pong', second.text)
  }
  assert.deepEqual(
    sent(fake).map((body) => [at(body, 'thinking'), at(body, 'output_config')]),
    [
      ...Array.from({ length: 2 }, () => [{ type: 'enabled', budget_tokens: 1_024 }, undefined]),
      ...Array.from({ length: 2 }, () => [{ type: 'adaptive', display: 'summarized' }, { effort: 'low' }]),
    ],
  )
})

onStage(
  "a stream reaches OpenAI's client whole: words, two calls at once, thoughts, the usage last",
  async ({ client }) => {
    const stream = await client.chat.completions.create({
      model: 'newest',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: PIXEL } }] }],
      tools: [WEATHER, TIME],
      reasoning_effort: 'high',
      stream: true,
      stream_options: { include_usage: true },
    })
    const calls: { id: string; name: string; text: string }[] = []
    let thoughts = ''
    const chunks = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      const delta = chunk.choices[0]?.delta
      const thought = at(delta, 'reasoning_content')
      if (typeof thought === 'string') thoughts += thought
      for (const { index, id, function: piece } of delta?.tool_calls ?? []) {
        const call = (calls[index] ??= { id: id ?? '', name: piece?.name ?? '', text: '' })
        call.text += piece?.arguments ?? ''
      }
    }
    assert.deepEqual(calls, [
      { id: 'toolu_01', name: 'weather', text: '{"city":"Paris"}' },
      { id: 'toolu_02', name: 'time', text: '{}' },
    ])
    assert.equal(thoughts, 'They say ping.')
    assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'tool_calls')
    assert.deepEqual(chunks.at(-1)?.choices, [])
    assert.equal(chunks.at(-1)?.usage?.completion_tokens_details?.reasoning_tokens, 7)
    const plain = client.chat.completions.stream({
      model: 'bare',
      messages: [{ role: 'user', content: 'ping' }],
    })
    assert.equal((await plain.finalChatCompletion()).choices[0]?.message.content, 'pong')
  },
)

onStage(
  'what Claude cannot be told is refused by name, or left out where that is allowed',
  async ({ gateway, fake }) => {
    const refused = await chat(gateway, { model: 'version', temperature: 0.2 })
    assert.equal(refused.status, 400)
    assert.equal(at(refused.json, 'error', 'param'), 'temperature')
    const defaults = await chat(gateway, { model: 'version' })
    assert.equal(defaults.status, 200, defaults.text)
    const left = await chat(gateway, { model: 'lenient', temperature: 0.2, seed: 1, n: 2 })
    assert.equal(left.status, 200, left.text)
    assert.deepEqual(
      left.headers
        .get('x-pulsegate-dropped-params')
        ?.split(/, ?/)
        .toSorted((a, b) => a.localeCompare(b)),
      ['n', 'seed', 'temperature'],
    )
    const sound = { type: 'input_audio', input_audio: { data: '', format: 'wav' } }
    const spoken = await chat(gateway, {
      model: 'lenient',
      messages: [{ role: 'user', content: [sound] }],
    })
    assert.equal(at(spoken.json, 'error', 'param'), 'messages', spoken.text)
    const unknown = await chat(gateway, { model: 'claude', colour: 'red' })
    assert.match(String(at(unknown.json, 'error', 'message')), /colour: Extra inputs are not permitted/)
    assert.equal(fake.journal().length, 3)
    const allowed = await chat(gateway, { model: 'claude', seed: 7, allowed_openai_params: ['seed'] })
    assert.match(String(at(allowed.json, 'error', 'message')), /seed: Extra inputs are not permitted/)
    assert.equal(at(fake.journal()[3]?.body, 'seed'), 7)
  },
)

onStage(
  'a budget of thoughts and thoughts as it sees fit reach models that know the other of them',
  async (stage) => {
    for (const [model, words, told] of [
      ['newest', { thinking: { type: 'enabled', budget_tokens: 16_000 } }, ['adaptive', undefined, 'high']],
      [
        'claude',
        { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
        ['enabled', 1_024, undefined],
      ],
    ] as const) {
      stage.fake.clearJournal()
      const answer = await chat(stage.gateway, { model, ...words })
      assert.equal(
        at(answer.json, 'choices', 0, 'message', 'reasoning_content'),
        'They say ping.',
        answer.text,
      )
      const [body] = sent(stage.fake)
      const said = [
        at(body, 'thinking', 'type'),
        at(body, 'thinking', 'budget_tokens'),
        at(body, 'output_config', 'effort'),
      ]
      assert.deepEqual(said, told)
    }
  },
)

onStage('searches of the web and documents are cited, refusals say so', async ({ gateway }) => {
  const searched = await chat(gateway, { model: 'claude', web_search_options: {} })
  const message = at(searched.json, 'choices', 0, 'message')
  assert.deepEqual(at(message, 'annotations'), [
    {
      type: 'url_citation',
      url_citation: { url: 'https://ping.test/', title: 'Ping', start_index: 6, end_index: 10 },
    },
  ])
  assert.deepEqual(
    listAt(message, 'provider_specific_fields', 'blocks').map((block) => at(block, 'type')),
    ['server_tool_use', 'web_search_tool_result'],
  )
  const content = [{ type: 'text', text: 'I will hurt you' }]
  const refused = await chat(gateway, { model: 'claude', messages: [{ role: 'user', content }] })
  assert.equal(at(refused.json, 'choices', 0, 'finish_reason'), 'content_filter')
  assert.equal(at(refused.json, 'choices', 0, 'message', 'refusal'), 'I cannot help with that.')
})

test('Claude, asked through the program', (t) =>
  withStage(configOf(ENTRIES), async ({ gateway, fake }) => {
    const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    for (const [name, use] of TRIED) {
      fake.clearJournal()
      await t.test(name, () => use({ gateway, fake, client }))
    }
  }))

/** An upstream that is not what it should be, or a config that is not, and the verdict that follows. */
const WRONG: readonly (readonly [string, Partial<Entry>, string])[] = [
  ['another path', { base: 'ok/as-anthropic/v2' }, 'not_found 404'],
  ['another version', { params: ", api_version: '2024-01-01'" }, 'bad_request 400'],
  ['a field that says nothing', { params: ", stop: ' '" }, 'bad_request 400'],
  ['no credit', { base: 'quota/as-anthropic' }, 'quota 402'],
  ['overload', { base: 'e529/as-anthropic' }, 'overloaded 529'],
  ['a key that is refused', { base: 'e401/as-anthropic' }, 'auth 401'],
  ['an error within a 200', { base: 'err200/as-anthropic' }, 'server_error 500'],
  ['another shape', { base: 'shape/as-anthropic' }, 'wrong_shape 500'],
]

test('whatever is wrong with the request or the answer turns the verdict', () => {
  const entries = WRONG.map(([, more], index) => ({
    group: `g${index}`,
    base: HERE,
    model: 'anthropic/claude-haiku-4-5',
    ...more,
  }))
  return withStage(configOf(entries), async ({ gateway }) => {
    const health = await ask(`${gateway.url}/health`, { headers: AUTH })
    const verdicts = listAt(health.json, 'unhealthy_endpoints').map(verdictOf)
    assert.deepEqual(
      verdicts,
      WRONG.map(([, , verdict]) => verdict),
      health.text,
    )
  })
})

function verdictOf(entry: unknown): string {
  return `${String(at(entry, 'reason'))} ${String(at(entry, 'exception_status'))}`
}

/** How a stream ends in the words of each API (of two names an event has the last), and what it never says when something went wrong. */
const ROUTES = {
  'chat/completions': { ask: { messages: PING }, error: /^data: \{"error":\{/, whole: /^data: \[DONE\]$/ },
  messages: {
    ask: { messages: PING, max_tokens: 100 },
    error: /(?:^|\n)event: error\ndata: \{"type":"error","error":\{"type":"\w+_error"/,
    whole: /^event: message_stop\n/,
  },
  responses: {
    ask: { input: 'ping' },
    error: /^event: response\.failed\ndata: .*"status":"failed"/,
    whole: /^event: response\.completed\n/,
  },
} as const

/** The events of a stream, without comments. */
const eventsIn = (text: string): readonly string[] =>
  text
    .split('\n\n')
    .map((event) => event.trim())
    .filter((event) => event !== '' && !event.startsWith(':'))

test('a stream that breaks off, stands still or holds an error is never a whole answer, in nobody’s words', () => {
  const served = [
    ['claude', 'as-anthropic', 'anthropic/claude-haiku-4-5'],
    ['gemini', 'as-gemini/v1beta', 'gemini/gemini-2.5-flash'],
    ['cohere', 'v2', 'cohere_chat/command-r'],
  ] as const
  const orders = ['errevent', 'cut', 'stall', 'nodone']
  const entries = served.flatMap(([name, base, model]) =>
    // Cohere's `[DONE]` comes after the event that ends its message, which says all.
    (name === 'cohere' ? orders.slice(0, -1) : orders).map((order) => ({
      group: `${name}-${order}`,
      base: `${order}/${base}`,
      model,
      params: ', stream_idle_timeout: 1, num_retries: 0',
    })),
  )
  return withStage(configOf(entries), async ({ gateway }) => {
    const asked = Object.entries(ROUTES).flatMap(([route, words]) =>
      entries.map(async ({ group }) => {
        const body = { model: group, stream: true, ...words.ask }
        const { text, headers } = await ask(`${gateway.url}/v1/${route}`, { headers: AUTH, body })
        if (!headers.get('content-type')?.startsWith('text/event-stream')) {
          assert.match(text, /"error"/, `${route} ${group}`)
          return
        }
        assert.match(eventsIn(text).at(-1) ?? '', words.error, `${route} ${group}\n${text}`)
        assert.ok(!eventsIn(text).some((event) => words.whole.test(event)), `${route} ${group}`)
      }),
    )
    await Promise.all(asked)
  })
})

test('a claude that thinks in silence for longer than a stream may be silent is waited for while it pings', () =>
  withStage(
    configOf([
      {
        group: 'mulls',
        base: 'mull4000/as-anthropic',
        model: 'anthropic/claude-haiku-4-5',
        params: ', stream_idle_timeout: 1.5',
      },
    ]),
    async ({ gateway }) => {
      const asked = Object.entries(ROUTES).map(async ([route, words]) => {
        const body = { model: 'mulls', stream: true, ...words.ask }
        const { text } = await ask(`${gateway.url}/v1/${route}`, { headers: AUTH, body })
        assert.match(eventsIn(text).at(-1) ?? '', words.whole, `${route}\n${text}`)
        assert.ok(!eventsIn(text).some((event) => words.error.test(event)), route)
      })
      await Promise.all(asked)
    },
  ))

test("another server of Anthropic's API is spoken with as well", () =>
  withStage(
    configOf([{ group: 'stranger', base: mock.url, model: 'anthropic/claude-sonnet-4-5' }]),
    async ({ gateway }) => {
      const health = await ask(`${gateway.url}/health`, { headers: AUTH })
      assert.equal(at(health.json, 'healthy_count'), 1, health.text)
      const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      const ping = { model: 'stranger', messages: [{ role: 'user', content: 'ping' }] } as const
      const whole = await client.chat.completions.create({ ...ping, messages: [...ping.messages] })
      assert.equal(whole.choices[0]?.message.content, 'pong')
      const stream = client.chat.completions.stream({ ...ping, messages: [...ping.messages] })
      assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, 'pong')
      const asking = client.chat.completions.stream({
        model: 'stranger',
        messages: [{ role: 'user', content: 'weather' }],
        tools: [WEATHER],
      })
      const call = (await asking.finalChatCompletion()).choices[0]?.message.tool_calls?.[0]
      assert.ok(call?.type === 'function')
      assert.deepEqual(
        [call.function.name, JSON.parse(call.function.arguments)],
        ['weather', { city: 'Paris' }],
      )
    },
  ))
