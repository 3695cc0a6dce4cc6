import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { ask, AUTH, chat, configOf, eventually, withStage } from './asking.ts'
import type { Gateway } from './program.ts'
import { BODY, head, raw, statuses, WELL, whole, withUpstream } from './raw-requests.ts'

const LIMITS = '  client_headers_timeout: 0.3\n  client_request_timeout: 0.6\n'

/** Sends `first`, then one piece after the other, every 50 ms, until the gateway ends the connection. */
function drip(
  gateway: Gateway,
  first: string,
  piece: string,
): Promise<{ readonly text: string; readonly afterMs: number }> {
  const { hostname, port } = new URL(gateway.url)
  const beganMs = performance.now()
  return new Promise((resolve) => {
    // It never ends its own half: only the gateway can.
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    let text = ''
    socket.write(first)
    const timer = setInterval(() => piece !== '' && socket.write(piece), 50)
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', () => {})
    const finish = (): void => {
      clearInterval(timer)
      socket.destroy()
      resolve({ text, afterMs: performance.now() - beganMs })
    }
    // A socket that only writes learns of its end by a reset; one that is silent by the end of what it reads.
    socket.on('close', finish)
    if (piece === '') socket.on('end', finish)
  })
}

describe('a client that takes for ever', () => {
  for (const [what, first, piece] of [
    ['drips its headers', `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n`, 'x-more: 1\r\n'],
    ['stops within its headers', `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\n`, ''],
    ['drips its body', head(['content-length: 100000']), ' '],
    ['drips its chunks', head(['transfer-encoding: chunked']), '1\r\n \r\n'],
    ['stops within its body', head([`content-length: ${BODY.length}`]) + BODY.slice(0, 9), ''],
  ] as const) {
    test(`${what}: it is told 408, its connection ends, and others are served meanwhile`, () =>
      withUpstream(
        async (gateway, { received }) => {
          const slow = drip(gateway, first, piece)
          assert.equal((await chat(gateway, { model: 'g' })).status, 200)
          const { text, afterMs } = await slow
          assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*connection: close/i)
          assert.deepEqual(statuses(text), ['408'])
          assert.ok(afterMs > 250 && afterMs < 5000, `${afterMs} ms`)
          assert.equal(received.length, 1)
        },
        { settings: LIMITS },
      ))
  }

  test('the answer may take longer than the request', () => {
    const waiting: ServerResponse[] = []
    return withUpstream(
      async (gateway) => {
        const answer = chat(gateway, { model: 'g' })
        await eventually(
          () => waiting.length,
          (count) => count === 1,
        )
        // A second request that is cut off shows that the time is up.
        await drip(gateway, head(['content-length: 9']), '')
        for (const response of waiting) WELL(response.req, response)
        assert.equal((await answer).status, 200)
      },
      { answering: (_, response) => void waiting.push(response), settings: LIMITS },
    )
  })
})

describe('what cannot be read behind a request that runs', () => {
  const EVENT = 'data: {"choices":[{"index":0,"delta":{"content":"pong"}}]}\n\n'
  const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
  const STREAM = JSON.stringify({ model: 'g', messages: [], stream: true })

  test('leaves a running stream as it is, and ends the connection after it', () => {
    const waiting: ServerResponse[] = []
    return withUpstream(
      async (gateway) => {
        const { hostname, port } = new URL(gateway.url)
        const socket = connect(Number(port), hostname)
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk.toString()
        })
        const closed = new Promise((resolve) => socket.on('close', resolve))
        socket.write(whole(STREAM))
        await eventually(
          () => text,
          () => text.includes('pong'),
        )
        socket.write('\x16\x03\x01 what is this\r\n\r\n')
        socket.write('and this?\r\n\r\n')
        // The gateway has read it once it has answered somebody who came later.
        assert.equal((await ask(`${gateway.url}/health/liveliness`)).status, 200)
        waiting[0]?.end(END)
        await closed
        assert.deepEqual(statuses(text), ['200'])
        assert.ok(text.includes('[DONE]') && text.endsWith('\r\n0\r\n\r\n'), text)
      },
      {
        answering: (_, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).write(EVENT)
          waiting.push(response)
        },
      },
    )
  })

  test('does not touch the answers of all that was asked well before it', () => {
    const waiting: ServerResponse[] = []
    return withUpstream(
      async (gateway) => {
        const text = raw(gateway, [whole() + whole(), '\x00\x01\x02 no request\r\n\r\n'])
        await eventually(
          () => waiting.length,
          (count) => count === 2,
        )
        for (const response of waiting.splice(0)) WELL(response.req, response)
        assert.match(await text, /^HTTP\/1\.1 200 OK[^]*pong[^]*HTTP\/1\.1 200 OK[^]*close[^]*pong[^]*\}$/i)
        assert.deepEqual(statuses(await text), ['200', '200'])
      },
      { answering: (_, response) => void waiting.push(response) },
    )
  })

  test('a body that breaks is told 400, and one that breaks behind another answer ends the connection', () => {
    const waiting: ServerResponse[] = []
    return withUpstream(
      async (gateway) => {
        const bad = head(['transfer-encoding: chunked']) + 'no size\r\n'
        assert.deepEqual(statuses(await raw(gateway, [bad])), ['400'])
        const torn = raw(gateway, [whole(), bad])
        assert.equal(await torn, '')
        await eventually(
          () => ask(`${gateway.url}/metrics`, { headers: AUTH }),
          ({ text }) => text.includes('\npulsegate_requests_in_flight 0\n'),
        )
      },
      { answering: (_, response) => void waiting.push(response) },
    )
  })
})

test('a client that leaves while its upload waits for the upstream leaves nothing behind after the deadline', async () => {
  const sockets = new Set<Socket>()
  const deaf = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((done) => deaf.listen(0, '127.0.0.1', done))
  const address = deaf.address()
  const base = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}/v1`
  const entry = { group: 'ears', base, model: 'openai/whisper-1', params: ', timeout: 1, num_retries: 0' }
  try {
    await withStage(configOf([entry]), async ({ gateway }) => {
      const { hostname, port } = new URL(gateway.url)
      const form = ['content-type: multipart/form-data; boundary=b', 'content-length: 40000000']
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.write(head(form, '/v1/audio/transcriptions'))
      socket.write('--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nears\r\n')
      socket.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n')
      const megabyte = Buffer.alloc(1024 * 1024)
      let isFull = false
      for (let sent = 0; sent < 36 && !isFull; sent++) {
        isFull = await Promise.race([
          new Promise<boolean>((done) => socket.write(megabyte, () => done(false))),
          later(300, true),
        ])
      }
      assert.ok(isFull, 'nobody takes any more of it')
      assert.equal(sockets.size, 1)
      socket.destroy()
      const { text } = await eventually(
        () => ask(`${gateway.url}/metrics`, { headers: AUTH }),
        (page) => page.text.includes('\npulsegate_requests_in_flight 0\n'),
      )
      assert.match(text, /operation="audio_transcription",outcome="(?:timeout|cancelled)"\} 1\n/)
      // It reads only now, and finds that nobody is there any more.
      for (const each of sockets) each.resume()
      await eventually(
        () => sockets.size,
        (count) => count === 0,
      )
    })
  } finally {
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => deaf.close(done))
  }
})
