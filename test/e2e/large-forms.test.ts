import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import { at, eventually } from './asking.ts'
import { withModels, type Listed } from './health-answer.ts'
import { freePort, type Gateway } from './program.ts'

const MB = 1024 * 1024
const BOUNDARY = 'the-boundary'
const FILE_HEAD = `\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`
const CLOSE = `\r\n--${BOUNDARY}--\r\n`
const field = (name: string, text: string): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}`

/** What an upstream saw of one request. */
interface Seen {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  bytes: number
  sha256: string
  /** When the connection ended before the body did, by the monotonic clock. */
  brokenAtMs: number | undefined
}

/** Reads every body to its end and answers a transcript, unless the path says otherwise. */
async function startSink(): Promise<{ readonly url: string; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = []
  const server = http.createServer((request, response) => {
    const one: Seen = {
      path: request.url ?? '',
      headers: request.headers,
      bytes: 0,
      sha256: '',
      brokenAtMs: undefined,
    }
    seen.push(one)
    swallow(request, response, one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${String(at(server.address(), 'port'))}`, seen }
}

function swallow(request: IncomingMessage, response: ServerResponse, one: Seen): void {
  const hash = createHash('sha256')
  let hasSlept = false
  if (one.path.startsWith('/full')) {
    const body = '{"error":{"message":"too much for me"}}'
    response.writeHead(413, { 'content-type': 'application/json' }).end(body)
    return
  }
  request.on('data', (chunk: Buffer) => {
    one.bytes += chunk.length
    hash.update(chunk)
    if (one.path.startsWith('/dying') && one.bytes > 12 * MB) request.socket.resetAndDestroy()
    if (!one.path.startsWith('/slow') || hasSlept) return
    hasSlept = true
    request.pause()
    setTimeout(() => request.resume(), 200)
  })
  request.on('error', () => {})
  request.on('close', () => {
    if (!request.complete) one.brokenAtMs = performance.now()
  })
  request.on('end', () => {
    one.sha256 = hash.digest('hex')
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":"hello"}')
  })
}

const sink = await startSink()

function listed(name: string, base: string, more: Readonly<Record<string, unknown>> = {}): Listed {
  return {
    model_name: name,
    litellm_params: { model: 'openai/whisper-1', api_base: base, api_key: 'sk-of-upstream', ...more },
    model_info: { mode: 'audio_transcription' },
  }
}

/** A form that is made while it is sent. */
interface Upload {
  readonly path?: string
  readonly before: string
  readonly fileBytes: number
  readonly after: string
  /** Default: the size is told. */
  readonly isChunked?: boolean
}

/** Random enough that no two places are alike, and the same each time. */
const PIECE = Buffer.from(Array.from({ length: 65_521 }, (_, at) => (at * at + 7 * at) % 251))

function* contentOf({ before, fileBytes, after: end }: Upload): Generator<Buffer> {
  yield Buffer.from(before)
  for (let sent = 0; sent < fileBytes; sent += PIECE.length) yield PIECE.subarray(0, fileBytes - sent)
  yield Buffer.from(end)
}

function sha256Of(upload: Upload): string {
  const hash = createHash('sha256')
  for (const piece of contentOf(upload)) hash.update(piece)
  return hash.digest('hex')
}

interface Got {
  readonly status: number
  readonly text: string
  readonly headers: IncomingHttpHeaders
}

function open(
  gateway: Gateway,
  { path = '/v1/audio/transcriptions', ...upload }: Upload,
): http.ClientRequest {
  const { before, fileBytes, after: end, isChunked } = upload
  const length = Buffer.byteLength(before) + fileBytes + Buffer.byteLength(end)
  return http.request(gateway.url + path, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      ...(isChunked !== true && { 'content-length': length }),
    },
  })
}

async function send(gateway: Gateway, upload: Upload): Promise<Got> {
  const request = open(gateway, upload)
  const answered = new Promise<Got>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString(),
          headers: response.headers,
        }),
      )
    })
  })
  let isAnswered = false
  const stop = (): void => {
    isAnswered = true
    request.emit('drain')
  }
  answered.then(stop, stop)
  for (const piece of contentOf(upload)) {
    if (isAnswered) break
    if (!request.write(piece)) await new Promise<void>((resolve) => request.once('drain', resolve))
  }
  request.end()
  return answered
}

