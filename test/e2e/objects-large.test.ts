import assert from 'node:assert/strict'
import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { AUTH, KEY } from './asking.ts'
import { withModels } from './health-answer.ts'
import type { Gateway } from './program.ts'
import { urlOf } from './sessions.ts'

const BOUNDARY = 'a-boundary'
const MB = 1024 * 1024
const FILES = '/v1/files'
const SIZE = 80 * MB
const BATCH = 40 * MB
/** Several times what V8 lets pile up outside its heap before it collects (64 MB). */
const LARGE = 300 * MB
/** Less than half of the file: whoever holds it whole is found out, a late collection is not. */
const PASSING = 140

const part = (name: string, text: string): string =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
const FILE_HEAD = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n`
const CLOSE = `\r\n--${BOUNDARY}--\r\n`

interface Sent {
  readonly status: number
  readonly text: string
}

const FILLING = Buffer.alloc(MB, 'x')
/** About 1 MB of a batch whose requests name this model. */
const linesFor = (model: string): Buffer => {
  const line = `${JSON.stringify({ custom_id: 'ü', url: '/v1/x', body: { note: 'x'.repeat(400), model } })}\n`
  return Buffer.from(line.repeat(2_000))
}

function* pieces(
  before: string,
  after = '',
  bytes = SIZE,
  piece: Buffer = FILLING,
): Generator<string | Buffer> {
  yield before + FILE_HEAD
  for (let sent = 0; sent < bytes; sent += MB) yield piece
  yield after + CLOSE
}

const hashOf = (all: Iterable<string | Buffer>): string => {
  const hash = createHash('sha256')
  for (const each of all) hash.update(each)
  return hash.digest('hex')
}

/** Sends a form with a large file in the middle of it, as fast as it is taken. */
async function sendForm(
  gateway: Gateway,
  path: string,
  form: Iterable<string | Buffer> | AsyncIterable<string | Buffer>,
): Promise<Sent> {
  const headers = { ...AUTH, 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
  const request = httpRequest(`${gateway.url}${path}`, { method: 'POST', headers })
  const answered = once(request, 'response')
  // An answer that comes early leaves the rest unsent, and the connection ends after it.
  pipeline(Readable.from(form), request, () => {})
  const [response]: readonly IncomingMessage[] = await answered
  assert.ok(response !== undefined)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return { status: response.statusCode ?? 0, text }
}

const highWater = ({ pid }: Gateway): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

interface Arrived {
  bytes: number
  ends: string
  readonly hash: Hash
  readonly headers: IncomingHttpHeaders
}

async function withStore(
  answer: (count: number) => number,
  use: (gateway: Gateway, arrived: readonly Arrived[]) => Promise<void>,
): Promise<void> {
  const arrived: Arrived[] = []
  const server = createServer((request, response) => {
    const one: Arrived = { bytes: 0, ends: '', hash: createHash('sha256'), headers: request.headers }
    arrived.push(one)
    const status = answer(arrived.length)
    const end = (): void =>
      void response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(
          JSON.stringify(status === 200 ? { id: 'file-1', object: 'file' } : { error: { message: 'busy' } }),
        )
    request.on('data', (chunk: Buffer) => {
      one.bytes += chunk.length
      one.hash.update(chunk)
      one.ends = (one.ends + chunk.toString('latin1')).slice(0, 400)
    })
    request.on('end', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const listed = (model_name: string, api_key: string) => ({
    model_name,
    litellm_params: { model: 'openai/gpt-4o', api_base: `${urlOf(server)}/v1`, api_key },
    model_info: { id: `id-${model_name}` },
  })
  const settings = {
    general_settings: { master_key: KEY, drain_delay: 0, max_request_size_mb: 400 },
    router_settings: { num_retries: 2, retry_after: 0 },
  }
  try {
    const models = [listed('one', 'sk-one'), listed('two', 'sk-two')]
    await withModels(models, (gateway) => use(gateway, arrived), settings)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('an upload that is answered before it is whole leaves its connection fit for the next request', async () => {
  const server = createServer((_, response) => response.end('{"id":"file-1","object":"file"}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const model = {
    model_name: 'one',
    litellm_params: { model: 'openai/gpt-4o', api_base: `${urlOf(server)}/v1`, api_key: 'sk-one' },
  }
  try {
    await withModels([model], async ({ url }) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      const start = part('purpose', 'batch') + FILE_HEAD
      const length = `content-length: ${start.length + SIZE + CLOSE.length}`
      const type = `content-type: multipart/form-data; boundary=${BOUNDARY}`
      socket.write(['POST /v1/files HTTP/1.1', 'host: gateway', type, length, '', start].join('\r\n'))
      for (let sent = 0; sent < SIZE; sent += MB) socket.write(Buffer.alloc(MB, 'x'))
      socket.write(`${CLOSE}GET /v1/models HTTP/1.1\r\nhost: gateway\r\n\r\n`)
      let text = ''
      const deadline = globalThis.setTimeout(() => socket.destroy(), 10_000)
      for await (const chunk of socket) {
        text += String(chunk)
        if (text.includes('"object":"list"')) break
      }
      clearTimeout(deadline)
      assert.match(text, /^HTTP\/1\.1 200 [^]*file-pg1_[^]*HTTP\/1\.1 200 [^]*"object":"list"/)
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

describe(
  'the upload of a large file',
  { skip: process.platform !== 'linux' && 'memory is read from /proc' },
  () => {
    test('passes through in little memory, without what only the gateway reads', () =>
      withStore(
        () => 200,
        async (gateway, arrived) => {
          const before = highWater(gateway)
          const sent = await sendForm(
            gateway,
            FILES,
            pieces(part('purpose', 'batch') + part('model', 'two'), '', LARGE),
          )
          assert.equal(sent.status, 200, sent.text)
          assert.match(sent.text, /file-pg1_/)
          assert.ok((arrived[0]?.bytes ?? 0) > LARGE)
          assert.match(arrived[0]?.ends ?? '', /name="purpose"/)
          assert.doesNotMatch(arrived[0]?.ends ?? '', /name="model"/)
          const grown = highWater(gateway) - before
          assert.ok(grown < PASSING, `${grown} MB more`)
        },
      ))

    test('is not begun where the model stands too far behind it, and the answer says what to do', () =>
      withStore(
        () => 200,
        async (gateway, arrived) => {
          const late = await sendForm(
            gateway,
            FILES,
            pieces(part('purpose', 'batch'), `\r\n${part('model', 'two').trimEnd()}`),
          )
          assert.equal(late.status, 400)
          assert.match(late.text, /put 'model' before the file/)
          assert.equal(arrived.length, 0)
          const named = await sendForm(gateway, `${FILES}?model=two`, pieces(part('purpose', 'batch')))
          assert.equal(named.status, 200, named.text)
        },
      ))

    test('that is a batch has its models written over while it passes, before anything says that it is one', () =>
      withStore(
        () => 200,
        async (gateway, arrived) => {
          const after = `\r\n${part('purpose', 'batch').trimEnd()}`
          const all = [...pieces('', after, BATCH, linesFor('two'))]
          const passes = async function* (): AsyncGenerator<string | Buffer> {
            for (const [at, piece] of all.entries()) {
              // What is held of it, and what is on its way, is far less than that.
              if (at > 30) while ((arrived[0]?.bytes ?? 0) < 10 * MB) await setTimeout(10)
              yield piece
            }
          }
          const sent = await sendForm(gateway, `${FILES}?model=two`, passes())
          assert.equal(sent.status, 200, sent.text)
          assert.equal(arrived[0]?.headers['content-length'], undefined)
          assert.equal(arrived[0]?.hash.digest('hex'), hashOf(pieces('', after, BATCH, linesFor('gpt-4o'))))
        },
      ))

    test('that has a line of a batch too long to be held ends with 413, and the answer names the line', () =>
      withStore(
        () => 200,
        async (gateway) => {
          const before = part('model', 'two') + part('purpose', 'batch')
          const long = Buffer.from(`${linesFor('two').toString('latin1')}{"body":"${'x'.repeat(9 * MB)}`)
          const sent = await sendForm(gateway, FILES, pieces(before, '', MB, long))
          assert.deepEqual([sent.status, /line 2001 of the batch is longer/.test(sent.text)], [413, true])
        },
      ))

    test('is not sent a second time once the client’s bytes are gone', () =>
      withStore(
        () => 503,
        async (gateway, arrived) => {
          const sent = await sendForm(gateway, FILES, pieces(part('purpose', 'batch') + part('model', 'one')))
          assert.equal(sent.status, 503)
          assert.equal(arrived.length, 1)
        },
      ))
  },
)
