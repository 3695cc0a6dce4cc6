import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientForm, FormField, FormRest, RestSink } from '../core/client-form.ts'
import { createFieldCollector } from '../core/client-form.ts'
import { GatewayError } from '../core/failure.ts'
import { createFormScan } from '../core/form-scan.ts'
import { scanObject } from '../core/json-spans.ts'
import type { RouteName } from '../core/mode.ts'
import type { Transport, WireRequest } from '../transport/wire.ts'
import { deploymentOf } from './adapter.contract.ts'
import { encode, openLine, relay } from './call.ts'
import { allAdapters } from './registry.ts'

const ADAPTERS = await allAdapters()

type Sent = WireRequest | undefined

/** A line whose transport keeps what it is to send. */
function lineOf(
  provider: string,
  more: Parameters<typeof deploymentOf>[1] = {},
): { readonly line: Parameters<typeof relay>[0]; readonly sent: () => Sent } {
  let sent: Sent
  const transport: Transport = {
    stream: (request) => {
      sent = request
      return { resume: () => {}, cancel: () => {} }
    },
    send: () => assert.fail('nothing is sent whole'),
    dial: () => assert.fail('nothing is dialled'),
    openSocket: () => assert.fail('nothing is dialled'),
    reach: () => assert.fail('nothing is looked at'),
    close: () => Promise.resolve(),
  }
  const opened = openLine(deploymentOf(provider, more), { transport, env: {}, redact: (text) => text })
  assert.ok('line' in opened, JSON.stringify(opened))
  return { line: opened.line, sent: () => sent }
}

function fieldsOf(body: WireRequest['body'], contentType: string): readonly FormField[] {
  const bytes = Buffer.from(body ?? '')
  const collector = createFieldCollector()
  const scan = createFormScan(contentType.split('boundary=')[1] ?? '')
  for (const piece of scan.push(bytes)) collector.take(piece)
  scan.end()
  return collector.fields()
}

