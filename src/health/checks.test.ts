import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { EngineSettings } from '../core/engine-settings.ts'
import { GatewayError } from '../core/failure.ts'
import type { Json } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import { createRedact, Secret } from '../core/secret.ts'
import { openLine } from '../providers/call.ts'
import type { Line } from '../providers/call.ts'
import { allAdapters } from '../providers/registry.ts'
import { createHealthChecks } from './checks.ts'
import { engineRulesOf } from './engine-rules.ts'
import { makeDeployment, makeProbeSettings, NOTHING_WRITTEN } from './fixtures.ts'
import { DEFAULT_HEALTH_SETTINGS } from './settings.ts'
import type { HealthSettings } from './settings.ts'

type Transport = Line['transport']
type Response = Awaited<ReturnType<Transport['send']>>
type Answer = (asked: Asked) => Promise<Response>

interface Asked {
  readonly url: string
  readonly body: unknown
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
}

const json = (status: number, body: Json, headers: Record<string, string> = {}): Promise<Response> =>
  Promise.resolve({
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  })

const pong: Answer = () =>
  json(
    200,
    {
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model: 'gpt-4o',
      choices: [{ index: 0, message: { role: 'assistant', content: 'pong' }, finish_reason: 'stop' }],
    },
    { 'x-ms-region': 'East US', 'x-request-id': 'r1', 'x-ratelimit-remaining-requests': '9' },
  )

const refuse =
  (status: number, message: string, headers: Record<string, string> = {}): Answer =>
  () =>
    json(status, { error: { message, type: 'invalid_request_error', param: null, code: null } }, headers)

/** Never answers; ends when it is cancelled. */
const hang: Answer = ({ signal }) =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new GatewayError('cancelled', 'cancelled')))
  })

/** One gateway's health checks on a fake socket and a hand-wound clock. */
function scene(
  answer: Answer,
  {
    settings = {},
    deployments = [makeDeployment()],
    engine = {},
  }: {
    settings?: Partial<HealthSettings>
    deployments?: readonly Deployment[]
    engine?: Partial<EngineSettings>
  } = {},
) {
  const clock = createHandClock()
  const asked: Asked[] = []
  const lines: string[] = []
  const note = (event: string, fields: object = {}) => void lines.push(`${event} ${JSON.stringify(fields)}`)
  const log: Log = { debug: () => undefined, info: note, warn: note, error: note }
  const transport: Transport = {
    send: (request, { signal, timeoutMs }) => {
      const body: unknown = typeof request.body === 'string' ? JSON.parse(request.body) : request.body
      const one = { url: request.url, body, signal, timeoutMs }
      asked.push(one)
      return answer(one)
    },
    stream: () => assert.fail('probes are not streamed'),
    dial: () => assert.fail('nothing is dialled here'),
    openSocket: () => assert.fail('nothing is dialled here'),
    reach: () => assert.fail('nothing is looked at'),
    close: () => Promise.resolve(),
  }
  const redact = createRedact([])
  const open = (one: Deployment) => openLine(one, { transport, env: {}, redact })
  const checks = createHealthChecks({
    deployments,
    lines: (index) => open(deployments[index] ?? makeDeployment()),
    openLine: open,
    priceOf: () => 1e-5,
    lagMs: () => 0,
    clock,
    log,
    settings: { ...DEFAULT_HEALTH_SETTINGS, ...settings },
    engineRules: engineRulesOf({
      ...NOTHING_WRITTEN,
      isLooking: settings.backgroundHealthChecks === true,
      intervalMs: settings.intervalMs,
      ...engine,
    }),
    random: () => 0,
  })
  return { clock, asked, lines, board: checks.board, checks, deployments }
}

const KEYED = {
  connection: { apiKey: new Secret('sk-canary-OPENAI'), apiBase: 'http://host.example/v1', headers: {} },
}
const keyed = (changes: Partial<Deployment> = {}) => makeDeployment({ ...KEYED, ...changes })
const never = new AbortController().signal

