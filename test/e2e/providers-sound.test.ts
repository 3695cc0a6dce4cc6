import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { BadRequestError, OpenAI, toFile } from 'openai'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { speechWav } from '../../src/health/speech-wav.ts'
import { askHealth, assertVerdicts, withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const UPSTREAM_KEY = 'key-of-the-upstream'
const fake = await startFakeProvider({ keys: [UPSTREAM_KEY] })
/** Of those who are sick: what the others are asked is counted. */
const sickbed = await startFakeProvider({ keys: [UPSTREAM_KEY] })
after(() => Promise.all([fake.stop(), sickbed.stop()]))

/** What the base of each provider ends in. */
const ENDINGS: Readonly<Record<string, string>> = {
  deepgram: '/v1',
  elevenlabs: '',
  assemblyai: '',
  mistral: '/v1',
  replicate: '/v1',
  xai: '/v1',
}

function listed(
  name: string,
  model: string,
  mode: string,
  { order = 'ok', ...more }: Readonly<Record<string, unknown>> = {},
  { url } = fake,
): Listed {
  const provider = model.split('/')[0] ?? ''
  const base = `${url}/${String(order)}/as-${provider}${ENDINGS[provider] ?? ''}`
  return {
    model_name: name,
    litellm_params: { model, api_base: base, api_key: UPSTREAM_KEY, ...more },
    model_info: { mode, health_check_timeout: 20 },
  }
}

const HEARS = 'audio_transcription'
const SPEAKS = 'audio_speech'
const HEALTHY: readonly Listed[] = [
  listed('ears-deepgram', 'deepgram/nova-3', HEARS, { smart_format: true, language: 'en' }),
  listed('ears-elevenlabs', 'elevenlabs/scribe_v1', HEARS, { tag_audio_events: false }),
  listed('ears-assemblyai', 'assemblyai/universal-2', HEARS),
  listed('voice-deepgram', 'deepgram/aura-2-thalia-en', SPEAKS),
  listed('voice-elevenlabs', 'elevenlabs/eleven_multilingual_v2', SPEAKS),
  listed('voice-mistral', 'mistral/voxtral-mini-tts-3-0', SPEAKS),
  listed('model', 'replicate/meta/meta-llama-3-8b-instruct', 'chat'),
  listed('version', `replicate/owner/name:${'0f'.repeat(32)}`, 'chat'),
  listed('hardware', 'replicate/deployments/acme/llama', 'chat'),
  listed('talk', 'xai/grok-voice-latest', 'realtime'),
]
const sick = (...[name, model, mode, more]: Parameters<typeof listed>): Listed =>
  listed(name, model, mode, more, sickbed)
/** Each with one thing wrong, and what it is found out to be. */
const SICK: readonly (readonly [Listed, string])[] = [
  [sick('deepgram-key', 'deepgram/nova-3', HEARS, { api_key: 'wrong' }), 'auth 401'],
  [sick('deepgram-model', 'deepgram/nothing', HEARS), 'not_found 400'],
  [sick('deepgram-poor', 'deepgram/nova-3', HEARS, { order: 'e402' }), 'quota 402'],
  [sick('deepgram-voice', 'deepgram/aura-2-thalia', SPEAKS), 'not_found 400'],
  [sick('elevenlabs-key', 'elevenlabs/scribe_v1', HEARS, { api_key: 'wrong' }), 'auth 401'],
  [sick('elevenlabs-model', 'elevenlabs/nothing', HEARS), 'not_found 400'],
  [
    sick('elevenlabs-field', 'elevenlabs/eleven_v3', SPEAKS, { voice_settings: { mood: 1 } }),
    'bad_request 422',
  ],
  [sick('elevenlabs-poor', 'elevenlabs/eleven_v3', SPEAKS, { order: 'e402' }), 'quota 402'],
  [sick('assemblyai-key', 'assemblyai/universal-2', HEARS, { api_key: 'wrong' }), 'auth 401'],
  [sick('assemblyai-model', 'assemblyai/nothing', HEARS), 'not_found 400'],
  [sick('assemblyai-busy', 'assemblyai/universal-2', HEARS, { order: 'e503' }), 'overloaded 503'],
  [sick('replicate-key', 'replicate/meta/llama', 'chat', { api_key: 'wrong' }), 'auth 401'],
  [sick('replicate-model', 'replicate/llama', 'chat'), 'not_found 404'],
  [sick('replicate-poor', 'replicate/meta/llama', 'chat', { order: 'e402' }), 'quota 402'],
  [sick('replicate-html', 'replicate/meta/llama', 'chat', { order: 'html' }), 'wrong_shape 500'],
  [sick('xai-key', 'xai/grok-voice-latest', 'realtime', { api_key: 'wrong' }), 'auth 400'],
]

/** An upstream that does as it is told. */
async function withUpstream(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Most of the time somebody is waited for: who makes predictions, or is asked for the next look. */
describe('providers of sound, and of calls that take several requests', { concurrency: true }, () => {
  test('serve', async (t) => {
    await withModels(HEALTHY, async (gateway) => {
      await t.test('healthy for no more requests than a call takes', () => healthy(gateway))
      const run = (name: string, use: (gateway: Gateway) => Promise<void>): Promise<void> =>
        t.test(name, () => use(gateway))
      const chats = async (): Promise<void> => {
        await run('chats by predictions, at once and in the end', chat)
        await run('streams of what a prediction says, where they are to be had', chatStreams)
      }
      await Promise.all([
        run("transcriptions in every format for OpenAI's own client", transcriptions),
        run('and say what of one they cannot be told', unsaid),
        run('a file of up to 25 MB, and say so of a larger one', large),
        run('nobody with sound that is none, and say so', noSound),
        run("speech for OpenAI's own client, as it goes", speech),
        chats(),
      ])
    })
  })

  test('whatever is wrong with a deployment is found out', async () => {
    await withModels(
      SICK.map(([one]) => one),
      async (gateway) => {
        const expected = Object.fromEntries(SICK.map(([one, verdict]) => [one.model_name, verdict]))
        assertVerdicts(await askHealth(gateway), expected)
      },
    )
  })

  test('sound reaches the client while it is still being made', async () => {
    let goOn = (): void => {}
    await withUpstream(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'audio/mpeg' }).write('ID3 first ')
        goOn = () => response.end('and last')
      },
      async (url) => {
        const voice = {
          model_name: 'voice',
          litellm_params: { model: 'deepgram/aura-2-thalia-en', api_base: url, api_key: 'k' },
          model_info: { mode: SPEAKS },
        }
        await withModels([voice], async (gateway) => {
          const body = JSON.stringify({ model: 'voice', input: 'Hi', voice: 'alloy' })
          const headers = { 'content-type': 'application/json' }
          const answer = await fetch(`${gateway.url}/v1/audio/speech`, { method: 'POST', headers, body })
          const texts: string[] = []
          for await (const piece of answer.body ?? []) {
            texts.push(Buffer.from(piece).toString())
            // Nothing more comes before what is there has arrived.
            if (texts.join('') === 'ID3 first ') goOn()
          }
          assert.equal(texts.join(''), 'ID3 first and last')
        })
      },
    )
  })

  test('a client that leaves, or a deadline, ends a job that is never done, here and at the provider', async () => {
    let looks = 0
    const told: string[] = []
    let happened: (what: string) => void = () => {}
    /** The next request of this kind. */
    const next = (what: string): Promise<void> =>
      new Promise((resolve) => {
        happened = (one) => {
          if (one === what) resolve()
        }
      })
    await withUpstream(
      ({ method, url = '', headers }, response) => {
        const { host = '' } = headers
        if (url.endsWith('/cancel')) {
          told.push(`${method} ${url} ${headers.authorization}`)
          response.end('{}')
          happened('cancel')
          return
        }
        if (url === '/events') {
          response
            .writeHead(200, { 'content-type': 'text/event-stream' })
            .write('event: output\ndata: po\n\n')
          return
        }
        const isMade = method === 'POST'
        response.writeHead(isMade ? 201 : 200, { 'content-type': 'application/json' })
        const urls = url.includes('/streaming/') ? { stream: `http://${host}/events` } : {}
        response.end(JSON.stringify({ id: 'p1', status: isMade ? 'starting' : 'processing', urls }))
        if (isMade) return
        looks += 1
        happened('look')
      },
      async (url) => {
        const of = (name: string, model: string, more: object = {}): Listed => ({
          model_name: name,
          litellm_params: { model, api_base: url, api_key: 'k', num_retries: 0, ...more },
        })
        const models = [
          of('patient', 'replicate/meta/llama'),
          of('hasty', 'replicate/meta/llama', { timeout: 1.2, stream_timeout: 1.2 }),
          of('endless', 'replicate/streaming/llama'),
        ]
        await withModels(models, async (gateway) => {
          const { completions } = clientOf(gateway).chat
          const messages = [{ role: 'user' as const, content: 'ping' }]
          const left = new AbortController()
          const looked = next('look')
          const gone = assert.rejects(
            completions.create({ model: 'patient', messages }, { signal: left.signal }),
          )
          await looked
          const canceled = next('cancel')
          left.abort()
          await Promise.all([gone, canceled])
          // One may be under way; two or three more would follow in this time.
          await wait(1_700)
          assert.ok(looks <= 2, String(looks))
          assert.deepEqual(told.splice(0), ['POST /predictions/p1/cancel Bearer k'])

          const stream = await completions.create({ model: 'endless', messages, stream: true })
          const ended = next('cancel')
          // The first piece is there while the rest is still being made.
          for await (const { choices } of stream) if (choices[0]?.delta.content === 'po') break
          await ended
          assert.deepEqual(told.splice(0), ['POST /predictions/p1/cancel Bearer k'])

          const late = [false, true].map((isStream) =>
            assert.rejects(completions.create({ model: 'hasty', messages, stream: isStream }), {
              status: 504,
            }),
          )
          await Promise.all(late)
        })
      },
    )
  })
})

