import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { OpenAI, toFile } from 'openai'
import { askHealth, assertVerdicts, untilStale, withModels, type Listed } from './health-answer.ts'

const KEY = 'key-of-the-stranger'

/** A server of LLM APIs that nobody here wrote; only KEY opens it. */
const mock = new LLMock({ port: 0, auth: { apiKeys: [KEY] } })
mock.on({ endpoint: 'chat', model: /^(?!refuses)/ }, { content: 'pong' })
mock.on({ model: 'refuses-as-unknown' }, refusal(404, 'model_not_found', 'The model does not exist'))
mock.on({ model: 'refuses-as-poor' }, refusal(429, 'insufficient_quota', 'You exceeded your current quota'))
mock.on({ model: 'refuses-as-busy' }, refusal(503, 'overloaded', 'The engine is overloaded'))
mock.onImage(/./, { image: { url: 'https://images.example/one.png' } })
mock.onSpeech(/./, { audio: Buffer.from('ID3 some sound').toString('base64'), format: 'mp3' })
mock.onElevenLabsTTS(/./, { audio: Buffer.from('ID3 some sound').toString('base64'), format: 'mp3' })
mock.onTranscription({ transcription: { text: 'hello' } })
mock.onModerate(/hurt/, { flagged: true, categories: { violence: true } })
mock.onTranslation({ transcription: { text: 'good day' } })
mock.onRerank(/./, [{ index: 0, relevance_score: 0.9 }])
await mock.start()
after(() => mock.stop())

function refusal(status: number, code: string, message: string) {
  return { status, error: { message, type: code, code } }
}

interface Stranger {
  readonly name: string
  readonly model: string
  readonly mode: string
  /** What the base adds to the server's address. */
  readonly base: '' | '/v1' | '/api/v1' | '/openai/v1' | '/inference/v1'
  readonly apiVersion?: string
}

/** Every API of the server that we have a provider for. */
const STRANGERS: readonly Stranger[] = [
  { name: 'chat', model: 'openai/gpt-4o', mode: 'chat', base: '/v1' },
  { name: 'reasoning', model: 'openai/gpt-5-nano', mode: 'chat', base: '/v1' },
  { name: 'wildcard', model: 'openai/*', mode: 'chat', base: '/v1' },
  { name: 'embedding', model: 'openai/text-embedding-3-small', mode: 'embedding', base: '/v1' },
  { name: 'image', model: 'openai/gpt-image-1', mode: 'image_generation', base: '/v1' },
  { name: 'speech', model: 'openai/tts-1', mode: 'audio_speech', base: '/v1' },
  { name: 'transcription', model: 'openai/whisper-1', mode: 'audio_transcription', base: '/v1' },
  { name: 'batch', model: 'openai/gpt-4o-mini', mode: 'batch', base: '/v1' },
  { name: 'realtime', model: 'openai/gpt-realtime', mode: 'realtime', base: '/v1' },
  { name: 'cohere', model: 'cohere_chat/command-r-plus', mode: 'chat', base: '' },
  { name: 'cohere-embed', model: 'cohere/embed-v4.0', mode: 'embedding', base: '' },
  { name: 'cohere-rerank', model: 'cohere/rerank-v3.5', mode: 'rerank', base: '' },
  { name: 'azure', model: 'azure/my-gpt-4o', mode: 'chat', base: '' },
  { name: 'azure-embedding', model: 'azure/my-embeddings', mode: 'embedding', base: '' },
  { name: 'azure-image', model: 'azure/my-images', mode: 'image_generation', base: '' },
  { name: 'azure-speech', model: 'azure/my-voice', mode: 'audio_speech', base: '' },
  { name: 'azure-transcription', model: 'azure/my-whisper', mode: 'audio_transcription', base: '' },
  { name: 'azure-v1', model: 'azure/my-gpt-4o', mode: 'chat', base: '', apiVersion: 'v1' },
  { name: 'azure-v1-realtime', model: 'azure/gpt-realtime', mode: 'realtime', base: '', apiVersion: 'v1' },
  { name: 'elevenlabs', model: 'elevenlabs/eleven_multilingual_v2', mode: 'audio_speech', base: '' },
  { name: 'groq', model: 'groq/llama-3.3-70b-versatile', mode: 'chat', base: '/openai/v1' },
  { name: 'fireworks', model: 'fireworks_ai/llama-v3p1-8b-instruct', mode: 'chat', base: '/inference/v1' },
  { name: 'openrouter', model: 'openrouter/openai/gpt-4o', mode: 'chat', base: '/api/v1' },
  { name: 'mistral', model: 'mistral/mistral-small-latest', mode: 'chat', base: '/v1' },
]