test('a good answer makes a healthy verdict with the headers that may be shown', async () => {
  const { checks, clock, asked } = scene(pong, { deployments: [keyed()] })
  const verdict = await checks.check(keyed())
  assert.deepEqual(verdict, {
    kind: 'healthy',
    at: clock.now(),
    latencyMs: 0,
    requests: 1,
    probedModel: 'openai/gpt-4o',
    headers: { 'x-ms-region': 'East US', 'x-ratelimit-remaining-requests': '9' },
  })
  assert.deepEqual(
    asked.map(({ url, body, timeoutMs }) => ({ url, body, timeoutMs })),
    [
      {
        url: 'http://host.example/v1/chat/completions',
        body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 16 },
        timeoutMs: 60_000,
      },
    ],
  )
})

test('a failure names the deployment, what was tried, what came back and what to do, and no key', async () => {
  const { checks, board } = scene(refuse(401, 'Incorrect API key provided: sk-canary-OPENAI'), {
    deployments: [keyed()],
  })
  const verdict = await checks.check(keyed())
  assert.equal(verdict.kind, 'unhealthy')
  if (verdict.kind !== 'unhealthy') return
  assert.equal(
    verdict.error,
    'deployment "my-group" (id-0): POST http://host.example/v1/chat/completions: answered 401 (invalid_request_error): Incorrect API key provided: [secret]. What to do: check the api_key and its permissions.',
  )
  assert.deepEqual([verdict.reason, verdict.exceptionStatus, verdict.requests], ['auth', 401, 1])
  assert.deepEqual(verdict.request?.headers, {
    accept: '[secret]',
    'content-type': '[secret]',
    authorization: '[secret]',
  })
  assert.equal(JSON.stringify(board.health(0)).includes('sk-canary'), false)
})

test('our own deadline says so first and shows no request', async () => {
  const late: Answer = () => Promise.reject(new GatewayError('timeout', 'no answer within 3 s'))
  const slow = keyed({ probe: makeProbeSettings({ timeoutMs: 3_000 }) })
  const { checks, asked } = scene(late, { deployments: [slow] })
  const verdict = await checks.check(slow)
  assert.equal(asked[0]?.timeoutMs, 3_000)
  assert.equal(verdict.kind === 'unhealthy' && verdict.error.startsWith('Timeout exceeded'), true)
  assert.equal(verdict.kind === 'unhealthy' && verdict.exceptionStatus, 408)
  assert.equal('request' in verdict, false)
})

/** What a picky provider says to a budget. */
const wantsAtLeast =
  (least: number): Answer =>
  (asked) => {
    const body: unknown = asked.body
    const budget =
      typeof body === 'object' && body !== null && 'max_tokens' in body ? Number(body.max_tokens) : 0
    return budget >= least ? pong(asked) : refuse(400, `max_tokens must be at least ${least}`)(asked)
  }

test('a budget too small climbs once, and the next check begins there', async () => {
  const { checks, asked } = scene(wantsAtLeast(64), { deployments: [keyed()] })
  const first = await checks.check(keyed())
  const second = await checks.check(keyed())
  assert.deepEqual([first.kind, first.requests, second.kind, second.requests], ['healthy', 2, 'healthy', 1])
  assert.equal(asked.length, 3)
})

test('a refusal that never ends takes two requests, not three', async () => {
  const { checks, asked } = scene(refuse(400, 'max_tokens is too small'), { deployments: [keyed()] })
  assert.deepEqual([(await checks.check(keyed())).kind, asked.length], ['unhealthy', 2])
  assert.deepEqual([(await checks.check(keyed())).kind, asked.length], ['unhealthy', 3])
})

const ALIVE: readonly (readonly [string, Answer, 'content_policy' | 'length' | undefined])[] = [
  [
    'a filtered prompt',
    refuse(400, 'Your request was rejected as a result of our safety system.'),
    'content_policy',
  ],
  [
    'a budget eaten by reasoning',
    refuse(400, 'Could not finish the message because max_tokens or model output limit was reached.'),
    'length',
  ],
  ['a model that only streams', refuse(400, 'Only streaming is supported'), undefined],
]

