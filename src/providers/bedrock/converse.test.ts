import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { bedrockChat } from './chat.ts'
import { claudeVersion, parseModel } from './model-id.ts'

const OLD = 'anthropic.claude-3-sonnet-20240229-v1:0'
const THINKING = 'us.anthropic.claude-3-7-sonnet-20250219-v1:0'
const NEW = 'global.anthropic.claude-opus-4-6-v1'
const BASE = 'https://bedrock-runtime.us-east-1.amazonaws.com'

function target(model: string): Target {
  return { provider: 'bedrock', model, base: BASE, bodyDefaults: {} }
}

/** The body for a request, and what it leaves out. */
function said(
  request: Partial<ChatRequest>,
  model = OLD,
): { readonly body: unknown; readonly dropped: readonly string[] } {
  const messages = [{ role: 'user', content: 'ping' }]
  const { body, dropped = [] } = bedrockChat.encode({ messages, ...request }, target(model))
  return { body: JSON.parse(String(body)), dropped }
}

const PING = [{ role: 'user', content: [{ text: 'ping' }] }]

const MODELS: readonly (readonly [string, unknown])[] = [
  [OLD, { route: 'converse', id: OLD }],
  [`converse/${OLD}`, { route: 'converse', id: OLD, saysConverse: true }],
  [`invoke/us-west-2/${OLD}`, { route: 'invoke', id: OLD, region: 'us-west-2' }],
  [`us-gov-west-1/${OLD}`, { route: 'converse', id: OLD, region: 'us-gov-west-1' }],
  [
    'converse/ap-northeast-1/jp.anthropic.claude-sonnet-4-5-20250929-v1:0',
    {
      route: 'converse',
      id: 'jp.anthropic.claude-sonnet-4-5-20250929-v1:0',
      saysConverse: true,
      region: 'ap-northeast-1',
    },
  ],
  [
    'arn:aws:bedrock:eu-west-1:1:inference-profile/eu.meta.llama3-2-1b-instruct-v1:0',
    {
      route: 'converse',
      id: 'arn:aws:bedrock:eu-west-1:1:inference-profile/eu.meta.llama3-2-1b-instruct-v1:0',
      region: 'eu-west-1',
    },
  ],
  [
    'llama/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aimported-model%2Fabc',
    { route: 'converse', id: 'arn:aws:bedrock:us-east-1:1:imported-model/abc', region: 'us-east-1' },
  ],
  [
    'anthropic/arn:aws:bedrock:us-east-1:1:application-inference-profile/abc',
    {
      route: 'converse',
      id: 'arn:aws:bedrock:us-east-1:1:application-inference-profile/abc',
      isClaude: true,
      region: 'us-east-1',
    },
  ],
  ['agent/ABC/DEF', 'bedrock/agent/ is a service of AWS that is not supported'],
  ['us-east-1/', '"us-east-1/" names no model'],
]

for (const [written, expected] of MODELS) {
  test(`bedrock/${written} is read`, () => assert.deepEqual(parseModel(written), expected))
}

test("a claude's generation is told from its name", () => {
  const names = [
    ['anthropic.claude-3-sonnet-20240229-v1:0', 300],
    ['anthropic.claude-3-5-haiku-20241022-v1:0', 305],
    ['anthropic.claude-opus-4-20250514-v1:0', 400],
    ['anthropic.claude-opus-4-1-20250805-v1:0', 401],
    ['anthropic.claude-sonnet-4-5-20250929-v1:0', 405],
    ['anthropic.claude-opus-4-6-v1', 406],
    ['anthropic.claude-sonnet-5', 500],
    ['anthropic.claude-v2:1', undefined],
    ['meta.llama3-8b-instruct-v1:0', undefined],
  ] as const
  for (const [name, version] of names) assert.equal(claudeVersion(name), version, name)
})

