import assert from 'node:assert/strict'
import http from 'node:http'
import { after, test } from 'node:test'
import type { ProviderAdapter } from '../providers/adapter.ts'
import { startUpstream, startWired } from './wired.test.ts'

const ASKED = { model: 'g', messages: [{ role: 'user', content: 'hi' }] }
const STREAMED = { ...ASKED, stream: true }
const NEVER = (): never => {
  throw new TypeError("Cannot read properties of undefined (reading 'bug')")
}
const brokenClassify = (): Partial<ProviderAdapter> => ({ classify: NEVER })

test('a reader of refusals that breaks is a clean 500, said once in the log with its place', async () => {
  const base = await startUpstream((request, response) => {
    request.resume()
    response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"busy"}}')
  })
  const wired = await startWired([{ group: 'g', base }], { broken: brokenClassify })
  for (const body of [ASKED, STREAMED]) {
    const before = wired.logs.length
    const { status, text, headers } = await wired.chat(body)
    assert.equal(status, 500, text)
    assert.equal(headers['x-pulsegate-error-source'], 'gateway')
    assert.match(text, /"type":"internal"/)
    assert.match(text, /this is a bug in the gateway; please report it/)
    const failed = wired.logs.slice(before).filter(({ fields }) => fields['reason'] === 'internal')
    assert.deepEqual(
      failed.map(({ event, fields }) => [event, fields['at']]),
      [['request_failed', 'Object.NEVER, broken-code.test.ts:10']],
    )
  }
})

test('it leaks no socket, whether the text of the refusal ends, breaks off or has no end', async () => {
  const endings: readonly ((response: http.ServerResponse) => void)[] = [
    (response) => void response.end('no'),
    (response) => void response.write('no', () => response.destroy()),
    (response) => void response.write('n'.repeat(100_000)),
  ]
  const sockets = new Set<object>()
  let asked = 0
  const server = http.createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(500, { 'content-type': 'text/plain' })
      endings[asked++]?.(response)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const base = `http://127.0.0.1:${address.port}/v1`
  const wired = await startWired([{ group: 'g', base }], { broken: brokenClassify })
  for (const _ of endings) assert.equal((await wired.chat(ASKED)).status, 500)
  assert.equal(asked, endings.length)
  // The first answer was whole: its connection served the second, which broke.
  while (sockets.size > 0) await new Promise((resolve) => setImmediate(resolve))
})

test('a file whose refusal cannot be read is a clean 500 too', async () => {
  const base = await startUpstream((request, response) => {
    request.resume()
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"gone"}}')
  })
  const wired = await startWired([{ group: 'g', base }], { broken: brokenClassify })
  for (const path of ['/v1/files/file-1', '/v1/files/file-1/content', '/v1/batches/batch-1']) {
    const { status, text } = await wired.ask(path)
    assert.equal(status, 500, text)
    assert.match(text, /"type":"internal"/)
  }
})

test('a stream whose reader breaks in the middle ends with an error event, and its connection with it', async () => {
  const left = Promise.withResolvers<void>()
  const base = await startUpstream((request, response) => {
    request.resume()
    request.socket.on('close', () => left.resolve())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: one\n\n', () => setTimeout(() => response.write('data: two\n\n'), 5))
  })
  const spoil = ({ codecs }: ProviderAdapter): Partial<ProviderAdapter> => {
    assert.ok(codecs.chat !== 'unsupported')
    const { answersAsIs: _, ...chat } = codecs.chat
    let pieces = 0
    const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' } as const
    const openStream = () => ({
      push: () => ((pieces += 1) === 1 ? [{ ...chunk, choices: [{ delta: { content: 'a' } }] }] : NEVER()),
      end: NEVER,
    })
    return { codecs: { ...codecs, chat: { ...chat, isRelayed: () => false, openStream } } }
  }
  const relay = { requestTimeoutMs: 600_000 }
  const wired = await startWired([{ group: 'g', base }], { broken: spoil, relay })
  const { status, text } = await wired.chat(STREAMED)
  assert.equal(status, 200)
  assert.match(text, /^data: \{"id":"c".*\n\ndata: \{"error":\{.*"type":"internal"/s)
  assert.doesNotMatch(text, /\[DONE\]/)
  await left.promise
  const failed = wired.logs.filter(({ fields }) => fields['reason'] === 'internal')
  assert.equal(failed.length, 1)
  assert.match(String(failed[0]?.fields['at']), /broken-code\.test\.ts/)
})

test('a choice that breaks is a clean 500 for its client, and nothing for the next', async () => {
  const base = await startUpstream((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[{"index":0}]}')
  })
  let isBroken = false
  const wired = await startWired(
    [
      { group: 'g', base },
      { group: 'g', base, model: 'openai/other' },
    ],
    { random: () => (isBroken ? NEVER() : 0.5) },
  )
  assert.equal((await wired.chat(ASKED)).status, 200)
  isBroken = true
  const { status, text } = await wired.chat(ASKED)
  assert.equal(status, 500, text)
  assert.match(text, /"type":"internal"/)
  isBroken = false
  assert.equal((await wired.chat(ASKED)).status, 200)
})