const clientOf = (gateway: Gateway): OpenAI =>
  new OpenAI({ apiKey: 'sk-anything', baseURL: `${gateway.url}/v1`, maxRetries: 0 })

const sound = (bytes: Uint8Array = speechWav()): Promise<File> =>
  toFile(bytes, 'a.wav', { type: 'audio/wav' })
const EARS = ['ears-deepgram', 'ears-elevenlabs', 'ears-assemblyai'] as const

/** What was asked of each provider, without queries. */
const asked = (): readonly string[] =>
  fake
    .journal()
    .filter(({ method }) => method !== 'WSMSG')
    .map(({ method, url }) => `${method} ${(url.split('?')[0] ?? '').replace(/(?:sound|pong)-\d+$/, '{id}')}`)
    .sort()

async function healthy(gateway: Gateway): Promise<void> {
  fake.clearJournal()
  assertVerdicts(
    await askHealth(gateway),
    Object.fromEntries(HEALTHY.map(({ model_name: name }) => [name, 'healthy'])),
  )
  const polls = asked().filter((line) => line.endsWith('/{id}'))
  assert.ok(polls.length >= 1 && polls.length <= 3, String(polls.length))
  assert.deepEqual(
    asked().filter((line) => !line.endsWith('/{id}')),
    [
      'POST /ok/as-assemblyai/v2/transcript',
      'POST /ok/as-assemblyai/v2/upload',
      'POST /ok/as-deepgram/v1/listen',
      'POST /ok/as-deepgram/v1/speak',
      'POST /ok/as-elevenlabs/v1/speech-to-text',
      'POST /ok/as-elevenlabs/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM',
      'POST /ok/as-mistral/v1/audio/speech',
      'POST /ok/as-replicate/v1/deployments/acme/llama/predictions',
      'POST /ok/as-replicate/v1/models/meta/meta-llama-3-8b-instruct/predictions',
      'POST /ok/as-replicate/v1/predictions',
      'WS /ok/as-xai/v1/realtime',
    ],
  )
}

