import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import { answerOf, deploymentOf } from '../adapter.contract.ts'
import type { Target } from '../adapter.ts'
import { streamContract } from '../stream.contract.ts'
import { ollama } from './adapter.ts'
import { ollamaUrl } from './address.ts'
import { ollamaChat } from './chat.ts'
import { openOllamaChat } from './chat-stream.ts'
import { ollamaEmbed } from './embed.ts'
import { ollamaGenerate } from './generate.ts'
import { LOADED } from './loaded.ts'
import { provesPulled } from './pulled.ts'

const target = (model = 'llama3.2', bodyDefaults = {}): Target => ({
  provider: 'ollama',
  model,
  base: 'http://localhost:11434',
  bodyDefaults,
})
const TARGET = target()

function sent(request: ChatRequest, at = TARGET): unknown {
  return JSON.parse(String(ollamaChat.encode(request, at).body))
}

for (const base of ['http://h', 'http://h/api', 'http://h/api/generate', 'http://h/v1'])
  test(`an address written as ${base} is meant`, () => {
    assert.equal(ollamaUrl({ base }, 'chat'), 'http://h/api/chat')
  })

test("OpenAI's words become Ollama's, and unknown ones are carried", () => {
  const request: ChatRequest = {
    messages: [
      { role: 'developer', content: 'be brief' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'what is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
          { id: 'c2', type: 'function', function: { name: 'hear', arguments: '' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c2', content: 'a bark' },
    ],
    tools: [{ type: 'function', function: { name: 'look', strict: true } }],
    tool_choice: 'auto',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } },
    reasoning_effort: 'low',
    max_completion_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    seed: 7,
    stop: '.',
    presence_penalty: 0.1,
    num_ctx: 4096,
    keep_alive: '10m',
    logprobs: true,
    top_logprobs: 2,
    user: 'u',
    stream_options: { include_usage: true },
    parallel_tool_calls: true,
    made_up: 1,
  }
  assert.deepEqual(ollamaChat.encode(request, TARGET).dropped, ['messages[].name', 'tools[].function.strict'])
  assert.deepEqual(sent(request), {
    model: 'llama3.2',
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'what is this?', images: ['AAAA'] },
      {
        role: 'assistant',
        content: '',
        thinking: 'hm',
        tool_calls: [
          { id: 'c1', function: { name: 'look', arguments: { at: 1 } } },
          { id: 'c2', function: { name: 'hear', arguments: {} } },
        ],
      },
      { role: 'tool', content: 'a bark', tool_name: 'hear', tool_call_id: 'c2' },
    ],
    tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }],
    format: { type: 'object' },
    think: true,
    keep_alive: '10m',
    logprobs: true,
    top_logprobs: 2,
    made_up: 1,
    options: {
      num_predict: 9,
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      stop: ['.'],
      presence_penalty: 0.1,
      num_ctx: 4096,
    },
    stream: false,
  })
})

const USER = [{ role: 'user', content: 'ping' }]

test('defaults of the deployment are options too, and options that are written as such win', () => {
  const at = target('llama3.2', {
    num_ctx: 8192,
    keep_alive: -1,
    max_tokens: 5,
    options: { num_gpu: 1, num_ctx: 1 },
  })
  assert.deepEqual(sent({ messages: USER, max_completion_tokens: 7, stream: true }, at), {
    model: 'llama3.2',
    messages: USER,
    keep_alive: -1,
    options: { num_ctx: 1, num_gpu: 1, num_predict: 7 },
    stream: true,
  })
})

test('gpt-oss is told how hard to think, others whether', () => {
  for (const [model, effort, think] of [
    ['gpt-oss:20b', 'minimal', 'low'],
    ['gpt-oss:20b', 'medium', 'medium'],
    ['gpt-oss:20b', 'xhigh', 'high'],
    ['qwen3:8b', 'high', true],
    ['qwen3:8b', 'none', false],
  ] as const)
    assert.partialDeepStrictEqual(sent({ messages: USER, reasoning_effort: effort }, target(model)), {
      think,
    })
})

test('a choice that Ollama cannot be told is named; none is said by offering nothing', () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }]
  const named = { type: 'function', function: { name: 'f' } }
  for (const [tool_choice, dropped] of [
    ['required', ['tool_choice']],
    [named, ['tool_choice']],
    ['none', []],
    ['auto', []],
  ] as const)
    assert.deepEqual(ollamaChat.encode({ messages: USER, tools, tool_choice }, TARGET).dropped, dropped)
  assert.deepEqual(sent({ messages: USER, tools, tool_choice: 'none' }), {
    model: 'llama3.2',
    messages: USER,
    stream: false,
  })
  const { dropped } = ollamaChat.encode({ messages: USER, n: 3, parallel_tool_calls: false }, TARGET)
  assert.deepEqual(dropped, ['n', 'parallel_tool_calls'])
  assert.throws(() => sent({ messages: USER, tools: [{ type: 'custom', custom: { name: 'c' } }] }), {
    kind: 'bad_request',
    param: 'tools',
    source: 'client',
  })
})

