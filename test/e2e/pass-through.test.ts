import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { Anthropic } from '@anthropic-ai/sdk'
import { OpenAI, toFile } from 'openai'
import { ask, at, AUTH, KEY, listAt, withStage } from './asking.ts'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A strict stand-in for Anthropic's API: what it is not asked rightly it refuses in its words. */
async function withAnthropic(use: (url: string, seen: readonly Seen[]) => Promise<void>): Promise<void> {
  const seen: Seen[] = []
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const call = { method, url, headers, body: Buffer.concat(chunks).toString() }
      seen.push(call)
      answer(call, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await use(`http://127.0.0.1:${port}`, seen)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const VERSIONS = new Set(['2023-06-01', '2026-10-21'])
const USAGE = { input_tokens: 7, output_tokens: 2 }
const MESSAGE = {
  id: 'msg_up',
  type: 'message',
  role: 'assistant',
  model: 'claude-real',
  content: [{ type: 'text', text: 'pong' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: USAGE,
}

function answer({ method, url, headers, body }: Seen, response: ServerResponse): void {
  const json: unknown = body === '' ? undefined : JSON.parse(body)
  const refuse = (status: number, type: string, message: string): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_up' })
    response.end(JSON.stringify({ type: 'error', error: { type, message }, details: 'kept' }))
  }
  if (headers['x-api-key'] !== 'sk-ant-upstream')
    return refuse(401, 'authentication_error', 'invalid x-api-key')
  if (!VERSIONS.has(String(headers['anthropic-version'])))
    return refuse(400, 'invalid_request_error', 'version')
  if (headers.authorization !== undefined) return refuse(401, 'authentication_error', 'two keys')
  const [path] = url.split('?')
  if (method === 'GET' && path === '/v1/models')
    return send(response, { data: [{ id: 'claude-real' }], has_more: false })
  if (path === '/v1/messages/count_tokens') return send(response, { input_tokens: 7 })
  if (path !== '/v1/messages') return refuse(404, 'not_found_error', `no ${path}`)
  if (at(json, 'model') === 'claude-busy')
    return refuse(529, 'overloaded_error', 'Overloaded: sk-ant-upstream')
  if (at(json, 'stream') !== true) return send(response, MESSAGE)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
  response.write(
    event('message_start', {
      message: { ...MESSAGE, content: [], usage: { input_tokens: 7, output_tokens: 0 } },
    }) +
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }) +
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'pong' } }),
  )
  if (at(json, 'model') === 'claude-cut') {
    response.end()
    return
  }
  response.end(
    event('content_block_stop', { index: 0 }) +
      event('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 2 },
      }) +
      event('message_stop', {}),
  )
}

