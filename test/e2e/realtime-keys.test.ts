import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { OpenAI } from 'openai'
import { ask, at, AUTH, configOf, KEY, UPSTREAM_KEY, withStage, type Entry, type Stage } from './asking.ts'
import { startGateway, withFolder } from './program.ts'
import { open, refused, urlOf } from './sessions.ts'

const MODE = { info: ', mode: realtime' } as const
const VOICE: Entry = { group: 'voice', base: 'ok/v1', model: 'openai/gpt-realtime', ...MODE }
const SCRIBE: Entry = { group: 'scribe', base: 'ok/v1', model: 'openai/gpt-4o-transcribe', ...MODE }
const AZURE: Entry = {
  group: 'azure-voice',
  base: 'ok',
  model: 'azure/my-realtime',
  params: ', api_version: 2025-04-01-preview',
  ...MODE,
}
const WILD: Entry = { group: 'openai/*', base: 'ok/v1', model: 'openai/*' }
const COHERE: Entry = { group: 'chat', base: 'ok', model: 'cohere_chat/command-r' }

const KEYS = { keys: [UPSTREAM_KEY] }
const onStage = (use: (stage: Stage) => Promise<void>): Promise<void> =>
  withStage(configOf([VOICE, SCRIBE, AZURE, WILD, COHERE]), use, KEYS)

const browser = (key: unknown) => ({ protocols: ['realtime', `openai-insecure-api-key.${String(key)}`] })
const bearer = (key: unknown) => ({ headers: { authorization: `Bearer ${String(key)}` } })

async function keyFor({ gateway }: Pick<Stage, 'gateway'>, model: string): Promise<string> {
  const body = { session: { type: 'realtime', model } }
  const answer = await ask(`${gateway.url}/v1/realtime/client_secrets`, { headers: AUTH, body })
  assert.equal(answer.status, 200, answer.text)
  return String(at(answer.json, 'value'))
}

