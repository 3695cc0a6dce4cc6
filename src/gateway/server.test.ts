import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { startFakeProvider } from '../fake-provider/server.ts'
import { MASTER_KEY, startUpstream, startWired, UPSTREAM_KEY } from './wired.test.ts'
import type { Answer } from './wired.test.ts'

const MESSAGES = [{ role: 'user', content: 'ping' }]

function errorOf(answer: Answer): { message: string; type: string; param: string | null; code: string } {
  return JSON.parse(answer.text).error
}

test('what the upstream does decides what the client gets', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  type Case = readonly [order: string, status: number, type: string, source?: string]
  const cases: readonly Case[] = [
    ['e400', 400, 'bad_request'],
    ['e401', 401, 'auth'],
    ['e403', 403, 'auth'],
    ['e404', 404, 'not_found'],
    ['e408', 408, 'timeout'],
    ['e409', 409, 'bad_request'],
    ['e422', 422, 'bad_request'],
    ['e429', 429, 'rate_limited'],
    ['e500', 500, 'server_error'],
    ['e502', 502, 'server_error'],
    ['e503', 503, 'overloaded'],
    ['e529', 529, 'overloaded'],
    ['hang', 504, 'timeout'],
    ['garbage', 502, 'wrong_shape'],
    ['html', 502, 'wrong_shape'],
    ['shape', 502, 'wrong_shape'],
    ['empty', 502, 'empty'],
    ['reset', 502, 'unreachable'],
    ['err200', 500, 'server_error'],
  ]
  const sketches = cases.map(([order]) => ({
    group: order,
    base: `${fake.url}/${order}/v1`,
    timeouts: { timeoutMs: 400 },
  }))
  const wired = await startWired([...sketches, { group: 'refused', base: 'http://127.0.0.1:9/v1' }])
  for (const [order, status, type] of [...cases, ['refused', 502, 'unreachable'] satisfies Case]) {
    for (const stream of [false, true]) {
      const answer = await wired.chat({ model: order, messages: MESSAGES, stream })
      const { message, ...error } = errorOf(answer)
      assert.equal(answer.status, status, `${order} ${stream}`)
      assert.deepEqual(error, { type, param: null, code: String(status) })
      assert.match(message, new RegExp(`deployment "${order}"`))
      assert.equal(answer.headers['content-type'], 'application/json')
      assert.equal(answer.headers['x-pulsegate-error-source'], 'upstream')
      assert.equal(answer.headers['x-litellm-model-id'], `id-${order}`)
      assert.equal(answer.headers['retry-after'], order === 'e429' ? '7' : undefined)
    }
  }
})

test('a good answer is passed on byte by byte, with headers that say who gave it', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const wired = await startWired([{ group: 'a', base: `${fake.url}/ok/v1` }])
  const whole = await wired.chat({ model: 'a', messages: MESSAGES, seed: 7, tags: ['x'] })
  assert.equal(whole.status, 200)
  assert.equal(JSON.parse(whole.text).choices[0].message.content, 'pong')
  assert.equal(whole.headers['content-type'], 'application/json')
  const expected = {
    'x-litellm-model-id': 'id-a',
    'x-litellm-model-group': 'a',
    'x-litellm-model-api-base': `${fake.url}/ok/v1`,
    'x-litellm-version': '1.100.5',
    'x-litellm-call-id': 'call-1',
    'x-litellm-attempted-retries': '0',
    'x-ratelimit-remaining-requests': '9',
    'llm_provider-x-ratelimit-remaining-requests': '9',
    'x-pulsegate-dropped-params': 'tags',
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(whole.headers[name], value, name)
  const sent = fake.journal()[0]
  assert.equal(sent?.url, '/ok/v1/chat/completions')
  assert.deepEqual(sent?.body, { model: 'gpt-4o', messages: MESSAGES, seed: 7 })

  const streamed = await wired.chat(
    { model: 'id-a', messages: MESSAGES, stream: true },
    { headers: { 'x-litellm-call-id': 'mine' } },
  )
  assert.equal(streamed.headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.equal(streamed.headers['x-litellm-call-id'], 'mine')
  assert.equal(streamed.headers['x-litellm-model-group'], 'id-a')
  assert.ok(streamed.text.startsWith('data: {"id":"chatcmpl-1"'))
  assert.ok(streamed.text.endsWith('data: [DONE]\n\n'))
})

test('the model may stand in the path, with slashes', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const wired = await startWired([{ group: 'team/a', base: `${fake.url}/ok/v1` }])
  const cases: readonly (readonly [string, number])[] = [
    ['/openai/deployments/team/a/chat/completions?api-version=2024-10-21', 200],
    ['/openai/deployments/team%2Fa/chat/completions', 200],
    ['/engines/team/a/chat/completions', 200],
    ['/openai/deployments/nope/chat/completions', 400],
    ['/openai/deployments/team/a/edits', 404],
    ['/openai/deployments/chat/completions', 404],
    ['/chat/completions/', 400],
  ]
  for (const [path, status] of cases) {
    const answer = await wired.ask(path, { method: 'POST', body: JSON.stringify({ messages: MESSAGES }) })
    assert.equal(answer.status, status, path)
  }
})