test('the id is one segment of the path, and a stream has a route of its own', () => {
  const messages = [{ role: 'user', content: 'ping' }]
  const whole = bedrockChat.encode({ messages }, target(OLD))
  assert.equal(whole.url, `${BASE}/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse`)
  const stream = bedrockChat.encode({ messages, stream: true }, target('arn:aws:bedrock:r:1:x/y'))
  assert.equal(stream.url, `${BASE}/model/arn%3Aaws%3Abedrock%3Ar%3A1%3Ax%2Fy/converse-stream`)
  assert.equal(stream.headers['accept'], 'application/vnd.amazon.eventstream')
})

test('messages of one side in a row become one, and the system stands apart', () => {
  const { body } = said(
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'developer',
          content: [{ type: 'text', text: 'Very.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        },
        { role: 'user', content: 'one' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'two' },
            { type: 'text', text: ' ' },
          ],
        },
        {
          role: 'assistant',
          content: null,
          thinking_blocks: [
            { type: 'thinking', thinking: 'hm', signature: 'sig' },
            { type: 'redacted_thinking', data: 'cmVk' },
          ],
          tool_calls: [
            { id: 't1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
            { id: 't2', type: 'function', function: { name: 'g', arguments: '' } },
          ],
        },
        { role: 'tool', tool_call_id: 't1', content: 'rain' },
        {
          role: 'tool',
          tool_call_id: 't2',
          content: [{ type: 'image_url', image_url: 'data:image/jpg;base64,AAAA' }],
        },
        { role: 'user', content: 'so?' },
      ],
    },
    NEW,
  )
  assert.deepEqual(body, {
    system: [{ text: 'Be brief.' }, { text: 'Very.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
    messages: [
      { role: 'user', content: [{ text: 'one' }, { text: 'two' }] },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 'sig' } } },
          { reasoningContent: { redactedContent: 'cmVk' } },
          { toolUse: { toolUseId: 't1', name: 'f', input: { a: 1 } } },
          { toolUse: { toolUseId: 't2', name: 'g', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 't1', content: [{ text: 'rain' }] } },
          {
            toolResult: {
              toolUseId: 't2',
              content: [{ image: { format: 'jpeg', source: { bytes: 'AAAA' } } }],
            },
          },
          { text: 'so?' },
        ],
      },
    ],
    toolConfig: {
      tools: ['f', 'g'].map((name) => ({
        toolSpec: { name, inputSchema: { json: { type: 'object', properties: {} } } },
      })),
    },
  })
})

const TOOL = {
  type: 'function',
  function: {
    name: 'f',
    description: 'F.',
    parameters: { type: 'object', properties: { a: {} } },
    strict: true,
  },
}
const SPEC = {
  toolSpec: {
    name: 'f',
    description: 'F.',
    inputSchema: { json: { type: 'object', properties: { a: {} } } },
    strict: true,
  },
}
const SCHEMA = { type: 'object', properties: { answer: { type: 'string' } } }
const BY_SCHEMA = { type: 'json_schema', json_schema: { name: 'n', schema: SCHEMA } }
const JSON_TOOL = {
  toolSpec: {
    name: 'json_tool_call',
    description: 'Give the whole answer as the input of this tool.',
    inputSchema: { json: SCHEMA },
  },
}
const TEXT_FORMAT = {
  type: 'json_schema',
  structure: { jsonSchema: { schema: JSON.stringify(SCHEMA), name: 'n' } },
}

