import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as holds, nat, property } from 'fast-check'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { AnswerFacts } from '../../core/answer-facts.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { deploymentKey, encodeObjectId } from '../objects/id.ts'
import { messageWords } from './messages-answer.ts'
import { chatOfMessages } from './messages-request.ts'
import { withOurResponseIds } from './response-ids.ts'
import { openResponseEvents } from './responses-events.ts'
import { chatOfResponses } from './responses-request.ts'
import type { ResponseFrame } from './responses-words.ts'
import { reworded } from './reworded.ts'
import { createSignWatch } from './sign-watch.ts'
import { MESSAGES, RESPONSES, STREAM_GENERATE_CONTENT } from './surfaces.ts'

const RELAYED = { knownModel: 'gpt-4o', isRelayed: true }
const NEUTRAL = { knownModel: 'claude', isRelayed: false }
const ASKED = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'ping' }] }

/** What a client was told. */
function listener(): { readonly answer: RelayAnswer; readonly told: string[]; readonly text: () => string } {
  const told: string[] = []
  let text = ''
  return {
    told,
    text: () => text,
    answer: {
      head: (status) => told.push(`head ${status}`),
      data: (chunk) => {
        text += chunk.toString()
        return true
      },
      end: () => told.push('end'),
      fail: ({ kind }) => told.push(`fail ${kind}`),
    },
  }
}

const FACTS: AnswerFacts = { bytes: 1 }

