import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { ask, at, AUTH, eventually, KEY } from './asking.ts'
import { withModels, type Listed } from './health-answer.ts'
import type { Gateway } from './program.ts'
import { urlOf } from './sessions.ts'

interface Upstream {
  readonly url: string
  /** `METHOD path`, in order. */
  readonly asked: string[]
}

type Answers = (request: IncomingMessage, response: ServerResponse, count: number) => void

/** A provider that answers as each test says, behind a gateway with one model of it. */
async function withUpstream(
  answers: Answers,
  use: (gateway: Gateway, upstream: Upstream) => Promise<void>,
  more: (url: string) => readonly Listed[] = () => [],
): Promise<void> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    request.resume()
    answers(request, response, asked.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = urlOf(server)
  const listed: Listed = {
    model_name: 'store',
    litellm_params: { model: 'openai/gpt-4o', api_base: `${url}/v1`, api_key: 'sk-of-upstream' },
    model_info: { id: 'id-store' },
  }
  const settings = {
    general_settings: { master_key: KEY, drain_delay: 0 },
    router_settings: { num_retries: 2, retry_after: 0 },
  }
  try {
    await withModels([listed, ...more(url)], (gateway) => use(gateway, { url, asked }), settings)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const json = (response: ServerResponse, status: number, body: object, headers: object = {}): void =>
  void response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body))

const BATCH = { input_file_id: 'file-abc', endpoint: '/v1/embeddings', completion_window: '24h' }
const error = (message: string): object => ({ error: { message, type: 'x', param: null, code: null } })

describe('a call about what lives at a provider', () => {
  for (const [status, times] of [
    [429, 2],
    [503, 2],
    [500, 1],
    [502, 1],
  ] as const) {
    test(`that makes something is asked ${times === 1 ? 'once' : 'again'} after a ${status}`, () =>
      withUpstream(
        (_, response, count) =>
          count === 1
            ? json(response, status, error('no'))
            : json(response, 200, { id: 'batch_1', object: 'batch' }),
        async (gateway, { asked }) => {
          const answer = await ask(`${gateway.url}/v1/batches`, { headers: AUTH, body: BATCH })
          assert.equal(asked.length, times)
          assert.equal(answer.status, times === 1 ? status : 200, answer.text)
          assert.equal(answer.headers.get('x-litellm-model-id'), 'id-store')
        },
      ))
  }

  test('that makes something moves on from a deployment that nobody reaches', () =>
    withUpstream(
      (_, response) => json(response, 200, { id: 'batch_1', object: 'batch' }),
      async (gateway, { asked }) => {
        const body = { ...BATCH, model: 'pair' }
        const answer = await ask(`${gateway.url}/v1/batches`, { headers: AUTH, body })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.headers.get('x-litellm-model-id'), 'id-alive')
        assert.equal(answer.headers.get('x-litellm-attempted-retries'), '1')
        assert.equal(asked.length, 1)
      },
      (url) =>
        [
          ['id-dead', 'http://127.0.0.1:1/v1'],
          ['id-alive', `${url}/v1`],
        ].map(([id, api_base]) => ({
          model_name: 'pair',
          litellm_params: { model: 'openai/gpt-4o', api_base, api_key: 'sk-of-upstream' },
          model_info: { id },
        })),
    ))

  test('that only reads is asked again after a 500', () =>
    withUpstream(
      (_, response, count) =>
        count === 1 ? json(response, 500, error('no')) : json(response, 200, { object: 'list', data: [] }),
      async (gateway, { asked }) => {
        const answer = await ask(`${gateway.url}/v1/files`, { headers: AUTH })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.headers.get('x-litellm-attempted-retries'), '1')
        assert.equal(asked.length, 2)
      },
    ))

  test("passes on the provider's 404, with its words and ours", () =>
    withUpstream(
      (_, response) => json(response, 404, error('No such File object: file-x')),
      async (gateway) => {
        const answer = await ask(`${gateway.url}/v1/files/file-x`, { headers: AUTH })
        assert.equal(answer.status, 404)
        assert.match(
          String(at(answer.json, 'error', 'message')),
          /deployment "store" .*No such File object: file-x/,
        )
        assert.equal(at(answer.json, 'error', 'type'), 'not_found')
        assert.equal(answer.headers.get('x-litellm-model-id'), 'id-store')
        assert.equal(answer.headers.get('x-pulsegate-error-source'), 'upstream')
      },
    ))

  test('that is answered with what is no object is an error', () =>
    withUpstream(
      (_, response) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>'),
      async (gateway) => {
        const answer = await ask(`${gateway.url}/v1/batches/batch_1`, { headers: AUTH })
        assert.equal(answer.status, 502)
        assert.equal(at(answer.json, 'error', 'type'), 'wrong_shape')
      },
    ))

  test('that nobody waits for any more is ended at the provider', async () => {
    let isGone = false
    let isAsked = (): void => {}
    const asked = new Promise<void>((resolve) => (isAsked = resolve))
    await withUpstream(
      (request) => {
        request.socket.once('close', () => (isGone = true))
        isAsked()
      },
      async (gateway) => {
        const leaving = new AbortController()
        const { signal } = leaving
        const headers = { ...AUTH, 'content-type': 'application/json' }
        const request = { method: 'POST', headers, body: JSON.stringify(BATCH), signal }
        const left = assert.rejects(fetch(`${gateway.url}/v1/batches`, request))
        await asked
        leaving.abort()
        await left
        await eventually(
          () => isGone,
          (gone) => gone,
        )
      },
    )
  })

  test("never shows the deployment's key, however the provider echoes it", () =>
    withUpstream(
      ({ headers, url = '' }, response) => {
        const key = headers.authorization ?? ''
        if (url.includes('/realtime/')) json(response, 401, error(`wrong key ${key}`))
        else if (url.includes('batches')) response.writeHead(200).end(`hello ${key}`)
        else json(response, 403, error(`not with ${encodeURIComponent(key)}`), { 'x-request-id': key })
      },
      async (gateway) => {
        const secrets = { body: { session: { type: 'realtime', model: 'store' } } }
        for (const [path, more, status] of [
          ['/v1/files', {}, 403],
          ['/v1/files/file-1/content', {}, 403],
          ['/v1/batches/batch_1', {}, 502],
          ['/v1/realtime/client_secrets', secrets, 401],
        ] as const) {
          const answer = await ask(`${gateway.url}${path}`, { headers: AUTH, ...more })
          assert.equal(answer.status, status, answer.text)
          const shown = JSON.stringify([answer.text, ...answer.headers]) + gateway.stderr()
          assert.match(answer.text, /\[secret\]/)
          assert.doesNotMatch(shown, /sk-of-upstream/)
        }
      },
    ))

  test('keeps members that nobody here knows, and changes ids alone', () => {
    const batch = {
      id: 'batch_1',
      object: 'batch',
      output_file_id: null,
      error_file_id: '',
      input_file_id: 'file-1',
      usage: { tokens: 3 },
      'x-new': ['file-1'],
    }
    return withUpstream(
      (_, response) => json(response, 200, batch, { 'x-request-id': 'req-7' }),
      async (gateway) => {
        const answer = await ask(`${gateway.url}/v1/batches/batch_1`, { headers: AUTH })
        const { id, input_file_id, ...rest } = Object(answer.json)
        assert.match(id, /^batch_pg1_/)
        assert.match(input_file_id, /^file-pg1_/)
        const { id: _id, input_file_id: _file, ...others } = batch
        assert.deepEqual(rest, others)
        assert.equal(answer.headers.get('x-request-id'), 'req-7')
      },
    )
  })
})