/** What is asked, of which model, what the body has besides the messages, and what it leaves out. */
const WORDS: readonly (readonly [string, Partial<ChatRequest>, string, JsonObject, (readonly string[])?])[] =
  [
    [
      'a budget and a stop',
      { max_completion_tokens: 5, temperature: 0, top_p: 0.5, stop: 'x', n: 1 },
      OLD,
      { inferenceConfig: { maxTokens: 5, temperature: 0, topP: 0.5, stopSequences: ['x'] } },
    ],
    [
      'tools',
      { tools: [TOOL], tool_choice: 'auto', parallel_tool_calls: true },
      OLD,
      { toolConfig: { tools: [SPEC], toolChoice: { auto: {} } } },
    ],
    [
      'a tool that must be called',
      { tools: [TOOL], tool_choice: 'required' },
      OLD,
      { toolConfig: { tools: [SPEC], toolChoice: { any: {} } } },
    ],
    [
      'this very tool',
      { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'f' } } },
      OLD,
      { toolConfig: { tools: [SPEC], toolChoice: { tool: { name: 'f' } } } },
    ],
    ['no tool', { tools: [TOOL], tool_choice: 'none' }, OLD, {}],
    [
      'one tool at a time',
      { tools: [TOOL], parallel_tool_calls: false },
      OLD,
      {
        toolConfig: { tools: [SPEC] },
        additionalModelRequestFields: { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      },
    ],
    [
      'one tool at a time of a model that has no word for it',
      { tools: [TOOL], parallel_tool_calls: false },
      'meta.llama3-8b-instruct-v1:0',
      { toolConfig: { tools: [SPEC] } },
      ['parallel_tool_calls'],
    ],
    [
      'a schema of a model without',
      { response_format: BY_SCHEMA },
      OLD,
      { toolConfig: { tools: [JSON_TOOL], toolChoice: { tool: { name: 'json_tool_call' } } } },
    ],
    [
      'a schema and tools of a model without',
      { response_format: BY_SCHEMA, tools: [TOOL] },
      OLD,
      { toolConfig: { tools: [SPEC, JSON_TOOL], toolChoice: { any: {} } } },
    ],
    [
      'a schema of a model with',
      { response_format: BY_SCHEMA },
      NEW,
      { outputConfig: { textFormat: TEXT_FORMAT } },
    ],
    [
      'some JSON of a model without',
      { response_format: { type: 'json_object' } },
      'openai.gpt-oss-20b-1:0',
      {},
      ['response_format'],
    ],
    [
      'text',
      { response_format: { type: 'text' }, modalities: ['text'], logprobs: false, presence_penalty: 0 },
      OLD,
      {},
    ],
    [
      'thoughts of a claude that takes a budget',
      { reasoning_effort: 'medium', max_tokens: 4000 },
      THINKING,
      {
        inferenceConfig: { maxTokens: 4000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2048 } },
      },
    ],
    [
      'thoughts within a budget',
      { reasoning_effort: 'high', max_tokens: 2000 },
      THINKING,
      {
        inferenceConfig: { maxTokens: 2000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1999 } },
      },
    ],
    [
      'thoughts within no budget',
      { reasoning_effort: 'high', max_tokens: 16 },
      THINKING,
      { inferenceConfig: { maxTokens: 16 } },
      ['reasoning_effort'],
    ],
    [
      'thoughts of a claude that takes an effort',
      { reasoning_effort: 'minimal' },
      NEW,
      { additionalModelRequestFields: { thinking: { type: 'adaptive' } }, outputConfig: { effort: 'low' } },
    ],
    [
      'a budget of a claude that takes an effort',
      { thinking: { type: 'enabled', budget_tokens: 5000 } },
      'global.anthropic.claude-opus-4-7-v1',
      {
        additionalModelRequestFields: { thinking: { type: 'adaptive' } },
        outputConfig: { effort: 'medium' },
      },
    ],
    [
      'an answer as it sees fit that is sampled, which a budget would not allow',
      { thinking: { type: 'adaptive' }, temperature: 0 },
      THINKING,
      { inferenceConfig: { temperature: 0 } },
      ['thinking.type'],
    ],
    [
      'thoughts as it sees fit of a claude that takes a budget',
      { thinking: { type: 'adaptive' }, max_tokens: 5000 },
      THINKING,
      {
        inferenceConfig: { maxTokens: 5000 },
        additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 4096 } },
      },
    ],
    [
      'a budget of a claude that takes both',
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      NEW,
      { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2000 } } },
    ],
    ['thoughts of a claude that has none', { reasoning_effort: 'low' }, OLD, {}, ['reasoning_effort']],
    [
      'thoughts of a nova',
      { reasoning_effort: 'high' },
      'us.amazon.nova-2-lite-v1:0',
      { additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } } },
    ],
    [
      'thoughts of a gpt',
      { reasoning_effort: 'low' },
      'openai.gpt-oss-20b-1:0',
      { additionalModelRequestFields: { reasoning_effort: 'low' } },
    ],
    [
      "Anthropic's own word for thoughts",
      { thinking: { type: 'enabled', budget_tokens: 1024 } },
      THINKING,
      { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } } },
    ],
    ['top_k', { top_k: 3 }, OLD, { additionalModelRequestFields: { top_k: 3 } }],
    [
      'top_k of a nova',
      { top_k: 3 },
      'amazon.nova-pro-v1:0',
      { additionalModelRequestFields: { inferenceConfig: { topK: 3 } } },
    ],
    [
      "Converse's own words",
      {
        guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' },
        requestMetadata: { a: 'b' },
        inferenceConfig: { maxTokens: 9 },
        max_tokens: 5,
      },
      OLD,
      {
        inferenceConfig: { maxTokens: 9 },
        guardrailConfig: { guardrailIdentifier: 'g', guardrailVersion: '1' },
        requestMetadata: { a: 'b' },
      },
    ],
    [
      'what is only counted or kept',
      {
        user: 'u',
        store: true,
        metadata: { a: 'b' },
        stream_options: { include_usage: true },
        service_tier: 'auto',
      },
      OLD,
      {},
    ],
    ['a tier', { service_tier: 'flex' }, OLD, { serviceTier: { type: 'flex' } }],
    [
      'what Bedrock has no word for',
      { seed: 1, logit_bias: { '5': 1 }, frequency_penalty: 0.5, functions: [{ name: 'f' }], n: 2 },
      OLD,
      {},
      ['seed', 'logit_bias', 'frequency_penalty', 'functions', 'n'],
    ],
    [
      'a word that nobody knows',
      { performance: { x: 1 } },
      OLD,
      { additionalModelRequestFields: { performance: { x: 1 } } },
    ],
  ]

