import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { describe, test } from 'node:test'
import {
  ask,
  at,
  AUTH,
  chat,
  configOf,
  eventually,
  KEY,
  keysOf,
  MESSAGES,
  SETTINGS,
  UPSTREAM_KEY,
  withStage,
  type Entry,
  type Stage,
} from './asking.ts'

const GOOD: Entry = { group: 'gpt-4o', base: 'ok/v1' }
const AZURE: Entry = { group: 'azure', base: 'ok', model: 'azure/gpt-4o' }
const SLASHED: Entry = { group: 'meta/llama-3', base: 'ok/v1', model: 'hosted_vllm/meta/llama-3' }

/** Data lines of an event stream, the last one as text. */
function eventsOf(text: string): { readonly chunks: readonly unknown[]; readonly last: string } {
  const lines = text.split('\n').filter((line) => line.startsWith('data: '))
  const last = lines.pop() ?? ''
  const chunks = lines.map((line): unknown => JSON.parse(line.slice('data: '.length)))
  return { chunks, last: last.slice('data: '.length) }
}

describe('a chat request', () => {
  test('is answered under every path, by group and by id, and says who answered', async (t) => {
    await withStage(configOf([GOOD, SLASHED]), async ({ gateway, fake }) => {
      const cases: readonly (readonly [string, string | undefined, string])[] = [
        ['/chat/completions', 'gpt-4o', 'id-gpt-4o'],
        ['/v1/chat/completions', 'gpt-4o', 'id-gpt-4o'],
        ['/v1/chat/completions', 'id-gpt-4o', 'id-gpt-4o'],
        ['/v1/chat/completions', 'meta/llama-3', 'id-meta-llama-3'],
        ['/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21', undefined, 'id-gpt-4o'],
        ['/openai/deployments/meta/llama-3/chat/completions', 'gpt-4o', 'id-meta-llama-3'],
      ]
      for (const [path, model, id] of cases)
        await t.test(`POST ${path} ${model ?? ''}`, async () => {
          const body = { messages: MESSAGES, ...(model === undefined ? {} : { model }) }
          const got = await ask(gateway.url + path, { headers: AUTH, body })
          assert.equal(got.status, 200)
          assert.equal(at(got.json, 'choices', 0, 'message', 'content'), 'pong')
          assert.equal(got.headers.get('x-litellm-model-id'), id)
          assert.equal(got.headers.get('x-litellm-model-api-base'), `${fake.url}/ok/v1`)
          assert.equal(got.headers.get('content-type'), 'application/json')
          assert.match(got.headers.get('x-litellm-call-id') ?? '', /^[0-9a-f-]{36}$/)
        })
      const byId = await chat(gateway, { model: 'id-gpt-4o' })
      assert.equal(byId.headers.get('x-litellm-model-group'), 'id-gpt-4o')
    })
  })

  test('reaches a provider that the config names only by a model of "*"', async () => {
    await withStage(
      configOf([{ group: '"*"', base: 'ok/as-anthropic', model: '*' }]),
      async ({ gateway }) => {
        const got = await chat(gateway, { model: 'anthropic/claude-sonnet-4-5' })
        assert.equal(got.status, 200, JSON.stringify(got.json))
        assert.equal(at(got.json, 'choices', 0, 'message', 'content'), 'pong')
      },
    )
  })

  test('is streamed where a stream is asked for, and goes without marks of caches where nobody knows them', async () => {
    await withStage(configOf([GOOD, AZURE]), async ({ gateway, fake }) => {
      for (const [model, dropped] of [
        ['azure', 'messages[].content[].cache_control, tools[].cache_control'],
        ['gpt-4o', null],
      ] as const) {
        const mark = { cache_control: { type: 'ephemeral' } }
        const content = [{ type: 'text', text: 'ping', ...mark }]
        const tools = [{ type: 'function', function: { name: 'f' }, ...mark }]
        const body = { model, messages: [{ role: 'user', name: 'ann', content }], tools, seed: 5 }
        for (const stream of [false, true]) {
          const got = await chat(gateway, { ...body, stream })
          assert.equal(got.status, 200, got.text)
          assert.equal(got.headers.get('x-pulsegate-dropped-params'), dropped)
          const sent = fake.journal().at(-1)?.body
          assert.equal(JSON.stringify(sent).includes('cache_control'), dropped === null)
          assert.deepEqual([at(sent, 'seed'), at(sent, 'messages', 0, 'name')], [5, 'ann'])
          if (stream) assert.equal(eventsOf(got.text).last, '[DONE]')
          else assert.equal(at(got.json, 'choices', 0, 'message', 'content'), 'pong')
        }
      }
      const got = await chat(gateway, { model: 'gpt-4o', stream: true })
      assert.equal(got.status, 200)
      assert.match(got.headers.get('content-type') ?? '', /^text\/event-stream/)
      const { chunks, last } = eventsOf(got.text)
      assert.equal(last, '[DONE]')
      assert.deepEqual(
        chunks.map((chunk) => at(chunk, 'choices', 0, 'delta', 'content')),
        ['', 'po', 'ng', undefined],
      )
    })
  })

  test('carries fields that nobody here knows, byte by byte', async () => {
    const got: string[] = []
    const upstream = createServer((asked, answer) => {
      let text = ''
      asked.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      asked.on('end', () => {
        got.push(text)
        answer.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[{}],"odd":1.0e2}')
      })
    })
    await listening(upstream, async (url) => {
      await withStage(configOf([{ group: 'gpt-4o', base: `${url}/v1` }]), async ({ gateway }) => {
        const body =
          '{"n_probs" : 1.50, "model":"gpt-4o",\n"messages":[ ], "big":12345678901234567890, "é":"\\u00e9" }'
        const { status, text } = await ask(`${gateway.url}/v1/chat/completions`, { headers: AUTH, body })
        assert.deepEqual([status, text], [200, '{"choices":[{}],"odd":1.0e2}'])
        assert.deepEqual(got, [body])
      })
    })
  })

  test('that cannot be served is refused before anything is sent', async (t) => {
    const settings = `general_settings:\n  master_key: ${KEY}\n  max_request_size_mb: 0.001\n`
    await withStage(configOf([GOOD], settings), async ({ gateway, fake }) => {
      const invalid = 'Call `/v1/models` to view available models for your key.'
      const cases: readonly (readonly [string, string, number, string, string | null])[] = [
        [
          'an unknown model',
          '{"model":"gpt-9","messages":[]}',
          400,
          `/chat/completions: Invalid model name passed in model=gpt-9. ${invalid}`,
          'model',
        ],
        [
          'no model',
          '{"messages":[]}',
          400,
          `/chat/completions: Invalid model name passed in model=None. ${invalid}`,
          'model',
        ],
        [
          'no messages',
          '{"model":"gpt-4o"}',
          400,
          "/chat/completions: Missing required parameter: 'messages'.",
          'messages',
        ],
        [
          'messages that are no list',
          '{"model":"gpt-4o","messages":"hi"}',
          400,
          "/chat/completions: 'messages' must be an array.",
          'messages',
        ],
        [
          'a connection of its own',
          '{"model":"gpt-4o","messages":[],"api_base":"http://127.0.0.1:9"}',
          400,
          "'api_base' cannot be set by a client",
          'api_base',
        ],
        [
          'a key of its own',
          '{"model":"gpt-4o","messages":[],"api_key":"sk-x"}',
          400,
          "'api_key' cannot be set by a client",
          'api_key',
        ],
        [
          'headers of its own',
          '{"model":"gpt-4o","messages":[],"extra_headers":{}}',
          400,
          "'extra_headers' cannot be set by a client",
          'extra_headers',
        ],
        [
          'too large a body',
          JSON.stringify({ model: 'gpt-4o', messages: MESSAGES, pad: 'x'.repeat(2000) }),
          413,
          'The body is larger than 1048 bytes',
          'request_body',
        ],
        ['an empty body', '', 400, 'Invalid JSON payload', 'request_body'],
        ['a list', '[1]', 400, 'Invalid JSON payload', 'request_body'],
        ['broken JSON', '{"model": "gpt-4o", }', 400, 'Invalid JSON payload', 'request_body'],
      ]
      for (const [name, body, status, message, param] of cases)
        await t.test(name, async () => {
          const got = await ask(`${gateway.url}/v1/chat/completions`, { headers: AUTH, body })
          assert.equal(got.status, status)
          assert.deepEqual(keysOf(at(got.json, 'error')), ['message', 'type', 'param', 'code'])
          assert.ok(String(at(got.json, 'error', 'message')).startsWith(message), got.text)
          assert.equal(at(got.json, 'error', 'type'), 'bad_request')
          assert.equal(at(got.json, 'error', 'param'), param)
          assert.equal(at(got.json, 'error', 'code'), String(status))
          assert.equal(got.headers.get('x-pulsegate-error-source'), 'client')
        })
      const broken = await ask(`${gateway.url}/v1/chat/completions`, {
        headers: AUTH,
        body: '{"model":\n "a", }',
      })
      assert.match(String(at(broken.json, 'error', 'message')), /line 2,? column 7/)
      assert.equal(fake.journal().length, 0)
    })
  })

  test('may carry a connection of the client’s where the deployment allows it', async () => {
    const open: Entry = { ...GOOD, params: ", configurable_clientside_auth_params: ['api_key']" }
    await withStage(configOf([open]), async ({ gateway, fake }) => {
      const got = await chat(gateway, { model: 'gpt-4o', api_key: 'sk-of-the-client' })
      assert.equal(got.status, 200)
      assert.equal(fake.journal()[0]?.headers.authorization, 'Bearer sk-of-the-client')
      assert.deepEqual(fake.journal()[0]?.body, { model: 'gpt-4o', messages: MESSAGES })
    })
  })

  test('knows no other method than POST, and unknown paths are not found', async () => {
    await withStage(configOf([GOOD]), async ({ gateway }) => {
      const cases: readonly (readonly [string, string, number, string | null])[] = [
        ['GET', '/v1/chat/completions', 405, 'POST'],
        ['DELETE', '/chat/completions', 405, 'POST'],
        ['POST', '/health', 405, 'GET'],
        ['PUT', '/health/readiness', 405, 'GET, OPTIONS'],
        ['POST', '/v1/models', 405, 'GET'],
        ['GET', '/v1/nothing', 404, null],
        ['POST', '/openai/deployments/chat/completions', 404, null],
      ]
      for (const [method, path, status, allow] of cases) {
        const got = await ask(gateway.url + path, { method, headers: AUTH })
        assert.deepEqual([got.status, got.headers.get('allow')], [status, allow], `${method} ${path}`)
        assert.deepEqual(keysOf(got.json), ['detail', 'error'])
        assert.equal(at(got.json, 'detail'), status === 405 ? 'Method Not Allowed' : 'Not Found')
      }
    })
  })
})

