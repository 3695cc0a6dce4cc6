import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { APIError, OpenAI } from 'openai'
import { ask, at, AUTH, chat, configOf, eventually, KEY, MESSAGES, SETTINGS, withStage } from './asking.ts'
import type { Gateway } from './program.ts'
import { open, refused, startUpstream } from './sessions.ts'

const LOUD = `${SETTINGS}  log_success_sample: 1\n`

/** The value of each sample, by its name and labels. */
async function samples(gateway: Gateway): Promise<ReadonlyMap<string, number>> {
  const { status, text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
  assert.equal(status, 200)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? assert.fail(line)
      return [name, Number(value)]
    }),
  )
}

/** The log's lines of one event. */
function logged(gateway: Gateway, event: string): readonly unknown[] {
  return gateway
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line))
    .filter((line) => at(line, 'event') === event)
}

test('requests of all kinds are counted and logged, health checks are not', async () => {
  const entries = [
    { group: 'good', base: 'ok/v1' },
    { group: 'sick', base: 'e500/v1', params: ', num_retries: 0' },
  ]
  const settings = `${LOUD}router_settings: { fallbacks: [{ sick: [good] }] }\n`
  await withStage(configOf(entries, settings), async ({ gateway }) => {
    await chat(gateway, { model: 'good' })
    await chat(gateway, { model: 'good', stream: true, stream_options: { include_usage: true } })
    await chat(gateway, { model: 'sick' })
    await chat(gateway, { model: 'nobody knows this one' })
    await ask(`${gateway.url}/health`, { headers: AUTH })
    await ask(`${gateway.url}/health`)
    const counted = await samples(gateway)
    const good = 'provider="openai",operation="chat"'
    for (const [name, value] of [
      [`pulsegate_requests_total{model_group="good",${good},outcome="ok"}`, 2],
      [`pulsegate_requests_total{model_group="sick",${good},outcome="ok"}`, 1],
      ['pulsegate_requests_total{model_group="",provider="",operation="chat",outcome="bad_request"}', 1],
      [`pulsegate_request_duration_seconds_count{${good}}`, 3],
      [`pulsegate_time_to_first_token_seconds_count{${good}}`, 1],
      ['pulsegate_tokens_total{model_group="good",direction="in"}', 10],
      ['pulsegate_tokens_total{model_group="good",direction="out"}', 2],
      ['pulsegate_tokens_total{model_group="sick",direction="in"}', 5],
      ['pulsegate_retries_total', 0],
      ['pulsegate_fallbacks_total', 1],
      ['pulsegate_requests_in_flight', 0],
      ['pulsegate_refused_total{reason="auth"}', 1],
      ['pulsegate_log_lines_dropped_total', 0],
    ] as const)
      assert.equal(counted.get(name), value, name)
    assert.equal([...counted.keys()].filter((name) => name.startsWith('pulsegate_requests_total')).length, 3)
    assert.ok((counted.get('process_resident_memory_bytes') ?? 0) > 10_000_000)
    await eventually(
      async () => (await samples(gateway)).get('pulsegate_event_loop_lag_seconds_count') ?? 0,
      (looks) => looks > 0,
    )
    const lines = await eventually(
      () => logged(gateway, 'request_done'),
      ({ length }) => length === 3,
    )
    assert.deepEqual(
      lines.map((line) => [at(line, 'model_group'), at(line, 'prompt_tokens'), at(line, 'fallbacks')]),
      [
        ['good', 5, 0],
        ['good', 5, 0],
        ['good', 5, 1],
      ],
    )
    assert.ok(!gateway.stderr().includes('ping'))
  })
})

