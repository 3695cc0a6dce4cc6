import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import type { Target } from '../adapter.ts'
import { adapterContract, answerOf, deploymentOf } from '../adapter.contract.ts'
import { gemini } from './adapter.ts'
import { openApiSchema } from './schema.ts'

const PIXEL = 'iVBORw0KGgo='
const SAMPLES = Buffer.from([0, 0, 1, 0])
/** RIFF WAVE, one channel of 16-bit samples, 24,000 a second: written out by hand. */
const WAV = Buffer.concat([
  Buffer.from('RIFF\u0028\0\0\0WAVEfmt \u0010\0\0\0\u0001\0\u0001\0', 'latin1'),
  Buffer.from([0xc0, 0x5d, 0, 0, 0x80, 0xbb, 0, 0, 2, 0, 16, 0]),
  Buffer.from('data\u0004\0\0\0', 'latin1'),
  SAMPLES,
])

adapterContract(gemini, {
  chat: {
    source: 'https://ai.google.dev/api/generate-content, read 2026-11-27',
    body: {
      candidates: [{ content: { parts: [{ text: 'pong' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 6 },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'r1',
    },
    value: {
      id: 'r1',
      object: 'chat.completion',
      created: 0,
      model: 'gemini-2.5-flash',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
    },
  },
  embedding: {
    source: 'https://ai.google.dev/api/embeddings, read 2026-11-27',
    body: { embeddings: [{ values: [0.1, -0.2, 0.3] }] },
    value: { dimensions: 3, model: 'the-model', vectors: [[0.1, -0.2, 0.3]] },
  },
  image_generation: {
    source: 'https://ai.google.dev/gemini-api/docs/image-generation, read 2026-11-27',
    body: {
      candidates: [
        {
          content: { parts: [{ text: 'Here.' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 1290, totalTokenCount: 1294 },
    },
    value: {
      images: 1,
      whole: {
        created: 0,
        data: [{ b64_json: PIXEL }],
        usage: { input_tokens: 4, output_tokens: 1290, total_tokens: 1294 },
      },
    },
  },
  audio_speech: {
    source: 'https://ai.google.dev/gemini-api/docs/speech-generation, read 2026-11-27',
    body: {
      candidates: [
        {
          content: {
            parts: [
              {
                inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: SAMPLES.toString('base64') },
              },
            ],
          },
          finishReason: 'STOP',
        },
      ],
    },
    value: { sizeBytes: 48, contentType: 'audio/wav', bytes: WAV },
  },
})

/** A codec that is there. */
function built<Codec>(codec: Codec | 'unsupported'): Codec {
  assert.ok(codec !== 'unsupported')
  return codec
}

const chat = built(gemini.codecs.chat)
const embedding = built(gemini.codecs.embedding)
const image = built(gemini.codecs.image_generation)
const speech = built(gemini.codecs.audio_speech)

function targetOf(model: string, bodyDefaults: JsonObject = {}): Target {
  return { provider: 'gemini', model, base: 'https://g.test/v1beta', bodyDefaults }
}

/** What LiteLLM's upstreams were sent. */
const GOLDEN = z.object({
  steps: z.array(
    z.object({
      upstream: z.array(z.object({ method: z.string(), url: z.string(), body: z.unknown() })),
    }),
  ),
})

const FLASH = targetOf('gemini-2.5-flash')
const HELLO = [{ role: 'user', content: 'hello' }] as const

function sent(request: ChatRequest, target: Target = FLASH): JsonObject {
  const body: JsonObject = JSON.parse(String(chat.encode(request, target).body))
  return body
}

function configOf(more: Omit<ChatRequest, 'messages'>, model = 'gemini-2.5-flash'): unknown {
  return sent({ messages: HELLO, ...more }, targetOf(model))['generationConfig']
}

function dropped(more: Omit<ChatRequest, 'messages'>, model = 'gemini-2.5-flash'): readonly string[] {
  return chat.encode({ messages: HELLO, ...more }, targetOf(model)).dropped ?? []
}

const SEARCH = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const

describe('a chat request', () => {
  test('is said in Google’s words, the model in the path and the stream in the method', () => {
    const wire = chat.encode({ messages: HELLO, stream: true }, FLASH)
    assert.equal(wire.url, 'https://g.test/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
    assert.deepEqual(sent({ messages: HELLO, model: 'group', user: 'u', metadata: {}, n: 1 }), {
      contents: [{ role: 'user', parts: [{ text: 'hello' }] }],
    })
    const tuned = chat.encode({ messages: HELLO }, targetOf('tunedModels/my model'))
    assert.equal(tuned.url, 'https://g.test/v1beta/tunedModels/my%20model:generateContent')
  })

  test('has its options where Google has them', () => {
    const cases: readonly (readonly [Omit<ChatRequest, 'messages'>, JsonObject])[] = [
      [{ max_tokens: 16 }, { maxOutputTokens: 16 }],
      [{ max_completion_tokens: 16 }, { maxOutputTokens: 16 }],
      [
        { temperature: 0, top_p: 0.5, top_k: 3 },
        { temperature: 0, topP: 0.5, topK: 3 },
      ],
      [{ stop: 'a' }, { stopSequences: ['a'] }],
      [{ stop: ['a', 'b'] }, { stopSequences: ['a', 'b'] }],
      [
        { n: 2, seed: 7 },
        { candidateCount: 2, seed: 7 },
      ],
      [
        { logprobs: true, top_logprobs: 2 },
        { responseLogprobs: true, logprobs: 2 },
      ],
      [
        { presence_penalty: 1, frequency_penalty: -1 },
        { presencePenalty: 1, frequencyPenalty: -1 },
      ],
      [{ response_format: { type: 'json_object' } }, { responseMimeType: 'application/json' }],
      [{ modalities: ['text', 'image'] }, { responseModalities: ['TEXT', 'IMAGE'] }],
      [
        { generationConfig: { topK: 4 }, temperature: 1 },
        { topK: 4, temperature: 1 },
      ],
      [{ reasoning_effort: 'low' }, { thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } }],
      [{ reasoning_effort: 'none' }, { thinkingConfig: { thinkingBudget: 0 } }],
      [
        { thinking: { type: 'enabled', budget_tokens: 99 } },
        { thinkingConfig: { thinkingBudget: 99, includeThoughts: true } },
      ],
      [{ thinking: { type: 'disabled' } }, { thinkingConfig: { thinkingBudget: 0 } }],
    ]
    for (const [more, config] of cases) assert.deepEqual(configOf(more), config, JSON.stringify(more))
  })

  test('asks each generation of models to think in its own way', () => {
    const cases: readonly (readonly [string, string, JsonObject | 'dropped' | undefined])[] = [
      ['gemini-2.5-pro', 'high', { thinkingBudget: 24_576, includeThoughts: true }],
      ['gemini-2.5-pro', 'xhigh', { thinkingBudget: 32_768, includeThoughts: true }],
      ['gemini-2.5-pro', 'none', 'dropped'],
      ['gemini-3-pro-preview', 'medium', { thinkingLevel: 'high', includeThoughts: true }],
      ['gemini-3.1-pro-preview', 'medium', { thinkingLevel: 'medium', includeThoughts: true }],
      ['gemini-3.1-pro-preview', 'minimal', { thinkingLevel: 'low', includeThoughts: true }],
      ['gemini-3-flash-preview', 'minimal', { thinkingLevel: 'minimal', includeThoughts: true }],
      ['gemini-3-flash-preview', 'none', { thinkingLevel: 'minimal' }],
      ['gemini-flash-latest', 'high', { thinkingLevel: 'high', includeThoughts: true }],
      ['gemini-2.0-flash', 'none', undefined],
      ['gemini-2.0-flash', 'high', 'dropped'],
    ]
    for (const [model, effort, expected] of cases) {
      const label = `${model} ${effort}`
      if (expected === 'dropped')
        assert.deepEqual(dropped({ reasoning_effort: effort }, model), ['reasoning_effort'], label)
      else
        assert.deepEqual(
          configOf({ reasoning_effort: effort }, model),
          expected && { thinkingConfig: expected },
          label,
        )
    }
  })

  test('names what it cannot say, and carries what nobody knows', () => {
    assert.deepEqual(
      dropped({ logit_bias: {}, prediction: {}, parallel_tool_calls: false, modalities: ['audio'] }),
      ['logit_bias', 'prediction', 'parallel_tool_calls', 'modalities'],
    )
    assert.deepEqual(dropped({ parallel_tool_calls: true, service_tier: 'auto', store: true }), [])
    const carried = sent({ messages: HELLO, some_new_field: 1, safety_settings: [{ category: 'x' }] })
    assert.equal(carried['some_new_field'], 1)
    assert.deepEqual(carried['safetySettings'], [{ category: 'x' }])
  })

  test('has functions as one tool, and a choice among them', () => {
    const bare = {
      type: 'function',
      function: { name: 'now', parameters: { type: 'object', properties: {} } },
    }
    const body = sent({
      messages: HELLO,
      tools: [SEARCH, bare, { googleSearch: {} }],
      tool_choice: 'required',
    })
    assert.deepEqual(body['tools'], [
      {
        functionDeclarations: [
          {
            name: 'weather',
            description: 'of a city',
            parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] },
          },
          { name: 'now' },
        ],
      },
      { googleSearch: {} },
    ])
    const strict = { type: 'function', function: { ...SEARCH.function, strict: true } }
    const one = { type: 'function', function: { name: 'weather' } }
    const cases: readonly (readonly [JsonObject, JsonObject | undefined])[] = [
      [{ tools: [SEARCH] }, undefined],
      [{ tools: [SEARCH], tool_choice: 'auto' }, { mode: 'AUTO' }],
      [{ tools: [SEARCH], tool_choice: 'none' }, { mode: 'NONE' }],
      [{ tools: [SEARCH], tool_choice: 'required' }, { mode: 'ANY' }],
      [
        { tools: [SEARCH], tool_choice: one },
        { mode: 'ANY', allowedFunctionNames: ['weather'] },
      ],
      [
        {
          tools: [SEARCH],
          tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [one] } },
        },
        { mode: 'VALIDATED', allowedFunctionNames: ['weather'] },
      ],
      [{ tools: [strict] }, { mode: 'VALIDATED' }],
    ]
    for (const [more, config] of cases) {
      const { toolConfig } = sent({ messages: HELLO, ...more })
      assert.deepEqual(toolConfig, config && { functionCallingConfig: config }, JSON.stringify(more))
    }
  })

  test('is refused where a part of it has no words', () => {
    const cases: readonly (readonly [ChatRequest, string])[] = [
      [{ messages: [{ role: 'user', content: [{ type: 'odd' }] }] }, 'messages[0].content[0]'],
      [{ messages: HELLO, tools: [{ type: 'custom', custom: {} }] }, 'tools[0]'],
      [{ messages: HELLO, reasoning_effort: 'much' }, 'reasoning_effort'],
      [{ messages: [{ role: 'tool', tool_call_id: 'x', content: '1' }] }, 'messages[0].tool_call_id'],
    ]
    for (const [request, param] of cases)
      assert.throws(() => chat.encode(request, FLASH), { kind: 'bad_request', param, source: 'client' })
  })
})

describe('a conversation', () => {
  test('keeps instructions apart and answers to parallel calls together, in the order of the calls', () => {
    const call = (id: string, city: string): JsonObject => ({
      id,
      type: 'function',
      function: { name: 'weather', arguments: JSON.stringify({ city }) },
    })
    const body = sent({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: null, tool_calls: [call('a', 'Paris'), call('b', 'Oslo')] },
        { role: 'tool', tool_call_id: 'b', content: 'cold' },
        { role: 'tool', tool_call_id: 'a', content: '{"degrees":20}' },
        { role: 'user', content: 'Thanks' },
      ],
    })
    assert.deepEqual(body, {
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Weather?' }] },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'a', name: 'weather', args: { city: 'Paris' } } },
            { functionCall: { id: 'b', name: 'weather', args: { city: 'Oslo' } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'a', name: 'weather', response: { degrees: 20 } } },
            { functionResponse: { id: 'b', name: 'weather', response: { output: 'cold' } } },
          ],
        },
        { role: 'user', parts: [{ text: 'Thanks' }] },
      ],
    })
  })

  test('brings signatures back, and says where one is missing', () => {
    const signed = { extra_content: { google: { thought_signature: 'c2ln' } } }
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '' } }
    const third = targetOf('gemini-3-pro-preview')
    const partsOf = (calls: readonly JsonObject[], target: Target): unknown =>
      sent({ messages: [...HELLO, { role: 'assistant', tool_calls: calls }] }, target)['contents']
    const functionCall = { id: 'a', name: 'f', args: {} }
    const said = (part: JsonObject): unknown => [
      { role: 'user', parts: [{ text: 'hello' }] },
      { role: 'model', parts: [part] },
    ]
    assert.deepEqual(
      partsOf([{ ...call, ...signed }], third),
      said({ functionCall, thoughtSignature: 'c2ln' }),
    )
    assert.deepEqual(
      partsOf([call], third),
      said({ functionCall, thoughtSignature: 'skip_thought_signature_validator' }),
    )
    assert.deepEqual(partsOf([call], FLASH), said({ functionCall }))
  })

  test('shows images, sound and documents', () => {
    const part = (one: JsonObject, model = 'gemini-2.5-flash'): unknown => {
      const body = sent({ messages: [{ role: 'user', content: [one] }] }, targetOf(model))
      return body['contents']
    }
    const said = (one: JsonObject): unknown => [{ role: 'user', parts: [one] }]
    const picture = (url: string, more: JsonObject = {}): JsonObject => ({
      type: 'image_url',
      image_url: { url, ...more },
    })
    const cases: readonly (readonly [JsonObject, JsonObject])[] = [
      [picture('data:image/png;base64,AAAA'), { inlineData: { mimeType: 'image/png', data: 'AAAA' } }],
      [picture('data:text/plain,a%20b'), { inlineData: { mimeType: 'text/plain', data: 'YSBi' } }],
      [picture('gs://b/x.webp'), { fileData: { mimeType: 'image/webp', fileUri: 'gs://b/x.webp' } }],
      [
        picture('https://generativelanguage.googleapis.com/v1beta/files/abc'),
        { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } },
      ],
      [
        { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        { inlineData: { mimeType: 'audio/wav', data: 'AAAA' } },
      ],
      [
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
        { inlineData: { mimeType: 'application/pdf', data: 'AAAA' } },
      ],
      [
        { type: 'file', file: { file_id: 'gs://b/a.mp4', format: 'video/mp4' } },
        { fileData: { mimeType: 'video/mp4', fileUri: 'gs://b/a.mp4' } },
      ],
    ]
    for (const [one, expected] of cases) assert.deepEqual(part(one), said(expected), JSON.stringify(one))
    assert.deepEqual(
      part(picture('data:image/png;base64,AAAA', { detail: 'low' }), 'gemini-3-flash-preview'),
      said({
        inlineData: { mimeType: 'image/png', data: 'AAAA' },
        mediaResolution: { level: 'MEDIA_RESOLUTION_LOW' },
      }),
    )
    assert.equal(chat.inlines?.('https://images.test/a.png', FLASH), true)
    assert.equal(chat.inlines?.('https://generativelanguage.googleapis.com/v1beta/files/a', FLASH), false)
    assert.equal(chat.inlines?.('gs://b/a.png', FLASH), false)
  })
})

