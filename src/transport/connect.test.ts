import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { WebSocketServer } from 'ws'
import { createHandClock } from '../core/clock.ts'
import { GatewayError, type FailureKind } from '../core/failure.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import { createTransports } from './transports.ts'
import type { Limits, Transport, WireRequest } from './wire.ts'

const LIMITS: Limits = { timeoutMs: 5_000, maxBytes: 10_000 }
const TLS = resolve(import.meta.dirname, '../../test/fixtures/tls')
const pem = (name: string): string => readFileSync(`${TLS}/${name}`, 'utf8')
const CERTIFICATE = { key: pem('server-key.pem'), cert: pem('server.pem') }
const TRUSTED = { isVerified: true, authorities: () => pem('ca.pem') }

/** Listens on a port of its own while `use` runs. */
async function serving<T>(server: Server, use: (port: number) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    return await use(portOf(server))
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  }
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

async function using(options: TransportOptions, use: (transport: Transport) => Promise<void>): Promise<void> {
  const transport = createTransport(options)
  try {
    await use(transport)
  } finally {
    await transport.close()
  }
}

const get = (url: string): WireRequest => ({ method: 'GET', url, headers: {} })
const post = (url: string): WireRequest => ({ method: 'POST', url, headers: {}, body: '{"n":1}' })

/** Sends, and waits until the connection may be used again: undici lets a turn of the event loop pass. */
async function textOf(transport: Transport, request: WireRequest): Promise<string> {
  const { status, body } = await transport.send(request, LIMITS)
  await setImmediate()
  await setImmediate()
  return `${status} ${Buffer.from(body).toString()}`
}

function failsAs(promise: Promise<unknown>, kind: FailureKind, words: RegExp): Promise<GatewayError> {
  return promise.then(
    () => assert.fail('nothing failed'),
    (error: unknown) => {
      assert.ok(error instanceof GatewayError, String(error))
      assert.equal(error.kind, kind, error.message)
      assert.match(error.message, words)
      return error
    },
  )
}

/** A proxy as companies run them: tunnels and absolute URLs, every name leads to `target`. */
function proxyTo(target: () => number, seen: string[]): Server {
  const tell = ({ method, url, headers }: IncomingMessage): void =>
    void seen.push(`${method} ${url} ${headers['proxy-authorization'] ?? '-'}`)
  const server = createHttpServer((request, response) => {
    tell(request)
    response.end(`forwarded ${request.headers.host}`)
  })
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    tell(request)
    if (request.url?.startsWith('closed.test') === true) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const upstream = connect(target(), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (head.length > 0) upstream.write(head)
      client.pipe(upstream).pipe(client)
    })
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  return server
}

const hello: RequestListener = (request, response) => void response.end(`hello ${request.headers.host}`)

test('https goes through a tunnel, with the credentials of the proxy’s address', () => {
  const seen: string[] = []
  return serving(createHttpsServer(CERTIFICATE, hello), (target) =>
    serving(
      proxyTo(() => target, seen),
      (port) =>
        using(
          { env: { HTTPS_PROXY: `http://me:pass@127.0.0.1:${port}` }, trust: TRUSTED },
          async (transport) => {
            assert.equal(await textOf(transport, get('https://upstream.test/v1')), '200 hello upstream.test')
            // Two requests, one connection.
            assert.equal(await textOf(transport, get('https://upstream.test/v1')), '200 hello upstream.test')
            assert.deepEqual(seen, ['CONNECT upstream.test:443 Basic bWU6cGFzcw=='])
          },
        ),
    ),
  )
})

test('plain http asks the proxy by absolute URLs', () => {
  const seen: string[] = []
  return serving(
    proxyTo(() => 0, seen),
    (port) =>
      using({ env: { http_proxy: `http://me:pass@127.0.0.1:${port}` } }, async (transport) => {
        assert.equal(
          await textOf(transport, get('http://upstream.test/v1?a=1')),
          '200 forwarded upstream.test',
        )
        assert.deepEqual(seen, ['GET http://upstream.test/v1?a=1 Basic bWU6cGFzcw=='])
      }),
  )
})

