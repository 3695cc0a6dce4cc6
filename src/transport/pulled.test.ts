import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Server } from 'node:net'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createTransport } from './transport.ts'

const TLS = resolve(import.meta.dirname, '../../test/fixtures/tls')
const pem = (name: string): string => readFileSync(`${TLS}/${name}`, 'utf8')
const MOST = 64 * 1024 * 1024

/** What a reader got that takes a piece, pauses for some turns, and takes the next one. */
async function readSlowly(url: string): Promise<string> {
  const transport = createTransport({ trust: { isVerified: true, authorities: () => pem('ca.pem') } })
  const hash = createHash('sha256')
  let pieces = 0
  try {
    await new Promise<void>((done, failed) => {
      const stream = transport.stream(
        { method: 'GET', url, headers: {} },
        { timeoutMs: 30_000, maxBytes: MOST },
        {
          head: () => {},
          data: (chunk) => {
            hash.update(chunk)
            pieces++
            if (pieces % 3 === 0) return true
            void nextTurn().then(() => stream.resume())
            return false
          },
          end: done,
          fail: failed,
        },
      )
    })
  } finally {
    await transport.close()
  }
  return hash.digest('hex')
}

async function serving(server: Server, use: (port: number) => Promise<void>): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  try {
    await use(address.port)
  } finally {
    server.close()
  }
}

test('a reader that pauses gets every byte in its place, by TLS or without, in chunks or at length', async () => {
  const body = randomBytes(3 * 1024 * 1024 + 17)
  const wanted = createHash('sha256').update(body).digest('hex')
  const answer: RequestListener = (request, response) => {
    if (request.url === '/length') {
      response.setHeader('content-length', body.length)
      response.end(body)
      return
    }
    for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 99_991)
      response.write(body.subarray(at, at + size))
    response.end()
  }
  const plain = createHttpServer(answer)
  const secure = createHttpsServer({ key: pem('server-key.pem'), cert: pem('server.pem') }, answer)
  await serving(plain, (port) =>
    serving(secure, async (securePort) => {
      for (const origin of [`http://127.0.0.1:${port}`, `https://localhost:${securePort}`])
        for (const path of ['/length', '/chunks'])
          assert.equal(await readSlowly(origin + path), wanted, origin + path)
    }),
  )
})
