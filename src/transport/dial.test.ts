import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { WebSocketServer, type WebSocket } from 'ws'
import { createHandClock } from '../core/clock.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import type { Dialogue, Limits, Transport } from './wire.ts'

const LIMITS: Limits = { timeoutMs: 5_000, maxBytes: 1_000 }

async function withSockets(
  onSocket: (socket: WebSocket) => void,
  run: (dial: () => ReturnType<Transport['dial']>, transport: Transport) => Promise<void>,
  options: TransportOptions = {},
): Promise<void> {
  const server = createServer((_, response) =>
    response.writeHead(401, { 'x-request-id': 'r1' }).end('{"error":{"message":"bad key"}}'),
  )
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/refuse')
      socket.end('HTTP/1.1 401 Unauthorized\r\nx-request-id: r1\r\ncontent-length: 7\r\n\r\nbad key')
    else sockets.handleUpgrade(request, socket, head, onSocket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const transport = createTransport(options)
  const url = `ws://127.0.0.1:${address.port}`
  try {
    await run(
      () => transport.dial({ url, headers: { authorization: 'Bearer k' }, protocols: [] }, LIMITS),
      transport,
    )
    await transport.dial({ url: `${url}/refuse`, headers: {}, protocols: [] }, LIMITS).then((dialled) => {
      assert.ok('refused' in dialled)
      assert.equal(dialled.refused.status, 401)
      assert.equal(Buffer.from(dialled.refused.body).toString(), 'bad key')
    })
  } finally {
    await transport.close()
    for (const socket of sockets.clients) socket.terminate()
    await new Promise((resolve) => server.close(resolve))
  }
}

async function opened(dial: () => ReturnType<Transport['dial']>): Promise<Dialogue> {
  const dialled = await dial()
  assert.ok('dialogue' in dialled)
  return dialled.dialogue
}

test('messages are read in order, text or binary, and a close after them is a cut', () =>
  withSockets(
    (socket) => {
      socket.send('one')
      socket.send(Buffer.from('two'))
      socket.close(4000, 'beta_api_shape_disabled')
    },
    async (dial) => {
      const dialogue = await opened(dial)
      assert.equal(await dialogue.next(), 'one')
      assert.equal(await dialogue.next(), 'two')
      await assert.rejects(dialogue.next(), {
        kind: 'cut',
        message: /closed the WebSocket with 4000 beta_api_shape_disabled/,
      })
    },
  ))

test('a session that says nothing ends at the deadline', async () => {
  const clock = createHandClock()
  await withSockets(
    () => {},
    async (dial) => {
      const dialogue = await opened(dial)
      const next = dialogue.next()
      clock.wind(5_000)
      await assert.rejects(next, { kind: 'timeout' })
    },
    { clock },
  )
})

test('we close with 1000', async () => {
  const closed = Promise.withResolvers<number>()
  await withSockets(
    (socket) => socket.on('close', closed.resolve),
    async (dial) => {
      const dialogue = await opened(dial)
      dialogue.close()
      assert.equal(await closed.promise, 1000)
    },
  )
})

test('a message larger than the limit is the wrong shape', () =>
  withSockets(
    (socket) => socket.send('x'.repeat(2_000)),
    async (dial) => {
      const dialogue = await opened(dial)
      await assert.rejects(dialogue.next(), { kind: 'wrong_shape' })
    },
  ))

test('nobody listening is unreachable', async () => {
  const transport = createTransport()
  await assert.rejects(transport.dial({ url: 'ws://127.0.0.1:1', headers: {}, protocols: [] }, LIMITS), {
    kind: 'unreachable',
  })
  await transport.close()
})
