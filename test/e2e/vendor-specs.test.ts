import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APIError, OpenAI, toFile } from 'openai'
import { speechWav } from '../../src/health/speech-wav.ts'
import { askHealth, withModels, type Listed } from './health-answer.ts'
import { descriptionOf, withJudge } from './judge.ts'

/** A deployment: its model, its mode, and the route of the description that its requests must satisfy. */
type Row = readonly [model: string, mode: string, route: string]

/**
 * What is asked of vendors that describe their API in a file, below which base. Deepgram's file says nothing of sound in
 * bodies, and AssemblyAI's allows no transcript at all.
 */
const VENDORS: Readonly<Record<string, { readonly base: string; readonly rows: readonly Row[] }>> = {
  // https://github.com/cohere-ai/cohere-developer-experience/blob/main/cohere-openapi.yaml
  cohere: {
    base: '',
    rows: [
      ['cohere_chat/command-a-03-2025', 'chat', 'POST /v2/chat'],
      ['cohere/embed-v4.0', 'embedding', 'POST /v2/embed'],
      ['cohere/rerank-v3.5', 'rerank', 'POST /v2/rerank'],
    ],
  },
  // https://github.com/mistralai/platform-docs-public/blob/main/openapi.yaml
  mistral: {
    base: '/v1',
    rows: [
      ['mistral/mistral-small-latest', 'chat', 'POST /v1/chat/completions'],
      ['mistral/magistral-medium-latest', 'chat', 'POST /v1/chat/completions'],
      ['text-completion-codestral/codestral-latest', 'completion', 'POST /v1/fim/completions'],
      ['mistral/mistral-embed', 'embedding', 'POST /v1/embeddings'],
      ['mistral/voxtral-mini-latest', 'audio_transcription', 'POST /v1/audio/transcriptions'],
      ['mistral/mistral-small', 'batch', 'GET /v1/batch/jobs'],
    ],
  },
  // https://github.com/deepgram/deepgram-api-specs/blob/main/openapi.yml
  deepgram: { base: '/v1', rows: [['deepgram/aura-2-thalia-en', 'audio_speech', 'POST /v1/speak']] },
  // https://github.com/elevenlabs/elevenlabs-docs/blob/main/fern/apis/api/openapi.json
  elevenlabs: {
    base: '',
    rows: [
      ['elevenlabs/scribe_v1', 'audio_transcription', 'POST /v1/speech-to-text'],
      ['elevenlabs/eleven_multilingual_v2', 'audio_speech', 'POST /v1/text-to-speech/{voice_id}'],
    ],
  },
  // https://github.com/ollama/ollama/blob/main/docs/openapi.yaml
  ollama: {
    base: '',
    rows: [
      ['ollama/llama3.2', 'chat', 'POST /api/chat'],
      ['ollama/llama3.1', 'completion', 'POST /api/generate'],
      ['ollama/nomic-embed-text', 'embedding', 'POST /api/embed'],
    ],
  },
}

for (const [vendor, { base, rows }] of Object.entries(VENDORS)) {
  const { path, skip } = descriptionOf(vendor)
  test(
    `what ${vendor} says of its API accepts every probe, and what OpenAI's own client asks for`,
    { skip },
    () =>
      withJudge(path, async ({ url, judged }) => {
        const models: readonly Listed[] = rows.map(([model, mode]) => ({
          model_name: model,
          litellm_params: { model, api_base: url + base, api_key: 'k', num_retries: 0 },
          model_info: { mode },
        }))
        await withModels(models, async (gateway) => {
          await askHealth(gateway)
          assert.equal(judged.length, rows.length)
          const baseURL = `${gateway.url}/v1`
          const client = new OpenAI({ apiKey: 'any', baseURL, maxRetries: 0, timeout: 8_000 })
          for (const [model, mode] of rows)
            for (const ask of ASKED[mode] ?? []) await ask(client, model).catch(onlyOfAnswers)
        })
        const routes = new Set(rows.map(([, , route]) => route))
        assert.deepEqual(new Set(judged.map(({ route }) => route)), routes)
        assert.deepEqual(
          judged.filter(({ judgement }) => judgement !== 'valid'),
          [],
        )
      }),
  )
}

/** Answers are made up from the description, and may be none that anybody would give. */
function onlyOfAnswers(error: unknown): void {
  if (!(error instanceof APIError)) throw error
  assert.ok(error.status === undefined || error.status >= 500, String(error))
}

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
} as const
const PIXEL = 'data:image/png;base64,iVBORw0KGgo='
const CALL = {
  id: 'call_1',
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Oslo"}' },
} as const
const SCHEMA = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
} as const

type Ask = (client: OpenAI, model: string) => Promise<unknown>

const CHATS: readonly Ask[] = [
  ({ chat }, model) =>
    chat.completions.create({
      model,
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: PIXEL } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [CALL] },
        { role: 'tool', tool_call_id: 'call_1', content: '{"sun":true}' },
      ],
      tools: [WEATHER],
      max_completion_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      stop: ['end'],
      frequency_penalty: 0.1,
      presence_penalty: 0.1,
      user: 'somebody',
    }),
  async ({ chat }, model) => {
    const messages = [{ role: 'user' as const, content: 'ping' }]
    const options = { include_usage: true }
    for await (const _ of await chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: options,
      reasoning_effort: 'low',
    }));
  },
  ({ chat }, model) =>
    chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'ping' }],
      response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: SCHEMA } },
    }),
]

/** What a client asks for, in each mode. */
const ASKED: Readonly<Record<string, readonly Ask[]>> = {
  chat: CHATS,
  completion: [
    ({ completions }, model) =>
      completions.create({ model, prompt: 'def f', suffix: 'return', max_tokens: 5, stop: ['x'] }),
  ],
  embedding: [
    ({ embeddings }, model) => embeddings.create({ model, input: ['a', 'b'], encoding_format: 'float' }),
    ({ embeddings }, model) => embeddings.create({ model, input: 'a', dimensions: 256 }),
  ],
  rerank: [
    (client, model) =>
      client.post('/rerank', {
        body: { model, query: 'q', documents: ['a', 'b'], top_n: 1, max_tokens_per_doc: 10 },
      }),
  ],
  audio_transcription: [
    async ({ audio }, model) => {
      const file = await toFile(speechWav(), 'a.wav', { type: 'audio/wav' })
      return audio.transcriptions.create({ model, file, language: 'en' })
    },
  ],
  audio_speech: [
    ({ audio }, model) =>
      audio.speech.create({ model, input: 'hi', voice: 'alloy', response_format: 'opus', speed: 1.1 }),
  ],
}
