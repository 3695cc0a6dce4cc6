import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import { failsAs, get, http, LIMITS, type Bench } from './transport.fixture.ts'

const packers: readonly (readonly [string, (text: string) => Buffer])[] = [
  ['gzip', (text) => zlib.gzipSync(text)],
  ['X-GZIP', (text) => zlib.gzipSync(text)],
  ['deflate', (text) => zlib.deflateSync(text)],
  ['deflate', (text) => zlib.deflateRawSync(text)],
  ['br', (text) => zlib.brotliCompressSync(text)],
  ['zstd', (text) => zlib.zstdCompressSync(text)],
]

/** An answer that says it is packed so. */
const packed =
  (encoding: string, body: Buffer | string, status = 200) =>
  (_: unknown, response: ServerResponse): void =>
    void response
      .writeHead(status, { 'content-encoding': encoding, 'content-length': Buffer.byteLength(body) })
      .end(body)

const ask = async ({ url, transport }: Bench, headers = {}) => {
  const answer = await transport.send({ ...get(url), headers }, LIMITS)
  return { ...answer, text: Buffer.from(answer.body).toString() }
}

test('an answer that is packed though nobody asked for it is read all the same', async () => {
  for (const [encoding, pack] of packers)
    await http(packed(encoding, pack('pong'), 400), async (bench) => {
      const { status, text, headers } = await ask(bench)
      assert.deepEqual([status, text], [400, 'pong'], encoding)
      assert.deepEqual([headers['content-encoding'], headers['content-length']], [undefined, undefined])
      assert.equal((await ask(bench, { 'accept-encoding': encoding })).text, 'pong')
    })
})

test('nothing is unpacked of what has no body, or is not packed', async () => {
  await http(packed('gzip', '', 200), async (bench) => assert.equal((await ask(bench)).text, ''))
  await http(packed('identity', 'pong'), async (bench) => {
    const { text, headers } = await ask(bench)
    assert.deepEqual([text, headers['content-encoding']], ['pong', 'identity'])
  })
})

test('one that cannot be unpacked says so, and quotes none of it', async () => {
  const zipped = zlib.gzipSync('x'.repeat(900))
  const cases = [
    ['gzip', zipped.subarray(0, -9), 'cut', /the gzip answer broke off/],
    ['gzip', '{"no":"gzip"}', 'wrong_shape', /not the gzip that its content-encoding says \(Z_DATA_ERROR\)/],
    ['zstd', '{"no":"zstd"}', 'wrong_shape', /not the zstd that its content-encoding says/],
    ['lzma"\u00e9', zipped, 'wrong_shape', /packed as "lzma\?\?", which nobody asked for/],
    ['gzip, br', zipped, 'wrong_shape', /packed as "gzip, br"/],
    ['gzip', zlib.gzipSync('x'.repeat(100_000)), 'wrong_shape', /cannot be unpacked within 1000 bytes/],
  ] as const
  for (const [encoding, body, kind, words] of cases)
    await http(packed(encoding, body), ({ url, transport }) =>
      failsAs(transport.send(get(url), LIMITS), kind, words),
    )
})

test('a refusal that cannot be unpacked is still the refusal that its status says', () =>
  http(packed('compress', 'abc', 401), async (bench) => {
    const { status, text } = await ask(bench)
    assert.deepEqual([status, text], [401, ''])
  }))

test('a packed stream passes piece by piece, waits for a slow reader, and can be cancelled', async () => {
  for (const isCancelled of [false, true]) {
    const left = Promise.withResolvers<void>()
    const seen: string[] = []
    const more = Promise.withResolvers<void>()
    const over = Promise.withResolvers<string>()
    await http(
      (request, response) => {
        request.socket.on('close', () => left.resolve())
        response.writeHead(200, { 'content-encoding': 'gzip' })
        const packer = zlib.createGzip()
        packer.pipe(response)
        packer.write('first')
        packer.flush(() => undefined)
        void more.promise.then(() => packer.end('last'))
      },
      async ({ url, transport }) => {
        const first = Promise.withResolvers<void>()
        const stream = transport.stream(get(url), LIMITS, {
          head: () => {},
          data: (chunk) => {
            seen.push(chunk.toString())
            first.resolve()
            return seen.length > 1
          },
          end: () => over.resolve('end'),
          fail: (error) => over.resolve(error.message),
        })
        await first.promise
        assert.deepEqual(seen, ['first'])
        if (isCancelled) stream.cancel()
        more.resolve()
        stream.resume()
        assert.match(await over.promise, isCancelled ? /the caller went away/ : /^end$/)
        assert.deepEqual(seen, isCancelled ? ['first'] : ['first', 'last'])
        if (isCancelled) await left.promise
      },
    )
  }
})

test('one that is larger than what waits to be unpacked arrives whole, and no faster than it is taken', async () => {
  const bytes = randomBytes(1_000_000)
  const limits = { ...LIMITS, maxBytes: 2_000_000 }
  await http(packed('gzip', zlib.gzipSync(bytes)), async ({ url, transport }) => {
    assert.ok(bytes.equals((await transport.send(get(url), limits)).body))
    const over = Promise.withResolvers<void>()
    const seen: Buffer[] = []
    const stream = transport.stream(get(url), limits, {
      head: () => {},
      data: (chunk) => {
        seen.push(chunk)
        const before = seen.length
        setTimeout(() => {
          assert.equal(seen.length, before)
          stream.resume()
        })
        return false
      },
      end: over.resolve,
      fail: over.reject,
    })
    await over.promise
    assert.ok(bytes.equals(Buffer.concat(seen)))
  })
})

test('an answer is whole where what is packed ends, and nobody listens to what has no end after it', async () => {
  let closed: Promise<unknown> | undefined
  const endless = (_: unknown, response: ServerResponse): void => {
    closed = once(response, 'close')
    response.writeHead(200, { 'content-encoding': 'deflate' })
    response.write(Buffer.concat([zlib.deflateSync('pong'), Buffer.from('more')]))
  }
  await http(endless, async (bench) => {
    assert.equal((await ask(bench)).text, 'pong')
    await closed
  })
})
