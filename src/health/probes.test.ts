import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProbeSettings } from '../core/deployment.ts'
import type { JsonObject } from '../core/json.ts'
import type { Mode } from '../core/mode.ts'
import { makeDeployment, makeProbeSettings } from './fixtures.ts'
import { NOTHING_LEARNED } from './ladder.ts'
import { planProbe } from './probes.ts'
import type { ProbeInputs } from './probes.ts'
import { speechWav } from './speech-wav.ts'

const SETTINGS = { prompt: 'test from litellm' }
const HELLO = [{ role: 'user', content: 'Say hello.' }]

function plan(
  mode: Mode,
  probe: Partial<ProbeSettings> = {},
  inputs: Partial<ProbeInputs> = {},
  bodyDefaults: JsonObject = {},
) {
  const deployment = makeDeployment({ mode, bodyDefaults, probe: makeProbeSettings(probe) })
  return planProbe(deployment, {
    mode,
    knownModel: 'gpt-4o',
    isWildcard: false,
    learned: NOTHING_LEARNED,
    settings: SETTINGS,
    ...inputs,
  })
}

const MINIMA: readonly (readonly [Mode, object])[] = [
  ['chat', { mode: 'chat', request: { messages: HELLO, max_tokens: 16 } }],
  ['completion', { mode: 'completion', request: { prompt: 'test from litellm', max_tokens: 16 } }],
  ['embedding', { mode: 'embedding', request: { input: ['test from litellm'] } }],
  ['image_generation', { mode: 'image_generation', request: { prompt: 'test from litellm' } }],
  ['audio_speech', { mode: 'audio_speech', request: { input: 'test from litellm', voice: 'alloy' } }],
  ['rerank', { mode: 'rerank', request: { query: 'test from litellm', documents: ['my sample text'] } }],
  ['batch', { mode: 'batch', request: { limit: 1 } }],
  ['realtime', { mode: 'realtime' }],
]

for (const [mode, expected] of MINIMA) {
  test(`the ${mode} probe is the smallest request that proves the mode`, () => {
    assert.deepEqual(plan(mode).probe, expected)
  })
}

test('the transcription probe sends a real spoken word of at most a second', () => {
  const { probe } = plan('audio_transcription')
  assert.equal(probe.mode, 'audio_transcription')
  if (probe.mode !== 'audio_transcription') return
  assert.deepEqual(probe.request.fields, { response_format: 'json' })
  assert.equal(probe.request.file.name, 'speech.wav')
  const wav = Buffer.from(speechWav())
  assert.equal(wav.toString('latin1', 0, 4), 'RIFF')
  const bytesPerSecond = wav.readUInt32LE(28)
  const seconds = (wav.length - 44) / bytesPerSecond
  assert.equal(wav.readUInt32LE(24), 16_000)
  assert.ok(seconds > 0.5 && seconds <= 1, `${seconds} s`)
  const samples = new Int16Array(
    wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length - (wav.length % 2)),
  )
  assert.ok(Math.max(...samples) > 5_000, 'it is not silence')
})

const BUDGETS: readonly (readonly [
  string,
  Mode,
  Partial<ProbeSettings>,
  Partial<ProbeInputs>,
  JsonObject,
])[] = [
  ['16 unless something says otherwise', 'chat', {}, {}, { max_tokens: 16 }],
  ['a wildcard gets 16 too', 'chat', {}, { isWildcard: true }, { max_tokens: 16 }],
  [
    'health_check_max_tokens wins over all',
    'chat',
    { maxTokens: 5, maxTokensNonReasoning: 7 },
    { settings: { ...SETTINGS, maxTokens: 9 } },
    { max_tokens: 5 },
  ],
  [
    'then the knob of its kind',
    'chat',
    { maxTokensNonReasoning: 7, maxTokensReasoning: 8 },
    { settings: { ...SETTINGS, maxTokens: 9 } },
    { max_tokens: 7 },
  ],
  [
    'reasoning models use their own knob and field',
    'chat',
    { maxTokensNonReasoning: 7, maxTokensReasoning: 8 },
    { knownModel: 'o3-mini' },
    { max_completion_tokens: 8 },
  ],
  [
    'the knobs of a kind say nothing about wildcards',
    'chat',
    { maxTokensNonReasoning: 7 },
    { isWildcard: true },
    { max_tokens: 16 },
  ],
  [
    'then health_check_params',
    'chat',
    { params: { max_tokens: 3 } },
    { settings: { ...SETTINGS, maxTokens: 9 } },
    { max_tokens: 3 },
  ],
  [
    'health_check_params may name the field',
    'chat',
    { params: { max_completion_tokens: 3 } },
    {},
    { max_completion_tokens: 3 },
  ],
  [
    'then the environment for reasoning models',
    'chat',
    {},
    { knownModel: 'o3-mini', settings: { ...SETTINGS, maxTokens: 9, maxTokensReasoning: 99 } },
    { max_completion_tokens: 99 },
  ],
  [
    'then the environment for all',
    'chat',
    {},
    { settings: { ...SETTINGS, maxTokens: 9, maxTokensReasoning: 99 } },
    { max_tokens: 9 },
  ],
  ['/completions knows one name only', 'completion', {}, { knownModel: 'o3-mini' }, { max_tokens: 16 }],
  [
    'health_check_supports_max_tokens: false forbids it',
    'chat',
    { supportsMaxTokens: false, maxTokens: 5 },
    {},
    {},
  ],
  [
    'health_check_supports_max_tokens: true forces it',
    'embedding',
    { supportsMaxTokens: true },
    {},
    { max_tokens: 16 },
  ],
  [
    'a budget learned from a refusal is asked for at once',
    'chat',
    {},
    { learned: { ...NOTHING_LEARNED, budget: 64 } },
    { max_tokens: 64 },
  ],
  [
    'a name learned from a refusal is used at once',
    'chat',
    {},
    { learned: { ...NOTHING_LEARNED, budgetField: 'max_completion_tokens' } },
    { max_completion_tokens: 16 },
  ],
  [
    'a knob larger than what was learned stays',
    'chat',
    { maxTokens: 300 },
    { learned: { ...NOTHING_LEARNED, budget: 64 } },
    { max_tokens: 300 },
  ],
]