test('a wildcard deployment asks its provider for the model that the star stood for', async (t) => {
  const fake = await startFakeProvider({ strict: false })
  t.after(() => fake.stop())
  const wired = await startWired([
    { group: 'openai/*', base: `${fake.url}/ok/v1`, model: 'openai/*' },
    { group: '*', base: `${fake.url}/ok/v1`, model: '*' },
  ])
  const cases: readonly (readonly [string, string])[] = [
    ['openai/gpt-5', 'gpt-5'],
    ['gpt-4o-mini', 'gpt-4o-mini'],
    ['groq/llama-3', 'llama-3'],
  ]
  for (const [asked, sent] of cases) {
    fake.clearJournal()
    const answer = await wired.chat({ model: asked, messages: MESSAGES })
    assert.equal(answer.status, 200, `${asked} ${answer.text}`)
    assert.equal(answer.headers['x-litellm-model-group'], asked)
    assert.deepEqual(fake.journal()[0]?.body, { model: sent, messages: MESSAGES })
  }
  assert.equal((await wired.chat({ model: 'no-such/model', messages: MESSAGES })).status, 400)
})

test('a body that cannot be served is refused before anything is sent', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const wired = await startWired(
    [
      { group: 'a', base: `${fake.url}/ok/v1` },
      {
        group: 'broken',
        base: `${fake.url}/ok/v1`,
        misconfigured: { message: 'environment variable A_KEY is not set' },
      },
    ],
    { settings: { maxRequestBytes: 2000 } },
  )
  const known = (model: string): string =>
    `/chat/completions: Invalid model name passed in model=${model}. Call \`/v1/models\` to view available models for your key.`
  type Case = readonly [body: string, status: number, param: string | null, message: string | RegExp]
  const cases: readonly Case[] = [
    ['{"model":"nope","messages":[]}', 400, 'model', known('nope')],
    ['{"messages":[]}', 400, 'model', known('None')],
    ['{"model":null,"messages":[]}', 400, 'model', known('None')],
    ['{"model":"a"}', 400, 'messages', "/chat/completions: Missing required parameter: 'messages'."],
    ['{"model":"a","messages":"hi"}', 400, 'messages', /must be an array/],
    [
      '{"model": "a",',
      400,
      'request_body',
      'Invalid JSON payload: unexpected end of data: line 1 column 15 (char 14)',
    ],
    ['', 400, 'request_body', 'Invalid JSON payload: unexpected end of data: line 1 column 1 (char 0)'],
    [
      '{"model":"a","messages":[],"api_base":"http://evil"}',
      400,
      'api_base',
      /^'api_base' cannot be set by a client/,
    ],
    ['{"model":"a","messages":[],"extra_headers":{}}', 400, 'extra_headers', /not supported for this field/],
    [`{"model":"a","messages":["${'x'.repeat(2000)}"]}`, 413, 'request_body', /larger than 2000 bytes/],
    ['{"model":"broken","messages":[]}', 503, null, /environment variable A_KEY is not set/],
  ]
  for (const [body, status, param, message] of cases) {
    const answer = await wired.chat(body)
    assert.equal(answer.status, status, body.slice(0, 60))
    const error = errorOf(answer)
    assert.equal(error.param, param, body.slice(0, 60))
    assert.equal(error.code, String(status))
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
  }
  const packed = await wired.chat('{}', { headers: { 'content-encoding': 'compress' } })
  assert.equal(packed.status, 415)
  assert.equal(fake.journal().length, 0)
})

