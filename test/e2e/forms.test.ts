import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { AzureOpenAI, BadRequestError, OpenAI, toFile } from 'openai'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { speechWav } from '../../src/health/speech-wav.ts'
import { at, listAt } from './asking.ts'
import { writtenForm } from './form-bytes.ts'
import { withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'

const KEY = 'sk-master-of-the-gateway'
const fake = await startFakeProvider()
after(() => fake.stop())

interface Params {
  readonly order?: string
  readonly mode?: string
  readonly more?: Readonly<Record<string, unknown>>
}

/** A deployment of the fake; Azure's bases have no version. */
function listed(
  name: string,
  model: string,
  { order = 'ok', mode = 'audio_transcription', more = {} }: Params = {},
): Listed {
  const base = model.startsWith('azure/') ? `${fake.url}/${order}` : `${fake.url}/${order}/v1`
  return {
    model_name: name,
    litellm_params: { model, api_base: base, api_key: 'sk-of-upstream', ...more },
    model_info: { mode },
  }
}

/** What each ailment becomes for the client: status and kind. */
const FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  e400: [400, 'bad_request'],
  e429r30: [429, 'rate_limited'],
  e500: [500, 'server_error'],
  reset: [502, 'unreachable'],
  garbage: [502, 'wrong_shape'],
  html: [502, 'wrong_shape'],
  shape: [502, 'wrong_shape'],
  empty: [502, 'empty'],
  err200: [500, 'server_error'],
  hang: [504, 'timeout'],
}

const IMAGES = { mode: 'image_generation' } as const
const MODELS: readonly Listed[] = [
  listed('ears', 'openai/whisper-1'),
  listed('fast-ears', 'openai/gpt-4o-transcribe'),
  listed('team/ears', 'azure/whisper'),
  listed('wordy', 'openai/whisper-1', {
    more: { language: 'de', response_format: 'verbose_json', top_k: 4, timestamp_granularities: ['word'] },
  }),
  listed('brush', 'openai/gpt-image-1', IMAGES),
  listed('wide-brush', 'openai/gpt-image-1', { ...IMAGES, more: { size: '1024x1024', style: 'vivid' } }),
  listed('azure-brush', 'azure/my-brush', IMAGES),
  {
    model_name: 'pair',
    litellm_params: { model: 'openai/whisper-1', api_base: 'http://127.0.0.1:9/v1', api_key: 'k', order: 1 },
    model_info: { mode: 'audio_transcription' },
  },
  listed('pair', 'openai/whisper-1', { more: { order: 2 } }),
  listed('broken-brush', 'openai/gpt-image-1', { ...IMAGES, order: 'e500', more: { order: 1 } }),
  listed('broken-brush', 'openai/gpt-image-1', { ...IMAGES, more: { order: 2 } }),
  listed('busy-brush', 'openai/gpt-image-1', { ...IMAGES, order: 'e429r30', more: { order: 1 } }),
  listed('busy-brush', 'openai/gpt-image-1', { ...IMAGES, more: { order: 2 } }),
  ...Object.keys(FAULTS).flatMap((order) => {
    const more = { num_retries: 0, ...(order === 'hang' && { timeout: 0.3 }) }
    return [
      listed(`ears-${order}`, 'openai/whisper-1', { order, more }),
      listed(`brush-${order}`, 'openai/gpt-image-1', { ...IMAGES, order, more }),
    ]
  }),
]

