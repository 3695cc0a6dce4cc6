import assert from 'node:assert/strict'
import http from 'node:http'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createHandClock } from '../core/clock.ts'
import { MASTER_KEY, startUpstream, startWired, UPSTREAM_KEY } from './wired.test.ts'
import type { Wired } from './wired.test.ts'

const MESSAGES = [{ role: 'user', content: 'a very private question' }]
const ASKED = { model: 'g', messages: MESSAGES }
const STREAMED = { ...ASKED, stream: true }
const WHOLE = JSON.stringify({
  choices: [{ index: 0, message: { content: 'a very private answer' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
})

const event = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`
const COMMENT = ': still thinking\n\n'
const DONE = 'data: [DONE]\n\n'

/** An upstream that begins an event stream and leaves the rest to the test. */
function streaming(write: (response: ServerResponse) => void): Promise<string> {
  return startUpstream((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    write(response)
  })
}

const whole = (headers: Record<string, string | string[]> = {}): Promise<string> =>
  startUpstream((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(WHOLE)
  })

/** Streams a chat; `seen` is told of all the text so far whenever there is more. */
function stream(wired: Wired, seen: (text: string) => void): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' }
    const request = http.request(`${wired.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      agent: false,
    })
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        seen(text)
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.end(JSON.stringify(STREAMED))
  })
}

/** The last event of a stream as an error. */
function lastError(text: string): { message: string; type: string; code: string } {
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  return JSON.parse(last.slice('data: '.length)).error
}

async function samples(wired: Wired, name: string): Promise<readonly string[]> {
  const { status, text, headers } = await wired.ask('/metrics')
  assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8'])
  return text.split('\n').filter((line) => line.startsWith(name))
}

test('a stream that ends in order, but before its answer, is told as cut off', async () => {
  const base = await streaming((response) => response.end(event('half')))
  const wired = await startWired([{ group: 'g', base }])
  const { status, text } = await wired.chat(STREAMED)
  assert.equal(status, 200)
  assert.ok(text.startsWith(event('half')) && !text.includes('[DONE]'), text)
  const { type, code, message } = lastError(text)
  assert.deepEqual([type, code], ['cut', '502'])
  assert.match(message, /deployment "g" .*without a word that its answer is complete/)
  assert.deepEqual(
    wired.logs.map(({ event: name, fields }) => [name, fields['reason'], fields['status']]),
    [['request_failed', 'cut', 200]],
  )
  assert.deepEqual(await samples(wired, 'pulsegate_requests_total'), [
    'pulsegate_requests_total{model_group="g",provider="openai",operation="chat",outcome="cut"} 1',
  ])
})

test('an error event within a stream passes without its secrets, and counts as a failure', async () => {
  const error = `data: {"error":{"message":"overheated ${UPSTREAM_KEY}"}}\n\n`
  const base = await streaming((response) => response.end(event('half') + error))
  const wired = await startWired([{ group: 'g', base }])
  const { text } = await wired.chat(STREAMED)
  assert.equal(text, event('half') + error.replace(UPSTREAM_KEY, '[secret]'))
  const [line] = wired.logs
  assert.deepEqual([line?.event, line?.fields['reason']], ['request_failed', 'server_error'])
  assert.ok(!JSON.stringify(wired.logs).includes(UPSTREAM_KEY))
  const [counted] = await samples(wired, 'pulsegate_requests_total')
  assert.match(counted ?? '', /outcome="server_error"\} 1$/)
})

test('a deployment that says nothing in time is left for another, as long as nothing was passed on', async () => {
  const clock = createHandClock()
  const silent = await streaming((response) => {
    response.flushHeaders()
    clock.wind(50)
  })
  const good = await streaming((response) => response.end(event('here', 'stop') + DONE))
  const wired = await startWired(
    [
      { group: 'g', id: 'silent', base: silent, timeouts: { firstTokenMs: 50 } },
      { group: 'g', id: 'good', base: good },
    ],
    { clock, random: () => 0.99 },
  )
  const { status, text, headers } = await wired.chat({ ...STREAMED, num_retries: 1 })
  assert.deepEqual([status, text], [200, event('here', 'stop') + DONE])
  assert.deepEqual([headers['x-litellm-model-id'], headers['x-litellm-attempted-retries']], ['good', '1'])
  assert.deepEqual(await samples(wired, 'pulsegate_retries_total'), ['pulsegate_retries_total 1'])
})