for (const [what, request, model, expected, dropped = []] of WORDS) {
  test(`${what}, in Converse's words`, () => {
    assert.deepEqual(said(request, model), { body: { messages: PING, ...expected }, dropped })
  })
}

const MARK = { cache_control: { type: 'ephemeral', ttl: '1h' } } as const
const POINT = { cachePoint: { type: 'default' } } as const
const TIMED = { cachePoint: { type: 'default', ttl: '1h' } } as const

/** A model, the end of what it keeps behind messages and behind tools, and what it is not told. */
const CACHES: readonly (readonly [string, readonly object[], readonly object[], readonly string[]])[] = [
  [NEW, [TIMED], [TIMED], []],
  [
    THINKING,
    [POINT],
    [POINT],
    [
      'messages[].content[].cache_control.ttl',
      'messages[].tool_calls[].cache_control.ttl',
      'tools[].cache_control.ttl',
    ],
  ],
  [
    'amazon.nova-pro-v1:0',
    [POINT],
    [],
    [
      'messages[].content[].cache_control.ttl',
      'messages[].tool_calls[].cache_control.ttl',
      'tools[].cache_control',
    ],
  ],
  [
    OLD,
    [],
    [],
    ['messages[].content[].cache_control', 'messages[].tool_calls[].cache_control', 'tools[].cache_control'],
  ],
]

