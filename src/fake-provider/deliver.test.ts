import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import net from 'node:net'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { ask, askAzure, CHAT, fakeForTests, json } from './fixtures.ts'

const fake = await fakeForTests()
const PATH = '/v1/chat/completions'
const order = (word: string, body: object = CHAT) => ask(`${fake.url}/${word}${PATH}`, { body })

const STATUSES: readonly (readonly [status: number, type: string, code: string | null])[] = [
  [400, 'invalid_request_error', null],
  [401, 'invalid_request_error', 'invalid_api_key'],
  [403, 'invalid_request_error', null],
  [404, 'invalid_request_error', 'model_not_found'],
  [408, 'invalid_request_error', null],
  [409, 'invalid_request_error', null],
  [422, 'invalid_request_error', null],
  [429, 'rate_limit_error', null],
  [500, 'server_error', null],
  [502, 'server_error', null],
  [503, 'server_error', null],
  [529, 'server_error', null],
]

for (const [status, type, code] of STATUSES) {
  test(`e${status} answers ${status} in OpenAI's words`, async () => {
    const got = await order(`e${status}`)
    const error = { message: `upstream says ${status}`, type, param: null, code }
    assert.deepEqual([got.status, json(got)], [status, { error }])
    assert.equal(got.headers.get('retry-after'), status === 429 ? '7' : null)
  })
}

test('an error comes in the words of the provider that was asked', async () => {
  const azure = await askAzure(
    `${fake.url}/e404/openai/deployments/d/chat/completions?api-version=2024-10-21`,
    { body: CHAT },
  )
  assert.deepEqual(json(azure), { error: { code: 'DeploymentNotFound', message: 'upstream says 404' } })
  const cohere = await ask(`${fake.url}/e500/v2/chat`, { body: CHAT })
  assert.deepEqual(json(cohere), { id: 'c0ffee00-0000-4000-8000-000000000000', message: 'upstream says 500' })
})

test('Retry-After is what the order says, in seconds or milliseconds', async () => {
  assert.equal((await order('e429r30')).headers.get('retry-after'), '30')
  const inMs = await order('e503ms1500')
  assert.deepEqual([inMs.headers.get('retry-after-ms'), inMs.headers.get('retry-after')], ['1500', null])
})

test('Retry-After may be a date, which stands so far from the date of the answer', async () => {
  const { headers } = await order('e429d30')
  const [answered, back] = ['date', 'retry-after'].map((name) => Date.parse(headers.get(name) ?? ''))
  assert.equal((back ?? 0) - (answered ?? 0), 30_000)
})

