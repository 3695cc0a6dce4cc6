import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { asGatewayError, GatewayError } from '../core/failure.ts'
import { networkFailure } from './network-failure.ts'
import { createTransport } from './transport.ts'
import { failsAs, get, http, LIMITS, tcp, withServer } from './transport.fixture.ts'

test('an answer arrives whole, with lower-case headers and repeated ones joined', () =>
  http(
    (request, response) => {
      response.setHeader('X-Ms-Region', 'East US')
      response.setHeader('warning', ['a', 'b'])
      response.statusCode = 201
      response.end(
        `${request.method} ${request.url} ${request.headers['accept-encoding']} ${request.headers['user-agent']}`,
      )
    },
    async ({ url, transport }) => {
      const answer = await transport.send(get(`${url}/v1/x?y=1`), LIMITS)
      assert.equal(answer.status, 201)
      assert.equal(answer.headers['x-ms-region'], 'East US')
      assert.equal(answer.headers['warning'], 'a, b')
      assert.equal(Buffer.from(answer.body).toString(), 'GET /v1/x?y=1 identity pulsegate')
    },
  ))

test('a redirect is an answer and is not followed', () =>
  http(
    (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    async ({ url, transport }) => assert.equal((await transport.send(get(url), LIMITS)).status, 302),
  ))

test('an answer larger than the limit is refused', () =>
  http(
    (_, response) => response.end('x'.repeat(2_000)),
    ({ url, transport }) =>
      failsAs(transport.send(get(url), LIMITS), 'wrong_shape', /larger than 1000 bytes/),
  ))

test('nobody listening is unreachable', async () => {
  const transport = createTransport()
  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const address = free.address()
  assert.ok(address !== null && typeof address === 'object')
  await new Promise((resolve) => free.close(resolve))
  const url = `http://127.0.0.1:${address.port}/`
  const refused = await transport.send(get(url), LIMITS).catch(asGatewayError)
  assert.ok(refused instanceof GatewayError)
  assert.match(refused.message, /connection refused/)
  assert.deepEqual([refused.kind, refused.isUnsent, refused.isRefused], ['unreachable', true, true])
  await transport.close()
})

test('a host name that does not exist is unreachable', async () => {
  const transport = createTransport()
  await failsAs(transport.send(get('http://no-such-host.invalid/'), LIMITS), 'unreachable', /host name/)
  await transport.close()
})

test('a connection closed before the answer is unreachable', () =>
  tcp(
    (socket) => socket.once('data', () => socket.destroy()),
    ({ url, transport }) => failsAs(transport.send(get(url), LIMITS), 'unreachable', /waiting for headers/),
  ))

test('a connection closed inside the answer is cut', () =>
  tcp(
    (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')),
    ({ url, transport }) => failsAs(transport.send(get(url), LIMITS), 'cut', /reading the body/),
  ))

test('a chunked answer without its last chunk is cut', () =>
  tcp(
    (socket) =>
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
      ),
    ({ url, transport }) => failsAs(transport.send(get(url), LIMITS), 'cut', /reading the body/),
  ))

test('a head that says two lengths is the wrong shape, and no dead connection', async () => {
  for (const second of ['content-length: 3', 'transfer-encoding: chunked'])
    await tcp(
      (socket) =>
        socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${second}\r\n\r\nok`)),
      ({ url, transport }) => failsAs(transport.send(get(url), LIMITS), 'wrong_shape', /not HTTP/),
    )
})

test('a status below 100 is the wrong shape', () =>
  tcp(
    (socket) => socket.once('data', () => socket.end('HTTP/1.1 099 Oh\r\ncontent-length: 0\r\n\r\n')),
    ({ url, transport }) => failsAs(transport.send(get(url), LIMITS), 'wrong_shape', /not HTTP/),
  ))

test('a server that speaks another protocol is the wrong shape', () =>
  tcp(
    (socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
    ({ url, transport }) => failsAs(transport.send(get(url), LIMITS), 'wrong_shape', /not HTTP/),
  ))

test('https spoken to an http port is a tls failure', () =>
  http(
    (_, response) => response.end(),
    ({ url, transport }) => failsAs(transport.send(get(url.replace('http:', 'https:')), LIMITS), 'tls', /./),
  ))

test('a header that cannot be written fails without a request', () =>
  http(
    (_, response) => response.end(),
    ({ url, transport }) =>
      failsAs(
        transport.send({ ...get(url), headers: { a: 'b\nc' } }, LIMITS),
        'internal',
        /invalid a header/,
      ),
  ))

test('requests that cannot be written take no connection away', () =>
  withServer(
    createServer((_, response) => response.end('ok')),
    createTransport({ maxConnections: 1 }),
    async ({ url, transport }) => {
      await failsAs(transport.send(get(`${url}/a b`), LIMITS), 'internal', /invalid request path/)
      const answer = await transport.send(get(url), LIMITS)
      assert.equal(Buffer.from(answer.body).toString(), 'ok')
    },
  ))

test('silence before the headers ends at the deadline, not before', async () => {
  const clock = createHandClock()
  const arrived = Promise.withResolvers<void>()
  await withServer(
    createServer(() => arrived.resolve()),
    createTransport({ clock }),
    async ({ url, transport }) => {
      const answer = transport.send(get(url), LIMITS)
      await arrived.promise
      clock.wind(4_999)
      assert.equal(clock.pending(), 1)
      clock.wind(1)
      await failsAs(answer, 'timeout', /no whole answer within 5000 ms \(waiting for headers\)/)
    },
  )
})

test('silence inside the body ends at the deadline', async () => {
  const clock = createHandClock()
  const halfway = Promise.withResolvers<void>()
  const server = createServer((_, response) => response.writeHead(200).write('half'))
  await withServer(server, createTransport({ clock }), async ({ url, transport }) => {
    const failed = Promise.withResolvers<Error>()
    transport.stream(get(url), LIMITS, {
      head: () => {},
      data: () => {
        halfway.resolve()
        return true
      },
      end: () => failed.reject(new Error('it ended')),
      fail: failed.resolve,
    })
    await halfway.promise
    clock.wind(5_000)
    assert.match((await failed.promise).message, /no whole answer within 5000 ms \(reading the body\)/)
  })
})

test('a caller that leaves ends the upstream request at once', async () => {
  const closed = Promise.withResolvers<void>()
  await http(
    (request) => request.once('close', closed.resolve),
    async ({ url, transport }) => {
      const caller = new AbortController()
      const answer = transport.send(get(url), { ...LIMITS, signal: caller.signal })
      await new Promise((resolve) => setImmediate(resolve))
      caller.abort()
      await failsAs(answer, 'cancelled', /caller went away/)
    },
  )
})

test('a caller that left before the start sends nothing', () =>
  http(
    () => assert.fail('a request arrived'),
    ({ url, transport }) =>
      failsAs(
        transport.send(get(url), { ...LIMITS, signal: AbortSignal.abort() }),
        'cancelled',
        /caller went away/,
      ),
  ))

test('a sink that is full stops the upstream until it resumes', () =>
  http(
    (_, response) => response.end('x'.repeat(1_000_000)),
    async ({ url, transport }) => {
      const done = Promise.withResolvers<number>()
      let chunks = 0
      let bytes = 0
      const stream = transport.stream(
        get(url),
        { timeoutMs: 5_000, maxBytes: 2_000_000 },
        {
          head: () => {},
          data: (chunk) => {
            chunks += 1
            bytes += chunk.length
            const seen = chunks
            setImmediate(() => {
              assert.equal(chunks, seen, 'nothing arrives while the sink is full')
              stream.resume()
            })
            return false
          },
          end: () => done.resolve(bytes),
          fail: done.reject,
        },
      )
      assert.equal(await done.promise, 1_000_000)
    },
  ))

test('more requests at one origin than allowed are refused by the gateway itself', () =>
  withServer(
    createServer(() => {}),
    createTransport({ maxRunning: 1 }),
    async ({ url, transport }) => {
      const first = transport.send(get(url), LIMITS)
      first.catch(() => {})
      await failsAs(transport.send(get(url), LIMITS), 'throttled', /1 requests already run/)
    },
  ))

test('closing the transport ends what still runs', () =>
  withServer(
    createServer(() => {}),
    createTransport(),
    async ({ url, transport }) => {
      const running = transport.send(get(url), LIMITS)
      await Promise.all([failsAs(running, 'cancelled', /shutting down/), transport.close()])
    },
  ))

test('what the reader of an answer throws ends the exchange as our own failure, and its connection', async () => {
  const bug = (): never => {
    throw new TypeError('a bug')
  }
  for (const broken of [{ head: bug }, { data: bug }, { end: bug }]) {
    const ended = Promise.withResolvers<unknown>()
    const isWhole = 'end' in broken
    const left = Promise.withResolvers<void>()
    await http(
      (request, response) => {
        request.socket.on('close', () => left.resolve())
        response.write('half')
        if (isWhole) response.end()
      },
      async ({ url, transport }) => {
        const nothing = { head: () => {}, data: () => true, end: () => {} }
        transport.stream(get(url), LIMITS, { ...nothing, fail: ended.resolve, ...broken })
        const error = await ended.promise
        assert.ok(error instanceof GatewayError)
        assert.deepEqual([error.kind, error.source], ['internal', 'gateway'])
        // A whole answer leaves its connection as it was.
        if (!isWhole) await left.promise
      },
    )
  }
})

test('a refusal is one where each address of a name refuses', () => {
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
  const silent = Object.assign(new Error('no'), { code: 'ETIMEDOUT' })
  const isRefused = (error: unknown): boolean => networkFailure(error, 'connecting').isRefused
  assert.deepEqual(
    [
      refused,
      new AggregateError([refused, refused]),
      new AggregateError([refused, silent]),
      silent,
      new AggregateError([]),
    ].map(isRefused),
    [true, true, false, false, false],
  )
  assert.equal(networkFailure(refused, 'waiting for headers').isRefused, false)
})
