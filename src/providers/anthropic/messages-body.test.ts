import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import { Secret } from '../../core/secret.ts'
import { deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { anthropic } from './adapter.ts'
import { anthropicChat } from './chat.ts'
import { toMessagesBody, type MessagesOptions } from './messages-body.ts'
import { groundOn } from '../auth/ground.fixture.ts'

const targetOf = (model: string, bodyDefaults: JsonObject = {}): Target => ({
  provider: 'anthropic',
  model,
  base: 'https://api.anthropic.com',
  bodyDefaults,
})
const SONNET = targetOf('claude-sonnet-4-5')
const PING = [{ role: 'user', content: 'ping' }] as const

const bodyOf = (request: ChatRequest, target: Target = SONNET): JsonObject =>
  toMessagesBody(request, target).body
const said = (...content: readonly JsonObject[]): ChatRequest => ({ messages: [{ role: 'user', content }] })
const text = (words: string): JsonObject => ({ type: 'text', text: words })

test('a conversation becomes turns: systems on top, results of tools in one turn of the user', () => {
  const call = (id: string, args: string): JsonObject => ({
    id,
    type: 'function',
    function: { name: 'weather', arguments: args },
  })
  const thought = { type: 'thinking', thinking: 'hm', signature: 'sig' }
  const { system, messages } = bodyOf({
    messages: [
      { role: 'system', content: 'one', cache_control: { type: 'ephemeral' } },
      { role: 'user', content: 'weather?' },
      { role: 'developer', content: [{ type: 'text', text: 'two' }] },
      {
        role: 'assistant',
        content: 'I look.',
        reasoning_content: 'hm',
        thinking_blocks: [thought],
        tool_calls: [call('functions.weather:0', '{"city":"Paris"}'), call('call_2', '')],
      },
      { role: 'tool', tool_call_id: 'functions.weather:0', content: 'sun' },
      {
        role: 'tool',
        tool_call_id: 'call_2',
        content: [{ type: 'text', text: 'rain' }],
        cache_control: { type: 'ephemeral' },
      },
      { role: 'user', content: 'and?' },
      { role: 'assistant', content: null },
    ],
  })
  assert.deepEqual(system, [{ ...text('one'), cache_control: { type: 'ephemeral' } }, text('two')])
  assert.deepEqual(messages, [
    { role: 'user', content: [text('weather?')] },
    {
      role: 'assistant',
      content: [
        thought,
        text('I look.'),
        { type: 'tool_use', id: 'functions_weather_0', name: 'weather', input: { city: 'Paris' } },
        { type: 'tool_use', id: 'call_2', name: 'weather', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'functions_weather_0', content: 'sun' },
        {
          type: 'tool_result',
          tool_use_id: 'call_2',
          content: [text('rain')],
          cache_control: { type: 'ephemeral' },
        },
        text('and?'),
      ],
    },
  ])
})

const PARTS: readonly (readonly [string, JsonObject, JsonObject])[] = [
  [
    'a picture by its address',
    { type: 'image_url', image_url: { url: 'https://p.test/a.png', detail: 'low' } },
    { type: 'image', source: { type: 'url', url: 'https://p.test/a.png' } },
  ],
  [
    'a picture by its bytes',
    {
      type: 'image_url',
      image_url: 'data:image/JPG;base64,AAAA',
      cache_control: { type: 'ephemeral', ttl: '1h' },
    },
    {
      type: 'image',
      source: { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' },
      cache_control: { type: 'ephemeral', ttl: '1h' },
    },
  ],
  [
    'a PDF by its bytes',
    {
      type: 'file',
      file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
      citations: { enabled: true },
    },
    {
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
      title: 'a.pdf',
      citations: { enabled: true },
    },
  ],
  [
    'a PDF by its address',
    { type: 'file', file: { file_data: 'https://p.test/a.pdf' } },
    { type: 'document', source: { type: 'url', url: 'https://p.test/a.pdf' } },
  ],
  [
    'a text by its bytes',
    { type: 'file', file: { file_data: 'data:text/plain;charset=utf-8;base64,cMO2bmc=' } },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'pöng' } },
  ],
  [
    'a file at Anthropic',
    { type: 'file', file: { file_id: 'file_1' } },
    { type: 'document', source: { type: 'file', file_id: 'file_1' } },
  ],
  [
    'a block of Anthropic',
    { type: 'search_result', source: 's', title: 't' },
    { type: 'search_result', source: 's', title: 't' },
  ],
]

for (const [name, part, block] of PARTS) {
  test(`${name} is a block`, () => {
    assert.deepEqual(bodyOf(said(part))['messages'], [{ role: 'user', content: [block] }])
  })
}

