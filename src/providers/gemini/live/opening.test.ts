import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type JsonObject } from '../../../core/json.ts'
import { RESPOND, audio, errorOf, messageOf, open, parsed, says, types } from './session.fixture.ts'

describe('the beginning of a session', () => {
  test('is told the client before it has said anything, and nothing goes upstream', () => {
    const { session } = open()
    const [created, more] = session.greeting().map(parsed)
    assert.equal(more, undefined)
    assert.equal(created?.['type'], 'session.created')
    assert.deepEqual(created?.['session'], {
      id: 'sess_s0001',
      object: 'realtime.session',
      model: 'gemini-live',
      instructions: '',
      tools: [],
      tool_choice: 'auto',
      type: 'realtime',
      output_modalities: ['audio'],
      max_output_tokens: 'inf',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24000 },
          transcription: null,
          noise_reduction: null,
          turn_detection: { type: 'server_vad', create_response: true, interrupt_response: true },
        },
        output: { format: { type: 'audio/pcm', rate: 24000 }, speed: 1 },
      },
    })
  })

  test('sets up what the first session.update asks for, and confirms it once the upstream has', () => {
    const { client, server, session } = open()
    const asked = client({
      type: 'session.update',
      session: {
        type: 'realtime',
        instructions: 'be kind',
        output_modalities: ['audio'],
        temperature: 0.5,
        truncation: 'auto',
        max_output_tokens: 200,
        tool_choice: 'auto',
        tools: [
          {
            type: 'function',
            name: 'f',
            description: 'd',
            parameters: { type: 'object', properties: { a: { type: 'string' } } },
          },
        ],
        audio: {
          input: {
            format: { type: 'audio/pcm', rate: 24000 },
            transcription: { model: 'whisper-1', language: 'de' },
            turn_detection: {
              type: 'server_vad',
              threshold: 0.8,
              prefix_padding_ms: 300,
              silence_duration_ms: 500,
              interrupt_response: false,
            },
          },
          output: { voice: 'alloy', speed: 1 },
        },
      },
    })
    assert.deepEqual(asked, {
      client: [],
      upstream: [
        {
          setup: {
            model: 'models/gemini-live',
            generationConfig: {
              responseModalities: ['AUDIO'],
              temperature: 0.5,
              maxOutputTokens: 200,
              speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
            },
            systemInstruction: { parts: [{ text: 'be kind' }] },
            tools: [
              {
                functionDeclarations: [
                  {
                    name: 'f',
                    description: 'd',
                    parameters: { type: 'OBJECT', properties: { a: { type: 'STRING' } } },
                  },
                ],
              },
            ],
            realtimeInputConfig: {
              automaticActivityDetection: {
                startOfSpeechSensitivity: 'START_SENSITIVITY_LOW',
                prefixPaddingMs: 300,
                silenceDurationMs: 500,
              },
              activityHandling: 'NO_INTERRUPTION',
            },
            inputAudioTranscription: { languageCodes: ['de'] },
            contextWindowCompression: { slidingWindow: {} },
            outputAudioTranscription: {},
          },
        },
      ],
    })
    assert.equal(session.isWaiting(), true)
    const confirmed = server({ setupComplete: {} })
    assert.deepEqual(types(confirmed.client), ['session.updated'])
    assert.equal(session.isWaiting(), false)
  })

  test("takes the beta's members, and answers in its form", () => {
    const { client, server } = open(true)
    const asked = client({
      type: 'session.update',
      session: {
        modalities: ['text'],
        instructions: 'short',
        voice: 'Puck',
        input_audio_format: 'pcm16',
        turn_detection: null,
        max_response_output_tokens: 'inf',
        temperature: 0.8,
      },
    })
    assert.deepEqual(asked.upstream, [
      {
        setup: {
          model: 'models/gemini-live',
          generationConfig: { responseModalities: ['TEXT'], temperature: 0.8 },
          systemInstruction: { parts: [{ text: 'short' }] },
          realtimeInputConfig: { automaticActivityDetection: { disabled: true } },
        },
      },
    ])
    const [updated] = server({ setupComplete: {} }).client
    assert.deepEqual(updated?.['session'], {
      id: 'sess_s0001',
      object: 'realtime.session',
      model: 'gemini-live',
      instructions: 'short',
      tools: [],
      tool_choice: 'auto',
      temperature: 0.8,
      modalities: ['text'],
      voice: 'Puck',
      input_audio_format: 'pcm16',
      output_audio_format: 'pcm16',
      input_audio_transcription: null,
      turn_detection: null,
      max_response_output_tokens: 'inf',
    })
  })

  test('with anything else sets up what nobody asked otherwise, and what is said meanwhile waits', () => {
    const { client, server } = open()
    const first = client(says('ping'))
    assert.deepEqual(first, {
      client: [],
      upstream: [
        {
          setup: {
            model: 'models/gemini-live',
            generationConfig: { responseModalities: ['AUDIO'] },
            outputAudioTranscription: {},
          },
        },
      ],
    })
    assert.deepEqual(client(RESPOND), { client: [], upstream: [] })
    const { client: told, upstream } = server({ setupComplete: {} })
    assert.deepEqual(types(told), ['conversation.item.added', 'conversation.item.done', 'response.created'])
    assert.deepEqual(upstream, [
      { clientContent: { turns: [{ role: 'user', parts: [{ text: 'ping' }] }], turnComplete: true } },
    ])
  })

  test('of which too much is said before the upstream is ready is refused', () => {
    const { client, session } = open()
    client(audio('AAAA'.repeat(4 * 1024 * 1024)))
    const refused = client(audio('AAAA'.repeat(4 * 1024 * 1024)))
    assert.equal(errorOf(refused.client)['code'], 'too_large')
    assert.equal(session.isWaiting(), true)
  })

  const REFUSED: readonly (readonly [what: string, session: JsonObject, param: string, words: RegExp])[] = [
    [
      'a form of sound',
      { audio: { input: { format: { type: 'audio/opus' } } } },
      'session.audio.input.format',
      /24 kHz.*µ-law.*A-law/,
    ],
    [
      'another rate',
      { audio: { output: { format: { type: 'audio/pcm', rate: 16000 } } } },
      'session.audio.output.format',
      /24 kHz/,
    ],
    ['a speed', { audio: { output: { speed: 1.5 } } }, 'session.audio.output.speed', /leave it out or at 1/],
    [
      'less noise',
      { audio: { input: { noise_reduction: { type: 'near_field' } } } },
      'session.audio.input.noise_reduction',
      /cannot be carried/,
    ],
    [
      'a call that must be made',
      { tool_choice: 'required' },
      'session.tool_choice',
      /cannot be told to call a function/,
    ],
    [
      'a tool of MCP',
      { tools: [{ type: 'mcp', server_label: 'x' }] },
      'session.tools',
      /no function and none of Google's own/,
    ],
    [
      'speech without an answer',
      { turn_detection: { type: 'server_vad', create_response: false } },
      'session.turn_detection',
      /create_response/,
    ],
    [
      'an idle timeout',
      { turn_detection: { type: 'server_vad', idle_timeout_ms: 5000 } },
      'session.turn_detection',
      /idle_timeout_ms/,
    ],
    [
      'a prompt for what is written down',
      { input_audio_transcription: { prompt: 'names' } },
      'session.input_audio_transcription',
      /prompt/,
    ],
    ['a session that only writes down', { type: 'transcription' }, 'session.type', /"realtime"/],
    [
      'another modality',
      { output_modalities: ['video'] },
      'session.output_modalities',
      /\["audio"\] or \["text"\]/,
    ],
    ['a temperature in words', { temperature: 'hot' }, 'session.temperature', /must be a number/],
    ['what nobody knows', { hotness: 1 }, 'session.hotness', /no member/],
    ['what nobody knows inside', { audio: { input: { gain: 2 } } }, 'session.audio.input.gain', /no member/],
  ]
  for (const [what, session, param, words] of REFUSED)
    test(`that asks for ${what} is refused by the member's name`, () => {
      const { client, session: translator } = open()
      const { client: told, upstream } = client({ type: 'session.update', event_id: 'mine', session })
      const error = errorOf(told)
      assert.equal(error['type'], 'invalid_request_error')
      assert.equal(error['param'], param)
      assert.equal(error['event_id'], 'mine')
      assert.match(messageOf(error), words)
      assert.deepEqual(upstream, [])
      assert.equal(translator.isWaiting(), false)
    })

  test('leaves out what Live lacks where that may be dropped, and refuses what is wrong', () => {
    const { client, server } = open(false, true)
    const session = {
      hotness: 1,
      tool_choice: 'required',
      audio: {
        input: {
          noise_reduction: { type: 'near_field' },
          transcription: { language: 'de', prompt: 'names' },
          turn_detection: { type: 'server_vad', silence_duration_ms: 500, idle_timeout_ms: 5000 },
        },
        output: { speed: 1.5 },
      },
    }
    const wrong = client({ type: 'session.update', session: { ...session, temperature: 'hot' } })
    assert.equal(errorOf(wrong.client)['param'], 'session.temperature')
    const [frame] = client({ type: 'session.update', session }).upstream
    assert.deepEqual(frame?.['setup'], {
      model: 'models/gemini-live',
      generationConfig: { responseModalities: ['AUDIO'] },
      realtimeInputConfig: { automaticActivityDetection: { silenceDurationMs: 500 } },
      inputAudioTranscription: { languageCodes: ['de'] },
      outputAudioTranscription: {},
    })
    assert.deepEqual(types(server({ setupComplete: {} }).client), ['session.updated'])
    assert.deepEqual(types(client({ type: 'session.update', session }).client), ['session.updated'])
    const aside = client({ type: 'response.create', response: { input: [] } })
    assert.equal(errorOf(aside.client)['param'], 'response.input')
  })

  test('names everything that cannot be at once', () => {
    const { client } = open()
    const error = errorOf(
      client({ type: 'session.update', session: { temperature: 'hot', speed: 2 } }).client,
    )
    assert.match(messageOf(error), /'session\.temperature' must be a number; 'session\.speed' cannot/)
  })
})