for (const [name, mode, probe, inputs, expected] of BUDGETS) {
  test(`token budget: ${name}`, () => {
    const { probe: planned } = plan(mode, probe, inputs)
    const request: JsonObject =
      planned.mode === 'chat' || planned.mode === 'completion' || planned.mode === 'embedding'
        ? planned.request
        : {}
    const { max_tokens, max_completion_tokens } = request
    assert.deepEqual(JSON.parse(JSON.stringify({ max_tokens, max_completion_tokens })), expected)
  })
}

const BODIES: readonly (readonly [string, Mode, Partial<ProbeSettings>, object])[] = [
  [
    'health_check_params join the body',
    'embedding',
    { params: { dimensions: 8 } },
    { dimensions: 8, input: ['test from litellm'] },
  ],
  [
    'health_check_params may bring their own words',
    'chat',
    { params: { messages: [{ role: 'user', content: 'hi' }] } },
    { messages: [{ role: 'user', content: 'hi' }], max_tokens: 16 },
  ],
  [
    'nonsense for messages is not sent',
    'chat',
    { params: { messages: 'hi' } },
    { messages: HELLO, max_tokens: 16 },
  ],
  [
    'a connection key in health_check_params is not sent',
    'rerank',
    { params: { api_key: 'k', api_base: 'b', model: 'm', top_n: 1 } },
    { top_n: 1, query: 'test from litellm', documents: ['my sample text'] },
  ],
  ['a probe is never streamed', 'chat', { params: { stream: true } }, { messages: HELLO, max_tokens: 16 }],
  [
    'health_check_reasoning_effort is for chats',
    'chat',
    { reasoningEffort: 'low' },
    { reasoning_effort: 'low', messages: HELLO, max_tokens: 16 },
  ],
  [
    'and for nothing without words',
    'embedding',
    { reasoningEffort: 'low' },
    { input: ['test from litellm'] },
  ],
  [
    'health_check_voice wins over the params',
    'audio_speech',
    { voice: 'nova', params: { voice: 'echo' } },
    { voice: 'nova', input: 'test from litellm' },
  ],
  [
    'a voice may stand in the params',
    'audio_speech',
    { params: { voice: 'echo' } },
    { voice: 'echo', input: 'test from litellm' },
  ],
]

for (const [name, mode, probe, expected] of BODIES) {
  test(`probe body: ${name}`, () => {
    const { probe: planned } = plan(mode, probe)
    assert.deepEqual('request' in planned ? planned.request : undefined, expected)
  })
}

test('defaults that would make a probe dear or streamed are kept out of it', () => {
  const { withoutDefaults, sent } = plan(
    'chat',
    {},
    {},
    { max_tokens: 4096, stream: true, top_k: 3, temperature: 0, n: 4, tools: [] },
  )
  for (const field of ['stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'n', 'tools']) {
    assert.ok(withoutDefaults.includes(field), field)
  }
  assert.deepEqual(sent, { budget: 16, budgetField: 'max_tokens', optional: ['top_k', 'temperature'] })
})

test('defaults that contradict our own words are kept out of a chat, and of nothing else', () => {
  const defaults = { response_format: { type: 'json_object' }, thinking: { budget_tokens: 1024 } }
  assert.deepEqual(plan('chat', {}, {}, defaults).sent.optional, [])
  assert.deepEqual(plan('audio_speech', {}, {}, { response_format: 'wav' }).sent.optional, [
    'response_format',
  ])
})

test('a reasoning model is not sent a temperature', () => {
  const { withoutDefaults } = plan('chat', {}, { knownModel: 'gpt-5-mini' }, { temperature: 0 })
  assert.ok(withoutDefaults.includes('temperature'))
})

test('a field that a refusal named is left out, a demanded one is put in', () => {
  const learned = { dropped: ['user', 'top_k'], added: { input_type: 'query' } }
  const { probe, withoutDefaults } = plan('embedding', { params: { user: 'me' } }, { learned })
  assert.deepEqual(probe, {
    mode: 'embedding',
    request: { input_type: 'query', input: ['test from litellm'] },
  })
  assert.ok(withoutDefaults.includes('top_k'))
})
