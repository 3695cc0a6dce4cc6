import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import {
  RESPOND,
  SOUND,
  TEN_MS,
  TURN_COMPLETE,
  audio,
  errorOf,
  messageOf,
  open,
  parsed,
  ready,
  sound,
  types,
} from './session.fixture.ts'

describe('speech', () => {
  test('that the upstream hears is committed, answered and written down', () => {
    const { client, server } = ready({ audio: { input: { transcription: { model: 'any' } } } })
    assert.deepEqual(client(audio(TEN_MS)), {
      client: [],
      upstream: [{ realtimeInput: { audio: { mimeType: 'audio/pcm;rate=24000', data: TEN_MS } } }],
    })
    const written = server({ serverContent: { inputTranscription: { text: 'hello' } } }).client
    assert.deepEqual(types(written), [
      'input_audio_buffer.speech_started',
      'conversation.item.input_audio_transcription.delta',
    ])
    const answered = server(sound(SOUND)).client
    assert.deepEqual(types(answered).slice(0, 5), [
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'response.created',
    ])
    assert.equal(answered[0]?.['audio_end_ms'], 10)
    assert.equal(answered[1]?.['item_id'], written[0]?.['item_id'])
    const last = server(TURN_COMPLETE).client.at(-1)
    assert.equal(last?.['type'], 'conversation.item.input_audio_transcription.completed')
    assert.equal(last?.['transcript'], 'hello')
    assert.deepEqual(last?.['usage'], { type: 'duration', seconds: 0.01 })
  })

  test('over an answer cancels it', () => {
    const { client, server } = ready()
    client(RESPOND)
    server(sound(SOUND))
    client(audio(TEN_MS))
    const events = server({ serverContent: { interrupted: true } }).client
    assert.deepEqual(types(events), [
      'input_audio_buffer.speech_started',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'response.output_item.done',
      'conversation.item.done',
      'response.done',
    ])
    const done = events.at(-1)?.['response']
    assert.ok(isJsonObject(done))
    assert.deepEqual(done['status_details'], { type: 'cancelled', reason: 'turn_detected' })
    assert.deepEqual(server(TURN_COMPLETE).client, [])
    // The next turn is answered unasked.
    assert.ok(types(server(sound(SOUND)).client).includes('response.created'))
  })

  test('that is answered has all words of the answer, also those that come before its sound or after an interruption', () => {
    const { client, server } = ready()
    const words = (text: string): JsonObject => ({ serverContent: { outputTranscription: { text } } })
    client(audio(TEN_MS))
    assert.deepEqual(server(words('po')).client, [])
    const begun = server(sound(SOUND)).client
    assert.equal(begun.find(({ type }) => type === 'response.output_audio_transcript.delta')?.['delta'], 'po')
    server(words('ng'))
    const events = server({ serverContent: { interrupted: true } }).client
    const done = events.find(({ type }) => type === 'response.output_audio_transcript.done')
    assert.equal(done?.['transcript'], 'pong')
    assert.deepEqual(server(words(' and more')).client, [])
    assert.deepEqual(server(TURN_COMPLETE).client, [])
    assert.deepEqual(server(words(' and more')).client, [])
    assert.deepEqual(types(client(RESPOND).client), ['response.created'])
  })

  test('is told of where the upstream notices it', () => {
    const { client, server } = ready()
    client(audio(TEN_MS))
    assert.deepEqual(types(server({ voiceActivity: { voiceActivityType: 'ACTIVITY_START' } }).client), [
      'input_audio_buffer.speech_started',
    ])
    assert.deepEqual(types(server({ voiceActivity: { voiceActivityType: 'ACTIVITY_END' } }).client), [
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
    ])
  })

  test('whose end the client says goes between two signs, the second one with the response', () => {
    const { client } = ready({ turn_detection: null })
    const input = (what: JsonObject): JsonObject => ({ realtimeInput: what })
    const piece = input({ audio: { mimeType: 'audio/pcm;rate=24000', data: TEN_MS } })
    assert.equal(
      errorOf(client({ type: 'input_audio_buffer.commit' }).client)['code'],
      'input_audio_buffer_commit_empty',
    )
    assert.deepEqual(types(client({ type: 'input_audio_buffer.clear' }).client), [
      'input_audio_buffer.cleared',
    ])
    assert.deepEqual(client(audio(TEN_MS)).upstream, [input({ activityStart: {} }), piece])
    assert.deepEqual(client(audio(TEN_MS)).upstream, [piece])
    assert.equal(errorOf(client({ type: 'input_audio_buffer.clear' }).client)['param'], 'type')
    const committed = client({ type: 'input_audio_buffer.commit' })
    assert.deepEqual(types(committed.client), [
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
    ])
    assert.deepEqual(committed.upstream, [])
    const asked = client(RESPOND)
    assert.deepEqual(asked.upstream, [input({ activityEnd: {} })])
    assert.deepEqual(types(asked.client), ['response.created'])
  })

  test('that the client commits although the upstream listens is flushed there', () => {
    const { client } = ready()
    client(audio(TEN_MS))
    assert.deepEqual(client({ type: 'input_audio_buffer.commit' }).upstream, [
      { realtimeInput: { audioStreamEnd: true } },
    ])
  })
})