function relayForm(
  line: Parameters<typeof relay>[0],
  route: RouteName,
  texts: Readonly<Record<string, string>>,
  after: Readonly<Record<string, unknown>> = texts,
  more: Partial<ClientForm> = {},
): void {
  const parts = Object.entries(texts).map(
    ([name, text]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`,
  )
  const held = Buffer.from(`${parts.join('')}--b--`)
  const form: ClientForm = {
    contentType: 'multipart/form-data; boundary=b',
    boundary: 'b',
    held,
    fields: [],
    ...more,
  }
  const fields = Buffer.from(JSON.stringify(texts))
  const body = after === texts ? fields : Buffer.from(JSON.stringify(after))
  const relayed = { form, fields, removed: new Set(['tags']), refused: new Set(['api_base']) }
  const sink = { head: () => {}, data: () => true, end: () => {}, fail: assert.fail }
  relay(line, route, body, scanObject(body), { timeoutMs: 1, maxBytes: 1 }, sink, relayed)
}

const DEFAULTS = { language: 'de', temperature: 0, response_format: 'json', top_k: 4 }

const RELAYING = ADAPTERS.filter(
  ({ codecs: { audio_transcription: codec } }) => codec !== 'unsupported' && codec.relay,
)
for (const { id } of RELAYING) {
  test(`${id}: a relayed transcription has the address and fields of the encoded one`, () => {
    const { line, sent } = lineOf(id, { bodyDefaults: DEFAULTS })
    const file = { name: 'a.wav', contentType: 'audio/wav', bytes: Buffer.from('x') }
    const encoded = encode(line, 'audio_transcription', { file, fields: {} })
    relayForm(line, 'audio_transcription', { model: 'the-group' })
    const { method, url, headers, body } = sent() ?? assert.fail('it is sent')
    assert.deepEqual([method, url.split('?')[0]], [encoded.method, encoded.url.split('?')[0]])
    assert.equal(headers['accept'], encoded.headers['accept'])
    const own = fieldsOf(encoded.body, encoded.headers['content-type'] ?? '')
    assert.deepEqual(
      fieldsOf(body, headers['content-type'] ?? ''),
      own.filter(({ name }) => name !== 'file'),
    )
  })
}

test('what was done to the fields is done to the parts', () => {
  const { line, sent } = lineOf('openai', {
    bodyDefaults: { language: 'de', prompt: null, temperature: 0.5, response_format: 'srt' },
  })
  const texts = { model: 'a', tags: 'x', fallbacks: '[]', language: 'fr', n: '1' }
  const { fallbacks: _, ...left } = texts
  // A fallback writes members of its own, of any type.
  relayForm(line, 'audio_transcription', texts, {
    ...left,
    n: 2,
    include: ['a', 'b'],
    chunking: { type: 'auto' },
  })
  assert.deepEqual(fieldsOf(sent()?.body, 'boundary=b'), [
    { name: 'model', text: line.target.model },
    { name: 'language', text: 'fr' },
    { name: 'n', text: '2' },
    { name: 'include[]', text: 'a' },
    { name: 'include[]', text: 'b' },
    { name: 'chunking', text: '{"type":"auto"}' },
    { name: 'temperature', text: '0.5' },
    { name: 'response_format', text: 'srt' },
  ])
})

const ADDRESSES: readonly (readonly [string, string, RouteName, string])[] = [
  ['openai', 'http://a.test/v1', 'audio_translation', 'http://a.test/v1/audio/translations'],
  ['openai', 'http://a.test/v1', 'image_edit', 'http://a.test/v1/images/edits'],
  ['openai', 'http://a.test/v1/images/generations', 'image_edit', 'http://a.test/v1/images/edits'],
  [
    'groq',
    'http://a.test/v1/audio/transcriptions',
    'audio_translation',
    'http://a.test/v1/audio/translations',
  ],
  [
    'azure',
    'http://a.test',
    'image_edit',
    'http://a.test/openai/deployments/m/images/edits?api-version=2024-10-21',
  ],
  [
    'azure',
    'http://a.test/openai/deployments/d/audio/transcriptions',
    'audio_translation',
    'http://a.test/openai/deployments/d/audio/translations?api-version=2024-10-21',
  ],
  ['azure', 'http://a.test/openai/v1', 'audio_translation', 'http://a.test/openai/v1/audio/translations'],
]

for (const [provider, apiBase, route, url] of ADDRESSES) {
  test(`${provider} at ${apiBase} serves ${route} at ${url}`, () => {
    const base = deploymentOf(provider)
    const connection = { ...base.connection, apiBase }
    const { line, sent } = lineOf(provider, { connection })
    relayForm({ ...line, target: { ...line.target, model: 'm' } }, route, { model: 'a' })
    assert.equal(sent()?.url, url)
  })
}

/** The rest of a form, as a test hands it out. */
function handRest(): FormRest & { readonly sink: () => RestSink; readonly calls: readonly string[] } {
  let taken: RestSink | undefined
  const calls: string[] = []
  return {
    isTaken: () => taken !== undefined,
    take: (sink) => {
      assert.equal(taken, undefined, 'it is taken once')
      taken = sink
      return { resume: () => void calls.push('resume'), stop: () => void calls.push('stop') }
    },
    sink: () => taken ?? assert.fail('nobody took the rest'),
    calls,
  }
}

const HELD = Buffer.from('--b\r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n--b\r\n')
const LATER = Buffer.from('Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz\r\n--b--')

/** In the middle of the file. */
const IN_CONTENT = LATER.indexOf('yz')

function streamedForm(sizeBytes?: number): {
  readonly request: WireRequest
  readonly rest: ReturnType<typeof handRest>
} {
  const { line, sent } = lineOf('openai')
  const rest = handRest()
  const size = sizeBytes === undefined ? {} : { sizeBytes }
  relayForm(line, 'audio_transcription', { model: 'a' }, undefined, { held: HELD, rest, ...size })
  return { request: sent() ?? assert.fail('it is sent'), rest }
}

test('of a large form what is held can be sent again and again, and the rest is taken once', async () => {
  const { request, rest } = streamedForm(HELD.length + LATER.length)
  const { streamed, headers } = request
  assert.ok(streamed !== undefined)
  // Nothing is read of a body that never gets a connection.
  streamed.open().destroy()
  assert.ok(streamed.canOpen())
  const body = streamed.open()
  const chunks: Buffer[] = []
  body.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(!streamed.canOpen())
  rest.sink().data(LATER.subarray(0, 30))
  rest.sink().data(LATER.subarray(30))
  rest.sink().end()
  await new Promise((resolve) => body.once('end', resolve))
  const whole = Buffer.concat(chunks)
  assert.equal(whole.toString(), `${HELD.toString()}${LATER.toString()}`.replace('\na\r', '\nthe-model\r'))
  assert.equal(headers['content-length'], String(whole.length))
})

test('a reader that is full pauses the client, and one that goes away leaves the rest alone', async () => {
  const { request, rest } = streamedForm()
  assert.equal(request.headers['content-length'], undefined)
  const body = request.streamed?.open() ?? assert.fail('it is streamed')
  body.resume()
  await new Promise((resolve) => setImmediate(resolve))
  body.pause()
  const sink = rest.sink()
  sink.data(LATER.subarray(0, IN_CONTENT))
  assert.equal(sink.data(Buffer.alloc(200_000, 'x')), false)
  body.resume()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(rest.calls, ['resume'])
  body.destroy()
  await new Promise((resolve) => body.once('close', resolve))
  assert.deepEqual(rest.calls, ['resume', 'stop'])
})

test('a form that turns out to be none, and a client that goes away, end the body with the reason', async () => {
  const spoilt: readonly (readonly [RegExp, (sink: RestSink) => void])[] = [
    [/closing boundary/, (sink) => sink.end()],
    [/half a line end/, (sink) => void sink.data(Buffer.from('\n--b'))],
    [/went away/, (sink) => sink.fail(new GatewayError('cancelled', 'the client went away'))],
  ]
  for (const [message, spoil] of spoilt) {
    const { request, rest } = streamedForm()
    const body = request.streamed?.open() ?? assert.fail('it is streamed')
    body.resume()
    await new Promise((resolve) => setImmediate(resolve))
    rest.sink().data(LATER.subarray(0, IN_CONTENT))
    const failed = new Promise<Error>((resolve) => body.once('error', resolve))
    spoil(rest.sink())
    assert.match((await failed).message, message)
  }
})