test('comments reach the client, and are no first event', async () => {
  const clock = createHandClock()
  const base = await streaming((response) => response.write(COMMENT))
  const wired = await startWired([{ group: 'g', base }], {
    clock,
    relay: { firstTokenMs: 50, streamIdleMs: 9000 },
  })
  const { status, text } = await stream(wired, (seen) => seen === COMMENT && clock.wind(50))
  assert.equal(status, 200)
  assert.ok(text.startsWith(COMMENT))
  assert.match(lastError(text).message, /^Timeout exceeded: .*no first event within 50 ms/)
})

test('a stream that stalls ends with an error event, whatever comments it sends', async () => {
  const clock = createHandClock()
  const base = await streaming((response) => {
    response.write(event('half'))
    setImmediate(() => response.write(COMMENT))
  })
  const wired = await startWired([{ group: 'g', base }], {
    clock,
    relay: { firstTokenMs: 9000, streamIdleMs: 50 },
  })
  const { text } = await stream(wired, (seen) => seen === event('half') + COMMENT && clock.wind(50))
  assert.ok(text.startsWith(event('half') + COMMENT))
  const { type, message } = lastError(text)
  assert.equal(type, 'timeout')
  assert.match(message, /no event for 50 ms within the stream/)
})

test('an answer that comes too late says how long was waited', async () => {
  const base = await startUpstream((request) => request.resume())
  const wired = await startWired([{ group: 'g', base, timeouts: { timeoutMs: 60 } }])
  const { status, headers } = await wired.chat(ASKED)
  assert.deepEqual(
    [status, headers['x-litellm-timeout'], headers['x-litellm-model-id']],
    [504, '0.06', 'id-g'],
  )
})

test("the upstream's headers are copied within bounds, and nothing secret is among them", async () => {
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`x-many-${at}`, 'yes']))
  const base = await whole({
    server: 'up/1',
    'x-ratelimit-remaining-requests': '9',
    'set-cookie': ['a=1', 'b=2'],
    'x-api-key': 'k',
    'x-session-token': 't',
    'content-language': 'en',
    'strict-transport-security': 'max-age=1',
    'x-echo': `got ${UPSTREAM_KEY}`,
    'x-long': 'l'.repeat(600),
    ...many,
  })
  const wired = await startWired([{ group: 'g', base }])
  const { headers } = await wired.chat(ASKED)
  const copies = Object.keys(headers).filter((name) => name.startsWith('llm_provider-'))
  assert.equal(copies.length, 40)
  assert.deepEqual(
    copies.filter((name) => !name.includes('x-many-')).sort(),
    [
      'llm_provider-date',
      'llm_provider-server',
      'llm_provider-x-echo',
      'llm_provider-x-ratelimit-remaining-requests',
    ].filter((name) => copies.includes(name)),
  )
  assert.deepEqual(
    [
      headers['llm_provider-server'],
      headers['llm_provider-x-echo'],
      headers['x-ratelimit-remaining-requests'],
    ],
    ['up/1', 'got [secret]', '9'],
  )
  assert.equal(headers['server'], undefined)
})

test('every answer says how long it took, here and in all', async () => {
  const wired = await startWired([{ group: 'g', base: await whole() }])
  const { headers } = await wired.chat(ASKED)
  const [all, own] = ['x-litellm-response-duration-ms', 'x-litellm-overhead-duration-ms'].map((name) =>
    Number(headers[name]),
  )
  assert.ok(all !== undefined && own !== undefined && own > 0 && own < all, `${own} of ${all} ms`)
})

test("a request's id is the upstream's, else the client's, else ours", async () => {
  const wired = await startWired([
    { group: 'g', base: await whole({ 'x-request-id': 'req_up' }) },
    { group: 'nameless', base: await whole() },
  ])
  const idOf = async (model: string, given?: string): Promise<unknown> => {
    const headers = given === undefined ? {} : { 'x-request-id': given }
    const answer = await wired.chat({ ...ASKED, model }, { headers })
    return answer.headers['x-request-id']
  }
  assert.deepEqual(
    [
      await idOf('g', 'mine'),
      await idOf('nameless', 'mine'),
      await idOf('nameless'),
      await idOf('nameless', 'no id\tat all'),
      await idOf('unknown', 'mine'),
    ],
    ['req_up', 'mine', 'call-3', 'call-4', 'mine'],
  )
})