const LARGE: Upload = { before: field('model', 'ears') + FILE_HEAD, fileBytes: 100 * MB, after: CLOSE }
const renamed = (upload: Upload): Upload => ({
  ...upload,
  before: upload.before.replace('ears', 'whisper-1'),
  after: upload.after.replace('ears', 'whisper-1'),
})

/** A figure of the kernel's, bytes. */
function memory(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024
}

const deadPort = await freePort()

test('large forms', async (t) => {
  const models = [
    listed('ears', `${sink.url}/slow/v1`),
    listed('plain', `${sink.url}/v1`),
    listed('preset', `${sink.url}/v1`, { language: 'de' }),
    listed('pair', `http://127.0.0.1:${deadPort}/v1`, { order: 1 }),
    listed('pair', `${sink.url}/second/v1`, { order: 2 }),
    listed('dying', `${sink.url}/dying/v1`, { order: 1 }),
    listed('dying', `${sink.url}/second/v1`, { order: 2 }),
    listed('full', `${sink.url}/full/v1`),
  ]
  const cases: readonly (readonly [string, (gateway: Gateway) => Promise<void>])[] = [
    ['of 100 MB pass within 50 MB of memory, while the upstream takes its time', memoryStays],
    ['keep their size, whatever is changed in them, where the client told it', sizes],
    ['are looked through for the model as far as any sound goes, and no further', lateModel],
    ['go on to the next deployment while nothing beyond the held part was taken', refusedFirst],
    ['are not sent again once more of them was taken', diedInTheMiddle],
    ['give their answer to a client that is still sending', earlyAnswer],
    ['end upstream as soon as the client leaves', clientLeaves],
    ['are refused past the limit, also where their size is not told', tooLarge],
    ["that break off, or may not say what they say late, are the client's mistake", lateMistakes],
  ]
  const settings = { general_settings: { max_request_size_mb: 120 } }
  await withModels(
    models,
    async (gateway) => {
      for (const [name, run] of cases) await t.test(name, () => run(gateway))
    },
    settings,
  )
})

async function memoryStays(gateway: Gateway): Promise<void> {
  // What the first requests need for good (code, pools, the young generation) is no cost of the size.
  const small = { ...LARGE, fileBytes: 20_000 }
  for (let times = 0; times < 20; times += 1) assert.equal((await send(gateway, small)).status, 200)
  const before = memory(gateway.pid, 'VmRSS')
  const { status, text } = await send(gateway, LARGE)
  assert.deepEqual([status, text], [200, '{"text":"hello"}'])
  const growth = memory(gateway.pid, 'VmHWM') - before
  console.log(
    `100 MB form: RSS grew by at most ${(growth / MB).toFixed(1)} MB from ${(before / MB).toFixed(1)} MB`,
  )
  assert.ok(growth < 50 * MB, `RSS grew by ${growth / MB} MB`)
  const seen = sink.seen.at(-1)
  assert.equal(seen?.sha256, sha256Of(renamed(LARGE)))
  assert.equal(seen?.headers['content-length'], String(seen?.bytes))
  assert.equal(seen?.headers['authorization'], 'Bearer sk-of-upstream')
}

async function sizes(gateway: Gateway): Promise<void> {
  const model = (name: string): string => field('model', name) + FILE_HEAD
  const late = (name: string, text: string): string => `\r\n${field(name, text)}${CLOSE}`
  const fileBytes = 6 * MB
  // A default is added at the end, a late one of the client's own wins, and a late gateway field goes.
  const cases: readonly (readonly [string, string, string])[] = [
    ['plain', late('language', 'fr'), 'language=fr'],
    ['preset', CLOSE, 'language=de'],
    ['preset', late('language', 'fr'), 'language=fr'],
    ['plain', late('tags', 'a'), ''],
  ]
  for (const [name, end, expected] of cases) {
    for (const isChunked of [false, true]) {
      const { status, text } = await send(gateway, { before: model(name), fileBytes, after: end, isChunked })
      assert.equal(status, 200, text)
      const seen = sink.seen.at(-1)
      assert.equal(seen?.headers['content-length'] === String(seen?.bytes), !isChunked, name)
      assert.equal(seen?.headers['transfer-encoding'], isChunked ? 'chunked' : undefined)
      const change = Buffer.byteLength(name) - 'whisper-1'.length
      const added = (seen?.bytes ?? 0) + change - (model(name).length + fileBytes)
      assert.ok(added >= CLOSE.length, `${name}, ${expected}: ${added}`)
    }
  }
}