function listed(stranger: Stranger, more: Readonly<Record<string, unknown>> = {}): Listed {
  const { name, model, mode, base, apiVersion } = stranger
  const version = apiVersion === undefined ? {} : { api_version: apiVersion }
  return {
    model_name: name,
    litellm_params: { model, api_base: `${mock.url}${base}`, api_key: KEY, ...version, ...more },
    model_info: { mode, health_check_timeout: 5 },
  }
}

const all = (verdict: string): Readonly<Record<string, string>> =>
  Object.fromEntries(STRANGERS.map(({ name }) => [name, verdict]))

/** What those probes ask of the server: one request each. */
const ASKED: readonly string[] = [
  'GET /v1/batches?limit=1',
  'POST /api/v1/chat/completions',
  'POST /inference/v1/chat/completions',
  'POST /openai/deployments/my-embeddings/embeddings?api-version=2024-10-21',
  'POST /openai/deployments/my-gpt-4o/chat/completions?api-version=2024-10-21',
  'POST /openai/deployments/my-images/images/generations?api-version=2024-10-21',
  'POST /openai/deployments/my-voice/audio/speech?api-version=2024-10-21',
  'POST /openai/deployments/my-whisper/audio/transcriptions?api-version=2024-10-21',
  'POST /openai/v1/chat/completions',
  'POST /openai/v1/chat/completions',
  'POST /v1/audio/speech',
  'POST /v1/audio/transcriptions',
  'POST /v1/chat/completions',
  'POST /v1/chat/completions',
  'POST /v1/chat/completions',
  'POST /v1/chat/completions',
  'POST /v1/embeddings',
  'POST /v1/images/generations',
  'POST /v1/text-to-speech/21m00Tcm4TlvDq8ikWAM',
  'POST /v2/chat',
  'POST /v2/embed',
  'POST /v2/rerank',
]

test('every mode of an upstream that nobody here wrote is healthy, at one request each', async () => {
  const models = STRANGERS.map((stranger) => listed(stranger))
  await withModels(models, async (gateway) => {
    mock.clearRequests()
    assertVerdicts(await askHealth(gateway), all('healthy'))
  })
  // A realtime session that asks for no answer leaves no trace in this server's journal.
  assert.deepEqual(
    mock
      .getRequests()
      .map(({ method, path }) => `${method} ${path}`)
      .toSorted(),
    ASKED,
  )
})

test('a wrong key is found out in every mode', async () => {
  const models = STRANGERS.map((stranger) => listed(stranger, { api_key: 'another-key' }))
  await withModels(models, async (gateway) => {
    assertVerdicts(await askHealth(gateway), all('auth 401'))
  })
})

/** The server's own faults, ordered by a header that the deployment's `extra_headers` carry. */
const CHAOS: readonly (readonly [header: string, verdict: string])[] = [
  ['x-aimock-chaos-drop', 'server_error 500'],
  ['x-aimock-chaos-malformed', 'wrong_shape 500'],
  ['x-aimock-chaos-ratelimit', 'rate_limited 429'],
  ['x-aimock-chaos-disconnect', 'unreachable 500'],
]

