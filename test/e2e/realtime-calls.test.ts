import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenAI } from 'openai'
import { ask, at, AUTH, configOf, KEY, UPSTREAM_KEY, withStage } from './asking.ts'
import type { Entry } from './asking.ts'

const MODE = { info: ', mode: realtime' } as const
const ENTRIES: readonly Entry[] = [
  { group: 'voice', base: 'ok/v1', model: 'openai/gpt-realtime', ...MODE },
  { group: 'other', base: 'ok/v1', model: 'openai/gpt-realtime-mini', ...MODE },
  {
    group: 'azure-voice',
    base: 'ok',
    model: 'azure/my-realtime',
    params: ', api_version: v1',
    ...MODE,
  },
  {
    group: 'azure-dated',
    base: 'ok',
    model: 'azure/my-realtime',
    params: ', api_version: 2025-04-01-preview',
    ...MODE,
  },
  { group: 'odd', base: 'html/v1', model: 'openai/gpt-realtime', params: ', num_retries: 0', ...MODE },
  { group: 'sick', base: 'e500/v1', model: 'openai/gpt-realtime', params: ', num_retries: 0', ...MODE },
]
const OFFER = 'v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n'

test('calls over WebRTC are begun and ended through the gateway', async (t) => {
  await withStage(
    configOf(ENTRIES),
    async ({ gateway, fake }) => {
      const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
      const last = () => fake.journal().at(-1)
      const post = (path: string, headers: Readonly<Record<string, string>>, body: string | FormData) =>
        fetch(`${gateway.url}${path}`, { method: 'POST', headers, body })
      const offered = (key: string) => ({ authorization: `Bearer ${key}`, 'content-type': 'application/sdp' })

      await t.test("OpenAI's client begins one for a group, and ends it by the id that it got", async () => {
        for (const [model, name, url] of [
          ['voice', 'gpt-realtime', '/ok/v1/realtime/calls'],
          ['azure-voice', 'my-realtime', '/ok/openai/v1/realtime/calls'],
        ] as const) {
          const session = { type: 'realtime' as const, model, instructions: 'be kind' }
          const answer = await client.realtime.calls.create({ sdp: OFFER, session })
          assert.equal(answer.status, 201)
          assert.equal(answer.headers.get('content-type'), 'application/sdp')
          assert.equal(answer.headers.get('x-litellm-model-group'), model)
          assert.match(await answer.text(), /^v=0\r\n/)
          assert.equal(last()?.url, url)
          const fields = new Map(JSON.parse(JSON.stringify(at(last()?.body, 'fields'))))
          assert.equal(fields.get('sdp'), OFFER)
          assert.deepEqual(JSON.parse(String(fields.get('session'))), { ...session, model: name })
          const id = /^\/v1\/realtime\/calls\/(rtc_pg1_[\w-]+)$/.exec(
            answer.headers.get('location') ?? '',
          )?.[1]
          assert.ok(id !== undefined, answer.headers.get('location') ?? 'no location')
          await client.realtime.calls.refer(id, { target_uri: 'tel:+1' })
          assert.match(last()?.url ?? '', /\/realtime\/calls\/rtc_\d+\/refer$/)
          assert.deepEqual(last()?.body, { target_uri: 'tel:+1' })
          await client.realtime.calls.accept(id, { type: 'realtime', model })
          assert.equal(at(last()?.body, 'model'), model === 'voice' ? 'gpt-realtime' : 'my-realtime')
          await client.realtime.calls.hangup(id)
          assert.equal(last()?.url?.replace(/rtc_\d+/, 'ID'), `${url}/ID/hangup`)
        }
      })

      await t.test('an offer alone names its model beside it, and the description is made here', async () => {
        const answer = await post('/v1/realtime/calls?model=voice', offered(KEY), OFFER)
        assert.equal(answer.status, 201)
        const fields = new Map(JSON.parse(JSON.stringify(at(last()?.body, 'fields'))))
        assert.deepEqual(JSON.parse(String(fields.get('session'))), {
          type: 'realtime',
          model: 'gpt-realtime',
        })
      })

      await t.test('a browser begins one with its key for one session, and nothing else', async () => {
        const asked = { headers: AUTH, body: { session: { type: 'realtime', model: 'voice' } } }
        const given = await ask(`${gateway.url}/v1/realtime/client_secrets`, asked)
        const key = String(at(given.json, 'value'))
        const answer = await post('/v1/realtime/calls', offered(key), OFFER)
        assert.equal(answer.status, 201, await answer.text())
        assert.match(String(last()?.headers.authorization), /^Bearer ek_\d+$/)
        assert.equal(last()?.body, OFFER)
        const form = new FormData()
        form.set('sdp', OFFER)
        form.set('session', JSON.stringify({ type: 'realtime', model: 'voice' }))
        const bearer = { authorization: `Bearer ${key}` }
        assert.equal((await post('/v1/realtime/calls', bearer, form)).status, 201)
        const id = (answer.headers.get('location') ?? '').split('/').at(-1) ?? ''
        for (const [path, status] of [
          ['/v1/realtime/calls?model=other', 403],
          [`/v1/realtime/calls/${id}/hangup`, 401],
        ] as const)
          assert.equal((await post(path, offered(key), OFFER)).status, status, path)
        assert.equal((await post('/v1/realtime/calls', offered('ek_pg1_AAAA'), OFFER)).status, 401)
      })

      await t.test('what cannot be is refused, and says why', async () => {
        const form = { authorization: `Bearer ${KEY}` }
        const filled = (fields: Readonly<Record<string, string>>): FormData => {
          const made = new FormData()
          for (const [name, value] of Object.entries(fields)) made.set(name, value)
          return made
        }
        const cases: readonly (readonly [
          string,
          Readonly<Record<string, string>>,
          string | FormData,
          number,
          RegExp,
        ])[] = [
          ['', offered(KEY), OFFER, 400, /Invalid model name passed in model=None/],
          ['?model=nobody', offered(KEY), OFFER, 400, /model=nobody/],
          ['?model=voice', offered(KEY), 'hello', 400, /Missing required parameter: 'sdp'/],
          ['?model=voice', { ...form, 'content-type': 'text/plain' }, OFFER, 415, /send application\/sdp/],
          ['?model=voice', form, filled({ session: '{}' }), 400, /'sdp'/],
          [
            '?model=voice',
            form,
            filled({ sdp: OFFER, session: '[' }),
            400,
            /'session' must be a JSON object/,
          ],
          ['?model=voice', form, filled({ sdp: OFFER, session: '[1]' }), 400, /'session' must be/],
          ['?model=azure-dated', offered(KEY), OFFER, 400, /takes no calls over WebRTC/],
          ['?model=sick', offered(KEY), OFFER, 500, /deployment/],
          ['?model=odd', offered(KEY), OFFER, 502, /no session description/],
          ['/rtc_pg1_AAAA/hangup', form, '', 404, /No such call/],
          ['/rtc_1/hangup', form, '', 400, /nothing says whose call this is/],
          ['/rtc_1/hangup?model=voice', form, '', 404, /No active call with id 'rtc_1'/],
          ['?model=voice', offered('sk-wrong'), OFFER, 401, /not valid/],
        ]
        for (const [path, headers, body, status, words] of cases) {
          const answer = await post(`/v1/realtime/calls${path}`, headers, body)
          const text = await answer.text()
          assert.equal(answer.status, status, `${path} ${text}`)
          assert.match(text, words)
        }
        assert.equal((await ask(`${gateway.url}/v1/realtime/calls`, { headers: AUTH })).status, 405)
      })

      await t.test('each is counted as one call', async () => {
        const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
        assert.match(text, /operation="realtime_call",outcome="ok"/)
        assert.doesNotMatch(gateway.stderr(), /ek_|m=audio/)
      })
    },
    { keys: [UPSTREAM_KEY] },
  )
})