describe('the content of a file', () => {
  /** Far more than the sockets between hold. */
  const LARGE = 64 * 1024 * 1024

  test('waits at the provider while the client does not read, and is all there in the end', async () => {
    let written = 0
    await withUpstream(
      (_, response) => {
        const piece = Buffer.alloc(64 * 1024, 7)
        response.writeHead(200, { 'content-type': 'application/jsonl', 'content-length': LARGE })
        const write = (): void => {
          while (written < LARGE) {
            written += piece.length
            if (!response.write(piece)) return void response.once('drain', write)
          }
          response.end()
        }
        write()
      },
      async (gateway) => {
        const response = await fetch(`${gateway.url}/v1/files/file-1/content`, { headers: AUTH })
        assert.equal(response.headers.get('content-type'), 'application/jsonl')
        assert.equal(response.headers.get('content-length'), String(LARGE))
        const reader = response.body?.getReader()
        assert.ok(reader !== undefined)
        let before = -1
        await eventually(
          () => {
            const still = before === written
            before = written
            return still
          },
          (still) => still,
        )
        assert.ok(written < LARGE / 2, `${written} bytes were taken with no reader`)
        let bytes = 0
        for (let part = await reader.read(); !part.done; part = await reader.read())
          bytes += part.value.length
        assert.equal(bytes, LARGE)
      },
    )
  })

  test('that breaks off is broken off for the client too', () =>
    withUpstream(
      (_, response) => {
        response
          .writeHead(200, { 'content-type': 'text/plain' })
          .write('half', () => response.socket?.destroy())
      },
      async (gateway) => {
        const response = await fetch(`${gateway.url}/v1/files/file-1/content`, { headers: AUTH })
        await assert.rejects(response.text())
      },
    ))

  test('that nobody reads any more is not fetched further', async () => {
    let isGone = false
    await withUpstream(
      (request, response) => {
        request.socket.once('close', () => (isGone = true))
        response.writeHead(200, { 'content-type': 'text/plain' }).write('begun')
      },
      async (gateway) => {
        const leaving = new AbortController()
        const { signal } = leaving
        await fetch(`${gateway.url}/v1/files/file-1/content`, { headers: AUTH, signal })
        leaving.abort()
        await eventually(
          () => isGone,
          (gone) => gone,
        )
      },
    )
  })

  test('that there is none of is an error in JSON', () =>
    withUpstream(
      (_, response) => json(response, 403, error('not allowed to download')),
      async (gateway) => {
        const answer = await ask(`${gateway.url}/v1/files/file-1/content`, { headers: AUTH })
        assert.equal(answer.status, 403)
        assert.match(String(at(answer.json, 'error', 'message')), /not allowed to download/)
      },
    ))
})