const BODIES: readonly (readonly [word: string, status: number, type: string, text: RegExp])[] = [
  ['garbage', 200, 'application/json', /^<html>not json$/],
  ['empty', 200, 'application/json', /^$/],
  ['html', 200, 'text/html; charset=utf-8', /^<!doctype html>/],
  ['shape', 200, 'application/json', /^\{"ok":true\}$/],
  ['err200', 200, 'application/json', /^\{"error":\{"message":"upstream says 500","type":"server_error"/],
  ['quota', 429, 'application/json', /"code":"insufficient_quota"/],
  ['wrongmodel', 200, 'application/json', /"model":"another-model"/],
  ['wssilent', 200, 'application/json', /"content":"pong"/],
]

for (const [word, status, type, text] of BODIES) {
  test(`${word} answers ${status} with ${String(text)}`, async () => {
    const got = await order(word)
    assert.deepEqual([got.status, got.headers.get('content-type')], [status, type])
    assert.match(got.text, text)
  })
}

test('echo repeats every credential in text and headers', async () => {
  const got = await ask(`${fake.url}/echo${PATH}?token=query-canary`, {
    body: CHAT,
    headers: {
      authorization: 'Bearer key-canary',
      'openai-organization': 'org-canary',
      'x-extra': 'extra-canary',
    },
  })
  assert.equal(got.status, 401)
  for (const canary of ['key-canary', 'org-canary', 'extra-canary', 'query-canary']) {
    assert.ok(got.text.includes(canary), canary)
    assert.ok(got.headers.get('x-ms-region')?.includes(canary), canary)
  }
})

test('echo200 is a good answer whose headers repeat the key', async () => {
  const got = await ask(`${fake.url}/echo200${PATH}`, {
    body: CHAT,
    headers: { authorization: 'Bearer key-canary' },
  })
  assert.equal(got.status, 200)
  assert.match(got.text, /"content":"pong"/)
  assert.match(got.headers.get('x-ms-region') ?? '', /key-canary/)
})

test('redirect points at the honest answer', async () => {
  const got = await order('redirect')
  assert.deepEqual([got.status, got.headers.get('location')], [307, '/ok/v1/chat/completions'])
})

test('recover answers 500 as often as it is told, then well; another model has its own count', async () => {
  const statuses: number[] = []
  for (let i = 0; i < 3; i += 1) statuses.push((await order('recover2')).status)
  assert.deepEqual(statuses, [500, 500, 200])
  assert.equal((await order('recover2', { ...CHAT, model: 'gpt-4o-mini' })).status, 500)
})

test('an order given anew starts its count again', async () => {
  fake.order('flaky', 'recover1')
  assert.deepEqual([(await order('flaky')).status, (await order('flaky')).status], [500, 200])
  fake.order('flaky', 'recover1')
  assert.equal((await order('flaky')).status, 500)
})

/** Sends a chat request by hand, to see how its answer arrives. */
function begin(base: string, word: string, body: object = CHAT): http.ClientRequest {
  const request = http.request(`${base}/${word}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  request.end(JSON.stringify(body))
  return request
}

async function answerOf(request: http.ClientRequest): Promise<IncomingMessage> {
  const [response] = await once(request, 'response')
  assert.ok(response instanceof http.IncomingMessage)
  return response
}

test('hang answers nothing at all', async () => {
  const clock = createHandClock()
  const own = await fakeForTests({ clock })
  const request = begin(own.url, 'hang')
  request.on('response', () => assert.fail('an answer came'))
  const left = once(request, 'error')
  while (own.traffic('hang').inFlight === 0) await new Promise(setImmediate)
  clock.wind(3_600_000)
  await own.stop()
  const [error] = await left
  assert.equal(error.code, 'ECONNRESET')
})

test('reset breaks the connection before any answer', async () => {
  const [error] = await once(begin(fake.url, 'reset'), 'error')
  assert.equal(error.code, 'ECONNRESET')
})

for (const [word, body] of [
  ['cut', CHAT],
  ['cut', { ...CHAT, stream: true }],
] as const) {
  test(`${word} breaks off in the middle of ${'stream' in body ? 'a stream' : 'a body'}`, async () => {
    const response = await answerOf(begin(fake.url, word, body))
    let text = ''
    response.on('data', (chunk) => (text += String(chunk)))
    const [error] = await once(response, 'error')
    assert.equal(error.code, 'ECONNRESET')
    assert.match(text, 'stream' in body ? /^data: \{"id"/ : /^\{"id":"chatcmpl-1"/)
    assert.doesNotMatch(text, /DONE|total_tokens":6/)
  })
}

test('tear gives half a body and then resets the connection', async () => {
  const request = begin(fake.url, 'tear')
  const response = await answerOf(request)
  request.on('error', () => {})
  let bytes = 0
  response.on('data', (chunk: Buffer) => (bytes += chunk.length))
  const [error] = await once(response, 'error')
  assert.deepEqual([error.code, bytes], ['ECONNRESET', 123])
})

test('half ends well in the middle of its JSON', async () => {
  const { status, headers, text } = await order('half')
  assert.deepEqual([status, headers.get('content-length'), text.length], [200, '123', 123])
})

test('overrun sends more than its length says', async () => {
  const socket = net.connect(Number(new URL(fake.url).port), '127.0.0.1')
  const body = JSON.stringify(CHAT)
  socket.write(
    `POST /overrun${PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const [head = '', sent = ''] = text.split('\r\n\r\n')
  assert.match(head, /content-length: 123\r\n/)
  assert.equal(sent.length, 246)
})

test('nodone ends a stream without its last event, and nothing else', async () => {
  const { text } = await order('nodone', { ...CHAT, stream: true })
  assert.match(text, /"finish_reason":"stop"\}\]\}\n\n$/)
  assert.match((await order('nodone')).text, /"content":"pong"/)
})

