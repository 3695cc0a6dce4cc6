import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allAdapters } from '../../providers/registry.ts'
import type { Operation } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { readRequest } from './request.ts'

const ADAPTERS = await allAdapters()

const ALL: readonly Operation[] = Object.values(OPERATIONS)

test('every provider that has a mode can be asked for it, as it is or in its own words', () => {
  const stuck = ADAPTERS.flatMap((adapter) =>
    ALL.filter(({ mode, side, translation }) => {
      const codec = adapter.codecs[mode]
      // What stands beside a mode is refused where it is not there.
      if (codec === 'unsupported' || side !== undefined) return false
      return codec.relay === undefined && translation === undefined
    }).map(({ mode }) => `${adapter.id} ${mode}`),
  )
  assert.deepEqual(stuck, [])
})

test('each operation names what a body lacks, and asks for events only where there are any', () => {
  const cases: readonly (readonly [keyof typeof OPERATIONS, object, string, boolean])[] = [
    ['chat', { messages: [] }, "/chat/completions: Missing required parameter: 'messages'.", true],
    ['completion', { prompt: 'a' }, "/completions: Missing required parameter: 'prompt'.", true],
    ['embedding', { input: 'a' }, "/embeddings: Missing required parameter: 'input'.", false],
    ['image_generation', { prompt: 'a' }, "/image/generations: Missing required parameter: 'prompt'.", true],
    ['image_edit', { images: [], prompt: 'a' }, "/images/edits: Missing required parameter: 'image'.", true],
    [
      'audio_transcription',
      { file: null },
      "/audio/transcriptions: Missing required parameter: 'file'.",
      true,
    ],
    ['audio_translation', { file: null }, "/audio/translations: Missing required parameter: 'file'.", false],
    ['audio_speech', { input: 'a' }, "/audio/speech: Missing required parameter: 'input'.", false],
    ['rerank', { query: 'a', documents: [] }, "/rerank: Missing required parameter: 'query'.", false],
  ]
  for (const [name, body, message, streams] of cases) {
    const read = (json: object): ReturnType<typeof readRequest> =>
      readRequest(OPERATIONS[name], Buffer.from(JSON.stringify(json)), undefined)
    assert.throws(() => read({ model: 'a' }), { message, clientStatus: 400 })
    assert.throws(() => read(body), { param: 'model', clientStatus: 400 })
    assert.equal(read({ ...body, model: 'a', stream: true }).stream, streams, name)
  }
})

test('documents and messages must be lists', () => {
  const body = Buffer.from('{"model":"a","messages":"hi","query":"q","documents":"d"}')
  assert.throws(() => readRequest(OPERATIONS.chat, body, undefined), {
    message: "/chat/completions: 'messages' must be an array.",
  })
  assert.throws(() => readRequest(OPERATIONS.rerank, body, undefined), {
    message: "/rerank: 'documents' must be an array.",
  })
})