test('a client may bring its own key where the deployment allows it, and nothing of ours goes to its host', async () => {
  const seen: (string | undefined)[] = []
  const listen = await startUpstream((request, response) => {
    seen.push(request.headers.authorization)
    response
      .writeHead(401, { 'content-type': 'application/json' })
      .end('{"error":{"message":"bad key sk-client-own"}}')
  })
  const wired = await startWired([
    { group: 'a', base: 'http://127.0.0.1:9/v1', clientConnectionFields: ['api_key', 'api_base'] },
  ])
  const body = { model: 'a', messages: MESSAGES, api_base: listen }
  const alone = await wired.chat(body)
  assert.equal(alone.status, 400)
  assert.match(errorOf(alone).message, /needs an 'api_key' of your own/)
  const whole = await wired.chat({ ...body, api_key: 'sk-client-own' })
  assert.equal(whole.status, 401)
  assert.doesNotMatch(whole.text, /sk-client-own/)
  assert.deepEqual(seen, ['Bearer sk-client-own'])
})

test('a stream that breaks off ends with an error event, a whole answer with a broken connection', async () => {
  const base = await startUpstream((request, response) => {
    if (request.url === '/v1/chat/completions' && request.headers['x-way'] === undefined) {
      request.on('data', (chunk: Buffer) => {
        const isStream = chunk.includes('"stream":true')
        response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
        response.write(
          isStream
            ? 'data: {"choices":[{"delta":{}}]}\n\ndata: {"cho'
            : `{"choices":[{"x":"${'y'.repeat(70_000)}`,
        )
        setImmediate(() => response.destroy())
      })
    }
  })
  const wired = await startWired([{ group: 'a', base }])
  const streamed = await wired.chat('{"model":"a","messages":[],"stream":true}')
  assert.equal(streamed.status, 200)
  const events = streamed.text.split('\n\n').filter((event) => event.trim() !== '')
  assert.equal(events.length, 2)
  const last = JSON.parse(events[1]?.trim().slice('data: '.length) ?? '')
  assert.deepEqual({ type: last.error.type, code: last.error.code }, { type: 'cut', code: '502' })
  assert.doesNotMatch(streamed.text, /\[DONE\]|"cho(?!ices)/)
  const whole = await wired.chat('{"model":"a","messages":[]}')
  assert.deepEqual({ status: whole.status, isCut: whole.isCut }, { status: 200, isCut: true })
})

test('a client that leaves ends the upstream request at once', async () => {
  const left = Promise.withResolvers<void>()
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[{}]}\n\n')
    response.on('close', () => left.resolve())
  })
  const wired = await startWired([{ group: 'a', base }])
  const response = await fetch(`${wired.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-1234' },
    body: '{"model":"a","messages":[],"stream":true}',
  })
  assert.equal(wired.gateway.inFlight(), 1)
  await response.body?.cancel()
  await left.promise
})

test('every protected route wants the key, in any of four headers, and says so before it does anything', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const wired = await startWired([{ group: 'a', base: `${fake.url}/ok/v1` }])
  const routes: readonly (readonly [string, string])[] = [
    ['GET', '/health'],
    ['GET', '/health?model_id=nope'],
    ['GET', '/health/readiness/details'],
    ['GET', '/v1/models'],
    ['GET', '/models/a'],
    ['GET', '/model/info'],
    ['POST', '/chat/completions'],
    ['POST', '/openai/deployments/a/chat/completions'],
  ]
  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{}, /No api key passed in/],
    [{ authorization: 'Bearer sk-wrong' }, /not valid/],
    [{ authorization: 'Basic abc' }, /Malformed API Key/],
    [{ 'x-api-key': 'sk-123' }, /not valid/],
  ]
  for (const [method, path] of routes) {
    for (const [headers, message] of refused) {
      const answer = await wired.ask(path, { method, key: null, headers })
      assert.equal(answer.status, 401, path)
      assert.match(errorOf(answer).message, message)
      assert.equal(errorOf(answer).type, 'auth')
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
    }
  }
  assert.equal(fake.journal().length, 0)
  for (const headers of [
    { 'x-api-key': 'sk-1234' },
    { 'api-key': 'sk-1234' },
    { 'x-litellm-api-key': 'Bearer sk-1234' },
    { authorization: 'bearer sk-1234' },
  ]) {
    assert.equal((await wired.ask('/v1/models', { key: null, headers })).status, 200, Object.keys(headers)[0])
  }
  for (const path of [
    '/',
    '/health/readiness',
    '/readyz',
    '/health/liveliness',
    '/health/liveness',
    '/livez',
  ]) {
    assert.equal((await wired.ask(path, { key: null })).status, 200, path)
  }
})

test('without a master key everything is open', async () => {
  const open = await startWired([{ group: 'a', base: 'http://127.0.0.1:9/v1' }], { openMode: true })
  assert.equal((await open.ask('/v1/models', { key: null })).status, 200)
  assert.equal((await open.ask('/v1/models', { key: 'anything' })).status, 200)
})

test('unknown paths and wrong methods are told apart, with both kinds of error', async () => {
  const wired = await startWired([{ group: 'a', base: 'http://127.0.0.1:9/v1' }])
  const lost = await wired.ask('/nope', { key: null })
  assert.equal(lost.status, 404)
  assert.deepEqual(JSON.parse(lost.text), {
    detail: 'Not Found',
    error: { message: 'GET /nope is no route of this gateway.', type: 'not_found', param: null, code: '404' },
  })
  const cases: readonly (readonly [string, string, string])[] = [
    ['DELETE', '/health', 'GET'],
    ['POST', '/health/readiness', 'GET, OPTIONS'],
    ['GET', '/chat/completions', 'POST'],
    ['GET', '/openai/deployments/a/chat/completions', 'POST'],
    ['PUT', '/v1/models/a', 'GET, POST'],
    ['POST', '/', 'GET'],
  ]
  for (const [method, path, allow] of cases) {
    const answer = await wired.ask(path, { method })
    assert.deepEqual(
      [answer.status, answer.headers.allow, JSON.parse(answer.text).detail],
      [405, allow, 'Method Not Allowed'],
      path,
    )
  }
  const options = await wired.ask('/health/liveliness', { method: 'OPTIONS', key: null })
  assert.deepEqual([options.status, options.headers.allow, options.text], [200, 'GET, OPTIONS', ''])
  assert.equal(options.headers['access-control-allow-methods'], 'GET, OPTIONS')
  const head = await wired.ask('/health/readiness', { method: 'HEAD', key: null })
  assert.deepEqual([head.status, head.text], [200, ''])
})

test('GET /health can be aimed at a group, an upstream model or an id', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const wired = await startWired([
    { group: 'a', id: 'id-a1', base: `${fake.url}/ok/v1` },
    { group: 'a', id: 'id-a2', base: `${fake.url}/e401/v1`, model: 'openai/gpt-4o-mini' },
    { group: 'dead', id: 'id-dead', base: `${fake.url}/e401/v1`, model: 'openai/gpt-4.1' },
  ])
  const cases: readonly (readonly [string, number, number, number])[] = [
    ['/health', 200, 1, 2],
    ['/health?model=a', 200, 1, 1],
    ['/health?model=dead', 503, 0, 1],
    ['/health?model=openai/gpt-4o-mini', 503, 0, 1],
    ['/health?model_id=id-a2', 503, 0, 1],
    ['/health?model_id=id-a1', 200, 1, 0],
    ['/health?model_id=id-a1&model=dead', 200, 1, 0],
    ['/health?model=nope', 503, 0, 0],
  ]
  for (const [path, status, healthy, unhealthy] of cases) {
    const answer = await wired.ask(path)
    const body = JSON.parse(answer.text)
    assert.deepEqual(
      [answer.status, body.healthy_count, body.unhealthy_count],
      [status, healthy, unhealthy],
      path,
    )
  }
  const unknown = await wired.ask('/health?model_id=nope')
  assert.equal(unknown.status, 404)
  assert.deepEqual(JSON.parse(unknown.text).detail, { error: 'Model with ID nope not found' })
})

test('the lists of models and deployments have the shape that clients know', async () => {
  const wired = await startWired([
    {
      group: 'a',
      id: 'id-a1',
      base: 'http://127.0.0.1:9/v1',
      info: { base_model: 'gpt-4o', max_tokens: null },
    },
    { group: 'a', id: 'id-a2', base: 'http://127.0.0.1:9/v1' },
    { group: 'team/b', id: 'id-b', base: 'http://127.0.0.1:9/v1' },
  ])
  const a = { id: 'a', object: 'model', created: 1677610602, owned_by: 'openai' }
  const list = await wired.ask('/models')
  assert.deepEqual(JSON.parse(list.text), { data: [a, { ...a, id: 'team/b' }], object: 'list' })
  assert.equal(list.headers['content-type'], 'application/json')
  assert.deepEqual(JSON.parse((await wired.ask('/v1/models/team/b')).text), { ...a, id: 'team/b' })
  assert.equal((await wired.ask('/v1/models/nope')).status, 404)
  const info = await wired.ask('/v1/model/info?litellm_model_id=id-a1')
  assert.deepEqual(JSON.parse(info.text), {
    data: [
      {
        model_name: 'a',
        litellm_params: { model: 'openai/gpt-4o', api_base: 'http://127.0.0.1:9/v1' },
        model_info: {
          id: 'id-a1',
          db_model: false,
          litellm_provider: 'openai',
          mode: 'chat',
          base_model: 'gpt-4o',
        },
      },
    ],
  })
  const lost = await wired.ask('/model/info?litellm_model_id=nope')
  assert.equal(lost.status, 404)
  assert.deepEqual(JSON.parse(lost.text).detail, { error: 'Model id = nope not found on litellm proxy' })
})

test('a provider that speaks other words answers in OpenAI’s, streamed and whole', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const wired = await startWired([{ group: 'co', base: `${fake.url}/ok`, model: 'cohere_chat/command-r' }])
  const whole = await wired.chat({ model: 'co', messages: MESSAGES })
  assert.equal(whole.status, 200)
  assert.equal(JSON.parse(whole.text).choices[0].message.content, 'pong')
  const streamed = await wired.chat({ model: 'co', messages: MESSAGES, stream: true })
  assert.match(streamed.text, /^data: \{"id":.*"object":"chat\.completion\.chunk"/)
  assert.ok(streamed.text.endsWith('data: [DONE]\n\n'))
})

test('a key that an upstream echoes comes out nowhere', async (t) => {
  const fake = await startFakeProvider()
  t.after(() => fake.stop())
  const events = await startUpstream((_, response) => {
    const event = `data: {"choices":[{}]}\n\ndata: {"error":{"message":"bad key ${UPSTREAM_KEY}"}}\n\n`
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': UPSTREAM_KEY }).end(event)
  })
  const wired = await startWired([
    { group: 'echo', base: `${fake.url}/echo/v1` },
    { group: 'late', base: events },
  ])
  for (const model of ['echo', 'late']) {
    for (const stream of [false, true]) {
      const answer = await wired.chat({ model, messages: MESSAGES, stream })
      assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), new RegExp(UPSTREAM_KEY), model)
    }
  }
  assert.doesNotMatch(JSON.stringify(wired.logs), new RegExp(UPSTREAM_KEY))
  assert.equal(wired.logs[0]?.event, 'request_failed')
})

test('while draining readiness says no, liveness yes, and requests are served until the close', async () => {
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[{}]}\n\n')
  })
  const wired = await startWired([{ group: 'a', base }], { settings: { drainTimeoutMs: 50 } })
  wired.gateway.drain()
  assert.equal((await wired.ask('/health/readiness')).status, 503)
  assert.equal((await wired.ask('/health/liveliness')).status, 200)
  const streaming = wired.chat('{"model":"a","messages":[],"stream":true}')
  while (wired.gateway.inFlight() === 0) await new Promise((resolve) => void setImmediate(resolve))
  await wired.gateway.close()
  const { text } = await streaming
  assert.match(text, /\n\ndata: \{"error":\{"message":"The gateway is shutting down/)
  assert.equal(wired.gateway.inFlight(), 0)
  await assert.rejects(wired.ask('/health/liveliness'), { code: 'ECONNREFUSED' })
})

test('whoever still sends to a path below a provider is told so too, whatever the path asks for', async () => {
  const wired = await startWired([], { settings: { drainTimeoutMs: 50 } })
  const said = ['/openai/v1/chat/completions', '/openai/v1/other'].map(async (path) => {
    const headers = { authorization: `Bearer ${MASTER_KEY}`, 'content-length': 100 }
    const asking = request(wired.url + path, { method: 'POST', headers })
    asking.write('{"model":')
    const [answer] = await once(asking, 'response')
    answer.resume()
    return answer.statusCode
  })
  while (wired.gateway.inFlight() < 2) await new Promise((resolve) => void setImmediate(resolve))
  await wired.gateway.close()
  assert.deepEqual(await Promise.all(said), [503, 503])
})

test('until the last request is over newcomers are told 503, liveness stays, and a check that hangs ends with 503', async () => {
  const base = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[{}]}\n\n')
  })
  const wired = await startWired([{ group: 'a', base }], { settings: { drainTimeoutMs: 400 } })
  const running = [wired.chat('{"model":"a","messages":[],"stream":true}'), wired.ask('/health')] as const
  while (wired.gateway.inFlight() < 2) await new Promise((resolve) => void setImmediate(resolve))
  const closed = wired.gateway.close()
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['/health/liveliness', 200, /^"I'm alive!"$/],
    ['/health/readiness', 503, /^\{"status":"shutting_down"\}$/],
    ['/v1/models', 503, /"message":"The gateway is shutting down/],
  ]
  for (const [path, status, text] of cases) {
    const answer = await wired.ask(path)
    assert.equal(answer.status, status, path)
    assert.match(answer.text, text)
    assert.equal(answer.headers.connection, 'close')
    assert.equal(answer.headers['retry-after'], path === '/v1/models' ? '5' : undefined)
  }
  const [chat, health] = await Promise.all(running)
  assert.match(chat.text, /\n\ndata: \{"error":\{"message":"The gateway is shutting down/)
  assert.equal(health.status, 503)
  assert.match(health.text, /^\{"detail":"The gateway is shutting down/)
  await closed
  await assert.rejects(wired.ask('/health/liveliness'), { code: 'ECONNREFUSED' })
})

test('an error as the first event of a stream is an error like any other', async () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['{"error":{"message":"no credit","code":"insufficient_quota"}}', 500, 'quota'],
    ['{"error":{"message":"slow down","code":429}}', 429, 'rate_limited'],
    ['{"error":"boom"}', 500, 'server_error'],
  ]
  for (const [event, status, type] of cases) {
    const base = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${event}\n\n`)
    })
    const wired = await startWired([{ group: 'a', base }])
    const answer = await wired.chat('{"model":"a","messages":[],"stream":true}')
    assert.deepEqual([answer.status, errorOf(answer).type], [status, type], event)
    assert.match(errorOf(answer).message, /answered 200 with an error inside/)
  }
})

