import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as holds, nat, property } from 'fast-check'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { scanObject } from '../../core/json-spans.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { generateWords } from './generate-answer.ts'
import { chatOfGenerate, countedRequest, wantsGoogle } from './generate-request.ts'
import { asJsonArray } from './json-array.ts'
import { reworded } from './reworded.ts'

const RELAYED = { knownModel: 'gpt-4o', isRelayed: true }
const REASONER = { knownModel: 'gpt-5', isRelayed: true }
const NEUTRAL = { knownModel: 'claude', isRelayed: false }
const PING = [{ role: 'user', parts: [{ text: 'ping' }] }]
const ASKED: JsonObject = { contents: PING }
const SHOWN: JsonObject = { generationConfig: { thinkingConfig: { includeThoughts: true } } }

/** What a client was told. */
function listener(): { readonly answer: RelayAnswer; readonly told: string[]; readonly text: () => string } {
  const told: string[] = []
  let text = ''
  return {
    told,
    text: () => text,
    answer: {
      head: (status, headers) => told.push(`head ${status} ${headers['content-type']?.split(';')[0]}`),
      data: (chunk) => {
        text += chunk.toString()
        return true
      },
      end: ({ flaw }) => told.push(flaw === undefined ? 'end' : `end ${flaw.kind}`),
      fail: ({ kind }) => told.push(`fail ${kind}`),
    },
  }
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

test('a request in Gemini’s words is a chat, and is not changed itself', () => {
  const asked: JsonObject = frozen({
    contents: PING,
    systemInstruction: { role: 'user', parts: [{ text: 'be short' }] },
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    labels: { team: 'a' },
    stream: true,
    stream_options: {},
    guided_json: {},
    generationConfig: {
      temperature: 0,
      topP: 0.5,
      topK: 3,
      candidateCount: 2,
      maxOutputTokens: 9,
      stopSequences: ['END'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      responseLogprobs: true,
      logprobs: 4,
      responseMimeType: 'application/json',
      thinkingConfig: { thinkingBudget: 0 },
    },
  })
  const expected = {
    messages: [
      { role: 'system', content: 'be short' },
      { role: 'user', content: 'ping' },
    ],
    guided_json: {},
    temperature: 0,
    top_p: 0.5,
    top_k: 3,
    n: 2,
    seed: 7,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    max_tokens: 9,
    stop: ['END'],
    logprobs: true,
    top_logprobs: 4,
    response_format: { type: 'json_object' },
  }
  assert.deepEqual(chatOfGenerate(asked, RELAYED), { body: expected, lost: [] })
  assert.deepEqual(chatOfGenerate(asked, NEUTRAL).wishes, ['reasoning_effort'])
  assert.deepEqual(chatOfGenerate(asked, NEUTRAL, true).body, {
    ...expected,
    reasoning_effort: 'none',
    stream: true,
    stream_options: { include_usage: true },
  })
})

test('the names that protocol buffers have for the same members mean the same', () => {
  const asked: JsonObject = {
    contents: [{ parts: [{ inline_data: { mime_type: 'image/png', data: 'A-_A' } }] }],
    system_instruction: { parts: [{ text: 'be short' }] },
    generation_config: { max_output_tokens: 9, thinking_config: { thinking_level: 'HIGH' } },
    tools: [{ function_declarations: [{ name: 'f' }] }],
    tool_config: { function_calling_config: { mode: 'ANY' } },
  }
  assert.deepEqual(chatOfGenerate(asked, REASONER), {
    body: {
      messages: [
        { role: 'system', content: 'be short' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,A+/A' } }] },
      ],
      max_completion_tokens: 9,
      reasoning_effort: 'high',
      tools: [{ type: 'function', function: { name: 'f' } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
    },
    lost: [],
  })
})

test('how hard to think is told to who thinks, and missed where it is more than nothing', () => {
  const cases: readonly (readonly [JsonObject, string | undefined, string | undefined, boolean])[] = [
    // What is asked; a codec's effort; that of who reads OpenAI's words and reasons; whether others miss it.
    [{ thinkingBudget: 0 }, 'none', 'low', false],
    [{ thinkingBudget: -1 }, 'medium', 'medium', false],
    [{ thinkingBudget: 1024 }, 'low', 'low', true],
    [{ thinkingBudget: 6000 }, 'medium', 'medium', true],
    [{ thinkingBudget: 20_000, includeThoughts: true }, 'high', 'high', true],
    [{ thinkingLevel: 'MINIMAL' }, 'minimal', 'minimal', true],
    [{ thinkingLevel: 'THINKING_LEVEL_UNSPECIFIED' }, undefined, undefined, false],
    [{ includeThoughts: true }, 'medium', 'medium', false],
    [{ includeThoughts: false }, undefined, undefined, false],
  ]
  for (const [thinkingConfig, codec, reasoner, isMissed] of cases) {
    const asked = { ...ASKED, generationConfig: { thinkingConfig } }
    const words = JSON.stringify(thinkingConfig)
    assert.equal(chatOfGenerate(asked, NEUTRAL).body['reasoning_effort'], codec, words)
    assert.equal(chatOfGenerate(asked, REASONER).body['reasoning_effort'], reasoner, words)
    const { body, lost } = chatOfGenerate(asked, RELAYED)
    assert.deepEqual([body['reasoning_effort'], lost.length > 0], [undefined, isMissed], words)
  }
})

test('what Google alone has is named, not forgotten', () => {
  const asked = {
    ...ASKED,
    modelArmorConfig: {},
    safetySettings: [{ threshold: 'BLOCK_LOW_AND_ABOVE' }],
    tools: [
      { googleSearch: {} },
      { functionDeclarations: [{ name: 'f', response: { type: 'STRING' }, behavior: 'NON_BLOCKING' }] },
    ],
    toolConfig: {
      retrievalConfig: {},
      functionCallingConfig: { mode: 'AUTO', streamFunctionCallArguments: true },
    },
    generationConfig: {
      responseModalities: ['TEXT', 'IMAGE'],
      speechConfig: {},
      somethingNew: 1,
      constructor: 1,
      logprobs: 3,
    },
  }
  assert.deepEqual(chatOfGenerate(asked, RELAYED).lost, [
    'modelArmorConfig',
    'safetySettings',
    'tools (googleSearch)',
    'tools (functionDeclarations.response)',
    'tools (functionDeclarations.behavior)',
    'toolConfig.retrievalConfig',
    'toolConfig.functionCallingConfig.streamFunctionCallArguments',
    'generationConfig.speechConfig',
    'generationConfig.somethingNew',
    'generationConfig.constructor',
    'generationConfig.responseModalities',
  ])
  const sampled = { ...ASKED, generationConfig: { topK: 40, topP: 0.5 } }
  const { body, lost } = chatOfGenerate(sampled, { ...RELAYED, lacksTopK: true })
  assert.deepEqual([body['top_k'], body['top_p'], lost], [undefined, 0.5, ['generationConfig.topK']])
  const chosen = { ...ASKED, generationConfig: { responseMimeType: 'text/x.enum', responseSchema: {} } }
  assert.deepEqual(chatOfGenerate(chosen, RELAYED).lost, ['generationConfig.responseMimeType'])
})

test('a choice of functions is one that everybody can be told', () => {
  const declared = ['a', 'b', 'c'].map((name) => ({
    name,
    parametersJsonSchema: {
      type: 'object',
      properties: { x: { type: 'string' } },
      required: ['x'],
      additionalProperties: false,
    },
  }))
  const told = (functionCallingConfig: JsonObject): readonly unknown[] => {
    const asked = {
      ...ASKED,
      tools: [{ functionDeclarations: declared.slice(0, 1) }, { functionDeclarations: declared.slice(1) }],
      toolConfig: { functionCallingConfig },
    }
    const { tools, tool_choice: choice } = chatOfGenerate(asked, RELAYED).body
    const functions = (Array.isArray(tools) ? tools : []).map((tool: Json) =>
      isJsonObject(tool) && isJsonObject(tool['function']) ? tool['function'] : {},
    )
    return [functions.map(({ name, strict }) => (strict === true ? { strict: name } : name)), choice]
  }
  assert.deepEqual(told({}), [['a', 'b', 'c'], undefined])
  assert.deepEqual(told({ mode: 'AUTO', allowedFunctionNames: ['a'] }), [['a', 'b', 'c'], undefined])
  assert.deepEqual(told({ mode: 'NONE' }), [['a', 'b', 'c'], 'none'])
  assert.deepEqual(told({ mode: 'ANY' }), [['a', 'b', 'c'], 'required'])
  assert.deepEqual(told({ mode: 'ANY', allowedFunctionNames: ['a', 'c'] }), [['a', 'c'], 'required'])
  assert.deepEqual(told({ mode: 'ANY', allowedFunctionNames: ['b'] }), [
    ['b'],
    { type: 'function', function: { name: 'b' } },
  ])
  assert.deepEqual(told({ mode: 'VALIDATED', allowedFunctionNames: ['b'] }), [[{ strict: 'b' }], undefined])
})

test('answers find their calls by id, else by name, in order', () => {
  const call = (name: string, id?: string): JsonObject => ({
    functionCall: { name, args: { x: 1 }, ...(id !== undefined && { id }) },
  })
  const answer = (name: string, response: JsonObject, more: JsonObject = {}): JsonObject => ({
    functionResponse: { name, response, ...more },
  })
  const contents = [
    ...PING,
    { role: 'model', parts: [call('f'), call('f'), call('g', 'own')] },
    {
      role: 'function',
      parts: [
        answer('g', { error: 'no' }, { id: 'own' }),
        answer('f', { output: 'one' }),
        answer('f', { output: 'two' }, { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }),
        { text: 'go on' },
      ],
    },
  ]
  const messages = chatOfGenerate({ contents }, RELAYED).body['messages']
  assert.deepEqual(Array.isArray(messages) ? messages.slice(2) : [], [
    { role: 'tool', tool_call_id: 'own', content: '{"error":"no"}' },
    { role: 'tool', tool_call_id: 'gemini_call_0', content: 'one' },
    { role: 'tool', tool_call_id: 'gemini_call_1', content: 'two' },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'text', text: 'go on' },
      ],
    },
  ])
})

test('of a stream that goes on and on no more is kept for citations than all its answers may have', () => {
  const writer = generateWords({}).openStream()
  const piece = (index: number, content: string, more: JsonObject = {}): string =>
    writer.push({ id: 'x', model: 'm', choices: [{ index, delta: { content, ...more } }] })
  piece(0, 'a'.repeat(4 * 1024 * 1024))
  const cited = { type: 'url_citation', url_citation: { url: 'http://a', start_index: 0, end_index: 4 } }
  assert.match(piece(1, 'pong', { annotations: [cited] }), /"text":"pong"/)
  const last = writer.end()
  assert.match(last, /"groundingChunks":\[\{"web":\{"uri":"http:\/\/a"/)
  assert.match(last, /"groundingSupports":\[\]/)
})

test('a stream of more answers, or with more that waits for its end, than there can be is none', () => {
  const push = (choices: readonly JsonObject[]): void => {
    const writer = generateWords({}).openStream()
    for (const choice of choices) writer.push({ id: 'x', model: 'm', choices: [choice] })
  }
  const named = (text: string): JsonObject => ({
    index: 0,
    delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: text } }] },
  })
  const many = Array.from({ length: 129 }, (_, index) => ({ index, delta: { content: 'a' } }))
  push(many.slice(1))
  assert.throws(() => push(many), /more than 128 answers/)
  const half = named('a'.repeat(16 * 1024 * 1024))
  push([half, half])
  assert.throws(() => push([half, half, named('a')]), /more than 33554432 characters of calls/)
})

test('what cannot be said at all is refused where it stands', () => {
  const shown = (part: JsonObject): JsonObject => ({ contents: [{ role: 'user', parts: [part] }] })
  const bad: readonly (readonly [JsonObject, RegExp])[] = [
    [{ contents: 'ping' }, /'contents' must be an array/],
    [{ contents: [{ role: 'robot', parts: [] }] }, /contents\[0\]\.role/],
    [shown({ executableCode: {} }), /contents\[0\]\.parts\[0\]'.*'executableCode'/],
    [shown({ fileData: { fileUri: 'gs://b/a.png', mimeType: 'image/png' } }), /lies at Google/],
    [shown({ fileData: { fileUri: 'https://youtu.be/x', mimeType: 'video/mp4' } }), /lies at Google/],
    [shown({ fileData: { fileUri: 'https://example.com/a' } }), /needs a mimeType/],
    [shown({ inlineData: { mimeType: 'video/mp4', data: 'AA==' } }), /'video\/mp4' cannot be said/],
    [shown({ functionResponse: { name: 'f', response: {} } }), /answers no functionCall/],
    [{ ...ASKED, cachedContent: 'cachedContents/x' }, /'cachedContent'/],
    [{ ...ASKED, tools: [{ functionDeclarations: [{}] }] }, /function 0 needs a name/],
    [
      {
        ...ASKED,
        tools: [{ functionDeclarations: [{ name: 'f' }] }],
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['g'] } },
      },
      /allowedFunctionNames/,
    ],
    [
      {
        ...ASKED,
        tools: [{ functionDeclarations: [{ name: 'f' }] }],
        toolConfig: { functionCallingConfig: { mode: 'SOME' } },
      },
      /mode' must be one of/,
    ],
  ]
  for (const [asked, words] of bad)
    assert.throws(() => chatOfGenerate(asked, RELAYED), { kind: 'bad_request', message: words })
})

