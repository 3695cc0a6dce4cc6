import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import type { SpeechRequest, TranscriptionRequest } from '../core/mode.ts'
import type { Codec, Encoded, ProviderAdapter, Target } from './adapter.ts'
import { answerOf, deploymentOf } from './adapter.contract.ts'
import { assemblyAi } from './assemblyai/adapter.ts'
import { deepgram } from './deepgram/adapter.ts'
import { elevenLabs } from './elevenlabs/adapter.ts'
import { resolveModel } from './registry.ts'

type SoundMode = 'audio_transcription' | 'audio_speech'

function targetOf(adapter: ProviderAdapter, mode: SoundMode, more: Partial<Deployment> = {}): Target {
  const connected = adapter.connect(deploymentOf(adapter.id, { mode, ...more }), {})
  assert.ok('target' in connected)
  return connected.target
}

function codecOf<M extends SoundMode>(adapter: ProviderAdapter, mode: M): Codec<M> {
  const codec = adapter.codecs[mode]
  assert.ok(codec !== 'unsupported')
  return codec
}

const FILE = { name: 'a.wav', contentType: 'audio/wav', bytes: Buffer.from('RIFF') }

function heard(
  adapter: ProviderAdapter,
  fields: TranscriptionRequest['fields'],
  bodyDefaults: Deployment['bodyDefaults'] = {},
): Encoded {
  const target = targetOf(adapter, 'audio_transcription', { bodyDefaults })
  return codecOf(adapter, 'audio_transcription').encode({ file: FILE, fields }, target)
}

function spoken(adapter: ProviderAdapter, request: Partial<SpeechRequest>, model: string): Encoded {
  const target = targetOf(adapter, 'audio_speech', { upstreamModel: model })
  return codecOf(adapter, 'audio_speech').encode({ input: 'Hi', voice: 'alloy', ...request }, target)
}

test('deepgram: fields are the query, lists several of one name, defaults only what it knows', () => {
  const wire = heard(
    deepgram,
    {
      response_format: 'srt',
      keyterm: ['a b', 'c'],
      language: 'de',
      timestamp_granularities: ['word'],
      user: 'u',
    },
    { smart_format: true, language: 'en', max_tokens: 5, callback: 'https://elsewhere.test' },
  )
  assert.equal(
    wire.url,
    'http://127.0.0.1:9/v1/listen?model=the-model&smart_format=true&keyterm=a+b&keyterm=c&language=de',
  )
  assert.equal(wire.headers['content-type'], 'audio/wav')
  assert.equal(wire.body, FILE.bytes)
  assert.equal(wire.dropped, undefined)
  assert.deepEqual(heard(deepgram, { prompt: 'p', temperature: '0' }).dropped, ['prompt', 'temperature'])
})

test('deepgram: channels and speakers are heard', () => {
  const word = (text: string, start: number, more: object = {}) => ({
    word: text,
    start,
    end: start + 0.2,
    ...more,
  })
  const decode = (channels: readonly object[]) =>
    codecOf(deepgram, 'audio_transcription').decode(
      answerOf(JSON.stringify({ metadata: { duration: 1 }, results: { channels } })),
      targetOf(deepgram, 'audio_transcription'),
    )
  const both = decode([
    { alternatives: [{ transcript: 'one', words: [word('one', 0)] }] },
    { alternatives: [{ transcript: 'two', words: [word('two', 0.1)] }] },
  ])
  assert.equal(both.text, 'one\ntwo')
  const paragraphs = { transcript: '\nSpeaker 0: one\n', paragraphs: [] }
  const who = decode([
    { alternatives: [{ transcript: 'one', words: [word('one', 0, { speaker: 0 })], paragraphs }] },
  ])
  assert.equal(who.text, 'Speaker 0: one')
})