/** Asked with the path as it is written: `fetch` would tidy it up. */
function statusOf(url: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { path, headers: AUTH }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

function send(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_up' })
  response.end(JSON.stringify(body))
}

const config =
  (url: string) =>
  (fake: { readonly url: string }): string =>
    `model_list:
  - model_name: claude
    litellm_params: { model: anthropic/claude-real, api_base: '${url}', api_key: sk-ant-upstream }
    model_info: { id: claude-1, mode: anthropic_messages }
  - model_name: cut
    litellm_params: { model: anthropic/claude-cut, api_base: '${url}', api_key: sk-ant-upstream }
  - model_name: busy
    litellm_params: { model: anthropic/claude-busy, api_base: '${url}', api_key: sk-ant-upstream, num_retries: 0 }
  - model_name: gpt
    litellm_params: { model: openai/gpt-4o, api_base: '${fake.url}/ok/v1', api_key: sk-upstream-openai }
    model_info: { id: gpt-1, mode: responses }
  - model_name: other
    litellm_params: { model: azure/mine, api_base: '${fake.url}/azure', api_key: key-azure }
    model_info: { id: other-1 }
  - model_name: ears
    litellm_params: { model: azure/whisper, api_base: '${fake.url}/azure', api_key: key-azure }
    model_info: { mode: audio_transcription }
  - model_name: sick
    litellm_params: { model: openai/gpt-sick, api_base: '${fake.url}/e500/v1', api_key: sk-upstream-openai, num_retries: 0 }
router_settings: { fallbacks: [{ sick: [other] }] }
general_settings:
  master_key: ${KEY}
  drain_delay: 0
`

test('what a provider serves itself is passed on to it', async (t) => {
  await withAnthropic((url, seen) =>
    withStage(config(url), async ({ gateway, fake }) => {
      const last = (): Seen | undefined => seen.at(-1)
      const claude = new Anthropic({ apiKey: KEY, baseURL: gateway.url, maxRetries: 0 })
      const asked = { model: 'claude', max_tokens: 5, messages: [{ role: 'user' as const, content: 'ping' }] }

      await t.test("Anthropic's messages, byte by byte but for the model", async () => {
        const body =
          '{ "model":"claude","max_tokens":5,  "messages":[{"role":"user","content":"ping"}],"top_k":3 }'
        const answered = await ask(`${gateway.url}/v1/messages`, {
          headers: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01', 'anthropic-beta': 'b1' },
          body,
        })
        assert.deepEqual([answered.status, answered.json], [200, MESSAGE])
        assert.equal(last()?.body, body.replace('"claude"', '"claude-real"').trim())
        assert.equal(last()?.headers['anthropic-beta'], 'b1')
        const { content } = await claude.messages.stream(asked).finalMessage()
        assert.deepEqual(content, [{ type: 'text', text: 'pong' }])
        assert.equal((await claude.messages.countTokens(asked)).input_tokens, 7)
        assert.equal(last()?.headers['anthropic-version'], '2026-10-21')
      })

      await t.test('and a stream that ends without its last event is told as broken', async () => {
        await assert.rejects(claude.messages.stream({ ...asked, model: 'cut' }).finalMessage(), /complete/)
      })

      await t.test('and refusals come in its words, without its key', async () => {
        const busy = await ask(`${gateway.url}/v1/messages`, {
          headers: AUTH,
          body: { ...asked, model: 'busy' },
        })
        assert.deepEqual([busy.status, at(busy.json, 'error', 'type')], [529, 'overloaded_error'])
        assert.doesNotMatch(busy.text, /sk-ant-upstream/)
      })

      await t.test('any route of it below its name', async () => {
        const raw = new Anthropic({ apiKey: KEY, baseURL: `${gateway.url}/anthropic`, maxRetries: 0 })
        assert.equal((await raw.models.list()).data[0]?.id, 'claude-real')
        assert.equal(last()?.headers['x-api-key'], 'sk-ant-upstream')
        const message = await raw.messages.create({ ...asked, model: 'claude-real' })
        assert.equal(message.id, 'msg_up')
        const streamed = await raw.messages.stream({ ...asked, model: 'claude-real' }).finalMessage()
        assert.equal(streamed.content.length, 1)
        const lost = await ask(`${gateway.url}/anthropic/v1/nothing?a=1&key=${KEY}`, {
          headers: { ...AUTH, 'anthropic-version': '2023-06-01', cookie: 'c=1' },
        })
        assert.deepEqual([lost.status, at(lost.json, 'details')], [404, 'kept'])
        assert.equal(last()?.url, '/v1/nothing?a=1')
        assert.equal(last()?.headers.cookie, undefined)
        const busy = await ask(`${gateway.url}/anthropic/v1/messages`, {
          headers: AUTH,
          body: { ...asked, model: 'claude-busy' },
        })
        assert.deepEqual([busy.status, at(busy.json, 'details')], [529, 'kept'])
        assert.doesNotMatch(busy.text, /sk-ant-upstream/)
      })

      await t.test("OpenAI's, too, whose version may stand in the path or not", async () => {
        for (const base of ['openai', 'openai/v1']) {
          const raw = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/${base}`, maxRetries: 0 })
          const answered = await raw.chat.completions.create({
            model: 'gpt-4o',
            messages: [{ role: 'user', content: 'p' }],
          })
          assert.equal(answered.choices[0]?.message.content, 'pong')
          assert.equal(fake.journal().at(-1)?.url, '/ok/v1/chat/completions')
        }
      })

      await t.test(
        'and a model of the config is asked for there as anywhere, whoever serves it',
        async () => {
          for (const base of ['openai', 'openai/v1']) {
            const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/${base}`, maxRetries: 0 })
            const asking = { messages: [{ role: 'user' as const, content: 'p' }] }
            const whole = await client.chat.completions.create({ ...asking, model: 'other' }).withResponse()
            assert.equal(whole.response.headers.get('x-litellm-model-id'), 'other-1')
            assert.equal(
              fake.journal().at(-1)?.url,
              '/azure/openai/deployments/mine/chat/completions?api-version=2024-10-21',
            )
            const stream = await client.chat.completions.create({ ...asking, model: 'sick', stream: true })
            let text = ''
            for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
            assert.equal(text, 'pong')
          }
          const forms = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/openai/v1`, maxRetries: 0 })
          const large = await toFile(Buffer.alloc(5_000_000), 'a.mp3')
          for (const [model, size, url] of [
            ['ears', 4, '/azure/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21'],
            [
              'ears',
              5_000_000,
              '/azure/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21',
            ],
            ['whisper-1', 4, '/ok/v1/audio/transcriptions'],
            ['whisper-1', 5_000_000, '/ok/v1/audio/transcriptions'],
          ] as const) {
            const file = size === 4 ? await toFile(Buffer.from('abcd'), 'a.mp3') : large
            assert.equal((await forms.audio.transcriptions.create({ model, file })).text, 'hello')
            assert.equal(fake.journal().at(-1)?.url, url)
          }
          const unformed = { headers: AUTH, body: '{"model":"ears"}' }
          assert.equal((await ask(`${gateway.url}/openai/v1/audio/transcriptions`, unformed)).status, 400)
          assert.equal(fake.journal().at(-1)?.url, '/ok/v1/audio/transcriptions')
          const broken = await ask(`${gateway.url}/openai/v1/chat/completions`, {
            headers: AUTH,
            body: '{"model"',
          })
          assert.equal(broken.headers.get('x-pulsegate-error-source'), 'upstream')
        },
      )

      await t.test('nothing of a provider that is not in the config, nor out of its base', async () => {
        for (const name of ['gemini', 'vertex_ai', 'bedrock', 'cohere']) {
          const none = await ask(`${gateway.url}/${name}/v1/x`, { headers: AUTH })
          assert.equal(none.status, 404, name)
          assert.match(none.text, new RegExp(`no deployment of ${name} is in the config`))
        }
        assert.equal(await statusOf(gateway.url, '/openai/%2e%2e/secret'), 400)
        assert.equal(await statusOf(gateway.url, '/openai/../openai/a'), 400)
        assert.equal((await ask(`${gateway.url}/anthropic/v1/models`)).status, 401)
      })

      await t.test('each is counted once, under what was asked', async () => {
        const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
        assert.match(text, /operation="pass_through",outcome="ok"/)
        assert.match(text, /operation="pass_through",outcome="overloaded"/)
        assert.match(text, /operation="count_tokens",outcome="ok"/)
      })

      await t.test('and its health is looked at where it is asked', async () => {
        fake.clearJournal()
        const health = await ask(`${gateway.url}/health?model=gpt`, { headers: AUTH })
        assert.equal(at(health.json, 'healthy_endpoints', 0, 'mode'), 'responses')
        const [probe] = fake.journal()
        assert.equal(probe?.url, '/ok/v1/responses')
        assert.deepEqual(probe?.body, {
          model: 'gpt-4o',
          input: [{ role: 'user', content: 'Say hello.' }],
          max_output_tokens: 16,
          store: false,
        })
        const claudes = await ask(`${gateway.url}/health?model=claude`, { headers: AUTH })
        assert.equal(listAt(claudes.json, 'healthy_endpoints').length, 1, claudes.text)
        assert.deepEqual(
          [last()?.url, JSON.parse(last()?.body ?? '{}')],
          [
            '/v1/messages',
            { model: 'claude-real', max_tokens: 16, messages: [{ role: 'user', content: 'Say hello.' }] },
          ],
        )
      })
    }),
  )
})
