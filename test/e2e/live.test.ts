import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { OpenAI } from 'openai'
import type { ConversationItemCreateEvent, RealtimeServerEvent } from 'openai/resources/realtime/realtime'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { serviceAccount } from './all-providers.ts'
import { ask, at, AUTH, complaints, eventually, KEY } from './asking.ts'
import { startGateway, withFolder, type Gateway } from './program.ts'
import { open, refused, startUpstream, type ClientSession } from './sessions.ts'

const GOOGLE_KEY = 'gm-canary-key'
const fake = await startFakeProvider({ keys: [GOOGLE_KEY] })
after(() => fake.stop())
const own = await startUpstream()
after(() => own.stop())
/** A server that nobody here wrote. */
const mock = new LLMock({ port: 0 })
mock.on({ endpoint: 'realtime' }, { content: 'pong from a stranger' })
mock.on({ endpoint: 'chat' }, { content: 'pong from a stranger' })
await mock.start()
after(() => mock.stop())

const entry = (group: string, model: string, params: object): object => ({
  model_name: group,
  litellm_params: { model, ...params },
  model_info: { id: `id-${group}`, mode: 'realtime' },
})
const studio = (
  group: string,
  base: string,
  model = 'gemini-live-2.5-flash-preview',
  key = GOOGLE_KEY,
): object => entry(group, `gemini/${model}`, { api_base: base, api_key: key })

const CONFIG = {
  model_list: [
    studio('live', `${fake.url}/ok/as-gemini/v1beta`),
    studio('native', `${fake.url}/ok/as-gemini/v1beta`, 'gemini-2.5-flash-native-audio-latest'),
    entry('lenient', 'gemini/gemini-live-2.5-flash-preview', {
      api_base: `${fake.url}/ok/as-gemini/v1beta`,
      api_key: GOOGLE_KEY,
      drop_params: true,
    }),
    studio('strange-key', `${fake.url}/ok/as-gemini/v1beta`, 'gemini-live-2.5-flash-preview', 'another-key'),
    studio('own', `${own.url}/v1beta`),
    studio('stranger', mock.url),
    entry('vertex', 'vertex_ai/gemini-live-2.5-flash', {
      api_base: `${fake.url}/ok/as-vertex_ai`,
      vertex_location: 'europe-west4',
      vertex_credentials: serviceAccount(`${fake.url}/ok`),
    }),
  ],
  general_settings: { master_key: KEY, drain_delay: 0, health_check_interval: 3600 },
}

let gateway: Gateway
let done: () => void
const folder = new Promise<void>((resolve) => {
  done = resolve
})
let ended: Promise<void>
before(
  () =>
    new Promise<void>((resolve, reject) => {
      ended = withFolder({ 'config.yaml': JSON.stringify(CONFIG) }, async (cwd) => {
        gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
        resolve()
        await folder
        await gateway.stop(0)
      })
      ended.catch(reject)
    }),
)
after(() => {
  done()
  return ended
})