function chunk(delta: JsonObject, finish: string | null = null, usage?: JsonObject): string {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'c', model: 'm', choices, ...(usage && { usage }) })}\n\n`
}

const STREAM = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ reasoning_content: 'hm' }),
  chunk({ content: 'pö' }),
  chunk({ content: 'ng' }),
  chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }] }),
  chunk({ tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{}' } }] }),
  chunk({}, 'tool_calls', {
    prompt_tokens: 9,
    completion_tokens: 4,
    prompt_tokens_details: { cached_tokens: 3 },
  }),
  'data: [DONE]\n\n',
]

function streamed(pieces: readonly Buffer[]): { readonly text: string; readonly told: readonly string[] } {
  const { answer, told, text } = listener()
  const own = reworded(answer, messageWords(), true, () => told.push('stop'))
  own.head(200, {})
  for (const piece of pieces) own.data(piece)
  own.end(FACTS)
  return { text: text(), told }
}

function eventsIn(text: string): readonly JsonObject[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)))
}

test('a streamed chat becomes blocks, one after the other', () => {
  const { text, told } = streamed([Buffer.from(STREAM.join(''))])
  assert.deepEqual(told, ['head 200', 'end'])
  const events = eventsIn(text)
  const starts = events.flatMap(({ type, index, content_block: block }) =>
    type === 'content_block_start' ? [[index, block]] : [],
  )
  assert.deepEqual(starts, [
    [0, { type: 'thinking', thinking: '', signature: '' }],
    [1, { type: 'text', text: '' }],
    [2, { type: 'tool_use', id: 'a', name: 'f', input: {} }],
    [3, { type: 'tool_use', id: 'b', name: 'g', input: {} }],
  ])
  assert.deepEqual(events.at(-2), {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: {
      input_tokens: 6,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 3,
      output_tokens: 4,
    },
  })
})

test('any split of a stream gives the same events', () => {
  const bytes = Buffer.from(STREAM.join(''))
  const { text: whole } = streamed([bytes])
  holds(
    property(array(nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const ends = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      const pieces = ends.slice(1).map((end, at) => bytes.subarray(ends[at], end))
      assert.equal(streamed(pieces).text, whole)
    }),
  )
})

test('a stream whose calls are mixed up, or that is none, ends as a failure', () => {
  const mixed = [STREAM[4], STREAM[6], STREAM[5]].map((text = '') => Buffer.from(text))
  assert.deepEqual(streamed(mixed).told, ['head 200', 'fail wrong_shape', 'stop'])
  assert.deepEqual(streamed([Buffer.from('data: nonsense\n\n')]).told, [
    'head 200',
    'fail wrong_shape',
    'stop',
  ])
  assert.deepEqual(streamed([]).told, ['head 200', 'fail empty', 'stop'])
})

test('an error within the stream is told as what it means, once', () => {
  const { answer, told } = listener()
  const own = reworded(answer, messageWords(), true, () => {})
  own.head(200, {})
  own.data(Buffer.from(`${STREAM[2]}data: {"error":{"message":"no"}}\n\n${STREAM[3]}`))
  own.end({ bytes: 1, flaw: new GatewayError('overloaded', 'no') })
  assert.deepEqual(told, ['head 200', 'fail overloaded'])
})

test('a whole answer that is none can still be had elsewhere: nothing was told before', () => {
  for (const body of ['{"choices":[{}]}', 'no json', '[]']) {
    const { answer, told } = listener()
    const own = reworded(answer, messageWords(), false, () => {})
    own.head(200, {})
    own.data(Buffer.from(body))
    own.end(FACTS)
    assert.deepEqual(told, ['fail wrong_shape'], body)
  }
})

test('a call that the budget cut off is left out; arguments that are no JSON otherwise are an error', () => {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":' } }
  const answerOf = (finish: string): JsonObject => ({
    id: 'c',
    choices: [{ index: 0, message: { content: 'hi', tool_calls: [call] }, finish_reason: finish }],
  })
  const { content, stop_reason: stop } = messageWords().whole(answerOf('length'))
  assert.deepEqual([content, stop], [[{ type: 'text', text: 'hi' }], 'max_tokens'])
  assert.throws(() => messageWords().whole(answerOf('tool_calls')), /no JSON object/)
})

test('what Anthropic alone has is named, not forgotten', () => {
  const tools = [{ type: 'web_search_20250305', name: 'web_search' }]
  const more: JsonObject = { tools, mcp_servers: [], top_k: 3, thinking: { type: 'adaptive' } }
  const { body, lost } = chatOfMessages({ ...ASKED, ...more }, RELAYED)
  assert.deepEqual(lost, ['mcp_servers', 'thinking', 'tools (web_search_20250305)'])
  assert.equal(body['top_k'], 3)
  const strict = chatOfMessages({ ...ASKED, top_k: 3 }, { ...RELAYED, lacksTopK: true })
  assert.deepEqual([strict.body['top_k'], strict.lost], [undefined, ['top_k']])
  assert.deepEqual(chatOfMessages({ ...ASKED, thinking: { type: 'adaptive' } }, NEUTRAL), {
    body: { model: 'm', max_tokens: 9, messages: ASKED.messages, reasoning_effort: 'medium' },
    lost: [],
    hints: [],
  })
})

test('an effort is told as far as the model knows it, and named where that is less', () => {
  const said = (effort: string, ground: typeof RELAYED): unknown => {
    const { body, hints } = chatOfMessages({ ...ASKED, output_config: { effort } }, ground)
    return [body['reasoning_effort'], hints]
  }
  const less = ['output_config.effort']
  assert.deepEqual(said('max', NEUTRAL), ['max', []])
  assert.deepEqual(said('medium', { ...RELAYED, knownModel: 'gpt-5' }), ['medium', []])
  assert.deepEqual(said('xhigh', { ...RELAYED, knownModel: 'gpt-5' }), ['high', less])
  assert.deepEqual(said('xhigh', { ...RELAYED, knownModel: 'gpt-5.2' }), ['xhigh', []])
  assert.deepEqual(said('max', { ...RELAYED, knownModel: 'gpt-5.2' }), ['xhigh', less])
  assert.deepEqual(chatOfMessages({ ...ASKED, output_config: { effort: 'max' } }, RELAYED).lost, less)
})

test('who reads Anthropic’s words of thoughts and caches is told in them', () => {
  const mark = { type: 'ephemeral' }
  const thinking = { type: 'enabled', budget_tokens: 12_000, display: 'omitted' }
  const more: JsonObject = { thinking, cache_control: mark, metadata: { user_id: 'u' } }
  assert.deepEqual(chatOfMessages({ ...ASKED, ...more }, { ...NEUTRAL, readsThinking: true }), {
    body: { model: 'm', max_tokens: 9, messages: ASKED.messages, thinking, cache_control: mark, user: 'u' },
    lost: [],
    hints: [],
  })
  assert.deepEqual(chatOfMessages({ ...ASKED, ...more }, NEUTRAL), {
    body: { model: 'm', max_tokens: 9, messages: ASKED.messages, reasoning_effort: 'high', user: 'u' },
    lost: [],
    hints: ['cache_control', 'thinking.display'],
  })
})

test('thoughts go back to who can read them, and to nobody else', () => {
  const thought = { type: 'thinking', thinking: 'hm', signature: 's' }
  const messages = [{ role: 'assistant', content: [thought, { type: 'text', text: 'hi' }] }]
  const told = (ground: typeof RELAYED): Json | undefined =>
    chatOfMessages({ ...ASKED, messages }, ground).body['messages']
  assert.deepEqual(told(RELAYED), [{ role: 'assistant', content: 'hi' }])
  assert.deepEqual(told(NEUTRAL), [{ role: 'assistant', content: 'hi', thinking_blocks: [thought] }])
})

test('what cannot be said at all is refused where it stands', () => {
  const bad: readonly (readonly [JsonObject, RegExp])[] = [
    [{ messages: [{ role: 'robot', content: '' }] }, /messages\[0\]\.role/],
    [{ messages: [3] }, /messages\[0\]' must be an object/],
    [{ messages: [{ role: 'user', content: [{ type: 'container_upload' }] }] }, /type 'container_upload'/],
    [
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
      /lives at Anthropic/,
    ],
    [{ tool_choice: { type: 'some' } }, /tool_choice\.type/],
  ]
  for (const [more, words] of bad) assert.throws(() => chatOfMessages({ ...ASKED, ...more }, RELAYED), words)
})

test('the items of a response become messages: calls together, results before the pictures in them', () => {
  const input = [
    { role: 'developer', content: 'short' },
    { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
    { type: 'function_call', call_id: 'b', name: 'g', arguments: '{}' },
    { type: 'reasoning', summary: [] },
    { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url: 'data:x' }] },
    { type: 'function_call_output', call_id: 'b', output: 'two' },
  ]
  const call = (id: string, name: string): JsonObject => ({
    id,
    type: 'function',
    function: { name, arguments: '{}' },
  })
  assert.deepEqual(chatOfResponses({ model: 'm', input }, RELAYED).body['messages'], [
    { role: 'system', content: 'short' },
    { role: 'assistant', content: null, tool_calls: [call('a', 'f'), call('b', 'g')] },
    { role: 'tool', tool_call_id: 'a', content: '' },
    { role: 'tool', tool_call_id: 'b', content: 'two' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:x' } }] },
  ])
})

test('a response asks for a form, an effort and the like in a chat’s words', () => {
  const format = { type: 'json_schema', name: 'n', schema: {}, strict: true }
  const asked = {
    model: 'm',
    input: 'x',
    max_output_tokens: 5,
    text: { format, verbosity: 'low' },
    reasoning: { effort: 'high' },
    tools: [{ type: 'file_search' }],
    truncation: 'auto',
    store: true,
  }
  const { body, lost } = chatOfResponses(asked, { knownModel: 'o3', isRelayed: true })
  assert.deepEqual(lost, ['store', 'truncation', 'tools (file_search)'])
  assert.deepEqual(body, {
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
    max_completion_tokens: 5,
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {}, strict: true } },
    verbosity: 'low',
    reasoning_effort: 'high',
  })
  assert.deepEqual(chatOfResponses(asked, RELAYED).lost[0], 'reasoning')
  for (const kept of [
    { previous_response_id: 'r' },
    { conversation: 'c' },
    { prompt: { id: 'p' } },
    { background: true },
  ])
    assert.throws(
      () => chatOfResponses({ ...asked, ...kept }, RELAYED),
      new RegExp(`'${Object.keys(kept)[0]}'`),
    )
})

const FRAME: ResponseFrame = { at: (model, id, changing) => ({ id, model, ...changing }) }

/** A chat's events as a response's, ended by `end`. */
function responded(
  pieces: readonly string[],
  end: (own: RelayAnswer) => void,
): { readonly events: readonly JsonObject[]; readonly told: readonly string[]; readonly flaws: unknown[] } {
  const { answer, told, text } = listener()
  const flaws: unknown[] = []
  const counting = { ...answer, end: ({ flaw }: AnswerFacts) => flaws.push(flaw?.kind) }
  const redact = (said: string): string => said.replace('sk-1', '[secret]')
  const words = { whole: () => ({}), openStream: () => openResponseEvents(FRAME, redact) }
  const own = reworded(counting, words, true, () => told.push('stop'))
  own.head(200, {})
  for (const piece of pieces) own.data(Buffer.from(piece))
  end(own)
  return { events: eventsIn(text()), told, flaws }
}

test('a response that fails ends as one: what was said so far, why, and no word after it', () => {
  const said = [chunk({ role: 'assistant', content: 'po' })]
  const failure = new GatewayError('cut', 'broke off, by sk-1')
  const ways: readonly (readonly [(own: RelayAnswer) => void, string, string])[] = [
    [(own) => own.fail(failure, {}), 'cut', 'server_error'],
    [(own) => own.end({ bytes: 1, flaw: failure }), 'cut', 'server_error'],
    [
      (own) => own.fail(new GatewayError('rate_limited', 'slowly'), {}),
      'rate_limited',
      'rate_limit_exceeded',
    ],
    [(own) => own.data(Buffer.from('data: nonsense\n\n')), 'wrong_shape', 'server_error'],
  ]
  for (const [end, kind, code] of ways) {
    const { events, flaws } = responded(said, (own) => {
      end(own)
      own.fail(failure, {})
      own.end(FACTS)
    })
    assert.deepEqual(flaws, [kind])
    const { type, response } = events.at(-1) ?? {}
    assert.ok(isJsonObject(response) && isJsonObject(response['error']))
    assert.deepEqual(
      [type, response['status'], response['error']['code']],
      ['response.failed', 'failed', code],
    )
    assert.doesNotMatch(JSON.stringify(response['error']), /sk-1/)
    assert.deepEqual(response['output'], [
      {
        id: 'msg_c_0',
        type: 'message',
        status: 'incomplete',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'po', annotations: [], logprobs: [] }],
      },
    ])
    assert.deepEqual(
      events.map(({ sequence_number: number }) => number),
      events.map((_, at) => at),
    )
  }
  // Before its first event it can still be had elsewhere; and who has left is told nothing.
  assert.deepEqual(responded([], (own) => own.fail(failure, {})).told, ['head 200', 'fail cut'])
  const left = responded(said, (own) => own.fail(new GatewayError('cancelled', 'gone'), {}))
  assert.deepEqual(left.told, ['head 200', 'fail cancelled'])
})

test('a response that is too long to be repeated at its end fails, and no more of it is kept', () => {
  const ways: readonly (readonly [string, (at: number) => JsonObject])[] = [
    ['a text', () => ({ content: 'pong '.repeat(20) })],
    ['a thought', () => ({ reasoning_content: 'hm '.repeat(40) })],
    [
      'the arguments of a call',
      () => ({ tool_calls: [{ index: 0, function: { arguments: ' '.repeat(100) } }] }),
    ],
    ['many calls', (at) => ({ tool_calls: [{ index: at + 1, id: `c${at}`, function: { name: 'g' } }] })],
  ]
  for (const [what, delta] of ways) {
    const { answer, told, text } = listener()
    const open = () => openResponseEvents(FRAME, String, 1_000)
    const words = { whole: (json: JsonObject) => json, openStream: open }
    const own = reworded(answer, words, true, () => told.push('stop'))
    own.head(200, {})
    const call = { index: 0, id: 'c', function: { name: 'f', arguments: '' } }
    own.data(Buffer.from(chunk({ tool_calls: [call] })))
    for (let at = 0; at < 30; at += 1) own.data(Buffer.from(chunk(delta(at))))
    own.end(FACTS)
    assert.deepEqual(told, ['head 200', 'end', 'stop'], what)
    const { type, response } = eventsIn(text()).at(-1) ?? {}
    assert.ok(isJsonObject(response) && isJsonObject(response['error']), what)
    assert.deepEqual([type, response['error']['code']], ['response.failed', 'server_error'], what)
    assert.match(JSON.stringify(response['error']), /longer than/)
    const numbers = eventsIn(text()).map(({ sequence_number: number }) => number)
    assert.deepEqual(numbers, [...numbers.keys()], what)
    assert.ok(JSON.stringify(response['output']).length < 2_000, what)
  }
})

test('a response that the budget ends is incomplete, and says why', () => {
  for (const [finish, reason] of [
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ] as const) {
    const { events } = responded([chunk({ content: 'po' }), chunk({}, finish)], (own) => own.end(FACTS))
    const { type, response } = events.at(-1) ?? {}
    assert.ok(isJsonObject(response))
    assert.deepEqual(
      [type, response['status'], response['incomplete_details']],
      ['response.incomplete', 'incomplete', { reason }],
    )
  }
})

test('surfaces’ own streams say what they cost, that they are complete, and what failed', () => {
  const cases: readonly (readonly [
    typeof MESSAGES,
    readonly string[],
    boolean,
    number | undefined,
    RegExp | undefined,
  ])[] = [
    [
      MESSAGES,
      [
        'data: {"type":"message_start","message":{"usage":{"input_tokens":7,"cache_read_input_tokens":2,"output_tokens":1}}}\n',
        'data: {"type":"message_delta","usage":{"output_tokens":5}}\n',
        'event: message_stop\ndata: {"type":"message_stop"}\n\n',
      ],
      true,
      14,
      undefined,
    ],
    [
      MESSAGES,
      ['data: {"type":"content_block_delta","delta":{"text":"\\"type\\":\\"message_stop\\""}}\n'],
      false,
      undefined,
      undefined,
    ],
    [
      MESSAGES,
      ['event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n'],
      false,
      undefined,
      /overloaded/,
    ],
    [
      RESPONSES,
      ['data: {"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}\n'],
      true,
      7,
      undefined,
    ],
    [
      RESPONSES,
      ['data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}\n'],
      false,
      undefined,
      /server_error/,
    ],
    [RESPONSES, ['data: {"type":"error","code":"x","message":"m"}\n'], false, undefined, /"code":"x"/],
    [
      STREAM_GENERATE_CONTENT,
      [
        'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"thoughtsTokenCount":3}}\n',
      ],
      true,
      6,
      undefined,
    ],
  ]
  for (const [{ stream }, lines, isFinished, total, error] of cases) {
    assert.ok(stream !== undefined)
    const watch = createSignWatch(stream)
    for (const line of lines) watch.see(Buffer.from(line), !stream.telling.test(line))
    assert.equal(watch.isFinished(undefined), isFinished, lines[0])
    assert.equal(watch.usage()?.totalTokens, total, lines[0])
    assert.match(watch.error()?.toString() ?? '', error ?? /^$/, lines[0])
  }
})

test('ids of responses remember their deployment in every event, and in no text', () => {
  const { answer, text } = listener()
  const key = deploymentKey('d')
  const previous = { deployment: key, upstreamId: 'resp_0' }
  const own = withOurResponseIds(answer, 'd', previous, true, () => {})
  own.head(200, {})
  const said = { id: 'resp_1', previous_response_id: 'resp_0' }
  for (const event of [
    { type: 'response.created', response: said },
    { type: 'response.output_text.delta', delta: 'not "resp_1"' },
    { type: 'response.completed', response: said },
  ])
    own.data(Buffer.from(`data: ${JSON.stringify(event)}\n\n`))
  own.end(FACTS)
  const ours = {
    id: encodeObjectId('response', key, 'resp_1'),
    previous_response_id: encodeObjectId('response', key, 'resp_0'),
  }
  assert.deepEqual(eventsIn(text()), [
    { type: 'response.created', response: ours },
    { type: 'response.output_text.delta', delta: 'not "resp_1"' },
    { type: 'response.completed', response: ours },
  ])
})
