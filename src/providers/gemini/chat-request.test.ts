import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import type { ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { geminiChat } from './chat.ts'
import { openApiSchema } from './schema.ts'
import { AI_STUDIO } from './surface.ts'

const chat = geminiChat(AI_STUDIO)

function targetOf(model: string, bodyDefaults: JsonObject = {}): Target {
  return { provider: 'gemini', model, base: 'https://g.test/v1beta', bodyDefaults }
}

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
      dropped({ logit_bias: { 5: 1 }, prediction: {}, parallel_tool_calls: false, modalities: ['audio'] }),
      ['logit_bias', 'parallel_tool_calls', 'modalities'],
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
