import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import {
  ask,
  at,
  AUTH,
  chat,
  complaints,
  configOf,
  eventually,
  keysOf,
  listAt,
  MESSAGES,
  SETTINGS,
  UPSTREAM_KEY,
  withStage,
  type Entry,
} from './asking.ts'

const GOOD: Entry = { group: 'gpt-4o', base: 'ok/v1' }
const SLASHED: Entry = { group: 'meta/llama-3', base: 'ok/v1', model: 'hosted_vllm/meta/llama-3' }
const SICK: Entry = { group: 'sick', base: 'e401/v1' }
const WAITING: Entry = {
  group: 'waiting',
  base: 'hang/v1',
  params: ', timeout: 0.3',
  info: ', health_check_timeout: 20',
}

describe('what orchestrators ask', () => {
  const alive = "I'm alive!"
  const ready = {
    status: 'connected',
    db: 'Not connected',
    cache: null,
    litellm_version: '1.100.5',
    success_callbacks: [],
  }

  test('every form of readiness and liveness answers GET, HEAD and OPTIONS without a key', async (t) => {
    await withStage(configOf([GOOD]), async ({ gateway, fake }) => {
      const paths: readonly (readonly [string, unknown])[] = [
        ['/health/readiness', ready],
        ['/readyz', ready],
        ['/health/liveliness', alive],
        ['/health/liveness', alive],
        ['/livez', alive],
      ]
      for (const [path, body] of paths)
        await t.test(path, async () => {
          const got = await ask(gateway.url + path)
          assert.equal(got.status, 200)
          assert.equal(got.headers.get('content-type'), 'application/json')
          assert.deepEqual(got.json, body)
          const head = await ask(gateway.url + path, { method: 'HEAD' })
          assert.deepEqual([head.status, head.text], [200, ''])
          const options = await ask(gateway.url + path, { method: 'OPTIONS' })
          assert.deepEqual([options.status, options.text], [200, ''])
          assert.equal(options.headers.get('allow'), 'GET, OPTIONS')
          assert.equal(options.headers.get('access-control-allow-methods'), 'GET, OPTIONS')
          assert.equal(options.headers.get('access-control-allow-headers'), '*')
        })
      await t.test('/health/readiness/details', async () => {
        const path = `${gateway.url}/health/readiness/details`
        assert.equal((await ask(path)).status, 401)
        const { json } = await ask(path, { headers: AUTH })
        assert.deepEqual(keysOf(json), [...keysOf(ready), 'pulsegate_version', 'config'])
      })
      assert.equal(fake.journal().length, 0)
    })
  })

  test('allow_public_health_readiness_details: false leaves the two fields of today’s LiteLLM', async () => {
    const settings = `${SETTINGS}  allow_public_health_readiness_details: false\n`
    await withStage(configOf([GOOD], settings), async ({ gateway }) => {
      const { status, json } = await ask(`${gateway.url}/health/readiness`)
      assert.deepEqual([status, json], [200, { status: 'healthy', db: 'Not connected' }])
    })
  })

  test('after SIGTERM readiness says no at once, liveness yes, and requests are served until the delay is over', async () => {
    const settings = SETTINGS.replace('drain_delay: 0', 'drain_delay: 1')
    await withStage(configOf([GOOD], settings), async ({ gateway }) => {
      gateway.signal('SIGTERM')
      await gateway.seen(/draining/)
      for (const path of ['/health/readiness', '/readyz']) {
        const { status, json } = await ask(gateway.url + path)
        assert.deepEqual([status, json], [503, { status: 'shutting_down' }])
      }
      for (const path of ['/health/liveliness', '/health/liveness', '/livez']) {
        const { status, json } = await ask(gateway.url + path)
        assert.deepEqual([status, json], [200, alive])
      }
      assert.equal((await chat(gateway, { model: 'gpt-4o' })).status, 200)
      assert.deepEqual(await gateway.ended, { code: 0, signal: null })
    })
  })

  test('a stream that outlasts the drain timeout ends with an error event, and the program with 0', async () => {
    const entries = [{ group: 'endless', base: 'drip5/v1' }]
    await withStage(
      configOf(entries),
      async ({ gateway }) => {
        const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: 'POST',
          headers: AUTH,
          body: JSON.stringify({ model: 'endless', stream: true, messages: MESSAGES }),
        })
        assert.equal(answer.status, 200)
        gateway.signal('SIGTERM')
        const text = await answer.text()
        assert.match(text, /\n\ndata: \{"error":\{"message":"The gateway is shutting down[^\n]*\}\n\n$/)
        assert.doesNotMatch(text, /\[DONE\]/)
        assert.deepEqual(await gateway.ended, { code: 0, signal: null })
      },
      { env: { GRACEFUL_SHUTDOWN_TIMEOUT: '1' } },
    )
  })
})

describe('GET /health', () => {
  test('is aimed by group, upstream model or id; 503 where nothing asked for is healthy, 404 for an unknown id', async (t) => {
    await withStage(configOf([GOOD, SLASHED, SICK]), async ({ gateway }) => {
      const cases: readonly (readonly [string, number, number, number])[] = [
        ['', 200, 2, 1],
        ['?model=gpt-4o', 200, 1, 0],
        ['?model=meta/llama-3', 200, 1, 0],
        ['?model=hosted_vllm/meta/llama-3', 200, 1, 0],
        ['?model=openai/gpt-4o', 200, 1, 1],
        ['?model=sick', 503, 0, 1],
        ['?model=nobody', 503, 0, 0],
        ['?model_id=id-gpt-4o', 200, 1, 0],
        ['?model_id=id-sick', 503, 0, 1],
        ['?model_id=id-gpt-4o&model=sick', 200, 1, 0],
      ]
      for (const [query, status, healthy, unhealthy] of cases)
        await t.test(`/health${query}`, async () => {
          const got = await ask(`${gateway.url}/health${query}`, { headers: AUTH })
          assert.equal(got.status, status)
          assert.deepEqual(keysOf(got.json), [
            'healthy_endpoints',
            'unhealthy_endpoints',
            'healthy_count',
            'unhealthy_count',
          ])
          assert.equal(listAt(got.json, 'healthy_endpoints').length, healthy)
          assert.equal(listAt(got.json, 'unhealthy_endpoints').length, unhealthy)
          assert.equal(at(got.json, 'healthy_count'), healthy)
          assert.equal(at(got.json, 'unhealthy_count'), unhealthy)
          assert.equal(got.headers.get('retry-after'), null)
        })
      const missing = await ask(`${gateway.url}/health?model_id=none`, { headers: AUTH })
      assert.equal(missing.status, 404)
      assert.deepEqual(missing.json, {
        detail: { error: 'Model with ID none not found' },
        error: { message: 'Model with ID none not found', type: 'not_found', param: 'model_id', code: '404' },
      })
    })
  })

  test('a sick deployment says what failed, with which status, and never with which key', async () => {
    await withStage(configOf([{ group: 'sick', base: 'echo/v1' }]), async ({ gateway }) => {
      const got = await ask(`${gateway.url}/health`, { headers: AUTH })
      const [sick] = listAt(got.json, 'unhealthy_endpoints')
      assert.deepEqual(keysOf(sick), [
        'api_base',
        'model',
        'error',
        'raw_request_typed_dict',
        'model_id',
        'exception_status',
        'model_name',
        'mode',
        'health_state',
        'reason',
        'checked_at',
        'latency_ms',
        'since',
      ])
      assert.equal(at(sick, 'exception_status'), 401)
      assert.equal(at(sick, 'reason'), 'auth')
      assert.equal(at(sick, 'health_state'), 'SUSPECT')
      assert.ok(!got.text.includes(UPSTREAM_KEY))
    })
  })

  test('what has no verdict yet is unknown: listed so untargeted, 503 with Retry-After when asked for', async () => {
    const settings = `${SETTINGS}  background_health_checks: true\n`
    await withStage(configOf([GOOD, WAITING], settings), async ({ gateway }) => {
      const all = await eventually(
        () => ask(`${gateway.url}/health`, { headers: AUTH }),
        ({ json }) => at(json, 'healthy_count') === 1,
      )
      assert.equal(all.status, 200)
      assert.equal(at(all.json, 'unknown_count'), 1)
      assert.equal(at(all.json, 'unknown_endpoints', 0, 'reason'), 'not_checked_yet')
      assert.equal(at(all.json, 'unknown_endpoints', 0, 'model_id'), 'id-waiting')
      const aimed = await ask(`${gateway.url}/health?model=waiting`, { headers: AUTH })
      assert.equal(aimed.status, 503)
      assert.match(aimed.headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(at(aimed.json, 'unknown_count'), 1)
    })
  })

  test('a caller that leaves ends the probes that only it waited for', async () => {
    await withStage(configOf([WAITING]), async ({ gateway, fake }) => {
      const leaving = new AbortController()
      const left = fetch(`${gateway.url}/health`, { headers: AUTH, signal: leaving.signal })
      await eventually(
        () => fake.traffic('hang').inFlight,
        (running) => running === 1,
      )
      leaving.abort()
      await assert.rejects(left, { name: 'AbortError' })
      await eventually(
        () => fake.traffic('hang').inFlight,
        (running) => running === 0,
      )
    })
  })

  test('a hundred callers at once share one probe of each deployment', async () => {
    const entries = ['slow200/v1', 'slow100/v1', 'ok/v1', 'e500/v1'].map((base, index) => ({
      group: `group-${index}`,
      base,
    }))
    await withStage(configOf(entries), async ({ gateway, fake }) => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => ask(`${gateway.url}/health`, { headers: AUTH })),
      )
      for (const { json } of answers) {
        assert.equal(at(json, 'healthy_count'), 3)
        assert.equal(at(json, 'unhealthy_count'), 1)
      }
      assert.deepEqual(
        fake
          .journal()
          .map(({ url }) => url)
          .sort(),
        [
          '/e500/v1/chat/completions',
          '/ok/v1/chat/completions',
          '/slow100/v1/chat/completions',
          '/slow200/v1/chat/completions',
        ],
      )
    })
  })

  test('background on: a thousand callers cause no upstream request', async () => {
    const settings = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 300\n`
    await withStage(configOf([GOOD, SLASHED, SICK], settings), async ({ gateway, fake }) => {
      await eventually(
        () => ask(`${gateway.url}/health`, { headers: AUTH }),
        ({ json }) => at(json, 'unhealthy_endpoints', 0, 'health_state') === 'MISCONFIGURED',
      )
      fake.clearJournal()
      // Long enough that a live check could no longer reuse the first verdicts.
      await eventually(
        () => ask(`${gateway.url}/health`, { headers: AUTH }),
        ({ json }) => Date.now() - Date.parse(String(at(json, 'healthy_endpoints', 0, 'checked_at'))) > 1100,
      )
      for (let round = 0; round < 20; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => ask(`${gateway.url}/health`, { headers: AUTH })),
        )
        for (const { json } of answers) assert.equal(at(json, 'healthy_count'), 2)
      }
      assert.deepEqual(fake.journal(), [])
    })
  })

  test('background on: every verdict turns when the provider dies, and back when it returns', async () => {
    const settings = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 1\n`
    const entries = ['ok/v1', 'slow20/v1', 'drip1/v1'].map((base, index) => ({
      group: `group-${index}`,
      base,
    }))
    await withStage(configOf(entries, settings), async ({ gateway, fake }) => {
      const counts = async (): Promise<readonly unknown[]> => {
        const { json } = await ask(`${gateway.url}/health`, { headers: AUTH })
        return [at(json, 'healthy_count'), at(json, 'unhealthy_count')]
      }
      await gateway.seen(/^3 healthy, 0 unhealthy$/m)
      await fake.stop()
      await eventually(counts, ([, unhealthy]) => unhealthy === 3, 3000)
      const { json } = await ask(`${gateway.url}/health`, { headers: AUTH })
      for (const sick of listAt(json, 'unhealthy_endpoints')) assert.equal(at(sick, 'reason'), 'unreachable')
      const again = await startFakeProvider({ port: fake.port })
      try {
        await eventually(counts, ([healthy]) => healthy === 3, 3000)
        assert.deepEqual(
          complaints(gateway).filter((line) => !line.includes('"event":"health_changed"')),
          [],
        )
      } finally {
        await again.stop()
      }
    })
  })
})

