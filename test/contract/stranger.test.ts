import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { at } from '../e2e/asking.ts'
import { withModels } from '../e2e/health-answer.ts'
import { COHERE_CALLS } from './cohere-calls.ts'
import { deadPort } from './fault-stage.ts'
import { OBJECT_CALLS } from './object-calls.ts'
import { OPENAI_CALLS } from './openai-calls.ts'
import { outcomeOf } from './outcome.ts'
import { KEY, listedAt, type Call } from './place.ts'
import { SURFACE_CALLS } from './surface-calls.ts'
import { UPLOAD_CALLS } from './upload-calls.ts'

/** What a server that nobody here wrote can be asked for, of the calls of the contract. */
const NAMES: readonly string[] = [
  'chat',
  'chat with much said',
  'chat, streamed',
  'chat, streamed, with usage',
  'chat, put together by its helper',
  'embeddings as numbers',
  'embeddings of a size',
  'image as a link',
  'speech',
  'azure: chat',
  'azure: chat, streamed',
  'azure: embeddings',
  'azure: image',
  'azure: speech',
  'azure: transcription',
  'transcription',
  'transcription as verbose_json',
  'translation',
  'image edit',
  'image edit of two images',
  'moderation',
  'moderation of two texts',
  'a file, uploaded, looked up, read and deleted',
  'a batch, begun, looked up and cancelled',
  'the list of batches',
  'realtime',
  'responses',
  'responses, streamed',
  'responses, put together by its helper',
  'messages',
  'messages, streamed',
  'messages, put together by its helper',
  'generateContent',
  'generateContent, streamed',
  'cohere v2: rerank',
]

const CALLS: readonly Call[] = [
  ...OPENAI_CALLS,
  ...UPLOAD_CALLS,
  ...OBJECT_CALLS,
  ...COHERE_CALLS,
  ...SURFACE_CALLS,
]

/** A stranger with something to say to each of them. */
async function startStranger(): Promise<LLMock> {
  const mock = new LLMock({ port: 0, auth: { apiKeys: [KEY] } })
  mock.on({ endpoint: 'chat' }, { content: 'pong' })
  mock.on({ endpoint: 'realtime' }, { content: 'pong' })
  mock.onImage(/./, { image: { url: 'https://images.example/one.png' } })
  mock.onSpeech(/./, { audio: Buffer.from('ID3 some sound').toString('base64'), format: 'mp3' })
  mock.onTranscription({ transcription: { text: 'hello' } })
  mock.onTranslation({ transcription: { text: 'good day' } })
  mock.onRerank(/./, [{ index: 0, relevance_score: 0.9 }])
  await mock.start()
  return mock
}

describe('a client finds at the gateway what it finds at a server of strangers', () => {
  const outcomes = new Map<string, readonly [direct: unknown, relayed: unknown]>()

  before(async () => {
    const mock = await startStranger()
    const goneUrl = `http://127.0.0.1:${await deadPort()}`
    const settings = {
      general_settings: { master_key: KEY },
      router_settings: { num_retries: 0, disable_cooldowns: true },
    }
    try {
      await withModels(
        listedAt(mock),
        async ({ url }) => {
          for (const call of CALLS.filter(({ name }) => NAMES.includes(name)))
            outcomes.set(call.name, [
              await outcomeOf(call, { url: mock.url, goneUrl }),
              await outcomeOf(call, { url, goneUrl }),
            ])
        },
        settings,
      )
    } finally {
      await mock.stop()
    }
  })

  for (const name of NAMES)
    test(name, () => {
      const [direct, relayed] = outcomes.get(name) ?? []
      assert.ok(at(direct, 'answer') !== undefined, JSON.stringify(direct))
      assert.deepEqual(relayed, direct)
    })
})