describe('a schema', () => {
  test('is put in Google’s words where those can say it', () => {
    const cases: readonly (readonly [JsonObject, JsonObject | undefined])[] = [
      [{ type: 'string', $schema: 'x' }, { type: 'STRING' }],
      [{ type: ['integer', 'null'] }, { type: 'INTEGER', nullable: true }],
      [{ const: 'a' }, { type: 'STRING', format: 'enum', enum: ['a'] }],
      [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'STRING', nullable: true }],
      [
        { anyOf: [{ type: 'string' }, { type: 'number' }] },
        { anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }] },
      ],
      [
        { type: 'array', items: { $ref: '#/$defs/a' }, $defs: { a: { type: 'boolean' } } },
        { type: 'ARRAY', items: { type: 'BOOLEAN' } },
      ],
      [
        { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
        { type: 'OBJECT', properties: { a: { type: 'STRING' } } },
      ],
      // What they cannot say goes out as JSON Schema.
      [{ type: 'object', additionalProperties: { type: 'string' } }, undefined],
      [{ type: 'object', properties: {} }, undefined],
      [{ type: 'string', format: 'email' }, undefined],
      [{ enum: [1, 2] }, undefined],
      [{ type: ['string', 'number'] }, undefined],
      [{ allOf: [{ type: 'string' }] }, undefined],
      [{ type: 'array', items: { $ref: '#' } }, undefined],
      [{ $ref: 'https://elsewhere.test/schema' }, undefined],
      [{ not: { type: 'string' } }, undefined],
      [{ anyOf: [{ type: 'string' }, { not: {} }] }, undefined],
    ]
    for (const [schema, expected] of cases)
      assert.deepEqual(openApiSchema(schema), expected, JSON.stringify(schema))
  })

  test('binds an answer whichever words it takes', () => {
    const plain = { type: 'object', properties: { a: { type: 'string' } } }
    const rich = { type: 'object', properties: { a: { type: 'string', format: 'email' } } }
    const format = (schema: JsonObject): JsonObject => ({
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    })
    assert.deepEqual(configOf(format(plain)), {
      responseMimeType: 'application/json',
      responseSchema: { type: 'OBJECT', properties: { a: { type: 'STRING' } } },
    })
    assert.deepEqual(configOf(format(rich)), {
      responseMimeType: 'application/json',
      responseJsonSchema: rich,
    })
  })
})