async function transcriptions(gateway: Gateway): Promise<void> {
  const { transcriptions: made } = clientOf(gateway).audio
  const one = async (model: string): Promise<void> => {
    const file = await sound()
    const [plain, verbose, text, srt, vtt] = await Promise.all([
      made.create({ file, model, language: 'en' }),
      made.create({
        file,
        model,
        response_format: 'verbose_json',
        timestamp_granularities: ['word', 'segment'],
      }),
      made.create({ file, model, response_format: 'text' }),
      made.create({ file, model, response_format: 'srt' }),
      made.create({ file, model, response_format: 'vtt' }),
    ])
    assert.equal(plain.text, 'Hello there.', model)
    assert.equal(verbose.text, 'Hello there.')
    assert.deepEqual(verbose.words, [
      { word: 'Hello', start: 0, end: 0.25 },
      { word: 'there.', start: 0.25, end: 0.5 },
    ])
    assert.deepEqual(verbose.segments, [{ id: 0, start: 0, end: 0.5, text: 'Hello there.' }])
    assert.equal(text, 'Hello there.\n')
    assert.equal(srt, '1\n00:00:00,000 --> 00:00:00,500\nHello there.\n\n')
    assert.equal(vtt, 'WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nHello there.\n\n')
  }
  await Promise.all(EARS.map(one))
}