test('WebSockets go through a tunnel, encrypted or not', () => {
  const seen: string[] = []
  const upstream = createHttpsServer(CERTIFICATE)
  new WebSocketServer({ server: upstream }).on('connection', (socket) => socket.send('ready'))
  const plain = createHttpServer()
  new WebSocketServer({ server: plain }).on('connection', (socket) => socket.send('ready'))
  let target = 0
  return serving(upstream, (securePort) =>
    serving(plain, (plainPort) =>
      serving(
        proxyTo(() => target, seen),
        (port) =>
          using({ env: { ALL_PROXY: `127.0.0.1:${port}` }, trust: TRUSTED }, async (transport) => {
            for (const url of ['wss://upstream.test/rt', 'ws://upstream.test/rt']) {
              target = url.startsWith('wss') ? securePort : plainPort
              const dialled = await transport.dial({ url, headers: {}, protocols: [] }, LIMITS)
              assert.ok('dialogue' in dialled)
              assert.equal(await dialled.dialogue.next(), 'ready')
              dialled.dialogue.close()
            }
            assert.deepEqual(seen, ['CONNECT upstream.test:443 -', 'CONNECT upstream.test:80 -'])
          }),
      ),
    ),
  )
})

test('a proxy that refuses is named; nothing was sent', () =>
  serving(
    proxyTo(() => 0, []),
    (port) =>
      using({ env: { HTTPS_PROXY: `http://127.0.0.1:${port}` } }, async (transport) => {
        const words = new RegExp(`proxy 127.0.0.1:${port} answered CONNECT closed.test:443 with 407`)
        const error = await failsAs(transport.send(get('https://closed.test'), LIMITS), 'unreachable', words)
        assert.equal(error.isUnsent, true)
      }),
  ))

test('a certificate of nobody’s is refused, unless told otherwise', () =>
  serving(createHttpsServer(CERTIFICATE, hello), async (port) => {
    const url = `https://localhost:${port}`
    const transports = createTransports({ sslVerify: true })
    try {
      await failsAs(transports.of(undefined).send(get(url), LIMITS), 'tls', /certificate/)
      assert.equal(await textOf(transports.of(false), get(url)), `200 hello localhost:${port}`)
      assert.equal(await textOf(transports.of(`${TLS}/ca.pem`), get(url)), `200 hello localhost:${port}`)
      const missing = transports.of(`${TLS}/missing.pem`).send(get(url), LIMITS)
      await failsAs(missing, 'misconfigured', /missing\.pem \(ENOENT\)/)
    } finally {
      await transports.close()
    }
  }))

test('SSL_CERT_FILE counts where ssl_verify is true, and a WebSocket asks for a certificate too', () => {
  const upstream = createHttpsServer(CERTIFICATE, hello)
  new WebSocketServer({ server: upstream }).on('connection', (socket) => socket.send('ready'))
  return serving(upstream, async (port) => {
    const dial = { url: `wss://localhost:${port}`, headers: {}, protocols: [] }
    const transports = createTransports({ sslVerify: true, authoritiesPath: `${TLS}/ca.pem` })
    const others = createTransports({ sslVerify: true })
    try {
      assert.equal(
        await textOf(transports.of(true), get(`https://localhost:${port}`)),
        `200 hello localhost:${port}`,
      )
      assert.ok('dialogue' in (await transports.of(undefined).dial(dial, LIMITS)))
      await failsAs(others.of(undefined).dial(dial, LIMITS), 'tls', /certificate/)
    } finally {
      await transports.close()
      await others.close()
    }
  })
})

test('a host that accepts and says nothing in TLS is given up after the connect timeout', () =>
  serving(createTcpServer(), async (port) => {
    const clock = createHandClock()
    await using({ clock, connectTimeoutMs: 3_000 }, async (transport) => {
      const answer = transport.send(get(`https://127.0.0.1:${port}`), LIMITS)
      const failed = failsAs(answer, 'unreachable', /no connection within 3000 ms/)
      clock.wind(3_000)
      assert.equal((await failed).isUnsent, true)
      assert.equal(clock.pending(), 0)
    })
  }))

test('a stream may wait for its connection for less than the transport would', () =>
  serving(createTcpServer(), async (port) => {
    const clock = createHandClock()
    await using({ clock, connectTimeoutMs: 3_000 }, async (transport) => {
      const limits = { ...LIMITS, connectTimeoutMs: () => 1_500 }
      const failed = failsAs(
        transport.send(get(`https://127.0.0.1:${port}`), limits),
        'unreachable',
        /no connection within 1500 ms \(connecting\)/,
      )
      clock.wind(1_500)
      assert.equal((await failed).isUnsent, true)
    })
  }))