for (const [model, point, toolPoint, lost] of CACHES) {
  test(`${model} is told of what may be cached as far as it can be`, () => {
    const { body, dropped } = said(
      {
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'ping', ...MARK }] },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 't', type: 'function', function: { name: 'f', arguments: '{}' }, ...MARK }],
          },
          { role: 'tool', tool_call_id: 't', content: [{ type: 'text', text: 'rain', ...MARK }] },
        ],
        tools: [{ ...TOOL, ...MARK }],
      },
      model,
    )
    assert.deepEqual(Reflect.get(Object(body), 'messages'), [
      { role: 'user', content: [{ text: 'ping' }, ...point] },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 't', name: 'f', input: {} } }, ...point] },
      { role: 'user', content: [{ toolResult: { toolUseId: 't', content: [{ text: 'rain' }] } }, ...point] },
    ])
    const { tools } = Object(Reflect.get(Object(body), 'toolConfig'))
    assert.deepEqual(tools.slice(1), toolPoint)
    assert.deepEqual(dropped, lost)
  })
}

test('a mark on the whole request marks its end', () => {
  const { body, dropped } = said({ cache_control: { type: 'ephemeral' } }, NEW)
  const content = [{ text: 'ping' }, POINT]
  assert.deepEqual({ body, dropped }, { body: { messages: [{ role: 'user', content }] }, dropped: [] })
})

const WORD = { type: 'text', text: 'a' } as const
const CSV = { type: 'file', file: { file_data: 'data:text/csv;base64,YQ==', filename: 'a.csv' } } as const
const THOUGHT = { type: 'thinking', thinking: 'hm', signature: 's' } as const

/** Places where Bedrock refuses an end of what is cached: the messages, and what becomes of their blocks. */
const NO_ENDS: readonly (readonly [string, ChatRequest['messages'], readonly string[][]])[] = [
  ['nothing', [{ role: 'user', content: [{ ...WORD, text: '', ...MARK }, WORD] }], [['text']]],
  [
    'nothing at all',
    [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '', ...MARK },
    ],
    [['text']],
  ],
  ['another end', [{ role: 'user', content: [{ ...WORD, ...MARK }], ...MARK }], [['text', 'cachePoint']]],
  [
    'thoughts',
    [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: null, thinking_blocks: [THOUGHT], ...MARK },
    ],
    [['text'], ['reasoningContent']],
  ],
  [
    'a document that Bedrock reads itself',
    [{ role: 'user', content: [WORD, { ...CSV, ...MARK }] }],
    [['text', 'document']],
  ],
]

for (const [what, messages, blocks] of NO_ENDS) {
  test(`no end of what is cached stands behind ${what}`, () => {
    const { body } = said({ messages: [...messages] }, NEW)
    const written: readonly { readonly content: readonly object[] }[] = Reflect.get(Object(body), 'messages')
    assert.deepEqual(
      written.map(({ content }) => content.flatMap((block) => Object.keys(block))),
      blocks,
    )
  })
}

/** What cannot be said, and the member that is at fault. */
const UNSAYABLE: readonly (readonly [string, Partial<ChatRequest>, string])[] = [
  [
    'a picture by an address that was not fetched',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'ftp://x/y.png' } }] }] },
    'messages',
  ],
  [
    'a picture of an odd type',
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA==' } }] },
      ],
    },
    'messages',
  ],
  [
    'a file that lies elsewhere',
    { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] },
    'messages',
  ],
  ['an odd part', { messages: [{ role: 'user', content: [{ type: 'hologram' }] }] }, 'messages'],
  ['an odd role', { messages: [{ role: 'function', name: 'f', content: 'x' }] }, 'messages'],
  [
    'arguments that are no JSON',
    { messages: [{ role: 'assistant', tool_calls: [{ id: 't', function: { name: 'f', arguments: '{' } }] }] },
    'messages',
  ],
  ['a tool that is no function', { tools: [{ type: 'web_search' }] }, 'tools'],
  ['a choice that is none', { tools: [TOOL], tool_choice: 'perhaps' }, 'tool_choice'],
]

for (const [what, request, param] of UNSAYABLE) {
  test(`${what} cannot be said`, () =>
    assert.throws(() => said(request), { kind: 'bad_request', param, source: 'client' }))
}