test('sessions, their keys, files and those who are turned away are counted too', async () => {
  const upstream = await startUpstream()
  const mode = ', mode: realtime'
  const entries = [
    { group: 'voice', base: `${upstream.url}/v1`, model: 'openai/gpt-realtime', info: mode },
    { group: 'mute', base: 'e429/v1', model: 'openai/gpt-realtime', params: ', num_retries: 0', info: mode },
    { group: 'keys', base: 'ok/v1', model: 'openai/gpt-realtime', info: mode },
  ]
  const settings = `${LOUD}  global_max_parallel_requests: 2\n`
  try {
    await withStage(configOf(entries, settings), async ({ gateway }) => {
      const sessions = [1, 2].map(() => open(gateway, '/v1/realtime?model=voice', { headers: AUTH }))
      const [first, second] = await Promise.all(sessions)
      assert.ok(first !== undefined && second !== undefined)
      assert.equal((await samples(gateway)).get('pulsegate_requests_in_flight'), 2)
      for (let count = 0; count < 3; count++)
        assert.equal((await chat(gateway, { model: 'keys' })).status, 503)
      assert.equal((await refused(gateway, '/v1/realtime?model=voice', { headers: AUTH })).status, 503)
      first.socket.close(1000)
      await first.closed
      await upstream.session()
      const broken = await upstream.session()
      broken.socket.terminate()
      await second.closed
      await eventually(
        async () => (await samples(gateway)).get('pulsegate_requests_in_flight'),
        (count) => count === 0,
      )
      for (const model of ['mute', 'nobody'])
        await refused(gateway, `/v1/realtime?model=${model}`, { headers: AUTH })
      const body = { session: { type: 'realtime', model: 'keys' } }
      await ask(`${gateway.url}/v1/realtime/client_secrets`, { headers: AUTH, body })
      await ask(`${gateway.url}/v1/files?model=keys`, { headers: AUTH })
      await ask(`${gateway.url}/v1/files/x?model=mute`, { headers: AUTH })
      const counted = await samples(gateway)
      const at = (group: string, operation: string, outcome: string): string =>
        `pulsegate_requests_total{model_group="${group}",provider="${group === '' ? '' : 'openai'}",operation="${operation}",outcome="${outcome}"}`
      for (const [name, value] of [
        [at('voice', 'realtime', 'ok'), 1],
        [at('voice', 'realtime', 'cut'), 1],
        [at('mute', 'realtime', 'rate_limited'), 1],
        [at('', 'realtime', 'bad_request'), 1],
        ['pulsegate_request_duration_seconds_count{provider="openai",operation="realtime"}', 3],
        [at('keys', 'realtime_key', 'ok'), 1],
        [at('keys', 'file', 'ok'), 1],
        [at('mute', 'file', 'rate_limited'), 1],
        ['pulsegate_refused_total{reason="overloaded"}', 4],
        ['pulsegate_requests_in_flight', 0],
      ] as const)
        assert.equal(counted.get(name), value, `${name}\n${[...counted.keys()].join('\n')}`)
      // Each end is one line: a session's own, or that of a failure.
      for (const [event, lines] of [
        ['session_ended', 2],
        ['request_failed', 3],
      ] as const)
        await eventually(
          () => logged(gateway, event),
          ({ length }) => length === lines,
        )
    })
  } finally {
    await upstream.stop()
  }
})

test('metrics ask for the key, unless the config opens them', async () => {
  await withStage(configOf([]), async ({ gateway }) => {
    assert.equal((await ask(`${gateway.url}/metrics`)).status, 401)
  })
  const open = `${SETTINGS}litellm_settings: { require_auth_for_metrics_endpoint: false }\n`
  await withStage(configOf([], open), async ({ gateway }) => {
    const { status, headers } = await ask(`${gateway.url}/metrics`)
    assert.deepEqual([status, headers.get('content-type')], [200, 'text/plain; version=0.0.4; charset=utf-8'])
  })
})

test("OpenAI's client raises what breaks off a stream, and is told the upstream's request id", async (t) => {
  const chunk = { id: '1', object: 'chat.completion.chunk', created: 1, model: 'm' }
  const half = { ...chunk, choices: [{ index: 0, delta: { content: 'half' }, finish_reason: null }] }
  const upstream = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req_of_upstream' })
    response.end(`data: ${JSON.stringify(half)}\n\n`)
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.after(() => void upstream.close())
  const address = upstream.address()
  assert.ok(typeof address === 'object' && address !== null)
  const base = `http://127.0.0.1:${address.port}/v1`
  await withStage(configOf([{ group: 'half', base }]), async ({ gateway }) => {
    const client = new OpenAI({ apiKey: KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    const { data, request_id: id } = await client.chat.completions
      .create({ model: 'half', messages: [...MESSAGES], stream: true })
      .withResponse()
    assert.equal(id, 'req_of_upstream')
    let text = ''
    await assert.rejects(
      async () => {
        for await (const { choices } of data) text += choices[0]?.delta.content ?? ''
      },
      (error) => error instanceof APIError && error.type === 'cut',
    )
    assert.equal(text, 'half')
  })
})