test('every method that a path has not is refused with those that it has', async () => {
  const wired = await startWired([{ group: 'a', base: 'http://127.0.0.1:9/v1' }])
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY']) {
    const headers = method === 'QUERY' ? { 'content-type': 'application/json' } : {}
    const answer = await wired.ask('/health', { method, headers })
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET'], method)
  }
  const untyped = await wired.ask('/health', { method: 'QUERY' })
  assert.deepEqual([untyped.status, errorOf(untyped).type], [400, 'bad_request'])
  assert.deepEqual(wired.logs, [])
})

test('the page names no model and loads nothing from elsewhere', async () => {
  const wired = await startWired([{ group: 'secret-model', base: 'http://127.0.0.1:9/v1' }])
  const { text, headers } = await wired.ask('/', { key: null })
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.match(text, /<h1>.*Pulsegate<\/h1>/)
  assert.doesNotMatch(text, /secret-model|<script|src=|href="(?!\/\w|data:)/)
})

test('the page shows the address that it was reached at, and repeats no other text', async (t) => {
  const wired = await startWired([{ group: 'gpt-4o', base: 'http://127.0.0.1:9/v1' }])
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ host: 'llm.example.org' }, 'http://llm.example.org'],
    [{ host: '[::1]:4000' }, 'http://[::1]:4000'],
    [{ host: 'llm.example.org', 'x-forwarded-proto': 'https' }, 'https://llm.example.org'],
    [{ host: 'a/<b>"' }, 'http://localhost:4000'],
  ]
  for (const [headers, address] of cases)
    await t.test(`${headers['host']}`, async () => {
      const { text } = await wired.ask('/', { key: null, headers })
      assert.ok(text.includes(`<code>curl ${address}/health -H`), text)
    })
})