test('who wants what only Google has is known by the body, and what is to be counted by its place', () => {
  const wants = (body: JsonObject): boolean => {
    const bytes = Buffer.from(JSON.stringify(body))
    return wantsGoogle(bytes, scanObject(bytes))
  }
  assert.deepEqual(
    [
      ASKED,
      { ...ASKED, cachedContent: 'c' },
      { ...ASKED, tools: [{ google_search: {} }] },
      { ...ASKED, tools: [{ functionDeclarations: [{ name: 'googleSearch' }] }] },
      { ...ASKED, tools: [{ function_declarations: [{ name: 'f', parameters: { retrieval: {} } }] }] },
    ].map(wants),
    [false, true, true, false, false],
  )
  assert.deepEqual(countedRequest({ generateContentRequest: { model: 'models/m', ...ASKED } }), ASKED)
  assert.deepEqual(countedRequest(ASKED), ASKED)
})

const CALL = { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }

function answerOf(message: JsonObject, finish: string | null = 'stop', more: JsonObject = {}): JsonObject {
  return { id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: finish, ...more }] }
}

function candidatesOf(answer: JsonObject, asked: JsonObject = ASKED): Json | undefined {
  return generateWords(asked).whole(answer)['candidates']
}

test('a chat’s answer is a GenerateContentResponse', () => {
  const thought = { type: 'thinking', thinking: 'hm', signature: 's' }
  const message = {
    content: 'pöng',
    reasoning_content: 'hm',
    thinking_blocks: [thought],
    tool_calls: [CALL, { ...CALL, id: 'b' }],
    images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
    annotations: [
      { type: 'url_citation', url_citation: { url: 'http://a', title: 'A', start_index: 2, end_index: 4 } },
    ],
  }
  const logprobs = { content: [{ token: 'p', logprob: -1, top_logprobs: [{ token: 'q', logprob: -2 }] }] }
  const answer = {
    ...answerOf(message, 'tool_calls', { logprobs }),
    usage: {
      prompt_tokens: 9,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 3 },
    },
  }
  const thoughtSignature = Buffer.from(JSON.stringify([thought])).toString('base64')
  assert.deepEqual(generateWords(SHOWN).whole(answer), {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            { text: 'hm', thought: true },
            { text: 'pöng' },
            { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
            { functionCall: { id: 'a', name: 'f', args: { x: 1 } }, thoughtSignature },
            { functionCall: { id: 'b', name: 'f', args: { x: 1 } } },
          ],
        },
        finishReason: 'STOP',
        index: 0,
        logprobsResult: {
          chosenCandidates: [{ token: 'p', logProbability: -1 }],
          topCandidates: [{ candidates: [{ token: 'q', logProbability: -2 }] }],
        },
        groundingMetadata: {
          groundingChunks: [{ web: { uri: 'http://a', title: 'A' } }],
          groundingSupports: [
            { segment: { startIndex: 3, endIndex: 5, text: 'ng' }, groundingChunkIndices: [0] },
          ],
        },
      },
    ],
    usageMetadata: {
      promptTokenCount: 9,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 3,
      totalTokenCount: 14,
    },
    modelVersion: 'm',
    responseId: 'c',
  })
  // Given back, they are what they were, to who can read them.
  const [candidate] = listOf(candidatesOf(answer))
  const contents = [...PING, isJsonObject(candidate) ? (candidate['content'] ?? null) : null]
  const back = (ground: typeof RELAYED, given: readonly Json[]): Json | undefined =>
    listOf(chatOfGenerate({ contents: given }, ground).body['messages'])[1]
  const withoutPicture = JSON.parse(JSON.stringify(contents).replace(/\{"inlineData":\{[^}]*\}\},/, ''))
  const calls = [CALL, { ...CALL, id: 'b' }]
  const told = { role: 'assistant', content: 'pöng', tool_calls: calls }
  assert.deepEqual(back(NEUTRAL, withoutPicture), { ...told, thinking_blocks: [thought] })
  assert.deepEqual(back(RELAYED, withoutPicture), told)
  assert.throws(() => back(RELAYED, contents), /contents\[1\].parts\[1\]'.*'inlineData'/)
})

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