async function unsaid(gateway: Gateway): Promise<void> {
  const { transcriptions: made, translations } = clientOf(gateway).audio
  const file = await sound()
  const refused = (param: string) => (error: unknown) =>
    error instanceof BadRequestError && error.param === param && error.message.includes(param)
  await assert.rejects(made.create({ file, model: 'ears-deepgram', prompt: 'Names: Ada' }), refused('prompt'))
  await assert.rejects(
    made.create({ file, model: 'ears-deepgram', response_format: 'diarized_json' }),
    refused('response_format'),
  )
  await assert.rejects(made.create({ file, model: 'ears-elevenlabs', stream: true }), refused('stream'))
  await assert.rejects(translations.create({ file, model: 'ears-elevenlabs' }), refused('model'))
  const form = new FormData()
  form.append('model', 'ears-deepgram')
  form.append('file', file)
  form.append('temperature', '0.5')
  form.append('drop_params', 'true')
  const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
  assert.equal(response.headers.get('x-pulsegate-dropped-params'), 'temperature')
  assert.deepEqual(await response.json(), { text: 'Hello there.', usage: { type: 'duration', seconds: 0.5 } })
}

async function large(gateway: Gateway): Promise<void> {
  const { transcriptions: made } = clientOf(gateway).audio
  const megabytes = (count: number): Promise<File> => {
    const bytes = Buffer.alloc(count * 1024 * 1024)
    bytes.set(speechWav())
    return sound(bytes)
  }
  // More than is held before anybody is asked, with the model before the file and after it.
  assert.equal((await made.create({ file: await megabytes(9), model: 'ears-deepgram' })).text, 'Hello there.')
  const form = new FormData()
  form.append('model', 'ears-elevenlabs')
  form.append('file', await megabytes(9))
  form.append('response_format', 'text')
  const late = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', body: form })
  assert.equal(await late.text(), 'Hello there.\n')
  await assert.rejects(made.create({ file: await megabytes(26), model: 'ears-deepgram' }), {
    status: 413,
    message: /larger than 26214400 bytes/,
  })
}

async function noSound(gateway: Gateway): Promise<void> {
  const { transcriptions: made } = clientOf(gateway).audio
  const file = await sound(Buffer.from('no sound at all'))
  await assert.rejects(made.create({ file, model: 'ears-assemblyai' }), {
    status: 400,
    message: /does not appear to contain audio/,
  })
}

async function speech(gateway: Gateway): Promise<void> {
  const { speech: made } = clientOf(gateway).audio
  for (const [model, voice] of [
    ['voice-deepgram', 'alloy'],
    ['voice-deepgram', 'aura-2-zeus-en'],
    ['voice-elevenlabs', 'Coral'],
    ['voice-elevenlabs', 'JBFqnCBsd6RMkjVDRZzb'],
  ] as const) {
    const answer = await made.create({ model, voice, input: 'Hello.', speed: 1.1, response_format: 'opus' })
    assert.match(answer.headers.get('content-type') ?? '', /^audio\/ogg/, model)
    assert.equal(await answer.text(), 'ID3 spoken in two pieces')
  }
  for (const [format, said, type] of [
    ['mp3', 'ID3 spoken', 'audio/mpeg'],
    ['wav', 'RIFF spoken', 'audio/wav'],
  ] as const) {
    const asked = { model: 'voice-mistral', voice: 'alloy', input: 'Hello.', response_format: format }
    const answer = await made.create(asked)
    assert.equal(answer.headers.get('content-type'), type)
    assert.equal(await answer.text(), said)
  }
  await assert.rejects(made.create({ model: 'voice-mistral', voice: 'nobody', input: 'Hello.' }), {
    status: 404,
    message: /Voice not found/,
  })
  await assert.rejects(
    made.create({ model: 'voice-elevenlabs', voice: 'alloy', input: 'Hello.', response_format: 'flac' }),
    { status: 400, param: 'response_format' },
  )
  await assert.rejects(made.create({ model: 'voice-deepgram', voice: 'nobody', input: 'Hello.' }), {
    status: 400,
    param: 'voice',
  })
  await assert.rejects(made.create({ model: 'voice-elevenlabs', voice: 'nobody', input: 'Hello.' }), {
    status: 404,
    message: /nobody was not found/,
  })
}