test('how long it may wait is asked for only where no connection is open, and is over once it is', () => {
  const clock = createHandClock()
  let asked = 0
  const connectTimeoutMs = (): number => {
    asked += 1
    return 1_500
  }
  const late: (() => void)[] = []
  const upstream = createHttpServer((_, response) => late.push(() => response.end('late')))
  return serving(upstream, async (port) => {
    await using({ clock }, async (transport) => {
      for (const _ of [1, 2]) {
        const answer = transport.send(get(`http://127.0.0.1:${port}`), { ...LIMITS, connectTimeoutMs })
        while (late.length === 0) await setImmediate()
        clock.wind(1_600)
        late.pop()?.()
        assert.equal((await answer).body.toString(), 'late')
        await setImmediate()
      }
      assert.deepEqual([asked, clock.pending()], [1, 0])
    })
  })
})

test('a look says whether a connection comes about, once for all who ask meanwhile', () =>
  serving(createTcpServer(), async (port) => {
    const met: Socket[] = []
    const open = createTcpServer((socket) => met.push(socket))
    await serving(open, async (openPort) => {
      const clock = createHandClock()
      await using({ clock, connectTimeoutMs: 3_000 }, async (transport) => {
        const base = `http://127.0.0.1:${openPort}/v1`
        assert.deepEqual(await Promise.all([transport.reach(base), transport.reach(base)]), [true, true])
        while (met.length === 0) await setImmediate()
        assert.equal(met.length, 1)
        const mute = transport.reach(`https://127.0.0.1:${port}`)
        clock.wind(3_000)
        assert.equal(await mute, false)
        assert.equal(clock.pending(), 0)
      })
    })
  }))

test('a port where nobody listens is out of reach; a host whose certificate is refused is not', async () => {
  const free = await serving(createTcpServer(), (port) => Promise.resolve(port))
  const transport = createTransport()
  assert.equal(await transport.reach(`http://127.0.0.1:${free}/v1`), false)
  const upstream = createHttpsServer(CERTIFICATE)
  await serving(upstream, async (port) => {
    assert.equal(await transport.reach(`https://localhost:${port}/v1`), true)
  })
  await transport.close()
  assert.equal(await transport.reach(`http://127.0.0.1:${free}/v1`), true, 'nobody looks any more')
})