test('an answer ends for the reason that it ended for', () => {
  const cases: readonly (readonly [JsonObject, string | null, string, Json])[] = [
    [{ content: 'hi' }, 'stop', 'STOP', [{ text: 'hi' }]],
    [{ content: 'hi' }, 'eos', 'STOP', [{ text: 'hi' }]],
    [{ content: '', tool_calls: [] }, 'length', 'MAX_TOKENS', [{ text: '' }]],
    [{}, 'content_filter', 'SAFETY', [{ text: '' }]],
    [{ content: null, refusal: 'no' }, 'stop', 'SAFETY', [{ text: 'no' }]],
    [
      { content: 'hi', tool_calls: [{ ...CALL, function: { name: 'f', arguments: '{"x":' } }] },
      'length',
      'MAX_TOKENS',
      [{ text: 'hi' }],
    ],
    [{ content: 'hi', reasoning_content: 'hm' }, 'stop', 'STOP', [{ text: 'hi' }]],
  ]
  for (const [message, finish, reason, parts] of cases)
    assert.deepEqual(candidatesOf(answerOf(message, finish)), [
      { content: { role: 'model', parts }, finishReason: reason, index: 0 },
    ])
  assert.throws(
    () => candidatesOf(answerOf({ tool_calls: [{ ...CALL, function: { name: 'f', arguments: 'x' } }] })),
    { kind: 'wrong_shape' },
  )
  assert.throws(() => candidatesOf({ choices: [] }), { kind: 'wrong_shape' })
})

