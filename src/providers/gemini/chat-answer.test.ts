import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { array, assert as holds, integer, property } from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { Target } from '../adapter.ts'
import { answerOf } from '../adapter.contract.ts'
import { geminiChat } from './chat.ts'
import { AI_STUDIO } from './surface.ts'

const chat = geminiChat(AI_STUDIO)
const FLASH: Target = {
  provider: 'gemini',
  model: 'gemini-2.5-flash',
  base: 'https://g.test/v1beta',
  bodyDefaults: {},
}
const PIXEL = 'iVBORw0KGgo='

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
      holds(
        property(array(integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) =>
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