for (const [name, answer, noted] of ALIVE) {
  test(`${name} is alive after one request`, async () => {
    const { checks, asked } = scene(answer, { deployments: [keyed()] })
    const verdict = await checks.check(keyed())
    assert.deepEqual([verdict.kind, asked.length], ['healthy', 1])
    assert.equal(verdict.kind === 'healthy' ? verdict.note : 'unhealthy', noted)
  })
}

test('a wildcard is probed with health_check_model, else with a cheap chat model, and nothing else', async () => {
  const model = { model: 'openai/gpt-4.1', provider: 'openai', upstreamModel: 'gpt-4.1' }
  const deployments = [
    keyed({ model: 'openai/*', upstreamModel: '*', mode: 'embedding', probe: makeProbeSettings() }),
    keyed({ index: 1, model: 'openai/*', upstreamModel: '*', probe: makeProbeSettings({ model }) }),
  ]
  const { checks, asked, board } = scene(pong, { deployments })
  await checks.read(deployments, never)
  assert.deepEqual(
    asked.map(({ url }) => url),
    Array(2).fill('http://host.example/v1/chat/completions'),
  )
  assert.match(board.health(0).verdict?.probedModel ?? '', /^openai\/gpt-/)
  assert.equal(board.health(1).verdict?.probedModel, 'openai/gpt-4.1')
})

test('a deployment that cannot be called is judged at once, and nothing is sent', async () => {
  const broken = keyed({ misconfigured: { message: 'environment variable OPENAI_API_KEY is not set' } })
  const { checks, asked, board } = scene(pong, { deployments: [broken] })
  assert.equal(board.health(0).state, 'MISCONFIGURED')
  const verdict = await checks.check(broken)
  assert.equal(
    verdict.kind === 'unhealthy' ? verdict.error : '',
    'my-group (openai/gpt-4o): environment variable OPENAI_API_KEY is not set. Nothing was sent. What to do: mend config.yaml.',
  )
  assert.deepEqual([verdict.requests, asked.length], [0, 0])
})

test('a deployment that cannot be called has failed, whether or not its mode is probed', () => {
  const misconfigured = { message: 'provider "elsewhere" is not built yet' }
  const deployments = [
    keyed({ unprobedMode: 'ocr', misconfigured }),
    keyed({ index: 1, mode: 'image_generation', modeSource: 'name', misconfigured }),
  ]
  const { board } = scene(pong, { deployments })
  assert.deepEqual([board.health(0).reason, board.health(1).reason], ['misconfigured', 'misconfigured'])
})

test('a mode that cannot be probed stays unknown', async () => {
  const ocr = keyed({ unprobedMode: 'ocr' })
  const { checks, asked, board } = scene(pong, { deployments: [ocr] })
  await checks.read([ocr], never)
  const verdict = await checks.check(ocr)
  assert.equal(verdict.kind === 'unhealthy' && verdict.reason, 'checks_disabled')
  assert.deepEqual(
    [board.health(0).state, board.health(0).reason, asked.length],
    ['UNKNOWN', 'checks_disabled', 0],
  )
})

test('a hundred callers at once share one probe for each deployment', async () => {
  const deployments = Array.from({ length: 17 }, (_, index) => keyed({ index }))
  const { checks, asked } = scene(pong, { deployments })
  await Promise.all(Array.from({ length: 100 }, () => checks.read(deployments, never)))
  assert.equal(asked.length, 17)
})

test('a verdict is reused for a second, and a forced check never reuses one', async () => {
  const { checks, asked, clock } = scene(pong, { deployments: [keyed()] })
  await checks.read([keyed()], never)
  clock.wind(999)
  await checks.read([keyed()], never)
  assert.equal(asked.length, 1)
  clock.wind(1)
  await checks.read([keyed()], never)
  assert.equal(asked.length, 2)
  await checks.check(keyed())
  assert.equal(asked.length, 3)
})

