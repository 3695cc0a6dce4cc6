import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureKind } from '../core/failure.ts'
import { NOTHING_LEARNED, readRefusal } from './ladder.ts'
import type { Refusal, Sent } from './ladder.ts'

const CHAT: Sent = { budget: 16, budgetField: 'max_tokens', optional: [] }
const REASONING: Sent = { budget: 16, budgetField: 'max_completion_tokens', optional: ['reasoning_effort'] }
const EMBEDDING: Sent = { optional: [] }
const SPEECH: Sent = { optional: ['response_format', 'temperature', 'n'] }

const alive: Refusal = { kind: 'alive' }
const cutByLength: Refusal = { kind: 'alive', note: 'length' }
const refused: Refusal = { kind: 'refused' }
const climbTo = (budget: number): Refusal => ({ kind: 'again', learned: { ...NOTHING_LEARNED, budget } })
const rename = (budgetField: 'max_tokens' | 'max_completion_tokens'): Refusal => ({
  kind: 'again',
  learned: { ...NOTHING_LEARNED, budgetField },
})
const drop = (field: string): Refusal => ({
  kind: 'again',
  learned: { ...NOTHING_LEARNED, dropped: [field] },
})
const add = (field: string, value: string): Refusal => ({
  kind: 'again',
  learned: { ...NOTHING_LEARNED, added: { [field]: value } },
})

/** Refusals as providers word them: [who, what they say, what we sent, what we make of it]. */
const REFUSALS: readonly (readonly [string, string, Sent, Refusal])[] = [
  [
    'OpenAI, reasoning ate the budget',
    'Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.',
    REASONING,
    cutByLength,
  ],
  ['a proxy that shortens it', 'max_tokens limit was reached', CHAT, cutByLength],
  [
    'DashScope, stream only',
    'This model only support stream mode, please enable the stream parameter to access the model.',
    CHAT,
    alive,
  ],
  ['a strict gateway, stream only', 'Only streaming is supported for this model', CHAT, alive],
  ['an agent model, stream only', "Invalid request: 'stream' must be set to true", CHAT, alive],
  [
    'DashScope, thinking',
    'parameter.enable_thinking must be set to false for non-streaming calls',
    CHAT,
    alive,
  ],
  ['a router, stream only', 'Non-streaming requests are not supported by this endpoint', CHAT, alive],
  [
    'OpenAI, sound only',
    'This model requires that either input content or output modality contain audio.',
    CHAT,
    alive,
  ],
  [
    'OpenAI, least budget',
    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
    { ...CHAT, budget: 1 },
    climbTo(16),
  ],
  ['a least budget of 64', 'max_tokens must be at least 64', CHAT, climbTo(64)],
  [
    'a least budget of 200 jumps two rungs',
    'max_completion_tokens: must be greater than or equal to 200',
    REASONING,
    climbTo(256),
  ],
  ['a least budget without a number', 'max_tokens is too small for this model', CHAT, climbTo(64)],
  [
    'Anthropic behind a proxy',
    '`max_tokens` must be greater than `thinking.budget_tokens`',
    CHAT,
    climbTo(64),
  ],
  ['DashScope, range', 'Range of max_tokens should be [32, 8192]', CHAT, climbTo(64)],
  [
    'DeepSeek, too large for it',
    'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]',
    CHAT,
    refused,
  ],
  ['a least budget above the last rung', 'max_tokens must be at least 1024', CHAT, refused],
  [
    'a budget too large',
    'max_tokens is too large: 100000. This model supports at most 16384 completion tokens',
    CHAT,
    refused,
  ],
  [
    'OpenAI, o-series',
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    CHAT,
    rename('max_completion_tokens'),
  ],
  [
    'Mistral, strict schema',
    'body.max_completion_tokens: Extra inputs are not permitted',
    REASONING,
    rename('max_tokens'),
  ],
  ['strict schema that names nothing', 'Extra inputs are not permitted', REASONING, rename('max_tokens')],
  ['Groq', "property 'max_completion_tokens' is unsupported", REASONING, rename('max_tokens')],
  ['old vLLM', "unexpected keyword argument 'max_completion_tokens'", REASONING, rename('max_tokens')],
  [
    'no reasoning model',
    'Unrecognized request argument supplied: reasoning_effort',
    REASONING,
    drop('reasoning_effort'),
  ],
  ['a transcriber of few words', 'Unknown parameter: response_format', SPEECH, drop('response_format')],
  [
    'OpenAI, one temperature',
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    SPEECH,
    drop('temperature'),
  ],
  ['a short name in quotes', "Unknown parameter: 'n'.", SPEECH, drop('n')],
  [
    'a short name is no word of the sentence',
    'This request is not allowed in an n-tier account',
    SPEECH,
    refused,
  ],
  ['NVIDIA NIM', "'input_type' parameter is required for this model", EMBEDDING, add('input_type', 'query')],
  ['no stream to be had', 'Streaming is not supported for this model', CHAT, refused],
  ['a missing field of ours', "Missing required parameter: 'messages'.", CHAT, refused],
  ['a bare 400', 'upstream says 400', CHAT, refused],
  [
    'a context too short',
    "This model's maximum context length is 8 tokens. However, you requested 20 tokens",
    CHAT,
    refused,
  ],
]

for (const [who, message, sent, expected] of REFUSALS) {
  test(`refusal of ${who}`, () => {
    assert.deepEqual(
      readRefusal({ kind: 'bad_request', message, param: undefined }, sent, NOTHING_LEARNED),
      expected,
    )
  })
}

test('a refusal may blame a field by param alone', () => {
  const error = { kind: 'bad_request', message: 'Unsupported parameter', param: 'max_tokens' } as const
  assert.deepEqual(readRefusal(error, CHAT, NOTHING_LEARNED), rename('max_completion_tokens'))
})

test('a field that was added once is not added again', () => {
  const error = { kind: 'bad_request', message: 'input_type is required', param: undefined } as const
  assert.deepEqual(readRefusal(error, EMBEDDING, { dropped: [], added: { input_type: 'query' } }), refused)
})

test('what was learned before is kept', () => {
  const error = { kind: 'bad_request', message: 'max_tokens must be at least 64', param: undefined } as const
  assert.deepEqual(readRefusal(error, CHAT, { dropped: ['user'], added: {} }), {
    kind: 'again',
    learned: { dropped: ['user'], added: {}, budget: 64 },
  })
})

test('only a refusal of the request itself is read', () => {
  const kinds: readonly FailureKind[] = [
    'auth',
    'not_found',
    'rate_limited',
    'server_error',
    'timeout',
    'wrong_shape',
  ]
  for (const kind of kinds) {
    assert.deepEqual(
      readRefusal(
        { kind, message: 'max_tokens must be at least 64', param: undefined },
        CHAT,
        NOTHING_LEARNED,
      ),
      refused,
    )
  }
})
