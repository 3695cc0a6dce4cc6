import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Pool } from 'undici'
import { WebSocket, WebSocketServer } from 'ws'

/**
 * The floor that is always there: node:http in, undici out, the answer piece by piece, nothing else; WebSockets by
 * ws on both sides. What a gateway in this language costs at least. Run as a process with the upstream's port as its
 * argument.
 */
const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 1024, pipelining: 1 })

function pass(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  let resume = (): void => {}
  response.on('drain', () => resume())
  const { authorization = '' } = request.headers
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: 'POST',
      headers: ['content-type', 'application/json', 'authorization', authorization],
      body,
    },
    {
      onRequestStart: (controller) => {
        resume = () => controller.resume()
      },
      onResponseStart: (_, status, headers) => {
        const { 'content-type': type = 'application/json', 'content-length': length } = headers
        response.writeHead(status, [
          'content-type',
          String(type),
          ...(length === undefined ? [] : ['content-length', String(length)]),
        ])
      },
      onResponseData: (controller, chunk) => {
        if (!response.write(chunk)) controller.pause()
      },
      onResponseEnd: () => {
        response.end()
      },
      onResponseError: () => {
        response.destroy()
      },
    },
  )
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => pass(request, response, Buffer.concat(chunks)))
})

const upgrades = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false })
server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  const { authorization = '' } = request.headers
  const upstream = new WebSocket(`ws://127.0.0.1:${process.argv[2]}${request.url ?? '/'}`, {
    headers: { authorization },
    perMessageDeflate: false,
  })
  upstream.on('error', () => socket.destroy())
  upstream.once('open', () => {
    upgrades.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (data, binary) => upstream.send(data, { binary }))
      upstream.on('message', (data, binary) => client.send(data, { binary }))
      client.on('close', () => upstream.close())
      upstream.on('close', () => client.close())
    })
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))
