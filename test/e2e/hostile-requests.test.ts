import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { ask, at, AUTH, chat, eventually, KEY, MESSAGES } from './asking.ts'
import { BODY, head, PONG, raw, statuses, WELL, whole, withUpstream, type Answering } from './raw-requests.ts'

/** The body as one raw block that asks for a window of 2 to that power (RFC 8878 §3.1.1). */
function zstdFrame(windowLog: number): Buffer {
  const block = (Buffer.byteLength(BODY) << 3) | 1
  const frame = [
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0,
    (windowLog - 10) << 3,
    block & 0xff,
    (block >> 8) & 0xff,
    block >> 16,
  ]
  return Buffer.concat([Buffer.from(frame), Buffer.from(BODY)])
}

describe('bodies and heads as nobody should send them', () => {
  test('chunked, absolute URLs, HTTP/1.0 and pipelines are understood', () =>
    withUpstream(async (gateway) => {
      const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
      const chunks = [chunk(BODY.slice(0, 9)), chunk(BODY.slice(9)), '0\r\n\r\n']
      assert.match(await raw(gateway, [head(['transfer-encoding: chunked']), ...chunks], PONG), /200 OK/)
      const length = `content-length: ${BODY.length}`
      const absolute = head([length], 'http://gateway/v1/chat/completions')
      assert.match(await raw(gateway, [absolute, BODY], PONG), /200 OK/)
      const old = await raw(gateway, [head([length], undefined, 'HTTP/1.0'), BODY])
      assert.match(old, /200 OK[^]*connection: close[^]*pong/i)
      const three = await raw(gateway, [whole() + whole() + whole()], /(?:pong[^]*){3}/)
      assert.deepEqual(statuses(three), ['200', '200', '200'])
    }))

  test('a body is asked for with 100 when it is wanted, and not when it is refused', () =>
    withUpstream(
      async (gateway) => {
        const expecting = ['expect: 100-continue']
        const good = head([...expecting, `content-length: ${BODY.length}`])
        const first = await raw(gateway, [good], /100 Continue\r\n\r\n/)
        assert.deepEqual(statuses(first), ['100'])
        assert.deepEqual(statuses(await raw(gateway, [good, BODY], PONG)), ['100', '200'])
        const strange = good.replace(KEY, 'sk-other-0123456789')
        assert.match(await raw(gateway, [strange]), /^HTTP\/1\.1 401 [^]*connection: close/i)
        const large = head([...expecting, 'content-length: 3000000'])
        assert.match(await raw(gateway, [large]), /^HTTP\/1\.1 413 [^]*connection: close/i)
      },
      { settings: '  max_request_size_mb: 1\n' },
    ))

  test('more than the limit is refused before it is read, announced or not', () =>
    withUpstream(
      async (gateway, { received }) => {
        assert.match(await raw(gateway, [head(['content-length: 2000000'])]), /^HTTP\/1\.1 413 /)
        const piece = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`
        const chunks = Array.from({ length: 20 }, () => piece)
        const chunked = await raw(gateway, [head(['transfer-encoding: chunked']), ...chunks])
        assert.match(chunked, /^HTTP\/1\.1 413 /)
        assert.equal(received.length, 0)
      },
      { settings: '  max_request_size_mb: 1\n' },
    ))

  test('HTTP/1.0 takes the end of a connection for the end of an answer, so one that breaks off is reset', () => {
    const breaksOff: Answering = (_, response) => {
      const opening = '{"id":"x","choices":[{"index":0,"message":{"content":"'
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(opening + 'x'.repeat(300_000), () => response.destroy())
    }
    return withUpstream(
      async (gateway) => {
        const { hostname, port } = new URL(gateway.url)
        const socket = connect(Number(port), hostname)
        socket.write(head([`content-length: ${BODY.length}`], undefined, 'HTTP/1.0') + BODY)
        const [error] = await once(socket.resume(), 'error')
        assert.equal(at(error, 'code'), 'ECONNRESET')
        assert.ok(socket.bytesRead > 100_000, 'it had begun')
      },
      { answering: breaksOff },
    )
  })

  test('a status that HTTP does not have is told as one that it has, for clients choke on it', () =>
    withUpstream(
      async (gateway) => {
        const answer = await chat(gateway, { model: 'g', num_retries: 0 })
        assert.equal(answer.status, 500)
        assert.match(answer.text, /answered 600: .*"code":"500"/)
      },
      {
        answering: (_, response) =>
          void response.writeHead(600).end('{"error":{"message":"out of numbers"}}'),
      },
    ))

  test('a length that is wrong harms nobody else', () =>
    withUpstream(async (gateway, { received }) => {
      const { hostname, port } = new URL(gateway.url)
      const short = connect(Number(port), hostname, () => short.end(head(['content-length: 999']) + BODY))
      await new Promise((done) => short.resume().on('close', done).on('error', done))
      assert.equal(received.length, 0, 'half a request goes nowhere')
      const longer = head([`content-length: ${BODY.length}`]) + BODY + '{"more":1}\r\n\r\n'
      // What follows is no request; the answer to the one before it is whole, and the last one.
      assert.match(await raw(gateway, [longer]), /^HTTP\/1\.1 200 [^]*connection: close[^]*"pong"[^\r\n]*$/i)
      for (const lines of [['content-length: 5', 'content-length: 6'], ['content-length: -1']])
        assert.deepEqual(statuses(await raw(gateway, [head(lines), BODY])), ['400'])
      const both = head([`content-length: ${BODY.length}`, 'transfer-encoding: chunked'])
      assert.deepEqual(statuses(await raw(gateway, [both, BODY])), ['400'])
      assert.equal((await chat(gateway, { model: 'g' })).status, 200)
    }))

  test('packed bodies are unpacked within the limit, and go upstream plain', () =>
    withUpstream(
      async (gateway, { received }) => {
        const send = (encoding: string, body: Buffer): Promise<string> =>
          raw(
            gateway,
            [
              head(['connection: close', `content-encoding: ${encoding}`, `content-length: ${body.length}`]),
              body,
            ],
            undefined,
          )
        for (const [encoding, pack] of [
          ['gzip', gzipSync],
          ['deflate', deflateSync],
          ['br', brotliCompressSync],
          ['zstd', zstdCompressSync],
        ] as const) {
          assert.match(await send(encoding, pack(Buffer.from(BODY))), PONG, encoding)
          const last = received.at(-1)
          assert.equal(last?.headers['content-encoding'], undefined)
          assert.deepEqual(at(JSON.parse(last?.body.toString() ?? ''), 'messages'), MESSAGES)
        }
        const bomb = gzipSync(Buffer.alloc(20_000_000, ' '))
        assert.ok(bomb.length < 100_000)
        assert.match(await send('gzip', bomb), /^HTTP\/1\.1 413 /)
        assert.match(await send('gzip', Buffer.from(BODY)), /^HTTP\/1\.1 400 [^]*cannot be unpacked/)
        assert.match(await send('gzip', gzipSync(BODY).subarray(0, -9)), /^HTTP\/1\.1 400 /)
        for (const unknown of ['compress', 'constructor', '__proto__'])
          assert.match(await send(unknown, Buffer.from(BODY)), /^HTTP\/1\.1 415 [^]*gzip, deflate, br, zstd/)
        assert.match(await send('zstd', zstdFrame(23)), PONG)
        assert.match(await send('zstd', zstdFrame(24)), /^HTTP\/1\.1 400 [^]*cannot be unpacked/)
        assert.equal(received.length, 5)
      },
      { settings: '  max_request_size_mb: 1\n' },
    ))

  test('of two models the last one counts, here and upstream', () =>
    withUpstream(async (gateway, { received }) => {
      const twice = `{"model":"nobody","messages":[],"model":"g"}`
      assert.match(await raw(gateway, [whole(twice)], PONG), /200 OK/)
      assert.equal(at(JSON.parse(received[0]?.body.toString() ?? ''), 'model'), 'gpt-4o')
      const other = await raw(gateway, [whole(`{"model":"g","messages":[],"model":"nobody"}`)], /\}$/)
      assert.match(other, /^HTTP\/1\.1 400 [^]*nobody/)
    }))

  test('what nests too deep to be written again is refused, wherever it is read', () =>
    withUpstream(async ({ url }, { received }) => {
      const deep = '['.repeat(30_000) + ']'.repeat(30_000)
      const form = new FormData()
      form.set('model', 'g')
      form.set('tags', deep)
      form.set('file', new Blob(['sound']), 'a.wav')
      const cases: readonly (readonly [string, string | FormData])[] = [
        ['/v1/chat/completions', BODY.replace('{', `{"extra_body":{"x":${deep}},`)],
        ['/v1/batches', `{"input_file_id":"file-a","model":"g","x":${deep}}`],
        ['/v1/realtime/client_secrets', `{"session":{"model":"g","x":${deep}}}`],
        ['/v1/audio/transcriptions', form],
      ]
      for (const [path, body] of cases) {
        const answer = await fetch(url + path, { method: 'POST', headers: AUTH, body })
        assert.equal(answer.status, 400, path)
        assert.match(await answer.text(), /more than 1000 levels deep/, path)
      }
      assert.equal(received.length, 0)
    }))

  test('what is no JSON, no UTF-8 or no HTTP gets a 4xx in OpenAI’s form', () =>
    withUpstream(async (gateway) => {
      for (const body of ['', '{', '[]', '"g"', 'null', `{"model":"g"} {}`, '{"model":7}']) {
        const answer = await raw(gateway, [whole(body)], /\}$/)
        assert.match(answer, /^HTTP\/1\.1 400 [^]*\{"error":\{"message"/, body)
      }
      for (const [path, text, place] of [
        ['/v1/chat/completions', '{"model":"\xff\xfe","messages":[]}', 'column 11'],
        [
          '/v1/chat/completions',
          '{"model":"g","messages":[{"role":"user","content":"\xe2\x82"}]}',
          'column 52',
        ],
        ['/v1/batches', '{"input_file_id":"file-a","model":"g","metadata":{"a":"\xff"}}', 'column 56'],
      ] as const) {
        const bytes = Buffer.from(text, 'latin1')
        const strange = await raw(gateway, [head([`content-length: ${bytes.length}`], path), bytes], /\}$/)
        assert.match(strange, new RegExp(`^HTTP/1\\.1 400 [^]*not UTF-8: line 1 ${place} `), text)
      }
      const headers = Array.from({ length: 300 }, (_, each) => `x-header-${each}: ${'x'.repeat(100)}`)
      assert.match(await raw(gateway, [head(headers)]), /^HTTP\/1\.1 431 [^]*\{"error":\{"message"/)
      assert.match(await raw(gateway, ['HELO gateway\r\n\r\n']), /^HTTP\/1\.1 400 [^]*\{"error"/)
      assert.match(await raw(gateway, [Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0])]), /^HTTP\/1\.1 400 /)
      assert.equal((await chat(gateway, { model: 'g' })).status, 200)
    }))
})

describe('more than the gateway takes on', () => {
  test('is refused before it is read, while health and lists are answered', () => {
    const waiting: ServerResponse[] = []
    return withUpstream(
      async (gateway, { received }) => {
        const first = chat(gateway, { model: 'g' })
        await eventually(
          () => waiting.length,
          (count) => count === 1,
        )
        const second = await chat(gateway, { model: 'g' })
        assert.equal(second.status, 503)
        assert.equal(second.headers.get('retry-after'), '1')
        assert.equal(second.headers.get('x-pulsegate-error-source'), 'gateway')
        assert.equal(at(second.json, 'error', 'type'), 'overloaded')
        assert.match(String(at(second.json, 'error', 'message')), /busy: 1 requests are in flight/)
        // On one connection: a small body is thrown away, a large one ends it.
        const large = head(['content-length: 900000'])
        const both = await raw(gateway, [whole() + whole(), large])
        assert.deepEqual(statuses(both), ['503', '503', '503'])
        const expecting = head(['expect: 100-continue', 'content-length: 9'])
        assert.deepEqual(statuses(await raw(gateway, [expecting])), ['503'])
        for (const path of ['/health/liveliness', '/health/readiness', '/v1/models', '/health'])
          assert.equal((await ask(gateway.url + path, { headers: AUTH })).status, 200, path)
        for (const response of waiting.splice(0)) WELL(response.req, response)
        assert.equal((await first).status, 200)
        assert.equal(received.length, 1)
      },
      {
        answering: (_, response) => void waiting.push(response),
        settings: '  global_max_parallel_requests: 1\n  health_check_on_request: never\n',
      },
    )
  })

  test('a client that leaves ends its upstream request within 50 ms, and a thousand leave nothing behind', () => {
    let open = 0
    let closedAt = 0
    return withUpstream(
      async (gateway) => {
        const { hostname, port } = new URL(gateway.url)
        const leave = async (): Promise<void> => {
          const before = open
          const socket = connect(Number(port), hostname, () => socket.write(whole()))
          socket.on('error', () => {})
          await eventually(
            () => open,
            (count) => count > before,
          )
          socket.destroy()
        }
        await leave()
        const leftAt = performance.now()
        await eventually(
          () => open,
          (count) => count === 0,
        )
        assert.ok(closedAt - leftAt < 50, `${closedAt - leftAt} ms`)
        for (let round = 0; round < 20; round++) {
          const sockets = Array.from({ length: 50 }, () => {
            const socket = connect(Number(port), hostname, () => socket.write(whole()))
            return socket.on('error', () => {})
          })
          await eventually(
            () => open,
            (count) => count === 50,
          )
          for (const socket of sockets) socket.destroy()
          await eventually(
            () => open,
            (count) => count === 0,
          )
        }
        const served = await ask(`${gateway.url}/health/liveliness`)
        assert.equal(served.status, 200)
      },
      {
        answering: (_, response) => {
          open++
          response.on('close', () => {
            open--
            closedAt = performance.now()
          })
        },
      },
    )
  })
})

test('a body that comes slowly is waited for, and holds up nobody', () =>
  withUpstream(async (gateway) => {
    const { hostname, port } = new URL(gateway.url)
    const slow = connect(Number(port), hostname)
    slow.write(head([`content-length: ${BODY.length}`]))
    const text = new Promise<string>((resolve) => slow.once('data', (chunk) => resolve(chunk.toString())))
    for (const byte of BODY) {
      slow.write(byte)
      await later(2)
    }
    assert.match(await text, /200 OK/)
    slow.destroy()
    assert.equal((await chat(gateway, { model: 'g' })).status, 200)
  }))