function chunk(delta: JsonObject, finish: string | null = null, index = 0, more: JsonObject = {}): string {
  const choices = [{ index, delta, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'c', model: 'm', choices, ...more })}\n\n`
}

const piece = (index: number, more: JsonObject): JsonObject => ({ tool_calls: [{ index, ...more }] })

/** Calls whose pieces are mixed, as Google's own form can hold them, thoughts in pieces, two answers. */
const STREAM = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ reasoning_content: 'hm', thinking_blocks: [{ type: 'thinking', thinking: 'h' }] }),
  chunk({ thinking_blocks: [{ type: 'thinking', thinking: 'm' }] }),
  chunk({ thinking_blocks: [{ type: 'thinking', thinking: '', signature: 's' }] }),
  chunk({ content: 'pö' }),
  chunk({ content: 'other' }, null, 1),
  chunk(piece(0, { id: 'a', function: { name: 'f', arguments: '' } })),
  chunk(piece(1, { id: 'b', function: { name: 'g', arguments: '{' } })),
  chunk(piece(0, { function: { arguments: '{"x":1}' } })),
  chunk(piece(1, { function: { arguments: '}' } })),
  chunk({}, 'length', 1),
  chunk({}, 'tool_calls'),
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } })}\n\n`,
  'data: [DONE]\n\n',
]