test('forms', async (t) => {
  await withModels(
    MODELS,
    async (gateway) => {
      const cases: readonly (readonly [string, (gateway: Gateway) => Promise<void>])[] = [
        ["give OpenAI's own client transcriptions in every format", transcriptions],
        ["give OpenAI's own client a streamed transcription", streamed],
        ["give OpenAI's own client translations", translations],
        ["give OpenAI's own client edited images", edits],
        ["reach Azure's deployments for its own client", azure],
        ['are there with and without a version, and with the model in the path', paths],
        ['are passed on byte by byte but for the model', bytes],
        ['get what the deployment sets, where the route knows it', defaults],
        ['say what the gateway is to do, and pass none of it on', gatewayFields],
        ['may not say where a request goes', connectionFields],
        ['are told what they lack', mistakes],
        ['go to the next deployment when the first is dead', failover],
        ['of images are sent twice only where nothing was done', costly],
        ["turn every ailment into the right status and OpenAI's envelope", ailments],
      ]
      for (const [name, run] of cases) await t.test(name, () => run(gateway))
    },
    { general_settings: { master_key: KEY }, router_settings: { num_retries: 2 } },
  )
})

const clientOf = (gateway: Gateway): OpenAI =>
  new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })

const sound = (): Promise<File> => toFile(speechWav(), 'a.wav', { type: 'audio/wav' })
const picture = (): Promise<File> => toFile(Buffer.from('a picture'), 'a.png', { type: 'image/png' })