test('inside a Retry-After the remembered 429 is shown without a request', async () => {
  const { checks, asked, clock, board } = scene(refuse(429, 'slow down', { 'retry-after': '7' }), {
    deployments: [keyed()],
  })
  await checks.read([keyed()], never)
  clock.wind(6_999)
  await checks.read([keyed()], never)
  assert.deepEqual([asked.length, board.health(0).state], [1, 'SATURATED'])
  clock.wind(1)
  await checks.read([keyed()], never)
  assert.equal(asked.length, 2)
})

test('a caller that leaves cancels only what nobody else waits for', async () => {
  const deployments = [keyed(), keyed({ index: 1 })]
  const { checks, asked, board } = scene(hang, { deployments })
  const [both, one] = [new AbortController(), new AbortController()]
  const first = checks.read(deployments, both.signal)
  const second = checks.read(deployments.slice(0, 1), one.signal)
  await setImmediate()
  both.abort()
  await assert.rejects(first, { kind: 'cancelled' })
  assert.deepEqual(
    asked.map(({ signal }) => signal?.aborted),
    [false, true],
  )
  one.abort()
  await assert.rejects(second, { kind: 'cancelled' })
  assert.deepEqual(
    asked.map(({ signal }) => signal?.aborted),
    [true, true],
  )
  assert.equal(board.health(0).verdict, undefined)
})

test('after a cancelled check the next caller gets a fresh one', async () => {
  let mood: Answer = hang
  const { checks, board } = scene((asked) => mood(asked), { deployments: [keyed()] })
  const leaving = new AbortController()
  const gone = checks.read([keyed()], leaving.signal)
  await setImmediate()
  mood = pong
  leaving.abort()
  await assert.rejects(gone, { kind: 'cancelled' })
  await checks.read([keyed()], never)
  assert.equal(board.health(0).state, 'HEALTHY')
})

test('one that hangs delays nobody else on the board', async () => {
  const deployments = [keyed(), keyed({ index: 1, upstreamModel: 'fine' })]
  const isFine = (body: unknown) => JSON.stringify(body).includes('fine')
  const { checks, board } = scene((asked) => (isFine(asked.body) ? pong(asked) : hang(asked)), {
    deployments,
  })
  void checks.read(deployments, never).catch(() => undefined)
  for (let turns = 0; turns < 3; turns += 1) await setImmediate()
  assert.deepEqual([board.health(0).state, board.health(1).state], ['UNKNOWN', 'HEALTHY'])
  await checks.stop()
})

test('with the loop on, reading health sends nothing', async () => {
  const { checks, asked, board } = scene(pong, {
    deployments: [keyed()],
    settings: { backgroundHealthChecks: true },
  })
  await checks.read([keyed()], never)
  assert.deepEqual([asked.length, board.health(0).reason], [0, 'not_checked_yet'])
})

test('the engine looks at once and at each interval, confirms a failure within seconds, and logs each transition', async () => {
  let mood = pong
  const { checks, asked, clock, lines, board } = scene((one) => mood(one), {
    deployments: [keyed()],
    settings: { backgroundHealthChecks: true, intervalMs: 5_000 },
  })
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.wind(100)
      for (let turns = 0; turns < 6; turns += 1) await setImmediate()
    }
  }
  checks.start()
  await pass(100)
  assert.equal(asked.length, 1)
  await pass(4_800)
  assert.equal(asked.length, 1)
  await pass(200)
  assert.equal(asked.length, 2)
  mood = refuse(500, 'broken')
  await pass(5_000)
  assert.deepEqual([board.health(0).state, board.health(0).verdict?.kind], ['SUSPECT', 'unhealthy'])
  await pass(4_000)
  assert.equal(board.health(0).state, 'DOWN')
  mood = pong
  await pass(20_000)
  assert.deepEqual(
    lines.map((line) =>
      line.replace(/"error":".*broken.*"(?=,"since)/, '"error":"…"').replace(/,"since":"[^"]*"/, ''),
    ),
    [
      'health_changed {"model_id":"id-0","group":"my-group","from":"HEALTHY","to":"SUSPECT","reason":"server_error","error":"…"}',
      'health_changed {"model_id":"id-0","group":"my-group","from":"SUSPECT","to":"DOWN","reason":"server_error","error":"…"}',
      'health_changed {"model_id":"id-0","group":"my-group","from":"DOWN","to":"RECOVERING"}',
      'health_changed {"model_id":"id-0","group":"my-group","from":"RECOVERING","to":"HEALTHY"}',
    ],
  )
  await checks.stop()
  assert.equal(clock.pending(), 0)
  const before = asked.length
  await pass(10_000)
  assert.equal(asked.length, before)
})