/** OpenAI's client insists on TLS, which a load balancer ends: here its connection is a plain one. */
function openai(model: string): {
  readonly session: OpenAIRealtimeWS
  readonly events: RealtimeServerEvent[]
} {
  const options = { createConnection: () => createConnection(Number(new URL(gateway.url).port), '127.0.0.1') }
  const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1` })
  const session = new OpenAIRealtimeWS({ model, options }, client)
  const events: RealtimeServerEvent[] = []
  session.on('event', (event) => events.push(event))
  session.on('error', () => {})
  return { session, events }
}

/** Everything that came until an event of this type is among it, so often. */
async function until(
  events: readonly RealtimeServerEvent[],
  type: RealtimeServerEvent['type'],
  times = 1,
): Promise<readonly RealtimeServerEvent[]> {
  return eventually(
    () => events,
    (all) => all.filter((event) => event.type === type).length >= times,
  )
}

const texts = (events: readonly RealtimeServerEvent[]): string =>
  events.map((event) => (event.type === 'response.output_audio_transcript.delta' ? event.delta : '')).join('')

const says = (text: string): ConversationItemCreateEvent => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
})

/** A tenth of a second that is not silent, and one that is. */
const SPEECH = Buffer.alloc(4_800, 7).toString('base64')
const SILENCE = Buffer.alloc(4_800).toString('base64')

/** What reached the double since the journal was last cleared. */
const frames = (): readonly unknown[] =>
  fake.journal().flatMap(({ body }) => (typeof body === 'string' ? [JSON.parse(body)] : []))

/** Tokens that were counted for a group, in and out. */
async function spentBy(group: string): Promise<readonly number[]> {
  const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
  return ['in', 'out'].map((direction) => {
    const sample = `pulsegate_tokens_total{model_group="${group}",direction="${direction}"} `
    return Number(text.split(sample)[1]?.split('\n')[0] ?? 0)
  })
}

describe("OpenAI's own client at Gemini Live", () => {
  for (const model of ['live', 'vertex'])
    test(`is answered with sound, its words and what it cost (${model})`, async () => {
      fake.clearJournal()
      const before = await spentBy(model)
      const { session, events } = openai(model)
      await until(events, 'session.created')
      session.send({
        type: 'session.update',
        session: { type: 'realtime', instructions: 'be kind', audio: { output: { voice: 'marin' } } },
      })
      session.send(says('ping'))
      session.send({ type: 'response.create' })
      await until(events, 'response.done')
      session.close()
      assert.deepEqual(
        events.map(({ type }) => type),
        [
          'session.created',
          'session.updated',
          'conversation.item.added',
          'conversation.item.done',
          'response.created',
          'response.output_item.added',
          'conversation.item.added',
          'response.content_part.added',
          'response.output_audio.delta',
          'response.output_audio_transcript.delta',
          'response.output_audio.delta',
          'response.output_audio_transcript.delta',
          'response.output_audio.done',
          'response.output_audio_transcript.done',
          'response.content_part.done',
          'response.output_item.done',
          'conversation.item.done',
          'response.done',
        ],
      )
      assert.equal(texts(events), 'pong')
      const last = events.at(-1)
      assert.ok(last?.type === 'response.done')
      assert.equal(last.response.status, 'completed')
      assert.equal(last.response.usage?.total_tokens, 45)
      assert.equal(last.response.usage?.input_token_details?.cached_tokens, 10)
      assert.equal(last.response.usage?.output_token_details?.audio_tokens, 12)
      const [read = 0, written = 0] = before
      assert.deepEqual(await spentBy(model), [read + 30, written + 15])
      const [setup] = frames()
      assert.equal(at(setup, 'setup', 'systemInstruction', 'parts', 0, 'text'), 'be kind')
      const voice = at(
        setup,
        'setup',
        'generationConfig',
        'speechConfig',
        'voiceConfig',
        'prebuiltVoiceConfig',
      )
      assert.deepEqual(voice, { voiceName: 'Leda' })
      const asked = fake.journal().find(({ method }) => method === 'WS')
      assert.equal(asked?.headers['openai-beta'], undefined)
      assert.match(
        asked?.url ?? '',
        model === 'live'
          ? /google\.ai\.generativelanguage\.v1beta\.GenerativeService\.BidiGenerateContent$/
          : /google\.cloud\.aiplatform\.v1\.LlmBidiService\/BidiGenerateContent$/,
      )
    })

  test('calls functions, answers them, and is answered', async () => {
    const { session, events } = openai('live')
    await until(events, 'session.created')
    const parameters = { type: 'object', properties: { city: { type: 'string' } } }
    session.send({
      type: 'session.update',
      session: { type: 'realtime', tools: [{ type: 'function', name: 'weather', parameters }] },
    })
    session.send(says('how is the weather?'))
    session.send({ type: 'response.create' })
    await until(events, 'response.done')
    const calls = events.flatMap((event) =>
      event.type === 'response.function_call_arguments.done' ? [event] : [],
    )
    assert.deepEqual(
      calls.map(({ name, arguments: args }) => `${name} ${args}`),
      ['weather {"city":"Paris"}', 'weather {"city":"Oslo"}'],
    )
    for (const { call_id } of calls)
      session.send({
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id, output: '{"degrees":20}' },
      })
    session.send({ type: 'response.create' })
    await until(events, 'response.done', 2)
    session.close()
    assert.equal(texts(events), 'pong')
    assert.deepEqual(
      events.filter(({ type }) => type === 'error'),
      [],
    )
  })

  test('speaks, is written down, and interrupts', async () => {
    const { session, events } = openai('live')
    await until(events, 'session.created')
    const transcription = { model: 'whisper-1' }
    session.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { transcription } } },
    })
    session.send(says('talk on'))
    session.send({ type: 'response.create' })
    await until(events, 'response.output_audio_transcript.delta')
    session.send({ type: 'input_audio_buffer.append', audio: SPEECH })
    const [cancelled] = (await until(events, 'response.done')).flatMap((event) =>
      event.type === 'response.done' ? [event.response] : [],
    )
    assert.deepEqual(cancelled?.status_details, { type: 'cancelled', reason: 'turn_detected' })
    session.send({ type: 'input_audio_buffer.append', audio: SPEECH })
    session.send({ type: 'input_audio_buffer.append', audio: SILENCE })
    await until(events, 'conversation.item.input_audio_transcription.completed')
    session.close()
    const since = events.findIndex(({ type }) => type === 'input_audio_buffer.speech_started')
    const heard = events.slice(since).map(({ type }) => type)
    assert.deepEqual(
      [
        'input_audio_buffer.speech_stopped',
        'input_audio_buffer.committed',
        'response.created',
        'response.done',
      ].map((type) => heard.some((each) => each === type)),
      [true, true, true, true],
    )
    const [written] = events.flatMap((event) =>
      event.type === 'conversation.item.input_audio_transcription.completed' ? [event.transcript] : [],
    )
    assert.equal(written, 'heard 9600 bytes')
  })

  test('speaks and hears as a telephone does', async () => {
    fake.clearJournal()
    const { session, events } = openai('live')
    await until(events, 'session.created')
    const input = { format: { type: 'audio/pcmu' as const }, transcription: { model: 'whisper-1' } }
    const output = { format: { type: 'audio/pcma' as const } }
    session.send({ type: 'session.update', session: { type: 'realtime', audio: { input, output } } })
    session.send({ type: 'input_audio_buffer.append', audio: SPEECH })
    // Silence of µ-law, which Live gets as zeros.
    const silence = Buffer.alloc(800, 0xff).toString('base64')
    session.send({ type: 'input_audio_buffer.append', audio: silence })
    await until(events, 'conversation.item.input_audio_transcription.completed')
    session.close()
    const [written] = events.flatMap((event) =>
      event.type === 'conversation.item.input_audio_transcription.completed' ? [event.transcript] : [],
    )
    assert.equal(written, 'heard 9600 bytes')
    assert.equal(at(frames()[1], 'realtimeInput', 'audio', 'mimeType'), 'audio/pcm;rate=8000')
    // Of eight samples every third one, and each of them as good as silent.
    const said = events.flatMap((event) =>
      event.type === 'response.output_audio.delta' ? [event.delta] : [],
    )
    const bytes = Buffer.concat(said.map((delta) => Buffer.from(delta, 'base64')))
    assert.deepEqual([...bytes], [0xd5, 0xd5, 0xd5])
  })

  test('says itself when a turn is over', async () => {
    fake.clearJournal()
    const { session, events } = openai('live')
    await until(events, 'session.created')
    session.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { turn_detection: null } } },
    })
    session.send({ type: 'input_audio_buffer.append', audio: SPEECH })
    session.send({ type: 'input_audio_buffer.append', audio: SILENCE })
    session.send({ type: 'input_audio_buffer.commit' })
    session.send({ type: 'response.create' })
    await until(events, 'response.done')
    session.close()
    assert.equal(texts(events), 'pong')
    assert.deepEqual(
      frames().map((frame) => Object.keys(Object(at(frame, 'realtimeInput') ?? frame))[0]),
      ['setup', 'activityStart', 'audio', 'audio', 'activityEnd'],
    )
  })

  test('is understood by a server that nobody here wrote', async () => {
    const { session, events } = openai('stranger')
    await until(events, 'session.created')
    session.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'] } })
    session.send(says('ping'))
    session.send({ type: 'response.create' })
    await until(events, 'response.done')
    session.close()
    const said = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))
    assert.equal(said.join(''), 'pong from a stranger')
  })
})

/** The next event of a bare client. */
async function next(client: ClientSession): Promise<unknown> {
  return JSON.parse(await client.next())
}

const send = ({ socket }: ClientSession, event: object): void => socket.send(JSON.stringify(event))

describe('a bare client at Gemini Live', () => {
  const BETAS = [
    { headers: { ...AUTH, 'openai-beta': 'realtime=v1' } },
    { protocols: ['realtime', `openai-insecure-api-key.${KEY}`, 'openai-beta.realtime-v1'] },
  ]
  for (const connecting of BETAS)
    test(`of the beta is told in its words (by ${Object.keys(connecting).join()})`, async () => {
      const client = await open(gateway, '/v1/realtime?model=live', connecting)
      const created = await next(client)
      assert.deepEqual(at(created, 'session', 'modalities'), ['audio', 'text'])
      assert.equal(at(await next(client), 'type'), 'conversation.created')
      send(client, { type: 'session.update', session: { modalities: ['text'], instructions: 'short' } })
      send(client, says('ping'))
      send(client, { type: 'response.create' })
      const types: unknown[] = []
      while (types.at(-1) !== 'response.done') types.push(at(await next(client), 'type'))
      client.socket.close()
      assert.deepEqual(types, [
        'session.updated',
        'conversation.item.created',
        'response.created',
        'response.output_item.added',
        'conversation.item.created',
        'response.content_part.added',
        'response.text.delta',
        'response.text.delta',
        'response.text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.done',
      ])
    })

  test('is told what cannot be, and goes on', async () => {
    const client = await open(gateway, '/v1/realtime?model=live', { headers: AUTH })
    await next(client)
    client.socket.send('no JSON')
    assert.equal(at(await next(client), 'error', 'code'), 'invalid_json')
    client.socket.send(`{"type":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)
    assert.match(String(at(await next(client), 'error', 'message')), /levels deep/)
    send(client, { type: 'nonsense', event_id: 'mine' })
    assert.equal(at(await next(client), 'error', 'event_id'), 'mine')
    send(client, {
      type: 'session.update',
      session: { audio: { input: { format: { type: 'audio/opus' } } } },
    })
    assert.equal(at(await next(client), 'error', 'param'), 'session.audio.input.format')
    send(client, { type: 'session.update', session: { instructions: 'be kind' } })
    assert.equal(at(await next(client), 'type'), 'session.updated')
    send(client, { type: 'session.update', session: { instructions: 'be rude' } })
    assert.match(String(at(await next(client), 'error', 'message')), /cannot be changed any more/)
    send(client, says('go away'))
    send(client, { type: 'response.create' })
    const heard: unknown[] = []
    while (at(heard.at(-1), 'type') !== 'response.done') heard.push(await next(client))
    assert.ok(heard.some((event) => at(event, 'error', 'code') === 'session_expiring'))
    client.socket.close()
  })

  test('instructs a model on Vertex AI anew', async () => {
    const client = await open(gateway, '/v1/realtime?model=vertex', { headers: AUTH })
    await next(client)
    send(client, { type: 'session.update', session: { instructions: 'be kind' } })
    assert.equal(at(await next(client), 'session', 'instructions'), 'be kind')
    send(client, { type: 'session.update', session: { instructions: 'be short' } })
    assert.equal(at(await next(client), 'session', 'instructions'), 'be short')
    send(client, { type: 'response.create' })
    const types: unknown[] = []
    while (types.at(-1) !== 'response.done') types.push(at(await next(client), 'type'))
    assert.ok(!types.includes('error'))
    client.socket.close()
  })

  test('is not told of what Live lacks where that may be dropped', async () => {
    const client = await open(gateway, '/v1/realtime?model=lenient', { headers: AUTH })
    await next(client)
    send(client, { type: 'session.update', session: { audio: { output: { speed: 1.5 } } } })
    assert.equal(at(await next(client), 'session', 'audio', 'output', 'speed'), 1)
    client.socket.close()
  })

  test('hears why its session ended, and then the same code', async () => {
    const broken = await open(gateway, '/v1/realtime?model=live', { headers: AUTH })
    await next(broken)
    send(broken, says('fall over'))
    send(broken, { type: 'response.create' })
    const heard: unknown[] = []
    while (at(heard.at(-1), 'type') !== 'error') heard.push(await next(broken))
    assert.equal(at(heard.at(-2), 'response', 'status'), 'failed')
    assert.equal(at(heard.at(-1), 'error', 'type'), 'server_error')
    assert.deepEqual(await broken.closed, [1011, 'Internal error encountered.'])

    const silent = await open(gateway, '/v1/realtime?model=native', { headers: AUTH })
    await next(silent)
    send(silent, { type: 'session.update', session: { output_modalities: ['text'] } })
    const error = at(await next(silent), 'error')
    assert.equal(at(error, 'type'), 'invalid_request_error')
    assert.match(String(at(error, 'message')), /\(1007\): Cannot extract voices from a non-audio request/)
    assert.equal((await silent.closed)[0], 1007)
  })

  test('is refused over HTTP where the key is wrong', async () => {
    const answer = await refused(gateway, '/v1/realtime?model=strange-key', { headers: AUTH })
    // Google's word for it.
    assert.equal(answer.status, 400)
    assert.equal(at(JSON.parse(answer.text), 'error', 'type'), 'auth')
    assert.doesNotMatch(`${answer.text}${gateway.stderr()}`, /another-key/)
  })
})

test('sound of a session is held back where it comes from while the upstream is not ready, or reads slowly', async () => {
  const client = await open(gateway, '/v1/realtime?model=own', { headers: AUTH })
  const upstream = await own.session()
  const many = 600
  const audio = Buffer.alloc(48 * 1024, 7).toString('base64')
  const waiting = async (): Promise<void> => {
    let last = -1
    let same = 0
    await eventually(
      () => client.socket.bufferedAmount,
      (bytes) => {
        same = bytes === last ? same + 1 : 0
        last = bytes
        return same === 10
      },
    )
    assert.ok(last > 0.5 * many * audio.length, `only ${last} bytes were held back`)
  }
  for (let n = 0; n < many; n += 1) send(client, { type: 'input_audio_buffer.append', audio })
  await waiting()
  assert.ok(at(JSON.parse(await upstream.next()), 'setup'))
  upstream.socket.pause()
  upstream.socket.send(Buffer.from('{"setupComplete":{}}'))
  upstream.socket.resume()
  for (let n = 0; n < many; n += 1)
    assert.equal(at(JSON.parse(await upstream.next()), 'realtimeInput', 'audio', 'data'), audio)
  client.socket.close()
  await upstream.closed
  assert.deepEqual(complaints(gateway), [])
})