const UNSAYABLE: readonly (readonly [string, ChatRequest, string])[] = [
  ['sound', said({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), 'messages'],
  ['a video', said({ type: 'file', file: { file_data: 'data:video/mp4;base64,AA==' } }), 'messages'],
  [
    'a data URL in plain text',
    said({ type: 'image_url', image_url: { url: 'data:image/png,x' } }),
    'messages',
  ],
  ['a role that nobody has', { messages: [{ role: 'function', content: 'x' }] }, 'messages'],
  [
    'arguments that are no object',
    {
      messages: [{ role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'f', arguments: '[1' } }] }],
    },
    'messages',
  ],
  ['a tool of free text', { messages: PING, tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools'],
  [
    'a schema without one',
    { messages: PING, response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
    'response_format',
  ],
]

for (const [name, request, param] of UNSAYABLE) {
  test(`${name} is refused, and the client told where`, () => {
    assert.throws(() => bodyOf(request), { kind: 'bad_request', source: 'client', param })
  })
}

test('members have other names, what changes nothing stays behind, what nobody knows is carried', () => {
  const request: ChatRequest = {
    messages: PING,
    max_completion_tokens: 5,
    stop: '.',
    temperature: 0.5,
    top_k: 3,
    user: 'u1',
    n: 1,
    stream: true,
    stream_options: { include_usage: true },
    metadata: { team: 'a' },
    store: false,
    service_tier: 'default',
    parallel_tool_calls: false,
    logprobs: false,
    presence_penalty: 0,
    inference_geo: 'eu',
  }
  assert.deepEqual(toMessagesBody(request, SONNET), {
    body: {
      model: 'claude-sonnet-4-5',
      messages: [{ role: 'user', content: [text('ping')] }],
      max_tokens: 5,
      stop_sequences: ['.'],
      temperature: 0.5,
      top_k: 3,
      metadata: { user_id: 'u1' },
      service_tier: 'standard_only',
      inference_geo: 'eu',
      stream: true,
    },
    dropped: [],
    betas: [],
  })
})

test("a bound is demanded: the deployment's, or one that leaves room for thoughts", () => {
  assert.equal(bodyOf({ messages: PING }, targetOf('claude-haiku-4-5', { max_tokens: 7 }))['max_tokens'], 7)
  assert.equal(bodyOf({ messages: PING })['max_tokens'], 4_096)
  const thinking = { type: 'enabled', budget_tokens: 10_000 }
  assert.equal(bodyOf({ messages: PING, thinking })['max_tokens'], 14_096)
  assert.deepEqual(bodyOf({ messages: PING, thinking })['thinking'], thinking)
})

const CHOICES: readonly (readonly [JsonObject, unknown])[] = [
  [{}, undefined],
  [{ tool_choice: 'auto' }, { type: 'auto' }],
  [{ tool_choice: 'none', parallel_tool_calls: false }, { type: 'none' }],
  [{ tool_choice: 'required' }, { type: 'any' }],
  [{ parallel_tool_calls: false }, { type: 'auto', disable_parallel_tool_use: true }],
  [
    { tool_choice: { type: 'function', function: { name: 'f' } }, parallel_tool_calls: false },
    { type: 'tool', name: 'f', disable_parallel_tool_use: true },
  ],
  [{ tool_choice: { type: 'any' } }, { type: 'any' }],
]

for (const [words, choice] of CHOICES) {
  test(`${JSON.stringify(words)} is the choice ${JSON.stringify(choice)}`, () => {
    const parameters = { properties: { a: { type: 'string' } } }
    const tools = [
      {
        type: 'function',
        function: { name: 'f', parameters, strict: true },
        cache_control: { type: 'ephemeral' },
      },
      { type: 'web_search_20250305', name: 'web_search', max_uses: 1 },
    ]
    const body = bodyOf({ messages: PING, tools, ...words })
    assert.deepEqual(body['tool_choice'], choice)
    assert.deepEqual(body['tools'], [
      {
        name: 'f',
        input_schema: { type: 'object', ...parameters },
        strict: true,
        cache_control: { type: 'ephemeral' },
      },
      { type: 'web_search_20250305', name: 'web_search', max_uses: 1 },
    ])
  })
}

test('the objects of a schema are closed where they were left open', () => {
  const schema = {
    type: 'object',
    properties: {
      type: { type: 'object', properties: {} },
      list: { type: 'array', items: { type: 'object' } },
    },
  }
  const format = { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } }
  const body = bodyOf({ messages: PING, response_format: format })
  const closed = { additionalProperties: false }
  assert.deepEqual(body['output_config'], {
    format: {
      type: 'json_schema',
      schema: {
        type: 'object',
        properties: {
          type: { type: 'object', properties: {}, ...closed },
          list: { type: 'array', items: { type: 'object', ...closed } },
        },
        ...closed,
      },
    },
  })
})

const OBJECT = { type: 'json_object' }
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } }
const FORMAT = { type: 'json_schema', json_schema: { name: 'x', schema: SCHEMA } }