test('where probes are not heeded they are listed and move nothing', async () => {
  const { checks, clock, board } = scene(refuse(500, 'broken'), {
    deployments: [keyed()],
    settings: { backgroundHealthChecks: true, intervalMs: 1_000 },
    engine: { steersRouting: false },
  })
  checks.start()
  for (let passed = 0; passed < 100; passed += 1) {
    clock.wind(100)
    for (let turns = 0; turns < 6; turns += 1) await setImmediate()
  }
  assert.deepEqual([board.health(0).state, board.health(0).verdict?.kind], ['UNKNOWN', 'unhealthy'])
  await checks.stop()
})

test('a clock that is set back or forward moves no check, and no latency', async () => {
  const { checks, asked, clock, board } = scene(pong, {
    deployments: [keyed()],
    settings: { backgroundHealthChecks: true, intervalMs: 5_000 },
  })
  const pass = async (ms: number) => {
    clock.wind(ms)
    for (let turns = 0; turns < 3; turns += 1) await setImmediate()
  }
  checks.start()
  await pass(10)
  for (const [byMs, sent] of [
    [-3_600_000, 2],
    [7_200_000, 3],
  ] as const) {
    clock.set(byMs)
    await pass(4_900)
    assert.equal(asked.length, sent - 1)
    await pass(100)
    assert.equal(asked.length, sent)
    assert.equal(board.health(0).verdict?.latencyMs, 0)
  }
  await checks.stop()
})

test('the loop pays for a picture every six hours, and sees an outage and its end for free', async () => {
  const picture = () => json(200, { created: 1, data: [{ b64_json: 'aGk=' }] })
  let models: Answer = () => json(200, { object: 'list', data: [] })
  let isUp = true
  const { checks, asked, clock, board } = scene(
    (one) => {
      if (!isUp)
        return Promise.reject(new GatewayError('unreachable', 'connection refused', { isUnsent: true }))
      return one.url.endsWith('/models') ? models(one) : picture()
    },
    {
      deployments: [keyed({ mode: 'image_generation', modeSource: 'explicit' })],
      settings: { backgroundHealthChecks: true, intervalMs: 300_000 },
    },
  )
  const pass = async (ms: number) => {
    clock.wind(ms)
    for (let turns = 0; turns < 3; turns += 1) await setImmediate()
  }
  const sent = () => asked.splice(0).map(({ url }) => url.slice('http://host.example/v1'.length))
  const reason = () => board.health(0).reason
  checks.start()
  await pass(10)
  assert.deepEqual(sent(), ['/images/generations'])
  // Before the list of models was ever had, its refusal says nothing.
  models = refuse(401, 'no right to list models')
  await pass(300_000)
  assert.deepEqual([sent(), reason()], [['/models'], undefined])
  models = () => json(200, { object: 'list', data: [] })
  await pass(300_000)
  assert.deepEqual([sent(), reason()], [['/models'], undefined])
  models = refuse(401, 'the key is gone')
  await pass(300_000)
  assert.deepEqual([sent(), reason()], [['/models'], 'auth'])
  models = () => json(200, { object: 'list', data: [] })
  await pass(300_000)
  assert.deepEqual([sent(), reason()], [['/models'], undefined])
  models = refuse(429, 'too many lists')
  await pass(300_000)
  assert.deepEqual([sent(), reason()], [['/models'], undefined])
  isUp = false
  await pass(300_000)
  assert.deepEqual([sent(), reason()], [['/models'], 'unreachable'])
  isUp = true
  await pass(300_000)
  assert.deepEqual([sent(), board.health(0).state], [['/models'], 'HEALTHY'])
  for (let hours = 0; hours < 6; hours += 0.5) for (let n = 0; n < 6; n += 1) await pass(300_000)
  assert.equal(sent().filter((path) => path === '/images/generations').length, 1)
  await checks.stop()
})

