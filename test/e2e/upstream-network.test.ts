import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { at, chat, configOf, SETTINGS, withStage } from './asking.ts'

const TLS = resolve(import.meta.dirname, '../fixtures/tls')
const CERTIFICATE = { key: readFileSync(`${TLS}/server-key.pem`), cert: readFileSync(`${TLS}/server.pem`) }
const TRIED_ONCE = 'router_settings: { num_retries: 0, disable_cooldowns: true }\n'

async function listening(server: Server, use: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  try {
    await use(address !== null && typeof address === 'object' ? address.port : 0)
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  }
}

const secureUpstream = (): Server =>
  createHttpsServer(CERTIFICATE, (request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json')
      response.end('{"choices":[{"index":0,"message":{"role":"assistant","content":"pong"}}]}')
    })
  })

test('ssl_verify of a deployment says whose certificate will do, and SSL_CERT_FILE whose else', () =>
  listening(secureUpstream(), async (port) => {
    const base = `https://localhost:${port}/v1`
    const entries = [
      { group: 'default', base },
      { group: 'any', base, params: ', ssl_verify: false' },
      { group: 'ours', base, params: `, ssl_verify: ${TLS}/ca.pem` },
    ]
    const config = configOf(entries, SETTINGS + TRIED_ONCE)
    await withStage(config, async ({ gateway }) => {
      const refused = await chat(gateway, { model: 'default' })
      assert.deepEqual([refused.status, at(refused.json, 'error', 'type')], [502, 'tls'])
      for (const model of ['any', 'ours']) assert.equal((await chat(gateway, { model })).status, 200, model)
    })
    await withStage(
      config,
      async ({ gateway }) => assert.equal((await chat(gateway, { model: 'default' })).status, 200),
      { env: { SSL_CERT_FILE: `${TLS}/ca.pem` } },
    )
    await withStage(
      configOf(entries, `${SETTINGS}${TRIED_ONCE}litellm_settings: { ssl_verify: false }\n`),
      async ({ gateway }) => assert.equal((await chat(gateway, { model: 'default' })).status, 200),
    )
  }))

test('HTTPS_PROXY is gone through, and its password is told nobody', () =>
  listening(secureUpstream(), async (target) => {
    const seen: string[] = []
    const proxy = createHttpServer()
    proxy.on('connect', (request: IncomingMessage, client: Socket) => {
      seen.push(`${request.url} ${request.headers['proxy-authorization']}`)
      const upstream = connect(target, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(upstream).pipe(client)
      })
      upstream.on('error', () => client.destroy())
      client.on('error', () => upstream.destroy())
    })
    await listening(proxy, async (port) => {
      const entries = [{ group: 'g', base: 'https://upstream.test/v1', params: ', ssl_verify: false' }]
      await withStage(
        configOf(entries),
        async ({ gateway }) => {
          assert.equal((await chat(gateway, { model: 'g' })).status, 200)
          const credentials = Buffer.from('me:proxy-password').toString('base64')
          assert.deepEqual(seen, [`upstream.test:443 Basic ${credentials}`])
          assert.doesNotMatch(gateway.stdout() + gateway.stderr(), /proxy-password/)
        },
        { env: { HTTPS_PROXY: `http://me:proxy-password@127.0.0.1:${port}` } },
      )
    })
  }))

test('connect_timeout ends the wait for an upstream that accepts and says nothing', () =>
  listening(createTcpServer(), async (port) => {
    const settings = `${SETTINGS}  connect_timeout: 0.3\n${TRIED_ONCE}`
    const config = configOf([{ group: 'g', base: `https://127.0.0.1:${port}/v1` }], settings)
    await withStage(config, async ({ gateway }) => {
      const refused = await chat(gateway, { model: 'g' })
      assert.deepEqual([refused.status, at(refused.json, 'error', 'type')], [502, 'unreachable'])
      assert.match(String(at(refused.json, 'error', 'message')), /no connection within 300 ms/)
    })
  }))

test('a request that meets a closing connection is sent once more, and nobody hears of it', async () => {
  let requests = 0
  const server = createTcpServer((socket) => {
    let here = 0
    socket.on('error', () => {})
    socket.on('data', () => {
      requests++
      here++
      const body = '{"choices":[{"index":0,"message":{"role":"assistant","content":"pong"}}]}'
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
      if (here === 1) socket.write(head + body)
      else socket.end()
    })
  })
  await listening(server, async (port) => {
    const config = configOf([{ group: 'g', base: `http://127.0.0.1:${port}/v1` }], SETTINGS + TRIED_ONCE)
    await withStage(config, async ({ gateway }) => {
      for (let each = 0; each < 5; each++) {
        const answer = await chat(gateway, { model: 'g' })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.headers.get('x-litellm-attempted-retries') ?? '0', '0')
      }
      // The answers go over connections of their own, so that the old one is met once in between.
      assert.ok(requests > 5, `${requests} requests`)
      assert.doesNotMatch(gateway.stderr(), /unreachable/)
    })
  })
})
