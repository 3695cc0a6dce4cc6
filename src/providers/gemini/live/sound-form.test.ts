import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { audio, errorOf, messageOf, ready, RESPOND, sound, TURN_COMPLETE, types } from './session.fixture.ts'

const at = (value: JsonObject | undefined, name: string): JsonObject => {
  const member = value?.[name]
  assert.ok(isJsonObject(member), name)
  return member
}
/** The loudest sample, and silence. */
const LOUD = Buffer.from([0x80, 0xff]).toString('base64')
const FORMAT = { type: 'audio/pcmu' } as const
const TELEPHONE = { audio: { input: { format: FORMAT }, output: { format: { type: 'audio/pcma' } } } }

/** So many samples of that height, 24,000 a second. */
const pcm = (count: number, height: number): string =>
  Buffer.from(Int16Array.from({ length: count }, () => height).buffer).toString('base64')
const heardIn = (events: readonly JsonObject[], type: string): Buffer =>
  Buffer.concat(
    events
      .filter((event) => event['type'] === type)
      .map(({ delta }) => Buffer.from(typeof delta === 'string' ? delta : '', 'base64')),
  )

describe('a telephone', () => {
  test('is heard in the form that it speaks, and hears in its own', () => {
    const { client, server } = ready(TELEPHONE)
    assert.deepEqual(client(audio(LOUD)).upstream, [
      {
        realtimeInput: {
          audio: {
            mimeType: 'audio/pcm;rate=8000',
            data: Buffer.from([0x7c, 0x7d, 0, 0]).toString('base64'),
          },
        },
      },
    ])
    const events = [1, 2, 3].flatMap(() => server(sound(pcm(240, 8_000))).client)
    const said = heardIn(events, 'response.output_audio.delta')
    assert.equal(said.length, 240, 'a byte for three samples')
    // 8,000 is told as its nearest, 8,064, once the filter is full.
    assert.deepEqual([...new Set(said.subarray(60))], [0x8a])
    const created = events.find(({ type }) => type === 'response.created')
    assert.deepEqual(at(at(at(created, 'response'), 'audio'), 'output'), { format: { type: 'audio/pcma' } })
    const done = server(TURN_COMPLETE).client.at(-1)
    assert.equal(done?.['type'], 'response.done')
  })

  test('has the length of what it says counted by its own rate', () => {
    const { client, server } = ready({
      ...TELEPHONE,
      audio: { ...TELEPHONE.audio, input: { format: FORMAT } },
    })
    client(audio(Buffer.alloc(80, 0x12).toString('base64')))
    const [started] = server(sound(pcm(30, 1))).client
    assert.equal(started?.['type'], 'input_audio_buffer.speech_started')
    const committed = client({ type: 'input_audio_buffer.commit' })
    assert.ok(committed.client.length > 0)
    const stopped = server({ serverContent: { interrupted: true } }).client
    assert.ok(types(stopped).includes('response.done'))
    assert.equal(started['audio_start_ms'], 10)
  })

  test('is told of its forms in the words of its time', () => {
    const live = ready({ input_audio_format: 'g711_ulaw', output_audio_format: 'g711_alaw' }, true)
    const { client } = live.client({ type: 'session.update', session: {} })
    const session = at(client[0], 'session')
    assert.deepEqual(
      [session['input_audio_format'], session['output_audio_format']],
      ['g711_ulaw', 'g711_alaw'],
    )
    const created = live.client(RESPOND).client.find(({ type }) => type === 'response.created')
    assert.equal(at(created, 'response')['output_audio_format'], 'g711_alaw')
  })

  test('hears nothing of one answer in the next', () => {
    const { client, server } = ready(TELEPHONE)
    const said = (): Buffer => {
      client(RESPOND)
      const { client: events } = server(sound(pcm(90, 20_000)))
      server(TURN_COMPLETE)
      return heardIn(events, 'response.output_audio.delta')
    }
    assert.deepEqual(said(), said())
  })

  test('may add what was recorded as it is, and is told what its sound must be', () => {
    const { client } = ready(TELEPHONE)
    const item = (data: string): JsonObject => ({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_audio', audio: data }] },
    })
    client(item(LOUD))
    const { upstream } = client(RESPOND)
    const data = Buffer.from([0x7c, 0x7d, 0, 0]).toString('base64')
    const parts = [{ inlineData: { mimeType: 'audio/pcm;rate=8000', data } }]
    assert.deepEqual(upstream, [{ clientContent: { turns: [{ role: 'user', parts }], turnComplete: true } }])
    const wrong = ready(TELEPHONE).client(audio('no base64!'))
    assert.match(messageOf(errorOf(wrong.client)), /G\.711 \(µ-law\)/)
  })

  test('cannot hang up one form for another in a session', () => {
    const { client } = ready(TELEPHONE)
    const changed = { audio: { input: { format: { type: 'audio/pcm', rate: 24_000 } } } }
    const error = errorOf(client({ type: 'session.update', session: changed }).client)
    assert.equal(error['param'], 'session.audio.input.format')
  })
})
