import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WebSocket } from 'ws'
import type { JsonObject } from '../../core/json.ts'
import { fakeForTests } from '../fixtures.ts'

const KEY = 'gm-key'
const fake = await fakeForTests({ keys: [KEY] })
const URL_OF_LIVE = `${fake.url.replace('http', 'ws')}/ok/as-gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent`

interface Heard {
  readonly messages: readonly JsonObject[]
  readonly code: number
  readonly reason: string
}

/** Says each message once the one before it is answered, and closes after `enough` answers unless the server does. */
async function converse(said: readonly JsonObject[], enough: number): Promise<Heard> {
  const socket = new WebSocket(URL_OF_LIVE, { headers: { 'x-goog-api-key': KEY } })
  const waiting = [...said]
  const messages: JsonObject[] = []
  const speak = (): void => {
    const next = waiting.shift()
    if (next !== undefined) socket.send(JSON.stringify(next))
  }
  return new Promise((resolve, reject) => {
    socket.on('open', speak)
    socket.on('message', (data, isBinary) => {
      assert.ok(isBinary && Buffer.isBuffer(data))
      const message: JsonObject = JSON.parse(data.toString())
      messages.push(message)
      if (messages.length >= enough) socket.close(1000)
      else if (message['setupComplete'] !== undefined) while (waiting.length > 0) speak()
    })
    socket.on('close', (code, reason) => resolve({ messages, code, reason: reason.toString() }))
    socket.on('error', reject)
  })
}

const setup = (more: JsonObject = {}): JsonObject => ({ setup: { model: 'models/gemini-live', ...more } })
const input = (realtimeInput: JsonObject): JsonObject => ({ realtimeInput })
const content = (text: string): JsonObject => ({
  clientContent: { turns: [{ role: 'user', parts: [{ text }] }], turnComplete: true },
})
const MANUAL = setup({ realtimeInputConfig: { automaticActivityDetection: { disabled: true } } })
const AUDIO = input({ audio: { mimeType: 'audio/pcm;rate=24000', data: 'AQACAA==' } })
const SILENCE = input({ audio: { mimeType: 'audio/pcm;rate=16000', data: 'AAAAAA==' } })

describe('a Live session is closed', () => {
  const REFUSED: readonly (readonly [
    what: string,
    said: readonly JsonObject[],
    code: number,
    words: RegExp,
  ])[] = [
    ['a first message that is no setup', [content('hi')], 1007, /setup must be the first message/],
    ['a setup of an unknown field', [setup({ voice: 'Kore' })], 1007, /Unknown name "voice" at 'setup'/],
    [
      'generation that Live cannot be told',
      [setup({ generationConfig: { responseSchema: {} } })],
      1007,
      /Unknown name "responseSchema"/,
    ],
    ['a setup without a model', [{ setup: {} }], 1008, /is not found for bidiGenerateContent/],
    [
      'two modalities',
      [setup({ generationConfig: { responseModalities: ['AUDIO', 'TEXT'] } })],
      1007,
      /combination of response modalities/,
    ],
    [
      'text of a model that only speaks',
      [setup({ model: 'models/x-native-audio', generationConfig: { responseModalities: ['TEXT'] } })],
      1007,
      /Cannot extract voices/,
    ],
    [
      'a voice that nobody has',
      [
        setup({
          generationConfig: {
            speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'alloy' } } },
          },
        }),
      ],
      1007,
      /'alloy' is not available/,
    ],
    [
      'a sensitivity in other words',
      [setup({ realtimeInputConfig: { automaticActivityDetection: { startOfSpeechSensitivity: 'HIGH' } } })],
      1007,
      /realtime_input_config/,
    ],
    ['a second setup', [setup(), setup()], 1007, /setup must be the first message/],
    ['two kinds in one message', [setup(), { ...AUDIO, ...content('hi') }], 1007, /invalid argument/],
    ['a message of no kind', [setup(), { chat: {} }], 1007, /Unknown name "chat"/],
    [
      'a sign of speech where it listens itself',
      [setup(), input({ activityStart: {} })],
      1007,
      /Explicit activity control/,
    ],
    ['sound before speech is said to begin', [MANUAL, AUDIO], 1007, /invalid argument/],
    [
      'the end of speech before its beginning',
      [MANUAL, input({ activityEnd: {} })],
      1007,
      /invalid argument/,
    ],
    [
      'the end of a stream where the client says when',
      [MANUAL, input({ audioStreamEnd: true })],
      1007,
      /invalid argument/,
    ],
    [
      'sound without a rate',
      [setup(), input({ audio: { mimeType: 'audio/pcm', data: 'AQACAA==' } })],
      1007,
      /invalid argument/,
    ],
    [
      'a turn of nobody',
      [setup(), { clientContent: { turns: [{ role: 'system', parts: [{ text: 'x' }] }] } }],
      1007,
      /invalid argument/,
    ],
    [
      'an output of no call',
      [setup(), { toolResponse: { functionResponses: [{ id: 'x', name: 'f', response: {} }] } }],
      1007,
      /no such function call/,
    ],
    ['an order to fall over', [setup(), content('fall over')], 1011, /Internal error/],
  ]
  for (const [what, said, code, words] of REFUSED)
    test(`for ${what}`, async () => {
      const heard = await converse(said, 100)
      assert.equal(heard.code, code)
      assert.match(heard.reason, words)
    })

  test('for what is said before the setup is complete', async () => {
    const socket = new WebSocket(URL_OF_LIVE, { headers: { 'x-goog-api-key': KEY } })
    socket.on('open', () => {
      socket.send(JSON.stringify(setup()))
      socket.send(JSON.stringify(content('hi')))
    })
    const [code] = await new Promise<readonly [number]>((resolve) =>
      socket.on('close', (closed) => resolve([closed])),
    )
    assert.equal(code, 1007)
  })
})

