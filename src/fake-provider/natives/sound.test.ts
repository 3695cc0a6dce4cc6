import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMultipart } from '../multipart.ts'
import type { NativeCall } from './native.ts'
import { nativeOf } from './natives.ts'

interface Asked {
  readonly method?: string
  /** With its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | Readonly<Record<string, string | object>>
}

function statusOf(id: string, { method = 'POST', path, headers, body = Buffer.alloc(0) }: Asked): number {
  const [below = '', query = ''] = path.split('?')
  const found = nativeOf(`/as-${id}${below}`)
  assert.ok(found !== undefined)
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  const form = parseMultipart(headers['content-type'] ?? '', bytes)
  const call: NativeCall = {
    method,
    path: found.path,
    url: `/as-${id}${path}`,
    query: new URLSearchParams(query),
    headers,
    body: bytes,
    keys: new Set(['key']),
    ...(!Buffer.isBuffer(body) && { json: JSON.parse(String(bytes)) }),
    ...(form !== undefined && { form }),
  }
  return found.native.answer(call).status
}

const part = (name: string, text: string, file = ''): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${text}\r\n`
const formOf = (...parts: readonly string[]): Buffer => Buffer.from(`${parts.join('')}--b--\r\n`)

const TOKEN = { authorization: 'Token key' }
const XI = { 'xi-api-key': 'key' }
const FORM = { ...XI, 'content-type': 'multipart/form-data; boundary=b' }
const RAW = { authorization: 'key' }
const BEARER = { authorization: 'Bearer key' }
const WAV = Buffer.from('RIFF')
const SOUND_PART = part('file', 'RIFF', '; filename="a.wav"')

/** A request as it should be, and what is wrong with it once its path, key, a field too many or one too few is changed. */
const CASES: Readonly<
  Record<
    string,
    { readonly id: string; readonly good: Asked; readonly bad: Readonly<Record<number, readonly Asked[]>> }
  >
> = {
  'deepgram hears': {
    id: 'deepgram',
    good: {
      path: '/v1/listen?model=nova-3&language=en',
      headers: { ...TOKEN, 'content-type': 'audio/wav' },
      body: WAV,
    },
    bad: {
      404: [{ path: '/v2/listen?model=nova-3', headers: TOKEN, body: WAV }],
      401: [
        { path: '/v1/listen?model=nova-3', headers: { authorization: 'Token other' }, body: WAV },
        { path: '/v1/listen?model=nova-3', headers: { ...TOKEN, 'api-key': 'key' }, body: WAV },
      ],
      400: [
        {
          path: '/v1/listen?model=nova-3&prompt=x',
          headers: { ...TOKEN, 'content-type': 'audio/wav' },
          body: WAV,
        },
        { path: '/v1/listen', headers: { ...TOKEN, 'content-type': 'audio/wav' }, body: WAV },
        { path: '/v1/listen?model=nova-3', headers: { ...TOKEN, 'content-type': 'audio/wav' } },
      ],
    },
  },
  'deepgram speaks': {
    id: 'deepgram',
    good: { path: '/v1/speak?model=aura-2-thalia-en', headers: TOKEN, body: { text: 'Hi' } },
    bad: {
      400: [
        { path: '/v1/speak?model=aura-2-thalia-en', headers: TOKEN, body: { text: 'Hi', voice: 'x' } },
        { path: '/v1/speak?model=aura-2-thalia-en', headers: TOKEN, body: {} },
        { path: '/v1/speak?model=aura-2-thalia-en&encoding=amr', headers: TOKEN, body: { text: 'Hi' } },
      ],
    },
  },
  'elevenlabs hears': {
    id: 'elevenlabs',
    good: {
      path: '/v1/speech-to-text',
      headers: FORM,
      body: formOf(part('model_id', 'scribe_v1'), SOUND_PART),
    },
    bad: {
      404: [{ path: '/speech-to-text', headers: FORM }],
      401: [
        {
          path: '/v1/speech-to-text',
          headers: { ...BEARER, 'content-type': 'multipart/form-data; boundary=b' },
        },
      ],
      422: [
        { path: '/v1/speech-to-text', headers: FORM, body: formOf(SOUND_PART) },
        {
          path: '/v1/speech-to-text',
          headers: FORM,
          body: formOf(part('model_id', 'scribe_v1'), part('prompt', 'x'), SOUND_PART),
        },
      ],
      400: [{ path: '/v1/speech-to-text', headers: FORM, body: formOf(part('model_id', 'scribe_v1')) }],
    },
  },
  'elevenlabs speaks': {
    id: 'elevenlabs',
    good: {
      path: '/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM?output_format=pcm_24000',
      headers: XI,
      body: { text: 'Hi', model_id: 'eleven_v3' },
    },
    bad: {
      404: [{ path: '/v1/text-to-speech/nobody', headers: XI, body: { text: 'Hi', model_id: 'eleven_v3' } }],
      422: [
        { path: '/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM', headers: XI, body: { text: 'Hi', speed: '2' } },
        { path: '/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM', headers: XI, body: {} },
        {
          path: '/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM?output_format=flac',
          headers: XI,
          body: { text: 'Hi' },
        },
      ],
    },
  },
  'assemblyai takes orders': {
    id: 'assemblyai',
    good: {
      path: '/v2/transcript',
      headers: RAW,
      body: { audio_url: 'https://cdn.assemblyai.com/upload/sound-1', speech_models: ['universal-2'] },
    },
    bad: {
      404: [{ path: '/v3/transcript', headers: RAW }],
      401: [{ path: '/v2/transcript', headers: BEARER }],
      400: [
        { path: '/v2/transcript', headers: RAW, body: { speech_models: ['universal-2'] } },
        {
          path: '/v2/transcript',
          headers: RAW,
          body: { audio_url: 'https://cdn.assemblyai.com/upload/sound-1', speech_model: 'best' },
        },
      ],
    },
  },
  'replicate predicts': {
    id: 'replicate',
    good: { path: '/v1/models/meta/llama/predictions', headers: BEARER, body: { input: { prompt: 'Hi' } } },
    bad: {
      404: [{ path: '/v1/models/meta/predictions', headers: BEARER, body: { input: { prompt: 'Hi' } } }],
      401: [{ path: '/v1/models/meta/llama/predictions', headers: TOKEN }],
      422: [
        { path: '/v1/models/meta/llama/predictions', headers: BEARER, body: { input: {} } },
        {
          path: '/v1/models/meta/llama/predictions',
          headers: BEARER,
          body: { input: { prompt: 'Hi' }, model: 'm' },
        },
        {
          path: '/v1/models/meta/llama/predictions',
          headers: BEARER,
          body: { input: { prompt: 'Hi', tools: [] } },
        },
        { path: '/v1/predictions', headers: BEARER, body: { input: { prompt: 'Hi' } } },
      ],
    },
  },
}

for (const [name, { id, good, bad }] of Object.entries(CASES)) {
  test(`${name}: only what its documentation allows is answered`, () => {
    assert.ok(statusOf(id, good) < 300)
    for (const [status, all] of Object.entries(bad))
      for (const each of all) assert.equal(statusOf(id, each), Number(status), JSON.stringify(each))
  })
}

test('what is free is free, and needs the key', () => {
  for (const [id, path, headers] of [
    ['deepgram', '/v1/projects', TOKEN],
    ['elevenlabs', '/v1/models', XI],
    ['assemblyai', '/v2/transcript?limit=1', RAW],
    ['replicate', '/v1/account', BEARER],
  ] as const) {
    assert.equal(statusOf(id, { method: 'GET', path, headers }), 200, id)
    assert.equal(statusOf(id, { method: 'GET', path, headers: {} }), 401, id)
  }
})