for (const [model, format, schema] of [
  ['claude-sonnet-4-5', OBJECT, { type: 'object' }],
  ['claude-3-5-sonnet-20240620', FORMAT, SCHEMA],
] as const) {
  test(`${model} gives an answer of the form ${format.type} by a tool that it must call`, () => {
    const { body, dropped } = toMessagesBody({ messages: PING, response_format: format }, targetOf(model))
    assert.deepEqual(body['tools'], [
      { name: 'json_tool_call', description: 'Gives the answer to the user.', input_schema: schema },
    ])
    assert.deepEqual(body['tool_choice'], {
      type: 'tool',
      name: 'json_tool_call',
      disable_parallel_tool_use: true,
    })
    assert.deepEqual(dropped, [])
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const beside = toMessagesBody({ messages: PING, response_format: format, tools }, targetOf(model))
    assert.deepEqual(beside.dropped, ['response_format'])
  })
}

/** Model, request, what of thinking is told, what is lost. */
const THOUGHTS: readonly (readonly [string, JsonObject, JsonObject, readonly string[]])[] = [
  ['claude-3-5-sonnet-20240620', { reasoning_effort: 'low' }, {}, ['reasoning_effort']],
  ['claude-3-5-sonnet-20240620', { reasoning_effort: 'none' }, {}, []],
  [
    'claude-3-7-sonnet-20250219',
    { reasoning_effort: 'high' },
    { thinking: { type: 'enabled', budget_tokens: 4_096 } },
    [],
  ],
  [
    'us.anthropic.claude-opus-4-20250514-v1:0',
    { reasoning_effort: 'high', max_tokens: 2_000 },
    { thinking: { type: 'enabled', budget_tokens: 1_999 } },
    [],
  ],
  ['claude-sonnet-4-5', { reasoning_effort: 'high', max_tokens: 16 }, {}, ['reasoning_effort']],
  [
    'claude-opus-4-6',
    { reasoning_effort: 'xhigh' },
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
    [],
  ],
  [
    'claude-fable-5-1',
    { reasoning_effort: 'minimal', max_tokens: 16 },
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
    [],
  ],
  [
    'claude-opus-4-7',
    { thinking: { type: 'enabled', budget_tokens: 16_000 } },
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } },
    [],
  ],
  [
    'claude-sonnet-5',
    {
      thinking: { type: 'enabled', budget_tokens: 5_000, display: 'omitted' },
      output_config: { effort: 'max' },
    },
    { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' } },
    [],
  ],
  [
    'claude-opus-5',
    {
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: 'required',
    },
    { output_config: { effort: 'low' } },
    [],
  ],
  [
    'claude-opus-4-8',
    { thinking: { type: 'adaptive' }, reasoning_effort: 'xhigh' },
    { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } },
    [],
  ],
  [
    'claude-opus-4-8',
    { thinking: { type: 'enabled', budget_tokens: 9 }, reasoning_effort: 'max' },
    { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
    [],
  ],
  [
    'claude-opus-4-6',
    { thinking: { type: 'enabled', budget_tokens: 2_000 } },
    { thinking: { type: 'enabled', budget_tokens: 2_000 } },
    [],
  ],
  [
    'claude-sonnet-4-5',
    { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
    { thinking: { type: 'enabled', budget_tokens: 2_048 } },
    [],
  ],
  [
    'claude-opus-4-5',
    { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    { thinking: { type: 'enabled', budget_tokens: 1_024 }, output_config: { effort: 'low' } },
    [],
  ],
  ['claude-haiku-4-5', { thinking: { type: 'adaptive' }, max_tokens: 16 }, {}, ['thinking.type']],
  ['claude-haiku-4-5', { thinking: { type: 'adaptive' }, temperature: 0 }, {}, ['thinking.type']],
  [
    'claude-3-7-sonnet-20250219',
    { thinking: { type: 'adaptive' } },
    { thinking: { type: 'enabled', budget_tokens: 4_096 } },
    [],
  ],
  ['claude-opus-4-7', { reasoning_effort: 'none' }, {}, []],
  ['claude-opus-5', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }, []],
  ['claude-sonnet-5-5', { reasoning_effort: 'none' }, { thinking: { type: 'between_tools' } }, []],
  ['claude-opus-5-5', { reasoning_effort: 'none' }, {}, ['reasoning_effort']],
]

for (const [model, words, told, lost] of THOUGHTS) {
  test(`${model} is told ${JSON.stringify(words)} as ${JSON.stringify(told)}`, () => {
    const { body, dropped } = toMessagesBody({ messages: PING, ...words }, targetOf(model))
    const { thinking, output_config: config } = body
    assert.deepEqual(
      { ...(thinking !== undefined && { thinking }), ...(config !== undefined && { output_config: config }) },
      told,
    )
    assert.deepEqual(dropped, lost)
  })
}

const SAMPLING: readonly (readonly [string, MessagesOptions, JsonObject, JsonObject, readonly string[]])[] = [
  ['claude-sonnet-4-6', {}, { temperature: 0, top_p: 1 }, { temperature: 0, top_p: 1 }, []],
  ['claude-sonnet-4-6', { version: '2026-10-21' }, { temperature: 0, top_p: 1 }, {}, ['temperature']],
  ['claude-sonnet-4-6', { version: 'bedrock-2023-05-31' }, { temperature: 0 }, { temperature: 0 }, []],
  ['claude-opus-5', {}, { temperature: 1, top_p: 0.5, top_k: 1 }, {}, ['top_p', 'top_k']],
  ['claude-sonnet-4-5', {}, { temperature: 0.2, reasoning_effort: 'low' }, {}, ['temperature']],
]

for (const [model, options, words, told, lost] of SAMPLING) {
  test(`${model} ${JSON.stringify(options)} is told ${JSON.stringify(words)} as ${JSON.stringify(told)}`, () => {
    const { body, dropped } = toMessagesBody({ messages: PING, ...words }, targetOf(model), options)
    const names = ['temperature', 'top_p', 'top_k'].filter((name) => body[name] !== undefined)
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, body[name]])), told)
    assert.deepEqual(dropped, lost)
  })
}