test('a good answer is logged where the dice say so, in ids and numbers', async () => {
  const base = await whole()
  const always = await startWired([{ group: 'g', base }], { settings: { logSuccessSample: 1 } })
  await always.chat(ASKED, { headers: { 'x-request-id': 'mine' } })
  const line = always.logs.find(({ event }) => event === 'request_done')
  assert.ok(line !== undefined)
  const { duration_ms: duration, ttft_ms: first, ...fields } = line.fields
  assert.ok(typeof duration === 'number' && typeof first === 'number')
  assert.deepEqual(fields, {
    call_id: 'call-1',
    request_id: 'mine',
    model_id: 'id-g',
    model_group: 'g',
    operation: 'chat',
    reason: undefined,
    status: 200,
    prompt_tokens: 11,
    completion_tokens: 3,
    retries: 0,
    fallbacks: 0,
    bytes: WHOLE.length,
  })
  assert.ok(!JSON.stringify(always.logs).includes('private'))
  const seldom = await startWired([{ group: 'g', base }], {
    settings: { logSuccessSample: 0.5 },
    random: () => 0.5,
  })
  await seldom.chat(ASKED)
  await seldom.chat({ model: 'g' })
  assert.deepEqual(
    seldom.logs.map(({ event: name }) => name).filter((name) => name !== 'health_changed'),
    ['request_failed'],
  )
})

test('tokens, times and failures are counted; a client that leaves is counted once, and nothing stays open', async () => {
  let left = (): void => {}
  const gone = new Promise<void>((resolve) => (left = resolve))
  const good = await whole()
  const endless = await streaming((response) => {
    response.write(event('half'))
    response.once('close', left)
  })
  const wired = await startWired([
    { group: 'g', base: good },
    { group: 'endless', base: endless },
  ])
  await wired.chat(ASKED)
  const request = http.request(`${wired.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${MASTER_KEY}` },
  })
  request.on('error', () => {})
  request.on('response', (response) => response.once('data', () => request.destroy()))
  request.end(JSON.stringify({ ...STREAMED, model: 'endless' }))
  await gone
  assert.deepEqual(await samples(wired, 'pulsegate_tokens_total'), [
    'pulsegate_tokens_total{model_group="g",direction="in"} 11',
    'pulsegate_tokens_total{model_group="g",direction="out"} 3',
  ])
  assert.deepEqual(await samples(wired, 'pulsegate_requests_total'), [
    'pulsegate_requests_total{model_group="g",provider="openai",operation="chat",outcome="ok"} 1',
    'pulsegate_requests_total{model_group="endless",provider="openai",operation="chat",outcome="cancelled"} 1',
  ])
  assert.deepEqual(await samples(wired, 'pulsegate_requests_in_flight'), ['pulsegate_requests_in_flight 0'])
})

test('names that nobody knows are no labels, and refused keys are counted', async () => {
  const wired = await startWired([{ group: 'g', base: await whole() }])
  const seriesAfter = async (model: string): Promise<number> => {
    await wired.chat({ ...ASKED, model })
    return (await samples(wired, 'pulsegate_requests_total')).length
  }
  const first = await seriesAfter('junk')
  for (let count = 0; count < 50; count++) assert.equal(await seriesAfter(`junk-${count}`), first)
  assert.equal((await wired.chat(ASKED, { key: 'sk-wrong' })).status, 401)
  assert.deepEqual(await samples(wired, 'pulsegate_refused_total'), [
    'pulsegate_refused_total{reason="auth"} 1',
  ])
})

test('metrics ask for the key, unless they are said to be open', async () => {
  const wired = await startWired([])
  assert.equal((await wired.ask('/metrics', { key: null })).status, 401)
  const open = await startWired([], { metricsNeedKey: false })
  assert.equal((await open.ask('/metrics', { key: null })).status, 200)
})

test('a packed answer is counted like any other and reaches the client plain, whole or streamed', async () => {
  const base = await startUpstream((request, response) => {
    let asked = ''
    request.on('data', (chunk: Buffer) => (asked += chunk.toString()))
    request.on('end', () => {
      const isStream = asked.includes('"stream":true')
      const type = isStream ? 'text/event-stream' : 'application/json'
      response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' })
      response.end(gzipSync(isStream ? event('hi', 'stop') + DONE : WHOLE))
    })
  })
  const wired = await startWired([{ group: 'g', base }], { settings: { logSuccessSample: 1 } })
  const whole = await wired.chat(ASKED)
  assert.deepEqual([whole.status, whole.text], [200, WHOLE])
  assert.equal(whole.headers['content-encoding'], undefined)
  assert.equal(wired.logs.at(-1)?.fields['prompt_tokens'], 11)
  const streamed = await wired.chat(STREAMED)
  assert.deepEqual([streamed.status, streamed.text], [200, event('hi', 'stop') + DONE])
})