async function chat(gateway: Gateway): Promise<void> {
  const { completions } = clientOf(gateway).chat
  for (const content of ['ping', 'slow ping']) {
    fake.clearJournal()
    const messages = [
      { role: 'system' as const, content: 'Answer with one word.' },
      { role: 'user' as const, content },
    ]
    const whole = await completions.create({ model: 'model', messages, max_tokens: 9, stop: ['\n', 'end'] })
    assert.equal(whole.choices[0]?.message.content, 'pong')
    assert.deepEqual(whole.usage, { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 })
    const [first] = predicted()
    assert.deepEqual(first?.body, {
      input: {
        prompt: content,
        system_prompt: 'Answer with one word.',
        max_tokens: 9,
        stop_sequences: '\n,end',
      },
    })
  }
  const messages = [{ role: 'user' as const, content: 'fail' }]
  await assert.rejects(completions.create({ model: 'model', messages }), {
    status: 500,
    message: /CUDA out of memory/,
  })
  const tools = [{ type: 'function' as const, function: { name: 'f', parameters: {} } }]
  await assert.rejects(completions.create({ model: 'model', messages, tools }), {
    status: 400,
    param: 'tools',
  })
}

/** What Replicate was asked, while others are asked for sound. */
const predicted = (): ReturnType<typeof fake.journal> =>
  fake.journal().filter(({ url }) => url.includes('/as-replicate/'))

/** What a chat's stream was asked of it with, step by step. */
const steps = (): readonly string[] =>
  predicted().map(({ method, url }) => `${method} ${/\/(stream|predictions)\b/.exec(url)?.[1]}`)

async function chatStreams(gateway: Gateway): Promise<void> {
  const { completions } = clientOf(gateway).chat
  const [MADE, STREAMED, LOOKED] = ['POST predictions', 'GET stream', 'GET predictions']
  // An answer whose stream leads astray, or is gone, or was never there, is looked at until it is whole.
  for (const [content, asked, pieces] of [
    ['ping', [MADE, STREAMED], ['po', 'ng', '']],
    ['usage', [MADE, STREAMED, LOOKED], ['po', 'ng', '']],
    ['astray', [MADE, LOOKED], ['pong', '']],
    ['gone', [MADE, STREAMED, LOOKED], ['pong', '']],
    ['whole', [MADE, LOOKED], ['pong', '']],
  ] as const) {
    fake.clearJournal()
    const stream = await completions.create({
      model: 'model',
      messages: [{ role: 'user', content }],
      stream: true,
      ...(content !== 'ping' && { stream_options: { include_usage: true } }),
    })
    const told: string[] = []
    let tokens: number | undefined
    for await (const { id, choices, usage } of stream) {
      assert.match(id, /^\w+-\d+$/)
      if (choices[0] !== undefined) told.push(choices[0].delta.content ?? '')
      tokens = usage?.total_tokens ?? tokens
    }
    assert.deepEqual(told, pieces, content)
    assert.deepEqual([...new Set(steps())], asked, content)
    assert.equal(tokens, content === 'ping' ? undefined : 6, content)
  }
  await assert.rejects(
    completions.create({ model: 'model', messages: [{ role: 'user', content: 'fail' }], stream: true }),
    { status: 500, message: /CUDA out of memory/ },
  )
}