test('deepgram: the model is the voice, and every format of OpenAI has one of its own', () => {
  const url = (request: Partial<SpeechRequest>, model = 'aura-2-thalia-en'): string =>
    spoken(deepgram, request, model).url.split('?')[1] ?? ''
  assert.equal(url({}), 'model=aura-2-thalia-en&encoding=mp3')
  assert.equal(url({ voice: 'aura-2-zeus-en' }), 'model=aura-2-zeus-en&encoding=mp3')
  assert.equal(url({ voice: 'Thalia' }), 'model=aura-2-thalia-en&encoding=mp3')
  assert.equal(url({ voice: 'zeus' }, 'aura-2'), 'model=aura-2-zeus-en&encoding=mp3')
  assert.equal(url({}, 'aura-2'), 'model=aura-2-thalia-en&encoding=mp3')
  assert.equal(url({}, 'aura'), 'model=aura-asteria-en&encoding=mp3')
  assert.equal(
    url({ response_format: 'pcm', speed: 1.5 }),
    'model=aura-2-thalia-en&encoding=linear16&container=none&sample_rate=24000&speed=1.5',
  )
  for (const format of ['opus', 'aac', 'flac', 'wav'])
    assert.equal(spoken(deepgram, { response_format: format }, 'aura-2-thalia-en').dropped, undefined, format)
  const odd = { response_format: 'amr', instructions: 'sing', stream_format: 'sse' }
  assert.deepEqual(spoken(deepgram, odd, 'aura-2-thalia-en').dropped, [
    'response_format',
    'instructions',
    'stream_format',
  ])
  assert.throws(() => url({ voice: 'nobody' }), { kind: 'bad_request', clientStatus: 400, param: 'voice' })
})

test("elevenlabs: OpenAI's voices are LiteLLM's, other names are ids, and the format is the query", () => {
  const wire = spoken(elevenLabs, { voice: 'Sage', response_format: 'pcm', speed: 0.9, seed: 7 }, 'eleven_v3')
  assert.equal(wire.url, 'http://127.0.0.1:9/v1/text-to-speech/CwhRBWXzGAHq8TQ4Fs17?output_format=pcm_24000')
  assert.deepEqual(JSON.parse(String(wire.body)), {
    seed: 7,
    text: 'Hi',
    model_id: 'eleven_v3',
    voice_settings: { speed: 0.9 },
  })
  for (const voice of ['', '..', ' . '])
    assert.throws(() => spoken(elevenLabs, { voice }, 'eleven_v3'), { param: 'voice', clientStatus: 400 })
  assert.match(spoken(elevenLabs, { voice: 'a/b' }, 'eleven_v3').url, /text-to-speech\/a%2Fb$/)
  assert.match(
    spoken(elevenLabs, { response_format: 'mp3_22050_32' }, 'eleven_v3').url,
    /output_format=mp3_22050_32$/,
  )
  assert.deepEqual(spoken(elevenLabs, { response_format: 'flac' }, 'eleven_v3').dropped, ['response_format'])
})

test('elevenlabs: a form with its names, and words with what stands between them', () => {
  const wire = heard(
    elevenLabs,
    { language: 'de', diarize: 'true' },
    { tag_audio_events: false, webhook: true },
  )
  const text = String(wire.body)
  for (const [name, value] of [
    ['model_id', 'the-model'],
    ['tag_audio_events', 'false'],
    ['language_code', 'de'],
    ['diarize', 'true'],
  ])
    assert.ok(text.includes(`name="${name}"\r\n\r\n${value}\r\n`), name)
  assert.ok(!text.includes('webhook'))
  assert.deepEqual(heard(elevenLabs, { prompt: 'p' }).dropped, ['prompt'])
  const several = codecOf(elevenLabs, 'audio_transcription').decode(
    answerOf('{"transcripts":[{"text":"one","language_code":"en"},{"text":"two"}]}'),
    targetOf(elevenLabs, 'audio_transcription'),
  )
  assert.equal(several.text, 'one\ntwo')
})