describe('a Live session', () => {
  const text = setup({ generationConfig: { responseModalities: ['TEXT'] } })
  const kinds = ({ messages }: Heard): readonly string[] =>
    messages.flatMap((message) => Object.keys(Object(message['serverContent'] ?? message)))

  test('answers with text, with sound and its words, and says what it cost', async () => {
    assert.deepEqual(kinds(await converse([text, content('hi')], 5)), [
      'setupComplete',
      'modelTurn',
      'modelTurn',
      'generationComplete',
      'turnComplete',
    ])
    const spoken = await converse([setup({ outputAudioTranscription: {} }), content('hi')], 7)
    assert.deepEqual(kinds(spoken), [
      'setupComplete',
      'modelTurn',
      'outputTranscription',
      'modelTurn',
      'outputTranscription',
      'generationComplete',
      'turnComplete',
    ])
    assert.ok(spoken.messages.at(-1)?.['usageMetadata'])
  })

  test('calls functions, and answers when they are answered', async () => {
    const tools = [{ functionDeclarations: [{ name: 'f' }] }]
    const outputs = ['call-1', 'call-2'].map((id) => ({ id, name: 'f', response: {} }))
    const said = [setup({ tools }), content('hi'), { toolResponse: { functionResponses: outputs } }]
    assert.deepEqual(kinds(await converse(said, 6)).slice(0, 3), ['setupComplete', 'toolCall', 'modelTurn'])
  })

  test('hears speech, and silence behind it as its end', async () => {
    const heard = await converse([setup({ inputAudioTranscription: {} }), SILENCE, AUDIO, AUDIO, SILENCE], 3)
    assert.deepEqual(kinds(heard).slice(0, 3), ['setupComplete', 'inputTranscription', 'modelTurn'])
    assert.deepEqual(heard.messages[1], { serverContent: { inputTranscription: { text: 'heard 8 bytes' } } })
  })

  test('is interrupted by speech, and by content', async () => {
    for (const voice of [AUDIO, content('stop')])
      assert.deepEqual(kinds(await converse([setup(), content('talk on'), voice], 4)).slice(2, 4), [
        'interrupted',
        'turnComplete',
      ])
  })

  test('says that it goes away', async () => {
    const { messages } = await converse([setup(), content('go away')], 2)
    assert.deepEqual(messages[1], { goAway: { timeLeft: '10s' } })
  })
})