function answered(body: JsonObject): ReturnType<typeof chat.decode> {
  return chat.decode(answerOf(body), FLASH)
}

const candidate = (parts: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', ...more }],
})

describe('an answer', () => {
  test('has thoughts, calls, images and signatures where OpenAI’s clients look for them', () => {
    const { choices } = answered(
      candidate([
        { text: 'Hm.', thought: true },
        { text: 'po' },
        { text: 'ng', thoughtSignature: 'dGV4dA==' },
        { functionCall: { id: 'g1', name: 'f', args: { a: 1 } }, thoughtSignature: 'Y2FsbA==' },
        { inlineData: { mimeType: 'image/png', data: PIXEL } },
      ]),
    )
    assert.deepEqual(choices[0], {
      index: 0,
      message: {
        role: 'assistant',
        content: 'pong',
        refusal: null,
        reasoning_content: 'Hm.',
        tool_calls: [
          {
            id: 'g1',
            type: 'function',
            function: { name: 'f', arguments: '{"a":1}' },
            extra_content: { google: { thought_signature: 'Y2FsbA==' } },
          },
        ],
        images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` }, index: 0 }],
        extra_content: { google: { thought_signature: 'dGV4dA==' } },
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    })
  })

  test('has calls with ids of their own, the same whenever it is read', () => {
    const body = {
      ...candidate([{ functionCall: { name: 'f' } }, { functionCall: { name: 'f' } }]),
      responseId: 'r',
    }
    const ids = (): readonly unknown[] => {
      const calls = answered(body).choices[0]?.message['tool_calls']
      return Array.isArray(calls) ? calls.map((call: JsonObject) => call['id']) : []
    }
    assert.equal(new Set(ids()).size, 2)
    assert.deepEqual(ids(), ids())
    assert.match(String(ids()[0]), /^call_[\w-]{24}$/)
  })

  test('ends for a reason that OpenAI’s clients know', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['STOP', 'stop'],
      ['MAX_TOKENS', 'length'],
      ['SAFETY', 'content_filter'],
      ['RECITATION', 'content_filter'],
      ['OTHER', 'stop'],
    ]
    for (const [reason, expected] of cases)
      assert.equal(
        answered(candidate([{ text: 'a' }], { finishReason: reason })).choices[0]?.finish_reason,
        expected,
      )
    // A thinking model may use up its budget without a word, and be well.
    for (const reason of ['MAX_TOKENS', 'SAFETY'])
      assert.equal(answered({ candidates: [{ finishReason: reason }] }).choices[0]?.message['content'], '')
  })

  test('that is none is called what it is', () => {
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ promptFeedback: { blockReason: 'SAFETY' } }, 'content_policy'],
      [{ candidates: [{ finishReason: 'STOP' }] }, 'empty'],
      [{ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'bad' }] }, 'server_error'],
      [{ candidates: [] }, 'wrong_shape'],
      [{ candidates: [{ index: 0 }] }, 'wrong_shape'],
      [{ error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }, 'overloaded'],
    ]
    for (const [body, kind] of cases) assert.throws(() => answered(body), { kind }, JSON.stringify(body))
  })

  test('counts thoughts as written and what was cached as read', () => {
    const { usage } = answered({
      ...candidate([{ text: 'a' }]),
      usageMetadata: {
        promptTokenCount: 10,
        toolUsePromptTokenCount: 2,
        cachedContentTokenCount: 4,
        candidatesTokenCount: 3,
        thoughtsTokenCount: 5,
        totalTokenCount: 20,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 6 },
          { modality: 'AUDIO', tokenCount: 4 },
        ],
      },
    })
    assert.deepEqual(usage, {
      prompt_tokens: 12,
      completion_tokens: 8,
      total_tokens: 20,
      prompt_tokens_details: { cached_tokens: 4, text_tokens: 6, audio_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 5 },
    })
  })

  test('says where it comes from, in characters, and how sure it was of each token', () => {
    const { choices } = answered(
      candidate([{ text: 'Größe: 5 m' }], {
        groundingMetadata: {
          groundingChunks: [{ web: { uri: 'https://a.test', title: 'A' } }],
          // 7 and 12 are bytes: ö and ß have two.
          groundingSupports: [{ segment: { startIndex: 7, endIndex: 12 }, groundingChunkIndices: [0] }],
        },
        logprobsResult: {
          chosenCandidates: [{ token: 'ö', logProbability: -0.1 }],
          topCandidates: [{ candidates: [{ token: 'o', logProbability: -2 }] }],
        },
      }),
    )
    assert.deepEqual(choices[0]?.message['annotations'], [
      {
        type: 'url_citation',
        url_citation: { start_index: 5, end_index: 10, url: 'https://a.test', title: 'A' },
      },
    ])
    assert.deepEqual(choices[0]?.['logprobs'], {
      content: [
        {
          token: 'ö',
          logprob: -0.1,
          bytes: [195, 182],
          top_logprobs: [{ token: 'o', logprob: -2, bytes: [111] }],
        },
      ],
      refusal: null,
    })
  })
})

const event = (data: JsonObject): string => `data: ${JSON.stringify(data)}\r\n\r\n`
const piece = (parts: readonly JsonObject[], more: JsonObject = {}): string =>
  event({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
    responseId: 'r1',
    modelVersion: 'm',
  })

/** Written after https://ai.google.dev/api/generate-content, read 2026-11-27. */
const STREAMS: Readonly<Record<string, string>> = {
  'text and thoughts':
    piece([{ text: 'Hm.', thought: true }]) +
    piece([{ text: 'pö' }]) +
    event({
      candidates: [{ content: { parts: [{ text: 'ng' }] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, totalTokenCount: 3 },
      responseId: 'r1',
      modelVersion: 'm',
    }),
  'parallel calls':
    piece([{ functionCall: { name: 'f', args: { city: 'Paris' } }, thoughtSignature: 'c2ln' }]) +
    piece([{ functionCall: { name: 'f', args: { city: 'Oslo' } } }], { finishReason: 'STOP' }),
  'two candidates':
    piece([{ text: 'a' }]) +
    event({ candidates: [{ content: { parts: [{ text: 'b' }] }, index: 1, finishReason: 'MAX_TOKENS' }] }) +
    piece([], { finishReason: 'STOP' }),
}

function decodedStream(bytes: Buffer, cuts: readonly number[]): readonly unknown[] {
  const decoder = chat.openStream?.(FLASH)
  assert.ok(decoder !== undefined)
  const events: unknown[] = []
  let from = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    events.push(...decoder.push(bytes.subarray(from, cut)))
    from = cut
  }
  return [...events, ...decoder.end()]
}

describe('a stream', () => {
  test('is OpenAI’s, the usage last', () => {
    const chunk = (choices: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
      id: 'r1',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'm',
      choices,
      ...more,
    })
    const delta = (delta: JsonObject, finish: string | null = null): JsonObject =>
      chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }])
    const text = STREAMS['text and thoughts'] ?? ''
    assert.deepEqual(decodedStream(Buffer.from(text), []), [
      delta({ role: 'assistant', content: '', reasoning_content: 'Hm.' }),
      delta({ content: 'pö' }),
      delta({ content: 'ng' }),
      delta({}, 'stop'),
      chunk([], { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } }),
    ])
  })

  test('numbers parallel calls, and ends with tool_calls', () => {
    const chunks = JSON.stringify(decodedStream(Buffer.from(STREAMS['parallel calls'] ?? ''), []))
    assert.match(chunks, /"tool_calls":\[\{"index":0,"id":"call_[\w-]{24}".*"thought_signature":"c2ln"/)
    assert.match(chunks, /"tool_calls":\[\{"index":1,"id":"call_[\w-]{24}"/)
    assert.match(chunks, /"finish_reason":"tool_calls"/)
  })

  test('says the same however it is split', () => {
    for (const text of Object.values(STREAMS)) {
      const bytes = Buffer.from(text)
      const whole = decodedStream(bytes, [])
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) =>
          assert.deepEqual(decodedStream(bytes, cuts), whole),
        ),
        { numRuns: 60 },
      )
    }
  })

  test('that breaks off, fails or is blocked is never a whole answer', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', 'cut'],
      [piece([{ text: 'a' }]), 'cut'],
      [
        piece([{ text: 'a' }]) + event({ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }),
        'overloaded',
      ],
      [event({ promptFeedback: { blockReason: 'OTHER' } }), 'content_policy'],
      [piece([], { finishReason: 'STOP' }), 'empty'],
      ['data: nonsense\n\n', 'wrong_shape'],
    ]
    for (const [text, kind] of cases)
      assert.throws(() => decodedStream(Buffer.from(text), []), { kind }, `${kind}: ${text}`)
  })
})

describe('the other modes', () => {
  test('embed many texts at once', () => {
    const wire = embedding.encode(
      { input: ['a', 'b'], dimensions: 2, encoding_format: 'base64' },
      targetOf('e'),
    )
    assert.equal(wire.url, 'https://g.test/v1beta/models/e:batchEmbedContents')
    assert.deepEqual(JSON.parse(String(wire.body)), {
      requests: ['a', 'b'].map((text) => ({
        model: 'models/e',
        content: { parts: [{ text }] },
        outputDimensionality: 2,
      })),
    })
  })

  test('embed as LiteLLM was recorded to', () => {
    const path = join(import.meta.dirname, '../../../test/goldens/litellm-1.100.5/12-providers.json')
    const golden = GOLDEN.parse(JSON.parse(readFileSync(path, 'utf8')))
    const recorded = golden.steps[0]?.upstream.find(({ url }) => url.includes('gemini'))
    assert.ok(recorded !== undefined)
    const connected = gemini.connect(
      deploymentOf('gemini', {
        upstreamModel: 'gemini-1.5-flash',
        connection: {
          apiKey: new Secret('gm-canary'),
          apiBase: 'http://127.0.0.1:9100/ok',
          headers: {},
        },
      }),
      {},
    )
    assert.ok('target' in connected)
    const wire = embedding.encode({ input: ['test from litellm'] }, connected.target)
    assert.equal(wire.method, recorded.method)
    assert.equal(new URL(wire.url).pathname, recorded.url)
    assert.deepEqual(JSON.parse(String(wire.body)), recorded.body)
  })

  test('paint by Imagen or by a model that also talks', () => {
    const imagen = image.encode(
      { prompt: 'a cat', n: 2, size: '1792x1024', response_format: 'b64_json' },
      targetOf('imagen-4.0-generate-001'),
    )
    assert.match(imagen.url, /imagen-4\.0-generate-001:predict$/)
    assert.deepEqual(JSON.parse(String(imagen.body)), {
      instances: [{ prompt: 'a cat' }],
      parameters: { sampleCount: 2, aspectRatio: '16:9' },
    })
    assert.equal(imagen.dropped, undefined)
    const native = image.encode(
      { prompt: 'a cat', n: 2, size: '1536x1024', quality: 'high', response_format: 'url' },
      targetOf('gemini-2.5-flash-image'),
    )
    assert.deepEqual(JSON.parse(String(native.body)), {
      contents: [{ role: 'user', parts: [{ text: 'a cat' }] }],
      generationConfig: { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { aspectRatio: '3:2' } },
    })
    assert.deepEqual(native.dropped?.toSorted(), ['n', 'quality', 'response_format'])
  })

  test('an image that was filtered out is a matter of content', () => {
    const body = { predictions: [{ raiFilteredReason: 'no people' }] }
    assert.throws(() => image.decode(answerOf(body), targetOf('imagen-4')), { kind: 'content_policy' })
    const silent = { candidates: [{ finishReason: 'IMAGE_SAFETY' }] }
    assert.throws(() => image.decode(answerOf(silent), targetOf('gemini-2.5-flash-image')), {
      kind: 'content_policy',
    })
  })

  test('speak with a voice of Google’s, as WAV and nothing else', () => {
    const wire = speech.encode(
      { input: 'hi', voice: 'alloy', instructions: 'Gently', response_format: 'mp3' },
      FLASH,
    )
    assert.deepEqual(JSON.parse(String(wire.body)), {
      contents: [{ role: 'user', parts: [{ text: 'Gently: hi' }] }],
      generationConfig: {
        responseModalities: ['AUDIO'],
        speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
      },
    })
    assert.deepEqual(wire.dropped, ['response_format'])
  })

  test('a Live session opens with a setup and is proven by its answer', () => {
    const { realtime } = gemini
    assert.ok(realtime !== 'unsupported')
    const target = targetOf('gemini-live-2.5-flash-preview')
    assert.equal(
      realtime.dial(target).url,
      'wss://g.test/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
    )
    assert.deepEqual(JSON.parse(realtime.opening?.(target) ?? ''), {
      setup: {
        model: 'models/gemini-live-2.5-flash-preview',
        generationConfig: { responseModalities: ['AUDIO'] },
      },
    })
    assert.equal(realtime.proves('{"setupComplete":{}}'), true)
    assert.equal(realtime.proves('{"usageMetadata":{}}'), false)
    assert.throws(() => realtime.proves('{"error":{"code":403,"message":"no"}}'), { kind: 'auth' })
  })
})

test('an address is taken however people write it', () => {
  const cases: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'https://generativelanguage.googleapis.com/v1beta'],
    ['https://proxy.test', 'https://proxy.test/v1beta'],
    ['https://proxy.test/', 'https://proxy.test/v1beta'],
    ['https://proxy.test/v1', 'https://proxy.test/v1'],
    ['https://proxy.test/google', 'https://proxy.test/google'],
    ['https://proxy.test/v1beta/models', 'https://proxy.test/v1beta'],
    ['https://proxy.test/v1beta/models/gemini-2.5-flash:generateContent', 'https://proxy.test/v1beta'],
  ]
  for (const [apiBase, base] of cases) {
    const { connection } = deploymentOf('gemini')
    const { apiBase: _, ...rest } = connection
    const connected = gemini.connect(
      deploymentOf('gemini', { connection: apiBase === undefined ? rest : { ...rest, apiBase } }),
      {},
    )
    assert.ok('target' in connected)
    assert.equal(connected.target.base, base, apiBase)
  }
})

test('how long to stay away stands in the body of a refusal', () => {
  const refused = (details: readonly JsonObject[]): GatewayError =>
    gemini.classify({
      ...answerOf({
        error: {
          code: 429,
          message: 'You exceeded your current quota',
          status: 'RESOURCE_EXHAUSTED',
          details,
        },
      }),
      status: 429,
    })
  const daily = { violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] }
  const soon = refused([daily, { retryDelay: '36s' }])
  assert.equal(soon.kind, 'rate_limited')
  assert.equal(soon.retryAfterMs, 36_000)
  assert.equal(refused([daily]).kind, 'quota')
  assert.equal(refused([]).kind, 'rate_limited')
})