test('assemblyai: the upload is ordered, the order looked at, and nobody else asked', () => {
  const codec = codecOf(assemblyAi, 'audio_transcription')
  const target = targetOf(assemblyAi, 'audio_transcription', { bodyDefaults: { punctuate: false } })
  const request = { file: FILE, fields: { prompt: '7', speakers_expected: '2', response_format: 'srt' } }
  const next = (body: object, step: number) =>
    codec.next?.(answerOf(JSON.stringify(body)), request, target, step)
  const order = next({ upload_url: 'https://cdn.assemblyai.com/upload/1' }, 0)
  assert.equal(order?.request.url, 'http://127.0.0.1:9/v1/v2/transcript')
  assert.deepEqual(JSON.parse(String(order?.request.body)), {
    speech_models: ['the-model'],
    language_detection: true,
    punctuate: false,
    prompt: '7',
    speakers_expected: 2,
    audio_url: 'https://cdn.assemblyai.com/upload/1',
  })
  const look = next({ id: '../x', status: 'queued' }, 1)
  assert.deepEqual(
    [look?.request.method, look?.request.url, look?.afterMs],
    ['GET', 'http://127.0.0.1:9/v1/v2/transcript/..%2Fx', 500],
  )
  for (const body of [
    { id: 'x', status: 'completed', text: '' },
    { id: 'x', status: 'error' },
    {},
    { id: 'x' },
  ])
    assert.equal(next(body, 1), undefined)
  assert.equal(next({ upload_url: 'https://cdn.assemblyai.com/upload/1' }, 1), undefined)
})

test('assemblyai: a chat deployment is its gateway to language models, and says so to who brings it sound', () => {
  const connected = assemblyAi.connect(
    deploymentOf('assemblyai', { mode: 'chat', connection: { headers: {} } }),
    { ASSEMBLYAI_API_KEY: 'k' },
  )
  assert.ok('target' in connected)
  assert.equal(connected.target.base, 'https://llm-gateway.assemblyai.com/v1')
  assert.throws(
    () => codecOf(assemblyAi, 'audio_transcription').encode({ file: FILE, fields: {} }, connected.target),
    { kind: 'misconfigured', message: /mode: audio_transcription/ },
  )
  const sound = assemblyAi.connect(
    deploymentOf('assemblyai', { mode: 'audio_transcription', connection: { headers: {} } }),
    { ASSEMBLYAI_API_KEY: 'k' },
  )
  assert.ok('target' in sound)
  assert.deepEqual(
    [sound.target.base, assemblyAi.freeUrl?.(sound.target), assemblyAi.freeUrl?.(connected.target)],
    [
      'https://api.assemblyai.com',
      'https://api.assemblyai.com/v2/transcript?limit=1',
      'https://llm-gateway.assemblyai.com/v1/models',
    ],
  )
})

test('a transcript that failed is the fault of the sound, or of the provider', () => {
  const decode = (error: string) => () =>
    codecOf(assemblyAi, 'audio_transcription').decode(
      answerOf(JSON.stringify({ id: 'x', status: 'error', error })),
      targetOf(assemblyAi, 'audio_transcription'),
    )
  assert.throws(decode('Transcoding failed. File does not appear to contain audio.'), {
    kind: 'bad_request',
    upstreamStatus: 400,
  })
  assert.throws(decode('Internal server error'), { kind: 'server_error', upstreamStatus: 500 })
})

test('what a model of sound is for is told from its name', () => {
  const modes = {
    'deepgram/nova-3': 'audio_transcription',
    'deepgram/enhanced': 'audio_transcription',
    'deepgram/aura-2-thalia-en': 'audio_speech',
    'elevenlabs/scribe_v1': 'audio_transcription',
    'elevenlabs/eleven_multilingual_v2': 'audio_speech',
    'assemblyai/universal-2': 'audio_transcription',
    'assemblyai/claude-sonnet-4-5': undefined,
  }
  for (const [model, mode] of Object.entries(modes))
    assert.equal(resolveModel(model, {}).catalogueMode, mode, model)
})