async function lateModel(gateway: Gateway): Promise<void> {
  const end = `\r\n${field('model', 'ears')}${CLOSE}`
  const upload = { before: FILE_HEAD.slice(2), fileBytes: 25 * MB, after: end }
  const got = await send(gateway, upload)
  assert.equal(got.status, 200, got.text)
  assert.equal(sink.seen.at(-1)?.sha256, sha256Of(renamed(upload)))
  const beyond = { ...upload, fileBytes: 40 * MB }
  const refused = await send(gateway, beyond)
  assert.equal(refused.status, 400)
  assert.match(refused.text, /put 'model' before the file, or name it in the URL/)
  const named = await send(gateway, { ...beyond, path: '/openai/deployments/ears/audio/transcriptions' })
  assert.equal(named.status, 200, named.text)
  // The late one is left out, and its own comes last; the size is what it would have been with both.
  const seen = sink.seen.at(-1)
  assert.equal(seen?.headers['content-length'], String(seen?.bytes))
}

async function refusedFirst(gateway: Gateway): Promise<void> {
  const upload = { ...LARGE, before: field('model', 'pair') + FILE_HEAD, fileBytes: 20 * MB }
  const { status, text, headers } = await send(gateway, upload)
  assert.equal(status, 200, text)
  assert.equal(headers['x-litellm-attempted-retries'], '1')
  const asked = { ...upload, before: upload.before.replace('pair', 'whisper-1') }
  assert.deepEqual(
    [sink.seen.at(-1)?.path, sink.seen.at(-1)?.sha256],
    ['/second/v1/audio/transcriptions', sha256Of(asked)],
  )
}

async function diedInTheMiddle(gateway: Gateway): Promise<void> {
  const before = sink.seen.length
  const upload = { ...LARGE, before: field('model', 'dying') + FILE_HEAD, fileBytes: 60 * MB }
  const { status, text } = await send(gateway, upload)
  assert.equal(status, 502, text)
  assert.match(text, /connection/)
  assert.deepEqual(
    sink.seen.slice(before).map(({ path }) => path),
    ['/dying/v1/audio/transcriptions'],
  )
}

async function earlyAnswer(gateway: Gateway): Promise<void> {
  const upload = { ...LARGE, before: field('model', 'full') + FILE_HEAD }
  const { status, text } = await send(gateway, upload)
  assert.equal(status, 413, text)
  assert.match(text, /too much for me/)
}

async function clientLeaves(gateway: Gateway): Promise<void> {
  const request = open(gateway, { ...LARGE, before: field('model', 'plain') + FILE_HEAD })
  request.on('error', () => {})
  const count = sink.seen.length
  request.write(field('model', 'plain') + FILE_HEAD)
  for (let times = 0; times < 100; times += 1) request.write(PIECE)
  const written = field('model', 'whisper-1').length + FILE_HEAD.length + 100 * PIECE.length
  await eventually(
    () => sink.seen.at(-1)?.bytes ?? 0,
    (bytes) => sink.seen.length > count && bytes >= written,
  )
  const leftAtMs = performance.now()
  request.destroy()
  const brokenAtMs = await eventually(
    () => sink.seen.at(-1)?.brokenAtMs,
    (value) => value !== undefined,
  )
  const took = (brokenAtMs ?? Number.NaN) - leftAtMs
  console.log(`the upstream's side ended ${took.toFixed(1)} ms after the client left`)
  assert.ok(took < 1000)
}

async function tooLarge(gateway: Gateway): Promise<void> {
  const upload = { ...LARGE, before: field('model', 'plain') + FILE_HEAD, fileBytes: 125 * MB }
  for (const isChunked of [false, true]) {
    const { status, text } = await send(gateway, { ...upload, isChunked })
    assert.equal(status, 413, text)
    assert.match(text, /The body is larger than 125829120 bytes/)
  }
}

async function lateMistakes(gateway: Gateway): Promise<void> {
  const upload = { ...LARGE, before: field('model', 'plain') + FILE_HEAD, fileBytes: 6 * MB }
  const cut = await send(gateway, { ...upload, after: '' })
  assert.equal(cut.status, 400)
  assert.match(cut.text, /does not end with its closing boundary/)
  const base = await send(gateway, {
    ...upload,
    after: `\r\n${field('api_base', 'http://127.0.0.1:1')}${CLOSE}`,
  })
  assert.equal(base.status, 400)
  assert.match(base.text, /'api_base' cannot be set by a client/)
  assert.equal((await send(gateway, upload)).status, 200)
}
