import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../core/json.ts'
import type { RealtimeKeyRoute } from '../../providers/adapter.ts'
import { sessionModel, withSessionModel } from './model.ts'

const transcription = (model: string, more: JsonObject = {}): JsonObject => ({
  session: { type: 'transcription', audio: { input: { transcription: { model, language: 'en' }, ...more } } },
})

/** A description, the model that it names, and what it becomes with the provider's name `up`. */
const CASES: readonly (readonly [RealtimeKeyRoute, JsonObject, string | undefined, JsonObject])[] = [
  [
    'client_secrets',
    { session: { type: 'realtime', model: 'voice', voice: 'marin' }, expires_after: { seconds: 60 } },
    'voice',
    { session: { type: 'realtime', model: 'up', voice: 'marin' }, expires_after: { seconds: 60 } },
  ],
  ['client_secrets', transcription('scribe', { x: 1 }), 'scribe', transcription('up', { x: 1 })],
  // Of a session that speaks, the transcription is a part with a model of its own.
  [
    'client_secrets',
    { session: { model: 'voice', audio: { input: { transcription: { model: 'whisper-1' } } } } },
    'voice',
    { session: { model: 'up', audio: { input: { transcription: { model: 'whisper-1' } } } } },
  ],
  ['client_secrets', { model: 'voice' }, 'voice', { session: { type: 'realtime', model: 'up' } }],
  ['client_secrets', {}, undefined, { session: { type: 'realtime', model: 'up' } }],
  [
    'client_secrets',
    { session: { type: 'transcription' } },
    undefined,
    { session: { type: 'transcription', audio: { input: { transcription: { model: 'up' } } } } },
  ],
  ['sessions', { model: 'voice', voice: 'alloy' }, 'voice', { model: 'up', voice: 'alloy' }],
  ['sessions', {}, undefined, { model: 'up' }],
  [
    'transcription_sessions',
    { input_audio_transcription: { model: 'scribe', prompt: 'p' } },
    'scribe',
    { input_audio_transcription: { model: 'up', prompt: 'p' } },
  ],
  ['transcription_sessions', {}, undefined, { input_audio_transcription: { model: 'up' } }],
]

for (const [route, body, model, expected] of CASES)
  test(`${route}: ${JSON.stringify(body)} is for ${model}`, () => {
    const before = structuredClone(body)
    assert.equal(sessionModel(route, body), model)
    assert.deepEqual(withSessionModel(route, body, 'up'), expected)
    assert.deepEqual(body, before)
  })