test('an engine whose model is pulled at last is no longer missed, and one that shows nothing is asked', async () => {
  await allAdapters()
  let pulled: readonly Json[] = []
  let list: Answer = () => json(200, { models: pulled })
  const { checks, asked, clock, board } = scene(
    (one) => {
      if (one.url.endsWith('/api/tags')) return list(one)
      return one.url.endsWith('/api/ps') ? json(200, { models: [] }) : refuse(502, 'nobody is here')(one)
    },
    {
      deployments: [keyed({ provider: 'ollama', upstreamModel: 'llama3.2' })],
      settings: { backgroundHealthChecks: true, intervalMs: 60_000 },
    },
  )
  const pass = async (ms: number) => {
    for (let wound = 0; wound < ms; wound += 1_000) {
      clock.wind(1_000)
      for (let turns = 0; turns < 4; turns += 1) await setImmediate()
    }
  }
  const questions = () => asked.filter(({ url }) => url.endsWith('/api/chat')).length
  checks.start()
  await pass(10_000)
  assert.deepEqual([board.health(0).state, board.health(0).reason], ['MISCONFIGURED', 'not_found'])
  pulled = [{ model: 'llama3.2:latest' }]
  await pass(120_000)
  assert.deepEqual([board.health(0).state, board.health(0).residence], ['UNKNOWN', { isLoaded: false }])
  assert.equal(questions(), 0)
  list = () => Promise.reject(new GatewayError('unreachable', 'connection refused', { isUnsent: true }))
  await pass(70_000)
  assert.equal(board.health(0).residence, undefined)
  list = refuse(404, 'no such route')
  await pass(240_000)
  assert.deepEqual([board.health(0).state, board.health(0).reason], ['DOWN', 'server_error'])
  assert.ok(questions() > 0)
  await checks.stop()
})

test('a crash in one check never ends the loop', async () => {
  let crashes = 1
  const crash: Answer = (asked) => {
    if (crashes === 0) return pong(asked)
    crashes -= 1
    throw new TypeError('a bug')
  }
  const { checks, clock, board, lines } = scene(crash, {
    deployments: [keyed()],
    settings: { backgroundHealthChecks: true, intervalMs: 5_000 },
  })
  checks.start()
  for (const ms of [10, 5_000]) {
    clock.wind(ms)
    for (let turns = 0; turns < 3; turns += 1) await setImmediate()
  }
  assert.equal(board.health(0).state, 'HEALTHY')
  assert.match(lines[0] ?? '', /^check_failed .*a bug/)
  await checks.stop()
})

test('stopping cancels what runs, leaves no timer, and refuses what comes later', async () => {
  const deployments = Array.from({ length: 30 }, (_, index) => keyed({ index }))
  const { checks, asked, clock } = scene(hang, { deployments, settings: { backgroundHealthChecks: true } })
  checks.start()
  clock.wind(1_000)
  void checks.startOnce().catch(() => undefined)
  await setImmediate()
  assert.equal(asked.length, 16)
  await checks.stop()
  assert.equal(
    asked.every(({ signal }) => signal?.aborted),
    true,
  )
  assert.equal(clock.pending(), 0)
  await assert.rejects(checks.check(keyed()), { kind: 'cancelled' })
})

test('checking everything once gives everyone a verdict', async () => {
  const deployments = Array.from({ length: 100 }, (_, index) => keyed({ index }))
  const { checks, asked, board } = scene(pong, { deployments, settings: { backgroundHealthChecks: true } })
  await checks.startOnce()
  assert.equal(asked.length, 100)
  assert.equal(
    deployments.every(({ index }) => board.health(index).state === 'HEALTHY'),
    true,
  )
})