function streamed(
  pieces: readonly Buffer[],
  asked = ASKED,
): { readonly text: string; readonly told: readonly string[] } {
  const { answer, told, text } = listener()
  const own = reworded(answer, generateWords(asked), true, () => told.push('stop'))
  own.head(200, {})
  for (const each of pieces) own.data(each)
  own.end({ bytes: 1 })
  return { text: text(), told }
}

test('a streamed chat becomes responses, each with what is new; calls come whole, and last', () => {
  const { text, told } = streamed([Buffer.from(STREAM.join(''))], SHOWN)
  assert.deepEqual(told, ['head 200 text/event-stream', 'end'])
  const events: readonly JsonObject[] = text
    .split('\r\n\r\n')
    .filter((each) => each !== '')
    .map((each) => JSON.parse(each.slice('data: '.length)))
  const said = (parts: Json, index = 0, more: JsonObject = {}): JsonObject => ({
    content: { role: 'model', parts },
    ...more,
    index,
  })
  const thoughts = [{ type: 'thinking', thinking: 'hm', signature: 's' }]
  const thoughtSignature = Buffer.from(JSON.stringify(thoughts)).toString('base64')
  assert.deepEqual(
    events.map(({ candidates }) => candidates),
    [
      [said([{ text: 'hm', thought: true }])],
      [said([{ text: 'pö' }])],
      [said([{ text: 'other' }], 1)],
      [
        said(
          [
            { functionCall: { id: 'a', name: 'f', args: { x: 1 } }, thoughtSignature },
            { functionCall: { id: 'b', name: 'g', args: {} } },
          ],
          0,
          { finishReason: 'STOP' },
        ),
        said([{ text: '' }], 1, { finishReason: 'MAX_TOKENS' }),
      ],
    ],
  )
  assert.deepEqual(events.at(-1)?.['usageMetadata'], {
    promptTokenCount: 9,
    candidatesTokenCount: 4,
    totalTokenCount: 13,
  })
})

