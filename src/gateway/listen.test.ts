import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startUpstream, startWired } from './wired.test.ts'

/** Sends this to an address and gives back all that comes until `until` has, or the connection ends. */
function say(address: string, port: string, text: string, until: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), address, () => socket.write(text))
    let heard = ''
    socket.on('error', reject)
    socket.on('close', () => resolve(heard))
    socket.on('data', (chunk) => {
      heard += chunk.toString()
      if (until.test(heard)) socket.destroy()
    })
  })
}

test('localhost is all of its addresses, with one door, and those that this machine has not are left out', async () => {
  const base = await startUpstream((_, response) => {
    // The one request that may run never ends.
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': quiet\n\n')
  })
  const { url, gateway } = await startWired([{ group: 'a', base }], {
    host: 'localhost',
    // As ::1 and 127.0.0.1 are elsewhere; the last one is nobody's.
    addressesOf: () => Promise.resolve(['127.0.0.1', '127.0.0.2', '127.0.0.1', '192.0.2.1']),
    settings: { maxInFlight: 1, drainTimeoutMs: 50 },
    openMode: true,
  })
  const { hostname, port } = new URL(url)
  assert.equal(hostname, '127.0.0.1')
  const body = JSON.stringify({ model: 'a', messages: [], stream: true })
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: localhost', `content-length: ${body.length}`]
  const request = `${head.join('\r\n')}\r\n\r\n${body}`
  const running = connect(Number(port), '127.0.0.2', () => running.write(request))
  const ended = new Promise((resolve) => running.on('close', resolve).on('error', () => {}))
  while (gateway.inFlight() === 0) await new Promise(setImmediate)
  for (const address of ['127.0.0.1', '127.0.0.2']) {
    assert.match(await say(address, port, request, /\}$/), /^HTTP\/1\.1 503 [^]*busy: 1 requests/, address)
    assert.match(await say(address, port, '\x16\x03\r\n\r\n', /\}$/), /^HTTP\/1\.1 400 /, address)
  }
  // Closing waits for the requests of all addresses and ends them in time.
  running.resume()
  await gateway.close()
  await ended
  await assert.rejects(say('127.0.0.2', port, request, /./), { code: 'ECONNREFUSED' })
})

test('clients may be given any time, the headers more than Node gives a request', async () => {
  for (const [clientHeadersTimeoutMs, clientRequestTimeoutMs] of [
    [600_000, 900_000],
    [900_000, 600_000],
    [5000, 5000],
  ] as const) {
    const wired = await startWired([], { settings: { clientHeadersTimeoutMs, clientRequestTimeoutMs } })
    assert.equal((await wired.ask('/health/liveliness')).status, 200)
  }
})