test('what changes an answer and cannot be told is named', () => {
  const request: ChatRequest = {
    messages: PING,
    n: 2,
    seed: 1,
    logprobs: true,
    top_logprobs: 2,
    logit_bias: { 1: 1 },
    presence_penalty: 1,
    frequency_penalty: 1,
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy' },
    verbosity: 'low',
    functions: [{ name: 'f' }],
    response_format: { type: 'grammar' },
  }
  const { body, dropped } = toMessagesBody(request, SONNET)
  assert.deepEqual(new Set(dropped), new Set(Object.keys(request).slice(1)))
  assert.deepEqual(Object.keys(body), ['model', 'messages', 'max_tokens'])
})

test('a request is read, and never written to', () => {
  const part = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
  const request: ChatRequest = {
    messages: [
      { role: 'system', content: 'x', cache_control: { type: 'ephemeral' } },
      { role: 'user', content: [part] },
      { role: 'user', content: 'and' },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
    response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } },
    reasoning_effort: 'low',
  }
  const before = structuredClone(request)
  const once = bodyOf(request)
  assert.deepEqual(request, before)
  assert.deepEqual(bodyOf(request), once)
})

test('pictures are fetched where Anthropic would not fetch them', () => {
  assert.equal(anthropicChat.inlines?.('http://p.test/a.png', SONNET), true)
  assert.equal(anthropicChat.inlines?.('https://p.test/a.png', SONNET), false)
})

/** What LiteLLM's upstreams were sent. */
const GOLDEN = z.object({
  steps: z.array(
    z.object({
      upstream: z.array(
        z.object({
          method: z.string(),
          url: z.string(),
          headers: z.record(z.string(), z.string()),
          body: z.unknown(),
        }),
      ),
    }),
  ),
})
const GROUND = groundOn({ send: () => assert.fail('a token was fetched') })

test('what LiteLLM was recorded to send is what is sent', async () => {
  const path = join(import.meta.dirname, '../../../test/goldens/litellm-1.100.5/12-providers.json')
  const { steps } = GOLDEN.parse(JSON.parse(readFileSync(path, 'utf8')))
  const recorded = steps[0]?.upstream.find(({ url }) => url.endsWith('/v1/messages'))
  assert.ok(recorded !== undefined)
  const connected = anthropic.connect(
    deploymentOf('anthropic', {
      upstreamModel: 'claude-3-5-sonnet-20240620',
      connection: { apiKey: new Secret('an-canary'), apiBase: 'http://127.0.0.1:9100/ok', headers: {} },
    }),
    {},
  )
  assert.ok('target' in connected)
  const messages = [{ role: 'user', content: "Hey how's it going?" }]
  const wire = await connected.authorize(
    anthropicChat.encode({ messages, max_tokens: 16 }, connected.target),
    GROUND,
  )
  assert.deepEqual(
    {
      method: wire.method,
      url: new URL(wire.url).pathname,
      headers: { ...wire.headers },
      body: JSON.parse(String(wire.body)),
    },
    recorded,
  )
})