for (const part of [
  { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
  { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==' } },
  { type: 'image_url', image_url: { url: 'https://pictures.test/a.png' } },
])
  test(`a ${part.type} that Ollama has no place for is refused`, () => {
    assert.throws(() => sent({ messages: [{ role: 'user', content: [part] }] }), {
      kind: 'bad_request',
      param: 'messages',
      source: 'client',
    })
  })

/** Shape: https://docs.ollama.com/capabilities/tool-calling (read 2026-11-27). */
test("calls and thoughts become OpenAI's", () => {
  const answer = {
    model: 'qwen3',
    created_at: '2023-11-14T22:13:20.5Z',
    message: {
      role: 'assistant',
      content: '',
      thinking: 'hm',
      tool_calls: [
        { function: { name: 'look', arguments: { at: 1 } } },
        { id: 'call_x', function: { index: 1, name: 'hear', arguments: {} } },
      ],
    },
    done: true,
    done_reason: 'stop',
    eval_count: 3,
    logprobs: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }],
  }
  const { choices, usage } = ollamaChat.decode(answerOf(answer), TARGET)
  assert.deepEqual(choices, [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        refusal: null,
        reasoning_content: 'hm',
        tool_calls: [
          {
            id: 'call-202311142213205-0',
            type: 'function',
            function: { name: 'look', arguments: '{"at":1}' },
          },
          { id: 'call_x', type: 'function', function: { name: 'hear', arguments: '{}' } },
        ],
      },
      logprobs: { content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }], refusal: null },
      finish_reason: 'tool_calls',
    },
  ])
  assert.deepEqual(usage, { prompt_tokens: 0, completion_tokens: 3, total_tokens: 3 })
})

test('a model that was only loaded has said nothing', () => {
  const loaded = { model: 'm', message: { role: 'assistant', content: '' }, done: true, done_reason: 'load' }
  assert.throws(() => ollamaChat.decode(answerOf(loaded), TARGET), { kind: 'empty' })
  const silent = { model: 'm', response: '', done: true, done_reason: 'load' }
  assert.throws(() => ollamaGenerate.decode(answerOf(silent), TARGET), { kind: 'empty' })
})

test('a text that was cut by its budget is one', () => {
  const cut = { model: 'm', message: { role: 'assistant', content: '' }, done: true, done_reason: 'length' }
  assert.equal(ollamaChat.decode(answerOf(cut), TARGET).choices[0]?.finish_reason, 'length')
})

