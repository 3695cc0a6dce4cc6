import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { createHandClock } from '../core/clock.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import type { Limits, Transport } from './wire.ts'

type Open = (path: string, limits?: Partial<Limits>) => ReturnType<Transport['openSocket']>

/** `/refuse` says 429, `/silent` nothing; everywhere else a session greets; only `/stays` stays open. */
async function withServer(
  use: (open: Open, transport: Transport, asked: () => Promise<unknown>) => Promise<void>,
  options: TransportOptions = {},
): Promise<void> {
  const server = createServer()
  const sessions = new WebSocketServer({ noServer: true })
  const sockets: Duplex[] = []
  server.on('upgrade', (request, socket, head) => {
    sockets.push(socket.on('error', () => {}))
    if (request.url === '/silent') return
    if (request.url === '/refuse')
      socket.end('HTTP/1.1 429 Too Many\r\nretry-after: 3\r\ncontent-length: 4\r\n\r\nbusy')
    else
      sessions.handleUpgrade(request, socket, head, (client) => {
        for (const word of ['one', 'two', 'three']) client.send(word)
        if (request.url !== '/stays') client.close(4001, 'said all')
      })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const transport = createTransport(options)
  try {
    await use(
      (path, limits) =>
        transport.openSocket(
          { url: `ws://127.0.0.1:${port}${path}`, headers: {}, protocols: [] },
          { timeoutMs: 5_000, maxBytes: 1_000, ...limits },
        ),
      transport,
      () => once(server, 'upgrade'),
    )
  } finally {
    await transport.close()
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('a socket waits for its reader: nothing that came before is lost', () =>
  withServer(async (open) => {
    const opened = await open('/')
    assert.ok('socket' in opened)
    const seen: string[] = []
    await new Promise(setImmediate)
    await new Promise((resolve) => {
      opened.socket.on(
        'message',
        (data) => void seen.push(Buffer.isBuffer(data) ? data.toString() : 'no Buffer'),
      )
      opened.socket.on('close', (code, reason) => resolve(seen.push(`${code} ${reason.toString()}`)))
      opened.socket.resume()
    })
    assert.deepEqual(seen, ['one', 'two', 'three', '4001 said all'])
  }))

test('an answer in place of the upgrade is handed back', () =>
  withServer(async (open) => {
    const opened = await open('/refuse')
    assert.ok('refused' in opened)
    assert.equal(opened.refused.status, 429)
    assert.equal(opened.refused.headers['retry-after'], '3')
    assert.equal(Buffer.from(opened.refused.body).toString(), 'busy')
  }))

test('a handshake that takes too long is a timeout', async () => {
  const clock = createHandClock()
  await withServer(
    async (open, _, asked) => {
      const opened = open('/silent')
      await asked()
      clock.wind(5_000)
      await assert.rejects(opened, { kind: 'timeout' })
      assert.equal(clock.pending(), 0)
    },
    { clock },
  )
})

test('a connection that takes too long is unreachable, and nothing was sent; once it is there it is not waited for', async () => {
  const clock = createHandClock()
  await withServer(
    async (open, _, asked) => {
      const late = open('/', { connectTimeoutMs: () => 100 })
      clock.wind(100)
      await assert.rejects(late, { kind: 'unreachable', isUnsent: true, message: /within 100 ms/ })
      const silent = open('/silent', { connectTimeoutMs: () => 100 })
      await asked()
      clock.wind(4_999)
      assert.equal(clock.pending(), 1)
      clock.wind(1)
      await assert.rejects(silent, { kind: 'timeout' })
      assert.equal(clock.pending(), 0)
    },
    { clock },
  )
})

test('the deadline is the handshake’s alone', async () => {
  const clock = createHandClock()
  await withServer(
    async (open) => {
      assert.ok('socket' in (await open('/')))
      assert.equal(clock.pending(), 0)
    },
    { clock },
  )
})

test('whoever no longer waits gets no socket', () =>
  withServer(async (open, _, asked) => {
    const left = new AbortController()
    const opened = open('/silent', { signal: left.signal })
    await asked()
    left.abort()
    await assert.rejects(opened, { kind: 'cancelled' })
    await assert.rejects(open('/', { signal: left.signal }), { kind: 'cancelled' })
  }))

test('closing the transport ends open sockets', () =>
  withServer(async (open, transport) => {
    const opened = await open('/stays')
    assert.ok('socket' in opened)
    const closed = new Promise<number>((resolve) => opened.socket.on('close', resolve))
    await transport.close()
    assert.equal(await closed, 1006)
  }))

test('nobody listening is unreachable', async () => {
  const transport = createTransport()
  const request = { url: 'ws://127.0.0.1:1', headers: {}, protocols: [] }
  await assert.rejects(transport.openSocket(request, { timeoutMs: 5_000, maxBytes: 1 }), {
    kind: 'unreachable',
  })
  await transport.close()
})