async function transcriptions(gateway: Gateway): Promise<void> {
  const { transcriptions: asked } = clientOf(gateway).audio
  for (const model of ['ears', 'team/ears', 'fast-ears']) {
    assert.deepEqual({ ...(await asked.create({ file: await sound(), model })) }, { text: 'hello' }, model)
  }
  const file = await sound()
  const verbose = await asked.create({
    file,
    model: 'ears',
    response_format: 'verbose_json',
    timestamp_granularities: ['word', 'segment'],
  })
  assert.deepEqual([verbose.text, verbose.duration, verbose.language], ['hello', 0.5, 'english'])
  assert.equal(await asked.create({ file, model: 'ears', response_format: 'text' }), 'hello\n')
  assert.match(await asked.create({ file, model: 'ears', response_format: 'srt' }), /-->/)
  const raw = await asked.create({ file, model: 'ears', response_format: 'vtt' }).asResponse()
  assert.equal(raw.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.match(await raw.text(), /^WEBVTT/)
}

async function streamed(gateway: Gateway): Promise<void> {
  const { transcriptions: asked } = clientOf(gateway).audio
  const events: string[] = []
  for await (const event of await asked.create({ file: await sound(), model: 'fast-ears', stream: true }))
    events.push(event.type)
  assert.deepEqual(events, ['transcript.text.delta', 'transcript.text.delta', 'transcript.text.done'])
  // whisper-1 does not stream: it ignores the wish, and its whole answer is one.
  const whole = await asked.create({ file: await sound(), model: 'ears', stream: true }).asResponse()
  assert.deepEqual([whole.status, await whole.json()], [200, { text: 'hello' }])
}

async function translations(gateway: Gateway): Promise<void> {
  const { translations: asked } = clientOf(gateway).audio
  const file = await sound()
  assert.equal((await asked.create({ file, model: 'ears' })).text, 'hello')
  assert.equal((await asked.create({ file, model: 'team/ears' })).text, 'hello')
  const raw = await asked.create({ file, model: 'ears', response_format: 'verbose_json' }).asResponse()
  assert.equal(at(await raw.json(), 'task'), 'translate')
  assert.deepEqual(
    fake
      .journal()
      .slice(-3)
      .map(({ url }) => url),
    [
      '/ok/v1/audio/translations',
      '/ok/openai/deployments/whisper/audio/translations?api-version=2024-10-21',
      '/ok/v1/audio/translations',
    ],
  )
}

async function edits(gateway: Gateway): Promise<void> {
  const { images } = clientOf(gateway)
  const image = await picture()
  const one = await images.edit({ image, prompt: 'a hat', model: 'brush', n: 2 })
  assert.equal(one.data?.length, 2)
  const several = await images.edit({ image: [image, image], mask: image, prompt: 'a hat', model: 'brush' })
  assert.equal(several.data?.length, 1)
  const body = fake.journal().at(-1)?.body
  const names = ['image[]', 'image[]', 'mask'].map((name) => [name, 'a.png'])
  assert.deepEqual(new Set(listAt(body, 'multipart')), new Set([...names, ['prompt', null], ['model', null]]))
  const types: string[] = []
  for await (const event of await images.edit({ image, prompt: 'a hat', model: 'brush', stream: true }))
    types.push(event.type)
  assert.deepEqual(types, ['image_edit.partial_image', 'image_edit.completed'])
  const json = { model: 'wide-brush', prompt: 'a hat', images: [{ image_url: 'https://x/a.png' }] }
  const answer = await fetch(`${gateway.url}/v1/images/edits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(json),
  })
  assert.equal(answer.status, 200, await answer.text())
  assert.deepEqual(fake.journal().at(-1)?.body, { ...json, model: 'gpt-image-1', size: '1024x1024' })
}

async function azure(gateway: Gateway): Promise<void> {
  const client = new AzureOpenAI({
    apiKey: KEY,
    endpoint: gateway.url,
    apiVersion: '2024-10-21',
    maxRetries: 0,
  })
  const file = await sound()
  assert.equal((await client.audio.transcriptions.create({ file, model: 'ears' })).text, 'hello')
  assert.equal((await client.audio.translations.create({ file, model: 'team/ears' })).text, 'hello')
  const edited = await client.images.edit({ image: await picture(), prompt: 'a hat', model: 'azure-brush' })
  assert.equal(edited.data?.length, 1)
  assert.match(
    fake.journal().at(-1)?.url ?? '',
    /\/openai\/deployments\/my-brush\/images\/edits\?api-version=/,
  )
}

/** A form as a request of ours, and its answer. */
async function send(
  gateway: Gateway,
  path: string,
  form: FormData | Buffer | string,
  type?: string,
): Promise<{ readonly status: number; readonly text: string; readonly json: unknown }> {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(type !== undefined && type !== '' && { 'content-type': type }),
    },
    body: Buffer.isBuffer(form) ? new Uint8Array(form) : form,
  })
  const text = await response.text()
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined }
}

async function soundForm(fields: readonly (readonly [string, string])[]): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of fields) form.append(name, value)
  form.append('file', await sound())
  return form
}

async function paths(gateway: Gateway): Promise<void> {
  for (const [route, fields] of [
    ['audio/transcriptions', [['model', 'ears']]],
    ['audio/translations', [['model', 'ears']]],
  ] as const) {
    for (const path of [`/${route}`, `/v1/${route}`])
      assert.equal((await send(gateway, path, await soundForm(fields))).status, 200, path)
    for (const root of ['/openai/deployments/', '/engines/', '/v1/engines/']) {
      const path = `${root}team/ears/${route}`
      // The model of the path wins, and the form's own is rewritten wherever it stands.
      assert.equal((await send(gateway, path, await soundForm(fields))).status, 200, path)
      assert.match(fake.journal().at(-1)?.url ?? '', /deployments\/whisper\//)
      assert.deepEqual(at(fake.journal().at(-1)?.body, 'fields'), [['model', 'whisper']])
    }
  }
}

async function bytes(): Promise<void> {
  const { type, body } = writtenForm([
    ['prompt', 'one\r\n--two'],
    ['language', ''],
    ['model', 'ears'],
    { name: 'file', filename: 'Müller "q".wav', type: 'audio/x-own', bytes: speechWav() },
  ])
  const odd = Buffer.concat([Buffer.from('preamble\r\n'), body, Buffer.from('\r\nepilogue')])
  const seen = await arriving(odd, type)
  assert.equal(seen, odd.toString('latin1').replace('ears', 'up'))
}

/** What arrives of a form at a bare upstream, one character a byte. */
async function arriving(body: Buffer, type: string): Promise<string> {
  let arrived = ''
  const upstream = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      assert.equal(request.headers['content-type'], type)
      arrived = Buffer.concat(chunks).toString('latin1')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":""}')
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  try {
    const base = `http://127.0.0.1:${String(at(upstream.address(), 'port'))}`
    const model = { model: 'openai/up', api_base: base, api_key: 'k' }
    const models = [
      { model_name: 'ears', litellm_params: model, model_info: { mode: 'audio_transcription' } },
    ]
    await withModels(models, async (own) => {
      const { status, text } = await send(own, '/v1/audio/transcriptions', body, type)
      assert.equal(status, 200, text)
    })
  } finally {
    upstream.close()
    upstream.closeAllConnections()
  }
  return arrived
}

async function defaults(gateway: Gateway): Promise<void> {
  await send(
    gateway,
    '/v1/audio/transcriptions',
    await soundForm([
      ['model', 'wordy'],
      ['language', 'fr'],
    ]),
  )
  assert.deepEqual(at(fake.journal().at(-1)?.body, 'fields'), [
    ['model', 'whisper-1'],
    ['language', 'fr'],
    ['response_format', 'verbose_json'],
  ])
  await send(gateway, '/v1/audio/translations', await soundForm([['model', 'wordy']]))
  assert.deepEqual(at(fake.journal().at(-1)?.body, 'fields'), [
    ['model', 'whisper-1'],
    ['response_format', 'verbose_json'],
  ])
  const form = new FormData()
  form.append('image', await picture())
  form.append('prompt', 'a hat')
  form.append('model', 'wide-brush')
  assert.equal((await send(gateway, '/v1/images/edits', form)).status, 200)
  assert.deepEqual(at(fake.journal().at(-1)?.body, 'fields'), [
    ['prompt', 'a hat'],
    ['model', 'gpt-image-1'],
    ['size', '1024x1024'],
  ])
}

async function gatewayFields(gateway: Gateway): Promise<void> {
  const form = await soundForm([
    ['model', 'ears-e500'],
    ['fallbacks[]', 'ears'],
    ['tags', '["a"]'],
    ['litellm_metadata[team]', 'x'],
  ])
  form.append('num_retries', '0')
  const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}` },
    body: form,
  })
  assert.deepEqual([response.status, await response.json()], [200, { text: 'hello' }])
  assert.equal(response.headers.get('x-litellm-attempted-fallbacks'), '1')
  assert.equal(response.headers.get('x-litellm-model-group'), 'ears')
  assert.equal(response.headers.get('x-pulsegate-dropped-params'), 'tags, litellm_metadata')
  assert.deepEqual(at(fake.journal().at(-1)?.body, 'fields'), [['model', 'whisper-1']])
  const slow = await soundForm([
    ['model', 'ears-hang'],
    ['timeout', '0.05'],
  ])
  assert.equal((await send(gateway, '/v1/audio/transcriptions', slow)).status, 504)
}

async function connectionFields(gateway: Gateway): Promise<void> {
  for (const name of ['api_base', 'extra_headers[x]']) {
    const form = await soundForm([
      ['model', 'ears'],
      [name, 'http://127.0.0.1:1'],
    ])
    const { status, json } = await send(gateway, '/v1/audio/transcriptions', form)
    assert.deepEqual([status, at(json, 'error', 'param')], [400, name.replace('[x]', '')])
  }
}

async function mistakes(gateway: Gateway): Promise<void> {
  const { body, type } = writtenForm([['model', 'ears']])
  const noModel = writtenForm([{ name: 'file', filename: 'a.wav', type: 'audio/wav', bytes: speechWav() }])
  const noPrompt = writtenForm([
    ['model', 'brush'],
    { name: 'image', filename: 'a.png', type: 'image/png', bytes: speechWav() },
  ])
  const whole = writtenForm([
    ['model', 'ears'],
    { name: 'file', filename: 'a.wav', type: 'audio/wav', bytes: speechWav() },
  ])
  const SOUND = '/v1/audio/transcriptions'
  const cases: readonly (readonly [string, string, Buffer | string, string, number, RegExp])[] = [
    ['no file', SOUND, body, type, 400, /Missing required parameter: 'file'/],
    ['no model', SOUND, noModel.body, noModel.type, 400, /model=None/],
    [
      'no prompt',
      '/v1/images/edits',
      noPrompt.body,
      noPrompt.type,
      400,
      /Missing required parameter: 'prompt'/,
    ],
    [
      'an unknown model',
      SOUND,
      Buffer.from(whole.body.toString('latin1').replace('ears', 'eyes'), 'latin1'),
      whole.type,
      400,
      /model=eyes/,
    ],
    ['JSON', SOUND, '{"model":"ears"}', 'application/json', 415, /send multipart\/form-data/],
    ['no type', SOUND, Buffer.from('x'), '', 415, /no Content-Type/],
    [
      'another multipart type',
      '/v1/images/edits',
      whole.body,
      whole.type.replace('form-data', 'mixed'),
      415,
      /send multipart\/form-data/,
    ],
    ['no boundary', SOUND, whole.body, 'multipart/form-data', 400, /names no boundary/],
    ['another boundary', SOUND, whole.body, `${whole.type}x`, 400, /does not end with its closing boundary/],
    [
      'a form that is cut off',
      SOUND,
      whole.body.subarray(0, -40),
      whole.type,
      400,
      /does not end with its closing boundary/,
    ],
    ['nothing', SOUND, '', whole.type, 400, /does not end with its closing boundary/],
    [
      'JSON without images',
      '/v1/images/edits',
      '{"model":"brush","prompt":"x"}',
      'application/json',
      400,
      /'image'/,
    ],
  ]
  const before = fake.journal().length
  for (const [name, path, form, contentType, status, message] of cases) {
    const got = await send(gateway, path, form, contentType)
    assert.equal(got.status, status, `${name}: ${got.text}`)
    assert.match(String(at(got.json, 'error', 'message')), message, name)
  }
  assert.equal(fake.journal().length, before, 'nothing of it went upstream')
  const client = clientOf(gateway)
  await assert.rejects(
    client.audio.transcriptions.create({ file: await sound(), model: 'eyes' }),
    BadRequestError,
  )
}

async function failover(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  for (let times = 0; times < 3; times += 1) {
    const answer = await client.audio.transcriptions
      .create({ file: await sound(), model: 'pair' })
      .asResponse()
    assert.deepEqual(await answer.json(), { text: 'hello' })
    // After the first has been found dead it is no longer asked.
    if (times === 0) assert.equal(answer.headers.get('x-litellm-attempted-retries'), '1')
  }
}

async function costly(gateway: Gateway): Promise<void> {
  const client = clientOf(gateway)
  const image = await picture()
  const busy = await client.images.edit({ image, prompt: 'a hat', model: 'busy-brush' }).asResponse()
  assert.deepEqual([busy.status, busy.headers.get('x-litellm-attempted-retries')], [200, '1'])
  await assert.rejects(client.images.edit({ image, prompt: 'a hat', model: 'broken-brush' }), { status: 500 })
}

async function ailments(gateway: Gateway): Promise<void> {
  for (const [order, [status, type]] of Object.entries(FAULTS)) {
    const heard = await send(
      gateway,
      '/v1/audio/transcriptions',
      await soundForm([['model', `ears-${order}`]]),
    )
    assert.deepEqual(
      [heard.status, at(heard.json, 'error', 'type')],
      [status, type],
      `${order}: ${heard.text}`,
    )
    const form = new FormData()
    form.append('model', `brush-${order}`)
    form.append('prompt', 'a hat')
    form.append('image', await picture())
    const drawn = await send(gateway, '/v1/images/edits', form)
    assert.deepEqual(
      [drawn.status, at(drawn.json, 'error', 'type')],
      [status, type],
      `${order}: ${drawn.text}`,
    )
  }
}