describe('a key for one realtime session', () => {
  test("comes to OpenAI's client, in place of the provider's", () =>
    onStage(async ({ gateway, fake }) => {
      const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      const secret = await client.realtime.clientSecrets.create({
        session: { type: 'realtime', model: 'voice', instructions: 'be kind' },
        expires_after: { anchor: 'created_at', seconds: 600 },
      })
      assert.match(secret.value, /^ek_pg1_[\w-]+$/)
      assert.ok(secret.expires_at > Date.now() / 1000)
      assert.equal(at(secret.session, 'instructions'), 'be kind')
      assert.match(String(at(secret.session, 'client_secret', 'value')), /^ek_pg1_/)
      assert.doesNotMatch(JSON.stringify(secret), /ek_0/)
      const [asked] = fake.journal()
      assert.equal(asked?.url, '/ok/v1/realtime/client_secrets')
      assert.equal(asked?.headers.authorization, `Bearer ${UPSTREAM_KEY}`)
      assert.deepEqual(at(asked?.body, 'session'), {
        type: 'realtime',
        model: 'gpt-realtime',
        instructions: 'be kind',
      })
      assert.doesNotMatch(gateway.stderr(), /ek_/)
    }))

  test("opens a session with the provider's own key for it", () =>
    onStage(async (stage) => {
      for (const [model, path, url] of [
        ['voice', '/v1/realtime?model=voice', '/ok/v1/realtime?model=gpt-realtime'],
        ['voice', '/v1/realtime?model=gpt-realtime', '/ok/v1/realtime?model=gpt-realtime'],
        ['id-voice', '/realtime', '/ok/v1/realtime?model=gpt-realtime'],
        ['openai/gpt-realtime-mini', '/v1/realtime', '/ok/v1/realtime?model=gpt-realtime-mini'],
        [
          'azure-voice',
          '/v1/realtime',
          '/ok/openai/realtime?api-version=2025-04-01-preview&deployment=my-realtime',
        ],
      ] as const) {
        const key = await keyFor(stage, model)
        for (const how of [browser(key), bearer(key)]) {
          stage.fake.clearJournal()
          const { socket, next, headers } = await open(stage.gateway, path, how)
          assert.equal(at(JSON.parse(await next()), 'type'), 'session.created', path)
          socket.close(1000)
          const [asked] = stage.fake.journal()
          assert.equal(asked?.url, url)
          assert.match(String(asked?.headers.authorization), /^Bearer ek_0+\d+$/)
          assert.equal(asked?.headers['api-key'], undefined)
          assert.equal(headers['x-litellm-model-group'], model)
        }
      }
    }))

  test('opens nothing else', () =>
    onStage(async (stage) => {
      const { gateway } = stage
      const key = await keyFor(stage, 'voice')
      const headers = bearer(key).headers
      for (const path of ['/v1/models', '/health', '/v1/files', '/model/info'])
        assert.equal((await ask(`${gateway.url}${path}`, { headers })).status, 401, path)
      for (const path of ['/v1/chat/completions', '/v1/realtime/client_secrets', '/v1/batches'])
        assert.equal((await ask(`${gateway.url}${path}`, { headers, body: {} })).status, 401, path)
      assert.equal((await refused(gateway, '/v1/realtime?model=scribe', bearer(key))).status, 403)
      assert.equal((await refused(gateway, '/v1/realtime?model=id-azure-voice', browser(key))).status, 403)
      for (const wrong of [`${key}A`, key.slice(0, -2), `ek_pg1_${'A'.repeat(80)}`, 'ek_pg1_'])
        assert.equal((await refused(gateway, '/v1/realtime?model=voice', browser(wrong))).status, 401, wrong)
      assert.equal((await ask(`${gateway.url}/v1/realtime/client_secrets`, { body: {} })).status, 401)
    }))

  test("is handed out in the beta's forms too, and for transcription", () =>
    onStage(async ({ gateway, fake }) => {
      const post = (path: string, body: object) => ask(`${gateway.url}${path}`, { headers: AUTH, body })
      const beta = await post('/v1/realtime/sessions', { model: 'voice', voice: 'alloy' })
      assert.match(String(at(beta.json, 'client_secret', 'value')), /^ek_pg1_/)
      assert.deepEqual(fake.journal().at(-1)?.body, { model: 'gpt-realtime', voice: 'alloy' })
      const old = await post('/realtime/transcription_sessions', {
        input_audio_transcription: { model: 'scribe' },
      })
      assert.match(String(at(old.json, 'client_secret', 'value')), /^ek_pg1_/)
      assert.deepEqual(fake.journal().at(-1)?.body, {
        input_audio_transcription: { model: 'gpt-4o-transcribe' },
      })
      const described = { type: 'transcription', audio: { input: { transcription: { model: 'scribe' } } } }
      const scribe = await post('/openai/v1/realtime/client_secrets', { session: described })
      assert.equal(
        at(fake.journal().at(-1)?.body, 'session', 'audio', 'input', 'transcription', 'model'),
        'gpt-4o-transcribe',
      )
      fake.clearJournal()
      const { socket } = await open(
        gateway,
        '/v1/realtime?intent=transcription',
        browser(at(scribe.json, 'value')),
      )
      socket.close()
      assert.equal(fake.journal()[0]?.url, '/ok/v1/realtime?intent=transcription')
      const azure = await post('/openai/realtime/sessions', { model: 'azure-voice' })
      assert.equal(azure.status, 200, azure.text)
      assert.equal(
        fake.journal().at(-1)?.url,
        '/ok/openai/realtimeapi/sessions?api-version=2025-04-01-preview',
      )
      const named = await post('/v1/realtime/client_secrets?model=voice', {})
      assert.equal(named.status, 200, named.text)
      assert.deepEqual(fake.journal().at(-1)?.body, { session: { type: 'realtime', model: 'gpt-realtime' } })
    }))

  test('is refused where nobody can give one, with a reason', () =>
    onStage(async ({ gateway }) => {
      for (const [model, words] of [
        ['nobody', /Invalid model name passed in model=nobody/],
        [undefined, /model=None/],
        ['chat', /hands out no keys/],
      ] as const) {
        const body = { session: { type: 'realtime', model } }
        const answer = await ask(`${gateway.url}/v1/realtime/client_secrets`, { headers: AUTH, body })
        assert.equal(answer.status, 400)
        assert.match(String(at(answer.json, 'error', 'message')), words)
      }
    }))

  test('is taken by every instance with the same master key, and by no other', () =>
    onStage(async (stage) => {
      const key = await keyFor(stage, 'voice')
      for (const [master, isTaken] of [
        [KEY, true],
        ['sk-another', false],
      ] as const) {
        const settings = `general_settings:\n  master_key: ${master}\n  drain_delay: 0\n`
        await withFolder({ 'config.yaml': configOf([VOICE], settings)(stage.fake) }, async (cwd) => {
          const other = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
          try {
            if (isTaken) (await open(other, '/v1/realtime', browser(key))).socket.close()
            else assert.equal((await refused(other, '/v1/realtime', browser(key))).status, 401)
          } finally {
            await other.stop(0)
          }
        })
      }
    }))

  test('works without a master key, where an altered one is still refused', () =>
    withStage(
      configOf([VOICE], 'general_settings: { drain_delay: 0 }\n'),
      async (stage) => {
        const key = await keyFor(stage, 'voice')
        ;(await open(stage.gateway, '/v1/realtime', browser(key))).socket.close()
        assert.equal(
          (await refused(stage.gateway, '/v1/realtime?model=voice', browser(`${key}A`))).status,
          401,
        )
      },
      KEYS,
    ))

  test('ends with the provider’s, and an answer without one is no answer', async () => {
    let answer: object = { value: 'ek_of_the_provider', expires_at: Math.floor(Date.now() / 1000) - 1 }
    const server = createServer((_, response) => response.end(JSON.stringify(answer)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const entry = { ...VOICE, base: `${urlOf(server)}/v1` }
      await withStage(configOf([entry]), async (stage) => {
        const key = await keyFor(stage, 'voice')
        const over = await refused(stage.gateway, '/v1/realtime?model=voice', browser(key))
        assert.equal(over.status, 401)
        assert.match(over.text, /has expired/)
        answer = { session: {} }
        const none = await ask(`${stage.gateway.url}/v1/realtime/client_secrets?model=voice`, {
          headers: AUTH,
          body: {},
        })
        assert.equal(none.status, 502)
      })
    } finally {
      server.close()
    }
  })
})
