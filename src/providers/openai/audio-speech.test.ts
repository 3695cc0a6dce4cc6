import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOf } from '../adapter.contract.ts'
import { openAi } from './adapter.ts'

const codec = openAi.codecs.audio_speech
const TARGET = { provider: 'openai', model: 'tts-1', base: 'http://127.0.0.1:9/v1', bodyDefaults: {} }

test('JSON that is called sound is no sound, whatever it says', () => {
  assert.ok(codec !== 'unsupported')
  const cases: readonly (readonly [string, string])[] = [
    ['{"error":{"message":"no voice","type":"server_error"}}', 'server_error'],
    [' {"detail":"busy"}', 'server_error'],
    ['{"ok":true}', 'wrong_shape'],
  ]
  for (const [body, kind] of cases)
    assert.throws(() => codec.decode(answerOf(body, 'audio/mpeg'), TARGET), { kind }, body)
})

test('sound may begin with any byte', () => {
  assert.ok(codec !== 'unsupported')
  for (const body of ['{\u0000\u0001', '{"a', 'ID3'])
    assert.deepEqual(codec.decode(answerOf(body, 'audio/pcm'), TARGET), {
      sizeBytes: body.length,
      contentType: 'audio/pcm',
    })
})