test('its faults are told apart in every HTTP mode that it can spoil', async () => {
  const spoiled = STRANGERS.filter(({ mode }) => mode !== 'batch' && mode !== 'realtime' && mode !== 'rerank')
  const cells = spoiled.flatMap((stranger) =>
    CHAOS.map(([header, verdict]) => ({ stranger, header, verdict, name: `${stranger.name} ${header}` })),
  )
  const models = cells.map(({ stranger, header, name }) =>
    listed({ ...stranger, name }, { extra_headers: { [header]: '1' } }),
  )
  await withModels(models, async (gateway) => {
    assertVerdicts(
      await askHealth(gateway),
      Object.fromEntries(cells.map(({ name, verdict }) => [name, verdict])),
    )
  })
})

/** What the server says of a model, by its fixtures above. */
const REFUSALS: Readonly<Record<string, string>> = {
  'refuses-as-unknown': 'not_found 404',
  'refuses-as-poor': 'quota 429',
  'refuses-as-busy': 'overloaded 503',
  'refuses-for-want-of-a-fixture': 'not_found 404',
}

const chatOf = (name: string): Stranger => ({ name, model: `openai/${name}`, mode: 'chat', base: '/v1' })

test('a realtime client of the retired beta is refused after the upgrade, and that is no health', async () => {
  const realtime = STRANGERS.filter(({ name }) => name === 'realtime')
  const models = realtime.map((one) => listed(one, { extra_headers: { 'OpenAI-Beta': 'realtime=v1' } }))
  await withModels(models, async (gateway) => {
    const answer = await askHealth(gateway)
    assertVerdicts(answer, { realtime: 'bad_request 400' })
    assert.match(answer.unhealthy_endpoints[0]?.error ?? '', /beta_api_shape_disabled/)
  })
})

test('its refusals are called by their names', async () => {
  const models = Object.keys(REFUSALS).map((name) => listed(chatOf(name)))
  await withModels(models, async (gateway) => {
    assertVerdicts(await askHealth(gateway), REFUSALS)
  })
})

test('one that fails once is unhealthy once', async () => {
  await withModels([listed(chatOf('stumbles'))], async (gateway) => {
    mock.nextRequestError(500, { message: 'an error on order', type: 'server_error' })
    const first = await askHealth(gateway)
    assertVerdicts(first, { stumbles: 'server_error 500' })
    assert.match(first.unhealthy_endpoints[0]?.error ?? '', /an error on order/)
    await untilStale(first)
    assertVerdicts(await askHealth(gateway), { stumbles: 'healthy' })
  })
})

test('a server that is not there is unreachable in every mode', async () => {
  const gone = new LLMock({ port: 0 })
  await gone.start()
  const { url } = gone
  await gone.stop()
  const models = STRANGERS.map((stranger) => listed(stranger, { api_base: `${url}${stranger.base}` }))
  await withModels(models, async (gateway) => {
    assertVerdicts(await askHealth(gateway), all('unreachable 500'))
  })
})

