import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TranscriptionRequest, TranscriptionResponse } from '../../core/mode.ts'
import { toSubtitles } from './subtitles.ts'
import { TRANSCRIPTION_TRANSLATION as TRANSLATION } from './transcription.ts'

const FILE = { name: 'a.wav', contentType: 'audio/wav', bytes: Buffer.from('RIFF') }
const WORDS = [{ word: 'Hello', start: 0, end: 0.5 }]
const SEGMENTS = [{ id: 0, start: 0, end: 0.5, text: 'Hello.' }]
const HEARD: TranscriptionResponse = {
  text: 'Hello.',
  whole: {
    task: 'transcribe',
    language: 'en',
    duration: 0.5,
    text: 'Hello.',
    words: WORDS,
    segments: SEGMENTS,
  },
}
const USAGE = { type: 'duration', seconds: 0.5 }

const asking = (fields: TranscriptionRequest['fields']): TranscriptionRequest => ({ file: FILE, fields })

test('a form becomes a file and texts, lists stay lists, and what is for the gateway is left out', () => {
  const body = { model: 'm', file: null, language: 'de', temperature: 0.5, user: null, keyterm: ['a', 'b'] }
  assert.deepEqual(TRANSLATION.read(body, FILE), {
    file: FILE,
    fields: { language: 'de', temperature: '0.5', keyterm: ['a', 'b'] },
  })
})

test('a form without a file, or for an answer that nobody can write, is refused before anybody is asked', () => {
  assert.throws(() => TRANSLATION.read({ model: 'm' }), { clientStatus: 400, param: 'file' })
  for (const format of ['diarized_json', 'xml', ['json']])
    assert.throws(() => TRANSLATION.read({ response_format: format }, FILE), {
      clientStatus: 400,
      param: 'response_format',
    })
})

test('the answer has the form that was asked for', () => {
  const base = { task: 'transcribe', language: 'en', duration: 0.5, text: 'Hello.' }
  const json: readonly (readonly [TranscriptionRequest['fields'], unknown])[] = [
    [{}, { text: 'Hello.', usage: USAGE }],
    [{ response_format: 'json' }, { text: 'Hello.', usage: USAGE }],
    [{ response_format: 'verbose_json' }, { ...base, segments: SEGMENTS, usage: USAGE }],
    [
      { response_format: 'verbose_json', timestamp_granularities: ['word'] },
      { ...base, words: WORDS, usage: USAGE },
    ],
    [
      { response_format: 'verbose_json', timestamp_granularities: ['word', 'segment'] },
      { ...base, segments: SEGMENTS, words: WORDS, usage: USAGE },
    ],
  ]
  for (const [fields, expected] of json)
    assert.deepEqual(TRANSLATION.answer(HEARD, asking(fields)), expected, JSON.stringify(fields))
  const texts = {
    text: 'Hello.\n',
    srt: '1\n00:00:00,000 --> 00:00:00,500\nHello.\n\n',
    vtt: 'WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nHello.\n\n',
  }
  for (const [format, expected] of Object.entries(texts)) {
    const { bytes, contentType } = TRANSLATION.answer(HEARD, asking({ response_format: format }))
    assert.ok(bytes instanceof Uint8Array)
    assert.deepEqual([contentType, Buffer.from(bytes).toString()], ['text/plain; charset=utf-8', expected])
  }
})

test('subtitles of a transcript without times are refused by name; silence has none, and that is well', () => {
  for (const format of ['srt', 'vtt'])
    assert.throws(() => TRANSLATION.answer({ text: 'Hello.' }, asking({ response_format: format })), {
      clientStatus: 400,
      param: 'response_format',
    })
  const { bytes } = TRANSLATION.answer({ text: '' }, asking({ response_format: 'vtt' }))
  assert.ok(bytes instanceof Uint8Array)
  assert.equal(Buffer.from(bytes).toString(), 'WEBVTT\n\n')
})

test('a caption keeps its time over an hour, and never ends before its text', () => {
  const captions = [
    { start: 3_599.9996, end: 3_661.25, text: ' one \n\n two ' },
    { start: -1, end: 0, text: 'a --> b' },
  ]
  assert.equal(
    toSubtitles(captions, 'srt'),
    '1\n01:00:00,000 --> 01:01:01,250\none\ntwo\n\n2\n00:00:00,000 --> 00:00:00,000\na → b\n\n',
  )
})