/** Lines: https://docs.ollama.com/api/streaming (read 2026-11-27). */
const LINE = { model: 'qwen3', created_at: '2023-11-14T22:13:20Z', done: false }
const STREAM = [
  { ...LINE, message: { role: 'assistant', content: '', thinking: 'hm' } },
  { ...LINE, message: { role: 'assistant', content: 'pö' } },
  { ...LINE, message: { content: '', tool_calls: [{ function: { name: 'a', arguments: { x: 1 } } }] } },
  { ...LINE, message: { content: '', tool_calls: [{ function: { name: 'b', arguments: {} } }] } },
  { ...LINE, message: { content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 5, eval_count: 2 },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('')

const chunk = (choices: unknown, more = {}): unknown => ({
  id: 'chatcmpl-20231114221320',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'qwen3',
  choices,
  ...more,
})
const delta = (said: unknown, finish_reason: string | null = null): unknown =>
  chunk([{ index: 0, delta: said, finish_reason }])
const call = (index: number, name: string, text: string): unknown => ({
  index,
  id: `call-20231114221320-${index}`,
  type: 'function',
  function: { name, arguments: text },
})

streamContract('a stream of lines', () => openOllamaChat(TARGET), STREAM, [
  delta({ role: 'assistant', content: '', reasoning_content: 'hm' }),
  delta({ content: 'pö' }),
  delta({ tool_calls: [call(0, 'a', '{"x":1}')] }),
  delta({ tool_calls: [call(1, 'b', '{}')] }),
  delta({}, 'tool_calls'),
  chunk([], { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } }),
])

test('an error in a line ends the stream as one', () => {
  const decoder = openOllamaChat(TARGET)
  const bytes = Buffer.from(
    `${JSON.stringify({ ...LINE, message: { content: 'po' } })}\n{"error":"runner died"}\n`,
  )
  assert.throws(() => decoder.push(bytes), { kind: 'server_error', message: /runner died/ })
})

test('a completion takes a suffix, and the number of probabilities as a member of its own', () => {
  const { body } = ollamaGenerate.encode(
    { prompt: 'a', suffix: 'b', max_tokens: 3, logprobs: 2, echo: false, best_of: 1 },
    TARGET,
  )
  assert.deepEqual(JSON.parse(String(body)), {
    model: 'llama3.2',
    prompt: 'a',
    suffix: 'b',
    options: { num_predict: 3 },
    logprobs: true,
    top_logprobs: 2,
    stream: false,
  })
})

test('vectors are asked for with their size', () => {
  const { url, body } = ollamaEmbed.encode({ input: ['a'], dimensions: 4, encoding_format: 'base64' }, TARGET)
  assert.deepEqual(
    [url, JSON.parse(String(body))],
    ['http://localhost:11434/api/embed', { model: 'llama3.2', input: ['a'], dimensions: 4 }],
  )
})

/** Shape: https://docs.ollama.com/api/tags (read 2026-11-27). */
const TAGS = answerOf({
  models: [{ name: 'llama3.2:latest', model: 'llama3.2:latest' }, { name: 'me/Mine:7b' }],
})

for (const model of ['llama3.2', 'llama3.2:latest', 'library/llama3.2', 'me/mine:7b', 'gpt-oss:120b-cloud'])
  test(`${model} is among the pulled ones`, () => provesPulled(TAGS, target(model)))

for (const model of ['llama3.2:1b', 'llama3', 'mine:7b'])
  test(`${model} is not among the pulled ones`, () => {
    assert.throws(() => provesPulled(TAGS, target(model)), { kind: 'not_found' })
  })

test('a list that is none says nothing of a model', () => provesPulled(answerOf('<html>'), TARGET))

test('it needs no key, takes one, and is found at its usual place', () => {
  const bare = deploymentOf('ollama', { connection: { headers: {} } })
  const opened = ollama.connect(bare, {})
  assert.ok('target' in opened)
  assert.deepEqual([opened.target.base, opened.secrets], ['http://localhost:11434', []])
  const keyed = ollama.connect(bare, { OLLAMA_API_KEY: 'k', OLLAMA_API_BASE: 'http://box:11434/' })
  assert.ok('target' in keyed)
  assert.deepEqual(
    [keyed.target.base, keyed.secrets.map((secret) => secret.reveal())],
    ['http://box:11434', ['k']],
  )
})

/** Shape: https://docs.ollama.com/api/ps (read 2026-11-27). */
const MODELS = [
  { name: 'qwen3:8b', model: 'qwen3:8b', size_vram: 5, expires_at: '2026-11-27T10:05:00.5+01:00' },
  { name: 'llama3.2:latest', expires_at: '0001-01-01T00:00:00Z' },
]

test('what is in memory is seen, and until when', () => {
  const seen = (model: string, body: JsonObject = { models: MODELS }): unknown =>
    LOADED.read(answerOf(body), target(model))
  assert.deepEqual(seen('qwen3:8b'), { isLoaded: true, until: Date.parse('2026-11-27T09:05:00.5Z') })
  assert.deepEqual(seen('llama3.2'), { isLoaded: true })
  assert.deepEqual(seen('llama3.2:1b'), { isLoaded: false })
  assert.deepEqual(seen('qwen3:8b', { models: [] }), { isLoaded: false })
  assert.equal(seen('qwen3:8b', { error: 'no' }), undefined)
  assert.equal(LOADED.url(target()), 'http://localhost:11434/api/ps')
  // It is never in this engine's memory.
  assert.equal(LOADED.url(target('gpt-oss:120b-cloud')), undefined)
})

test('a call whose arguments are no JSON object is not told as one without any', () => {
  const called = (given: Json): ChatRequest => ({
    messages: [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', function: { name: 'look', arguments: given } }],
      },
    ],
  })
  for (const given of ['{"at":', 'at 1', '[1]', '"at"', 'null', 7])
    assert.throws(() => sent(called(given)), { kind: 'bad_request', param: 'messages', message: /of "look"/ })
  for (const [given, told] of [
    ['', {}],
    [' ', {}],
    [null, {}],
    ['{}', {}],
    ['{"at":1}', { at: 1 }],
    [{ at: 2 }, { at: 2 }],
  ] as const) {
    const calls = [{ id: 'c', function: { name: 'look', arguments: told } }]
    const { messages } = JSON.parse(String(ollamaChat.encode(called(given), TARGET).body))
    assert.deepEqual(messages[0].tool_calls, calls)
  }
})

test('arguments that come as text stay that text', () => {
  const message = { content: '', tool_calls: [{ function: { name: 'look', arguments: '{"at":1}' } }] }
  const { choices } = ollamaChat.decode(
    answerOf({ ...LINE, message, done: true, done_reason: 'stop' }),
    TARGET,
  )
  const calls = choices[0]?.message['tool_calls']
  assert.partialDeepStrictEqual(calls, [{ function: { name: 'look', arguments: '{"at":1}' } }])
})