describe('what an upstream does', () => {
  test('decides the status, and the message says which deployment, what failed and what to do', async (t) => {
    const cases: readonly (readonly [string, number, string, string | null])[] = [
      ['e400/v1', 400, 'bad_request', null],
      ['e401/v1', 401, 'auth', null],
      ['e403/v1', 403, 'auth', null],
      ['e404/v1', 404, 'not_found', null],
      ['e408/v1', 408, 'timeout', null],
      ['e429r30/v1', 429, 'rate_limited', '30'],
      ['quota/v1', 429, 'quota', null],
      ['e500/v1', 500, 'server_error', null],
      ['e503r9/v1', 503, 'overloaded', '9'],
      ['reset/v1', 502, 'unreachable', null],
      ['cut/v1', 502, 'cut', null],
      ['garbage/v1', 502, 'wrong_shape', null],
      ['empty/v1', 502, 'empty', null],
      ['html/v1', 502, 'wrong_shape', null],
      ['shape/v1', 502, 'wrong_shape', null],
      ['err200/v1', 500, 'server_error', null],
      ['hang/v1', 504, 'timeout', null],
      ['stall/v1', 504, 'timeout', null],
      ['http://127.0.0.1:1/v1', 502, 'unreachable', null],
    ]
    const entries = cases.map(([base], index) => ({
      group: `group-${index}`,
      base,
      params: ', timeout: 0.5',
    }))
    // What is said, is said at once: second tries have a test of their own.
    const settings = `${SETTINGS}router_settings: { num_retries: 0, disable_cooldowns: true }\n`
    await withStage(configOf(entries, settings), async ({ gateway }) => {
      for (const [index, [base, status, type, retryAfter]] of cases.entries())
        for (const stream of [false, true])
          // A half stream is one that has begun: it ends with an event, below.
          if (!stream || (base !== 'cut/v1' && base !== 'stall/v1'))
            await t.test(`${base}${stream ? ', streamed' : ''}`, async () => {
              const got = await chat(gateway, { model: `group-${index}`, stream })
              assert.equal(got.status, status, got.text)
              assert.deepEqual(keysOf(at(got.json, 'error')), ['message', 'type', 'param', 'code'])
              assert.equal(at(got.json, 'error', 'type'), type)
              assert.equal(at(got.json, 'error', 'code'), String(status))
              assert.match(
                String(at(got.json, 'error', 'message')),
                new RegExp(`deployment "group-${index}"`),
              )
              assert.equal(got.headers.get('retry-after'), retryAfter)
              assert.equal(got.headers.get('x-pulsegate-error-source'), 'upstream')
              assert.equal(got.headers.get('x-litellm-model-id'), `id-group-${index}`)
            })
    })
  })

  test('a stream that breaks off, or falls silent, ends with an error event and no [DONE]', async () => {
    const entries = [
      { group: 'cut', base: 'cut/v1' },
      { group: 'stall', base: 'stall/v1', params: ', stream_timeout: 0.5' },
      { group: 'short', base: 'nodone/v1' },
    ]
    await withStage(configOf(entries), async ({ gateway }) => {
      for (const [model, type, code, n] of [
        ['cut', 'cut', '502', 1],
        ['stall', 'timeout', '504', 1],
        // One of two has said that it is complete.
        ['short', 'cut', '502', 2],
      ] as const) {
        const got = await chat(gateway, { model, stream: true, n })
        assert.equal(got.status, 200)
        const { chunks, last } = eventsOf(got.text)
        assert.ok(chunks.length >= 1)
        const error: unknown = JSON.parse(last)
        assert.deepEqual([at(error, 'error', 'type'), at(error, 'error', 'code')], [type, code])
        assert.match(String(at(error, 'error', 'message')), new RegExp(`deployment "${model}"`))
        assert.doesNotMatch(got.text, /\[DONE\]/)
      }
      const only = await chat(gateway, { model: 'short', stream: true, n: 1 })
      assert.match(only.text, /"finish_reason":"stop"[^\n]*\n\n$/)
    })
  })

  test('a whole answer that breaks off in the middle is a broken connection, never a short 200', async () => {
    const upstream = createServer((asked, answer) => {
      asked.resume()
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000000' })
      const opening = '{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"content":"'
      answer.write(opening + 'x'.repeat(300_000), () => answer.destroy())
    })
    await listening(upstream, async (url) => {
      await withStage(configOf([{ group: 'gpt-4o', base: `${url}/v1` }]), async ({ gateway }) => {
        await assert.rejects(chat(gateway, { model: 'gpt-4o' }), { message: /terminated|fetch failed/ })
        const alive = await ask(`${gateway.url}/health/liveliness`)
        assert.equal(alive.status, 200)
      })
    })
  })

  test('its limits and request id reach the client under both names', async () => {
    await withStage(configOf([GOOD]), async ({ gateway }) => {
      const { headers } = await chat(gateway, { model: 'gpt-4o' })
      assert.equal(headers.get('x-ratelimit-remaining-requests'), '9')
      assert.equal(headers.get('llm_provider-x-ratelimit-remaining-requests'), '9')
      assert.equal(headers.get('x-ms-region'), 'East US')
    })
  })
})