describe('the lists of models', () => {
  test('/v1/models and /models name each group once; an id may hold a slash', async () => {
    await withStage(configOf([GOOD, GOOD, SLASHED]), async ({ gateway }) => {
      for (const prefix of ['', '/v1']) {
        const { status, json } = await ask(`${gateway.url}${prefix}/models`, { headers: AUTH })
        assert.equal(status, 200)
        assert.equal(at(json, 'object'), 'list')
        assert.deepEqual(
          listAt(json, 'data').map((each) => at(each, 'id')),
          ['gpt-4o', 'meta/llama-3'],
        )
        assert.deepEqual(keysOf(at(json, 'data', 0)), ['id', 'object', 'created', 'owned_by'])
        const one = await ask(`${gateway.url}${prefix}/models/meta/llama-3`, { headers: AUTH })
        assert.deepEqual([one.status, at(one.json, 'id')], [200, 'meta/llama-3'])
        const none = await ask(`${gateway.url}${prefix}/models/meta/llama-4`, { headers: AUTH })
        assert.equal(none.status, 404)
        assert.equal(at(none.json, 'error', 'type'), 'not_found')
        assert.equal(typeof at(none.json, 'detail'), 'string')
      }
    })
  })

  test('/v1/model/info shows parameters without a secret and without null padding', async () => {
    const entries = [
      {
        ...GOOD,
        params: ', organization: org-secret-1, rpm: 60, extra_headers: { x-team: team-secret-1 }',
        info: ', base_model: null, mode: chat',
      },
      SICK,
    ]
    await withStage(configOf(entries), async ({ gateway }) => {
      for (const path of ['/v1/model/info', '/model/info']) {
        const got = await ask(gateway.url + path, { headers: AUTH })
        assert.equal(got.status, 200)
        assert.equal(listAt(got.json, 'data').length, 2)
        assert.doesNotMatch(got.text, /null|sk-upstream|org-secret|team-secret/)
        const first = at(got.json, 'data', 0)
        assert.deepEqual(keysOf(first), ['model_name', 'litellm_params', 'model_info'])
        assert.equal(at(first, 'litellm_params', 'model'), 'openai/gpt-4o')
        assert.equal(at(first, 'litellm_params', 'rpm'), 60)
        assert.equal(at(first, 'model_info', 'id'), 'id-gpt-4o')
        const one = await ask(`${gateway.url}${path}?litellm_model_id=id-sick`, { headers: AUTH })
        assert.deepEqual(
          listAt(one.json, 'data').map((each) => at(each, 'model_name')),
          ['sick'],
        )
        const none = await ask(`${gateway.url}${path}?litellm_model_id=none`, { headers: AUTH })
        assert.equal(none.status, 404)
        assert.deepEqual(none.json, {
          detail: { error: 'Model id = none not found on litellm proxy' },
          error: {
            message: 'Model id = none not found on litellm proxy',
            type: 'not_found',
            param: 'litellm_model_id',
            code: '404',
          },
        })
      }
    })
  })
})
