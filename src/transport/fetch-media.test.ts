import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { describe, test } from 'node:test'
import { createFetchMedia, isPrivate } from './fetch-media.ts'

const LIMITS = { timeoutMs: 5_000 }

async function withServer(use: (server: Server, host: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const { url = '' } = request
    if (url === '/png') response.writeHead(200, { 'content-type': 'image/png; q=1' }).end('PNG')
    else if (url === '/once') response.writeHead(302, { location: '/png' }).end()
    else if (url === '/round') response.writeHead(302, { location: '/round' }).end()
    else if (url === '/inside') response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else if (url === '/large') response.writeHead(200).end(Buffer.alloc(21 * 1024 * 1024))
    else if (url === '/silent') response.writeHead(200).flushHeaders()
    else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  try {
    await use(server, `127.0.0.1:${address.port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const refusal = (message: RegExp) => ({ kind: 'bad_request', source: 'client', param: 'messages', message })

describe('a picture that a client names', () => {
  test('is fetched from a host that is allowed, over redirects', () =>
    withServer(async (_, host) => {
      const fetchMedia = createFetchMedia({ allowedHosts: [host] })
      for (const path of ['/png', '/once']) {
        const { contentType, bytes } = await fetchMedia(`http://${host}${path}`, LIMITS)
        assert.deepEqual([contentType, Buffer.from(bytes).toString()], ['image/png', 'PNG'])
      }
    }))

  test('is not fetched from any private address, however that is written', () =>
    withServer(async (server, host) => {
      let asked = 0
      server.on('connection', () => (asked += 1))
      const port = host.split(':')[1]
      const fetchMedia = createFetchMedia({ allowedHosts: [] })
      for (const name of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])
        await assert.rejects(
          fetchMedia(`http://${name}:${port}/png`, LIMITS),
          refusal(/address is not a public one/),
          name,
        )
      assert.equal(asked, 0)
    }))

  test('is not fetched where a redirect leads inside, or in a circle', () =>
    withServer(async (_, host) => {
      const fetchMedia = createFetchMedia({ allowedHosts: [host] })
      await assert.rejects(fetchMedia(`http://${host}/inside`, LIMITS), refusal(/not a public one/))
      await assert.rejects(fetchMedia(`http://${host}/round`, LIMITS), refusal(/more than 3 redirects/))
    }))

  test('may not be too large, too slow, absent or something else than a web address', () =>
    withServer(async (_, host) => {
      const fetchMedia = createFetchMedia({ allowedHosts: [host] })
      const cases: readonly (readonly [string, RegExp, number?])[] = [
        [`http://${host}/large`, /larger than 20 MB/],
        [`http://${host}/silent`, /took too long/, 200],
        [`http://${host}/none?sig=secret`, /\/none cannot be fetched: its server answered 404/],
        ['file:///etc/passwd', /no http\(s\) URL/],
        [`http://127.0.0.1:1/png`, /not a public one/],
      ]
      for (const [url, message, timeoutMs = 5_000] of cases)
        await assert.rejects(fetchMedia(url, { timeoutMs }), refusal(message), url)
    }))
})

test('what is not of the public internet counts as private', () => {
  const inside =
    '0.0.0.0 10.1.2.3 100.64.0.1 127.9.9.9 169.254.169.254 172.31.0.1 192.168.1.1 198.19.0.1 224.0.0.1 255.255.255.255 :: ::1 fd00::1 fe80::1 ::ffff:10.0.0.1 64:ff9b::a00:1'
  const outside = '1.1.1.1 8.8.8.8 172.32.0.1 100.128.0.1 2606:4700::1111 ::ffff:8.8.8.8'
  for (const address of inside.split(' ')) assert.equal(isPrivate(address), true, address)
  for (const address of outside.split(' ')) assert.equal(isPrivate(address), false, address)
})