/** Answers the first request of each connection, and ends it when the next one arrives. */
function endsAtTheNext(seen: string[], end: (socket: Socket) => void): Server {
  return createTcpServer((socket) => {
    let requests = 0
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      requests++
      seen.push(chunk.toString().split(' ')[0] ?? '')
      if (requests > 1) end(socket)
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
}

for (const [how, end] of [
  ['closes', (socket: Socket) => void socket.end()],
  ['resets', (socket: Socket) => void socket.resetAndDestroy()],
] as const)
  test(`a request on a used connection that the server just ${how} is sent once more`, () => {
    const seen: string[] = []
    return serving(endsAtTheNext(seen, end), (port) =>
      using({}, async (transport) => {
        const url = `http://127.0.0.1:${port}/`
        assert.equal(await textOf(transport, post(url)), '200 ok')
        assert.equal(await textOf(transport, post(url)), '200 ok')
        assert.deepEqual(seen, ['POST', 'POST', 'POST'])
      }),
    )
  })

test('it is sent once more only, and then it fails', () => {
  let connections = 0
  const server = createTcpServer((socket) => {
    connections++
    socket.once('data', () => {
      if (connections > 1) socket.end()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      socket.once('data', () => socket.end())
    })
  })
  return serving(server, (port) =>
    using({}, async (transport) => {
      const url = `http://127.0.0.1:${port}/`
      assert.equal(await textOf(transport, post(url)), '200 ok')
      await failsAs(transport.send(post(url), LIMITS), 'unreachable', /waiting for headers/)
      assert.equal(connections, 2)
    }),
  )
})

test('a request that dies on a used connection after it was worked on is not sent again', () => {
  const seen: string[] = []
  const clock = createHandClock()
  const worksAndDies = (socket: Socket): void => {
    clock.wind(2001)
    socket.resetAndDestroy()
  }
  return serving(endsAtTheNext(seen, worksAndDies), (port) =>
    using({ clock }, async (transport) => {
      const url = `http://127.0.0.1:${port}/`
      assert.equal(await textOf(transport, post(url)), '200 ok')
      await failsAs(transport.send(post(url), LIMITS), 'unreachable', /waiting for headers/)
      assert.deepEqual(seen, ['POST', 'POST'])
    }),
  )
})

test('a first request that dies is not sent again', () => {
  let requests = 0
  const server = createTcpServer((socket) =>
    socket.on('data', () => {
      requests++
      socket.end()
    }),
  )
  return serving(server, (port) =>
    using({}, async (transport) => {
      await failsAs(transport.send(post(`http://127.0.0.1:${port}/`), LIMITS), 'unreachable', /waiting/)
      assert.equal(requests, 1)
    }),
  )
})

test('once a byte of the answer is there, nothing is sent again', () => {
  let requests = 0
  const server = createTcpServer((socket) =>
    socket.on('data', () => {
      requests++
      if (requests > 1) socket.end('HTTP/1.1 200 O')
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    }),
  )
  return serving(server, (port) =>
    using({}, async (transport) => {
      const url = `http://127.0.0.1:${port}/`
      assert.equal(await textOf(transport, post(url)), '200 ok')
      await failsAs(transport.send(post(url), LIMITS), 'unreachable', /waiting/)
      assert.equal(requests, 2)
    }),
  )
})

test('a caller that leaves while its request goes out again is heard', () => {
  let onSecond = (): void => {}
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    let requests = 0
    socket.on('data', (chunk) => {
      requests++
      if (requests > 1) socket.end()
      else if (chunk.toString().includes('connection: close')) onSecond()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
  return serving(server, (port) =>
    using({}, async (transport) => {
      const url = `http://127.0.0.1:${port}/`
      await textOf(transport, post(url))
      const left = new AbortController()
      onSecond = () => left.abort()
      await failsAs(transport.send(post(url), { ...LIMITS, signal: left.signal }), 'cancelled', /went away/)
    }),
  )
})

test('a connection takes no more requests once it is old', async () => {
  const clock = createHandClock()
  const ports = new Set<number | undefined>()
  const server = createHttpServer((request, response) => {
    ports.add(request.socket.remotePort)
    response.end('ok')
  })
  await serving(server, (port) =>
    using({ clock, maxAgeMs: 300_000 }, async (transport) => {
      await textOf(transport, get(`http://127.0.0.1:${port}`))
      clock.wind(300_000)
      await textOf(transport, get(`http://127.0.0.1:${port}`))
      assert.equal(ports.size, 1)
      clock.wind(1)
      await textOf(transport, get(`http://127.0.0.1:${port}`))
      assert.equal(ports.size, 2)
    }),
  )
})

test('nor does one that has never been idle', async () => {
  const clock = createHandClock()
  const ports: (number | undefined)[] = []
  const server = createHttpServer((request, response) => {
    ports.push(request.socket.remotePort)
    response.end('ok')
  })
  await serving(server, (port) =>
    using({ clock, maxAgeMs: 300_000 }, async (transport) => {
      // Each begins in the very moment in which the one before it ends.
      const chain = (left: number): Promise<void> =>
        new Promise((resolve, reject) => {
          const end = (): void => {
            clock.wind(120_000)
            if (left === 1) resolve()
            else chain(left - 1).then(resolve, reject)
          }
          transport.stream(get(`http://127.0.0.1:${port}`), LIMITS, {
            head: () => {},
            data: () => true,
            end,
            fail: reject,
          })
        })
      await chain(6)
      assert.deepEqual(
        ports.map((each) => each === ports[0]),
        [true, true, true, false, false, false],
      )
      assert.equal(new Set(ports).size, 2)
    }),
  )
})

test('more requests than connections wait for their turn, in order', async () => {
  const paths: string[] = []
  const ports = new Set<number | undefined>()
  const server = createHttpServer((request, response) => {
    paths.push(request.url ?? '')
    ports.add(request.socket.remotePort)
    response.end('ok')
  })
  await serving(server, (port) =>
    using({ maxConnections: 2 }, async (transport) => {
      const urls = ['/1', '/2', '/3', '/4', '/5']
      const answers = urls.map((path) => textOf(transport, get(`http://127.0.0.1:${port}${path}`)))
      assert.deepEqual(await Promise.all(answers), Array(5).fill('200 ok'))
      assert.equal(ports.size, 2)
      assert.deepEqual(paths, urls)
    }),
  )
})

test('what waits is told when the transport closes', () =>
  serving(createTcpServer(), async (port) => {
    const transport = createTransport({ maxConnections: 1 })
    const [running, waiting] = [1, 2].map(() => transport.send(get(`http://127.0.0.1:${port}`), LIMITS))
    assert.ok(running !== undefined && waiting !== undefined)
    const ends = Promise.all([running, waiting].map((each) => failsAs(each, 'cancelled', /shutting down/)))
    await transport.close()
    await ends
  }))

test('a refused connection does not keep those that wait', async () => {
  const server = createTcpServer()
  const port = await serving(server, (used) => Promise.resolve(used))
  await using({ maxConnections: 1 }, async (transport) => {
    const all = [1, 2, 3].map(() => transport.send(get(`http://127.0.0.1:${port}`), LIMITS))
    await Promise.all(all.map((each) => failsAs(each, 'unreachable', /refused/)))
  })
})