describe('the upstream', () => {
  test('says that it will go, or that it failed, without ending the session', () => {
    const { server } = ready()
    const going = server({ goAway: { timeLeft: '10s' } }).client[0]?.['error']
    assert.ok(isJsonObject(going))
    assert.equal(going['code'], 'session_expiring')
    assert.match(messageOf(going), /in 10s/)
    const failed = server({ error: { code: 500, message: 'sk-secret is broken', status: 'INTERNAL' } })
      .client[0]?.['error']
    assert.ok(isJsonObject(failed))
    assert.equal(failed['message'], 'The upstream failed: [secret] is broken')
  })

  test('says what is no message of its API', () => {
    const { session } = ready()
    for (const text of ['', '<html>', '[]', '7'])
      assert.equal(errorOf(session.fromUpstream(text).toClient.map(parsed))['code'], 'upstream_garbled')
  })

  const ENDS: readonly (readonly [code: number, reason: string, type: string])[] = [
    [1007, 'Request contains an invalid argument.', 'invalid_request_error'],
    [1008, 'model is not found', 'invalid_request_error'],
    [1011, 'Internal error encountered.', 'server_error'],
    [1006, '', 'server_error'],
  ]
  for (const [code, reason, type] of ENDS)
    test(`ends with ${code}: what runs fails, and the client hears why`, () => {
      const { client, session } = ready()
      client(RESPOND)
      const last = session.ended(code, reason).map(parsed)
      assert.deepEqual(types(last), ['response.done', 'error'])
      const error = last[1]?.['error']
      assert.ok(isJsonObject(error))
      assert.equal(error['type'], type)
      assert.match(
        messageOf(error),
        new RegExp(`\\(${code}\\): ${reason === '' ? 'it does not say why' : reason}`),
      )
    })

  test('ends in order without an error, unless it never began or something runs', () => {
    assert.deepEqual(ready().session.ended(1000, ''), [])
    const running = ready()
    running.client(RESPOND)
    assert.deepEqual(types(running.session.ended(1000, '').map(parsed)), ['response.done', 'error'])
    assert.deepEqual(types(open().session.ended(1000, '').map(parsed)), ['error'])
  })

  test('may be of 16 MB in one message', () => {
    const { client, server } = ready()
    const data = 'AAAA'.repeat(4 * 1024 * 1024 - 100)
    assert.equal(client(audio(data)).upstream.length, 1)
    assert.ok(types(server(sound(data)).client).includes('response.output_audio.delta'))
  })
})