test('any split of a stream gives the same events, as events and as an array', () => {
  const bytes = Buffer.from(STREAM.join(''))
  const { text: whole } = streamed([bytes])
  const array_ = arrayed([Buffer.from(whole)]).text
  holds(
    property(array(nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const cutAt = (text: Buffer): readonly Buffer[] => {
        const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        return ends.slice(1).map((end, at) => text.subarray(ends[at], end))
      }
      assert.equal(streamed(cutAt(bytes)).text, whole)
      assert.equal(arrayed(cutAt(Buffer.from(whole))).text, array_)
    }),
  )
})

test('a stream that is none, or calls what has no name, ends as a failure', () => {
  for (const [stream, kind] of [
    ['data: nonsense\n\n', 'wrong_shape'],
    [chunk(piece(0, { function: { arguments: '{}' } })), 'wrong_shape'],
    [
      chunk(piece(0, { id: 'a', function: { name: 'f', arguments: 'x' } })) + chunk({}, 'stop'),
      'wrong_shape',
    ],
    ['', 'empty'],
  ] as const)
    assert.deepEqual(streamed([Buffer.from(stream)]).told.slice(1), [`fail ${kind}`, 'stop'], stream)
})

function arrayed(
  pieces: readonly Buffer[],
  end: (own: RelayAnswer) => void = (own) => own.end({ bytes: 1 }),
): { readonly text: string; readonly told: readonly string[] } {
  const { answer, told, text } = listener()
  const own = asJsonArray(
    answer,
    ({ kind }) => JSON.stringify({ error: kind }),
    () => told.push('stop'),
  )
  own.head(200, { 'content-type': 'text/event-stream' })
  for (const each of pieces) own.data(each)
  end(own)
  return { text: text(), told }
}

test('a stream as one array is JSON, however it ends', () => {
  const events = [Buffer.from('data: {"a":1}\r\n\r\n: alive\n\ndata: {"a":2}\n\n')]
  const cut = new GatewayError('cut', 'broke off')
  const cases: readonly (readonly [readonly Buffer[], (own: RelayAnswer) => void, unknown, string])[] = [
    [events, (own) => own.end({ bytes: 1 }), [{ a: 1 }, { a: 2 }], 'end'],
    [[], (own) => own.end({ bytes: 1 }), [], 'end'],
    [events, (own) => own.fail(cut, {}), [{ a: 1 }, { a: 2 }, { error: 'cut' }], 'end cut'],
    [[], (own) => own.fail(cut, {}), [{ error: 'cut' }], 'end cut'],
  ]
  for (const [pieces, end, value, last] of cases) {
    const { text, told } = arrayed(pieces, end)
    assert.deepEqual(JSON.parse(text), value)
    assert.deepEqual(told, ['head 200 application/json', last])
  }
  const broken = arrayed([...events, Buffer.from('data: nonsense\n\n')])
  assert.deepEqual(JSON.parse(broken.text), [{ a: 1 }, { a: 2 }, { error: 'wrong_shape' }])
  assert.deepEqual(broken.told.slice(1), ['end wrong_shape', 'stop'])
  // Nothing was said yet: it is an error like any other. And who has left is told nothing.
  const { answer, told } = listener()
  asJsonArray(
    answer,
    () => '',
    () => {},
  ).fail(cut, {})
  assert.deepEqual(told, ['fail cut'])
  const left = arrayed(events, (own) => own.fail(new GatewayError('cancelled', 'gone'), {}))
  assert.deepEqual(left.told.slice(1), ['fail cancelled'])
})