describe('a client that goes away', () => {
  for (const [order, name] of [
    ['hang', 'while it waits for the first byte'],
    ['drip5', 'in the middle of a stream'],
  ] as const)
    test(`${name} ends the upstream request`, async () => {
      await withStage(configOf([{ group: 'gone', base: `${order}/v1` }]), async ({ gateway, fake }) => {
        const left = new Promise<void>((closed) => {
          const sent = request(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: AUTH })
          sent.on('error', () => {}) // Our own destroy.
          sent.on('close', closed)
          sent.on('response', () => sent.destroy())
          sent.end(JSON.stringify({ model: 'gone', messages: MESSAGES, stream: order !== 'hang' }))
          void running(fake, order, 1).then(() => {
            if (order === 'hang') sent.destroy()
          })
        })
        await left
        // Well before the stream would have ended by itself.
        await running(fake, order, 0, 1500)
        assert.equal(fake.journal().length, 1)
      })
    })
})

describe('the key', () => {
  const PROTECTED = [
    'GET /health',
    'GET /health/readiness/details',
    'GET /models',
    'GET /v1/models',
    'GET /v1/models/gpt-4o',
    'GET /model/info',
    'GET /v1/model/info',
    'POST /chat/completions',
    'POST /v1/chat/completions',
    'POST /openai/deployments/gpt-4o/chat/completions',
  ]
  const body = JSON.stringify({ model: 'gpt-4o', messages: MESSAGES })

  test('is wanted on every protected route, before anything is read or sent', async (t) => {
    const wrong: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
      ['missing', {}, /No api key passed in/],
      ['without Bearer', { authorization: KEY }, /Malformed API Key/],
      ['wrong', { authorization: 'Bearer sk-wrong' }, /not valid/],
      ['wrong in another header', { 'x-api-key': 'sk-wrong' }, /not valid/],
      ['longer', { authorization: `Bearer ${KEY}5` }, /not valid/],
    ]
    await withStage(configOf([GOOD]), async ({ gateway, fake }) => {
      for (const route of PROTECTED)
        await t.test(route, async () => {
          const [method = '', path = ''] = route.split(' ')
          for (const [, headers, message] of wrong) {
            const got = await ask(gateway.url + path, {
              method,
              headers,
              ...(method === 'POST' ? { body } : {}),
            })
            assert.equal(got.status, 401)
            assert.equal(got.headers.get('www-authenticate'), 'Bearer')
            assert.equal(at(got.json, 'error', 'code'), '401')
            assert.equal(at(got.json, 'error', 'type'), 'auth')
            assert.match(String(at(got.json, 'error', 'message')), message)
            assert.doesNotMatch(got.text, /sk-wrong|sk-1234/)
          }
        })
      assert.equal(fake.journal().length, 0)
    })
  })

  test('is taken in each of four headers', async (t) => {
    await withStage(configOf([GOOD]), async ({ gateway, fake }) => {
      const forms: readonly Readonly<Record<string, string>>[] = [
        { authorization: `Bearer ${KEY}` },
        { authorization: `bearer ${KEY}` },
        { 'x-api-key': KEY },
        { 'api-key': KEY },
        { 'x-litellm-api-key': KEY },
        { 'x-litellm-api-key': `Bearer ${KEY}` },
      ]
      for (const headers of forms)
        await t.test(JSON.stringify(headers), async () => {
          for (const route of PROTECTED) {
            const [method = '', path = ''] = route.split(' ')
            const got = await ask(gateway.url + path, {
              method,
              headers,
              ...(method === 'POST' ? { body } : {}),
            })
            assert.equal(got.status, 200, route)
          }
        })
      for (const { headers } of fake.journal()) assert.equal(headers.authorization, `Bearer ${UPSTREAM_KEY}`)
    })
  })

  test('may come from LITELLM_MASTER_KEY', async () => {
    await withStage(
      configOf([GOOD], ''),
      async ({ gateway }) => {
        assert.equal((await ask(`${gateway.url}/v1/models`)).status, 401)
        assert.equal((await ask(`${gateway.url}/v1/models`, { headers: AUTH })).status, 200)
      },
      { env: { LITELLM_MASTER_KEY: KEY } },
    )
  })

  test('is not asked for where there is none', async () => {
    await withStage(configOf([GOOD], ''), async ({ gateway }) => {
      for (const route of PROTECTED) {
        const [method = '', path = ''] = route.split(' ')
        const got = await ask(gateway.url + path, { method, ...(method === 'POST' ? { body } : {}) })
        assert.equal(got.status, 200, route)
      }
    })
  })
})

function running(fake: Stage['fake'], order: string, count: number, deadlineMs = 5000): Promise<number> {
  return eventually(
    () => fake.traffic(order).inFlight,
    (inFlight) => inFlight === count,
    deadlineMs,
  )
}

/** A server on any free port, gone after `use`. */
async function listening(
  server: ReturnType<typeof createServer>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  await new Promise<void>((ready) => void server.listen(0, '127.0.0.1', ready))
  const address = server.address()
  try {
    await use(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