test('errevent is an error as the second and last event', async () => {
  const { text } = await order('errevent', { ...CHAT, stream: true })
  const [first = '', second = '', ...rest] = text.split('\n\n')
  assert.match(first, /"role":"assistant"/)
  assert.match(second, /^data: \{"error":\{"message":"upstream says 500"/)
  assert.deepEqual(rest, [''])
})

test('early says that it is at work before it answers', async () => {
  const request = begin(fake.url, 'early')
  const [[information], response] = await Promise.all([once(request, 'information'), answerOf(request)])
  assert.deepEqual([information.statusCode, response.statusCode], [102, 200])
  response.resume()
})

test('flood has no end, as one answer and as a stream', async () => {
  for (const body of [CHAT, { ...CHAT, stream: true }]) {
    const response = await answerOf(begin(fake.url, 'flood', body))
    let bytes = 0
    for await (const chunk of response) {
      bytes += Buffer.from(chunk).length
      if (bytes > 8 * 1024 * 1024) break
    }
    assert.ok(bytes > 8 * 1024 * 1024)
  }
})

test('stall sends half a body and then nothing', async () => {
  const own = await fakeForTests()
  const request = begin(own.url, 'stall')
  const response = await answerOf(request)
  const [half] = await once(response, 'data')
  assert.equal(response.headers['content-length'], '246')
  assert.equal(half.length, 123)
  response.on('end', () => assert.fail('the body ended'))
  request.on('error', () => {})
  request.destroy()
})

test('slow answers well, that many milliseconds late', async () => {
  const clock = createHandClock()
  const own = await fakeForTests({ clock })
  const request = begin(own.url, 'slow300')
  let isAnswered = false
  request.on('response', () => (isAnswered = true))
  while (clock.pending() === 0) await new Promise(setImmediate)
  clock.wind(299)
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate)
  assert.equal(isAnswered, false)
  clock.wind(1)
  assert.equal((await answerOf(request)).statusCode, 200)
})

test('a client that leaves cancels what was waiting for it', async () => {
  const clock = createHandClock()
  const own = await fakeForTests({ clock })
  const request = begin(own.url, 'slow300')
  request.on('error', () => {})
  while (clock.pending() === 0) await new Promise(setImmediate)
  assert.equal(own.traffic('slow300').inFlight, 1)
  request.destroy()
  while (clock.pending() > 0) await new Promise(setImmediate)
  assert.deepEqual(own.traffic('slow300'), { total: 1, inFlight: 0, maxInFlight: 1 })
})

test('ttft sends the headers first and the tokens later', async () => {
  const clock = createHandClock()
  const own = await fakeForTests({ clock })
  const response = await answerOf(begin(own.url, 'ttft500', { ...CHAT, stream: true }))
  assert.equal(response.headers['content-type'], 'text/event-stream')
  const first = once(response, 'data')
  clock.wind(500)
  const [chunk] = await first
  assert.match(String(chunk), /^data: \{"id":"chatcmpl-1"/)
})

test('drip sends a byte at a time', async () => {
  const clock = createHandClock()
  const own = await fakeForTests({ clock })
  const response = await answerOf(begin(own.url, 'drip20'))
  const sizes: number[] = []
  response.on('data', (chunk: Buffer) => sizes.push(chunk.length))
  while (sizes.length < 5) {
    clock.wind(20)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
  }
  assert.equal(sizes[0], 1)
  response.destroy()
})

test('mull says its second event over and over, then goes on', async () => {
  const clock = createHandClock()
  const own = await fakeForTests({ clock })
  const response = await answerOf(begin(own.url, 'mull250', { ...CHAT, stream: true }))
  let text = ''
  response.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = once(response, 'end')
  for (let isOver = false; !isOver;) {
    clock.wind(50)
    isOver = await Promise.race([
      ended.then(() => true),
      new Promise<false>((turn) => setImmediate(turn, false)),
    ])
  }
  const events = text.split('\n\n')
  assert.equal(events.filter((event) => event === events[1]).length, 4)
  assert.equal(events.at(-2), 'data: [DONE]')
})

test('big goes on for as many megabytes as it is told', async () => {
  const { length } = (await order('big2')).text
  assert.ok(length > 2 * 1024 * 1024 && length < 2.1 * 1024 * 1024, String(length))
})

test('the gzip bomb is small on the wire and says how it is packed', async () => {
  const response = await answerOf(begin(fake.url, 'gzipbomb'))
  assert.equal(response.headers['content-encoding'], 'gzip')
  const [chunk] = await once(response, 'data')
  assert.equal(chunk.readUInt16BE(0), 0x1f8b)
  response.destroy()
})

test('stopping ends everything that is still open', async () => {
  const own = await fakeForTests()
  const requests = ['hang', 'stall', 'slow60000', 'drip60000'].map((word) => begin(own.url, word))
  const ends = requests.map(
    (request) => new Promise((resolve) => request.on('error', resolve).on('close', resolve)),
  )
  while (own.traffic().inFlight < 4) await new Promise(setImmediate)
  await own.stop()
  await Promise.all(ends)
  await assert.rejects(ask(`${own.url}/ok${PATH}`, { body: CHAT }))
})