test('its chats reach a client of the gateway, whole and streamed', async () => {
  const models = STRANGERS.filter(({ mode, name }) => mode === 'chat' && name !== 'wildcard')
  await withModels(
    models.map((stranger) => listed(stranger)),
    async (gateway) => {
      for (const { name } of models) {
        const client = new OpenAI({ apiKey: 'any', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
        const ask = { model: name, messages: [{ role: 'user' as const, content: 'ping' }] }
        const whole = await client.chat.completions.create(ask)
        assert.equal(whole.choices[0]?.message.content, 'pong', name)
        let text = ''
        for await (const { choices } of await client.chat.completions.create({ ...ask, stream: true })) {
          text += choices[0]?.delta.content ?? ''
        }
        assert.equal(text, 'pong', name)
      }
    },
  )
})

test('its vectors, images, sounds and ranks reach a client of the gateway', async () => {
  const isAsked = ({ mode }: Stranger): boolean =>
    ['embedding', 'image_generation', 'audio_speech', 'rerank'].includes(mode)
  const models = STRANGERS.filter(isAsked)
  await withModels(
    models.map((stranger) => listed(stranger)),
    async (gateway) => {
      const client = new OpenAI({ apiKey: 'any', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      for (const { name: model, mode } of models) await reaches(client, model, mode)
    },
  )
})

async function reaches(client: OpenAI, model: string, mode: string): Promise<void> {
  if (mode === 'embedding') {
    const packed = await client.embeddings.create({ model, input: 'ping' })
    const plain = await client.embeddings.create({ model, input: 'ping', encoding_format: 'float' })
    // This server answers with numbers whatever is asked for; Cohere's are packed here, to 32 bits.
    const rounded = [packed, plain].map(({ data }) => new Float32Array(data[0]?.embedding ?? []))
    assert.ok((rounded[0]?.length ?? 0) > 0, model)
    assert.deepEqual(rounded[0], rounded[1], model)
  } else if (mode === 'image_generation') {
    const { data } = await client.images.generate({ model, prompt: 'a dot' })
    assert.equal(data?.[0]?.url, 'https://images.example/one.png', model)
  } else if (mode === 'audio_speech') {
    const sound = await client.audio.speech.create({ model, input: 'ping', voice: 'alloy' })
    assert.equal(await sound.text(), 'ID3 some sound', model)
  } else {
    const body = { model, query: 'ping', documents: ['a'] }
    const { results } = await client.post<{ readonly results: unknown }>('/rerank', { body })
    assert.deepEqual(results, [{ index: 0, relevance_score: 0.9 }], model)
  }
}

test('its files, batches and moderations reach a client of the gateway', async () => {
  const models = STRANGERS.filter(({ name }) => name === 'batch' || name === 'cohere')
  await withModels(
    models.map((stranger) => listed(stranger)),
    async (gateway) => {
      const client = new OpenAI({ apiKey: 'any', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      const line =
        '{"custom_id":"one","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o"}}'
      const upload = { file: await toFile(Buffer.from(line), 'in.jsonl'), purpose: 'batch' } as const
      const file = await client.files.create(upload)
      assert.match(file.id, /^file-pg1_/)
      assert.equal(await (await client.files.content(file.id)).text(), line)
      const asked = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const
      const batch = await client.batches.create({ input_file_id: file.id, ...asked })
      assert.equal(batch.input_file_id, file.id)
      const other = await client.batches.create({ input_file_id: file.id, ...asked })
      assert.match((await client.batches.cancel(other.id)).status, /^cancel/)
      await client.batches.retrieve(batch.id)
      const done = await client.batches.retrieve(batch.id)
      assert.equal(done.status, 'completed')
      const output = await (await client.files.content(done.output_file_id ?? '')).text()
      assert.match(output, /"custom_id":"one"/)
      const listedIds = (await client.batches.list()).data.map(({ id }) => id)
      assert.deepEqual(listedIds.toSorted(), [batch.id, other.id].toSorted())
      assert.equal((await client.files.delete(file.id)).deleted, true)
      const { results } = await client.moderations.create({ model: 'batch', input: 'I will hurt you' })
      assert.equal(results[0]?.flagged, true)
    },
  )
})

test('its transcripts, translations and edited images reach a client of the gateway', async () => {
  const asked = new Set(['transcription', 'azure-transcription', 'image'])
  const models = STRANGERS.filter(({ name }) => asked.has(name)).map((each) => listed(each))
  await withModels(models, async (gateway) => {
    const client = new OpenAI({ apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    const file = await toFile(Buffer.from('RIFF a sound'), 'a.wav', { type: 'audio/wav' })
    for (const model of ['transcription', 'azure-transcription']) {
      const { text } = await client.audio.transcriptions.create({ file, model })
      assert.equal(text, 'hello', model)
    }
    const translated = await client.audio.translations.create({ file, model: 'transcription' })
    assert.equal(translated.text, 'good day')
    const image = await toFile(Buffer.from('a picture'), 'a.png', { type: 'image/png' })
    const { data } = await client.images.edit({ image, prompt: 'a dot', model: 'image' })
    assert.equal(data?.[0]?.url, 'https://images.example/one.png')
  })
})
