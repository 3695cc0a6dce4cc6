import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, chat, complaints, eventually, SETTINGS, withStage, type Answer } from './asking.ts'
import { connect, refused, type ClientSession } from './sessions.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'

/** A deployment: its group, its id, and what else stands in its params and its model_info. */
type Row = readonly [group: string, id: string, params?: string, info?: string]

const configOf =
  (rows: readonly Row[], settings: string) =>
  (fake: FakeProvider): string => {
    const entries = rows.map(([group, id, params = '', info = '']) => {
      const base = params.includes('api_base') ? '' : `, api_base: '${fake.url}/ok/v1'`
      const model = params.includes('model:') ? '' : 'model: openai/gpt-4o, '
      return `  - { model_name: ${group}, litellm_params: { ${model}api_key: sk-up${base}${params.replaceAll('FAKE', fake.url)} }, model_info: { id: ${id}${info} } }`
    })
    return `model_list:\n${entries.join('\n')}\n${SETTINGS}${settings}`
  }

const idOf = ({ headers }: Answer): string | null => headers.get('x-litellm-model-id')
const lastBody = (fake: FakeProvider): unknown => fake.journal().at(-1)?.body

describe('limits of deployments', () => {
  test('rpm is kept, fallbacks come before the refusal, and that says when to come again', async () => {
    const rows: readonly Row[] = [
      ['g', 'one', ', rpm: 2'],
      ['g', 'two', ', rpm: 1'],
      ['h', 'three', ', rpm: 1'],
    ]
    await withStage(configOf(rows, 'router_settings: { fallbacks: [{ h: [g] }] }\n'), async (stage) => {
      const { gateway, fake } = stage
      const ids = []
      for (const model of ['h', 'g', 'h', 'h']) ids.push(idOf(await chat(gateway, { model })))
      assert.deepEqual(ids.slice(0, 1), ['three'])
      assert.deepEqual(ids.filter((id) => id === 'one').length, 2)
      assert.equal(ids.filter((id) => id === 'two').length, 1)
      for (const model of ['g', 'h']) {
        const refused = await chat(gateway, { model })
        assert.deepEqual(
          [refused.status, at(refused.json, 'error', 'type')],
          [429, 'throttled'],
          refused.text,
        )
        assert.equal(refused.headers.get('x-pulsegate-error-source'), 'gateway')
        const seconds = Number(refused.headers.get('retry-after'))
        assert.ok(seconds > 40 && seconds <= 62, `Retry-After: ${seconds}`)
      }
      assert.equal(fake.journal().length, 4)
      const health = await ask(`${gateway.url}/health/liveliness`)
      assert.equal(health.status, 200)
    })
  })

  test('requests in flight are bounded, and a client that leaves frees its place', async () => {
    const rows: readonly Row[] = [['g', 'one', ", api_base: 'FAKE/hang/v1'"]]
    const settings = 'router_settings: { default_max_parallel_requests: 1 }\n'
    await withStage(configOf(rows, settings), async ({ gateway, fake }) => {
      const leaving = new AbortController()
      const first = fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...AUTH, 'content-type': 'application/json' },
        body: '{"model":"g","messages":[]}',
        signal: leaving.signal,
      }).catch(() => 'left')
      while (fake.journal().length === 0) await new Promise(setImmediate)
      const second = await chat(gateway, { model: 'g' })
      assert.deepEqual([second.status, second.headers.get('retry-after')], [429, '1'])
      leaving.abort()
      assert.equal(await first, 'left')
      const third = await chat(gateway, { model: 'g', timeout: 0.3, num_retries: 0 })
      assert.equal(third.status, 504, 'it was let in, and hung')
    })
  })
})

/** The session, as soon as its place is free. */
async function opened(dial: () => ReturnType<typeof connect>): Promise<ClientSession> {
  const answer = await eventually(dial, (given) => 'socket' in given)
  assert.ok('socket' in answer)
  return answer
}

describe('limits of sessions', () => {
  test('a realtime session has its place for as long as it lasts, and frees it however it ends', async () => {
    const rows: readonly Row[] = [
      ['voice', 'voice', ', model: openai/gpt-realtime, max_parallel_requests: 1', ', mode: realtime'],
    ]
    await withStage(configOf(rows, ''), async ({ gateway }) => {
      const path = '/v1/realtime?model=voice'
      // Each round proves that the one before it has freed the place.
      for (const end of ['close', 'terminate', 'close'] as const) {
        const session = await opened(() => connect(gateway, path, { headers: AUTH }))
        const second = await refused(gateway, path, { headers: AUTH })
        assert.deepEqual([second.status, second.headers['retry-after']], [429, '1'], second.text)
        session.socket[end]()
      }
    })
  })
})

describe('names', () => {
  test('an alias answers for its group, and is listed unless it is hidden', async () => {
    const settings =
      'router_settings: { model_group_alias: { gpt-4: g, secret: { model: g, hidden: true } }, default_fallbacks: [g] }\n'
    await withStage(configOf([['g', 'one']], settings), async ({ gateway }) => {
      for (const model of ['gpt-4', 'secret', 'g', 'one']) {
        const got = await chat(gateway, { model })
        assert.deepEqual([got.status, idOf(got)], [200, 'one'])
        assert.equal(got.headers.get('x-litellm-model-group'), model)
      }
      const unknown = await chat(gateway, { model: 'nobody' })
      assert.deepEqual([unknown.status, unknown.headers.get('x-litellm-model-group')], [200, 'g'])
      assert.equal(unknown.headers.get('x-litellm-attempted-fallbacks'), '1')
      const { json } = await ask(`${gateway.url}/v1/models`, { headers: AUTH })
      assert.deepEqual(
        [at(json, 'data', 0, 'id'), at(json, 'data', 1, 'id'), at(json, 'data', 2)],
        ['g', 'gpt-4', undefined],
      )
      assert.equal((await ask(`${gateway.url}/v1/models/gpt-4`, { headers: AUTH })).status, 200)
    })
  })

  test('an alias stands for its group in health checks too, aimed at or in the background', async () => {
    const settings =
      '  background_health_checks: true\n  background_health_check_model_groups: [gpt-4]\n' +
      'router_settings: { model_group_alias: { gpt-4: g } }\n'
    const entries = [
      ['g', 'one'],
      ['h', 'two'],
    ] as const
    await withStage(configOf(entries, settings), async ({ gateway }) => {
      const health = async (model: string): Promise<readonly unknown[]> => {
        const { json } = await ask(`${gateway.url}/health?model=${model}`, { headers: AUTH })
        return [at(json, 'healthy_count'), at(json, 'unhealthy_count')]
      }
      await eventually(
        () => health('gpt-4'),
        ([healthy]) => healthy === 1,
      )
      assert.deepEqual(await health('g'), [1, 0])
      assert.deepEqual(await health('h'), [0, 0])
    })
  })

  test('a strategy that does not exist is complained of, and requests are answered all the same', async () => {
    const settings = 'router_settings: { routing_strategy: latency-based }\n'
    await withStage(configOf([['g', 'one']], settings), async ({ gateway }) => {
      assert.equal((await chat(gateway, { model: 'g' })).status, 200)
      assert.match(complaints(gateway).join('\n'), /routing_strategy: is none of simple-shuffle, least-busy/)
    })
  })
})

describe('tags', () => {
  const rows: readonly Row[] = [
    ['g', 'free', ', tags: [free]'],
    ['g', 'paid', ', tags: [paid, eu]'],
    ['g', 'agent', ", tag_regex: ['^User-Agent: coder/']"],
    ['h', 'usual', ', tags: [default]'],
    ['h', 'other', ', tags: [other]'],
  ]
  const settings = 'router_settings: { enable_tag_filtering: true }\n'

  test('a request goes where its tags, its user agent or the default tag lead', async () => {
    await withStage(configOf(rows, settings), async ({ gateway, fake }) => {
      type Case = readonly [object, Readonly<Record<string, string>>, string]
      const cases: readonly Case[] = [
        [{ model: 'g', tags: ['free'] }, {}, 'free'],
        [{ model: 'g', metadata: { tags: ['eu'], team: 'x' } }, {}, 'paid'],
        [{ model: 'g' }, { 'x-litellm-tags': 'none, paid' }, 'paid'],
        [{ model: 'g' }, { 'user-agent': 'coder/1.0' }, 'agent'],
        [{ model: 'h' }, {}, 'usual'],
        [{ model: 'h', tags: ['free'] }, {}, 'usual'],
      ]
      for (const [body, headers, expected] of cases)
        for (let sent = 0; sent < 4; sent += 1) {
          const got = await chat(gateway, body, { headers })
          assert.deepEqual([got.status, idOf(got)], [200, expected], JSON.stringify(body))
          assert.equal(at(lastBody(fake), 'tags'), undefined)
          assert.equal(got.headers.get('x-pulsegate-dropped-params'), null)
          if ('metadata' in body) assert.deepEqual(at(lastBody(fake), 'metadata'), { team: 'x' })
        }
      const refused = await chat(gateway, { model: 'g', tags: ['nobody'] })
      assert.equal(refused.status, 401)
      assert.match(refused.text, /Not allowed to access model due to tags configuration/)
    })
  })

  test('all of them must be there where any is not enough, and none counts where nobody looks', async () => {
    const all = 'router_settings: { enable_tag_filtering: true, tag_filtering_match_any: false }\n'
    await withStage(configOf(rows, all), async ({ gateway }) => {
      assert.equal(idOf(await chat(gateway, { model: 'g', tags: ['eu', 'paid'] })), 'paid')
      assert.equal((await chat(gateway, { model: 'g', tags: ['eu', 'free'] })).status, 401)
    })
    await withStage(configOf(rows, ''), async ({ gateway }) => {
      const got = await chat(gateway, { model: 'g', tags: ['nobody'] })
      assert.equal(got.status, 200)
      assert.equal(got.headers.get('x-pulsegate-dropped-params'), 'tags')
    })
  })
})

describe('cost-based-routing and checks before a call', () => {
  test('the cheapest is asked: by what is written, else by the catalogue, and the unknown last', async () => {
    const rows: readonly Row[] = [
      ['g', 'dear', ', model: openai/gpt-4o'],
      ['g', 'cheap', ', model: openai/gpt-4o-mini'],
      ['g', 'unknown', ', model: openai/nobody-knows'],
      ['h', 'catalogue', ', model: openai/gpt-4o-mini'],
      ['h', 'written', ', input_cost_per_token: 1e-12', ', output_cost_per_token: 0'],
    ]
    const settings = 'router_settings: { routing_strategy: cost-based-routing }\n'
    await withStage(configOf(rows, settings), async ({ gateway }) => {
      for (let sent = 0; sent < 5; sent += 1) {
        assert.equal(idOf(await chat(gateway, { model: 'g' })), 'cheap')
        assert.equal(idOf(await chat(gateway, { model: 'h' })), 'written')
      }
    })
  })

  test('a request that is too long goes to who has room, to the fallbacks for that, or nowhere', async () => {
    const rows: readonly Row[] = [
      ['g', 'small', ', model: azure/mine, api_version: 2024-10-21', ', base_model: gpt-4'],
      ['g', 'large', ', model: openai/mine', ', max_input_tokens: 30000'],
      ['s', 'tiny', '', ', max_tokens: 50'],
    ]
    const settings =
      'router_settings: { enable_pre_call_checks: true, context_window_fallbacks: [{ s: [g] }] }\n'
    await withStage(configOf(rows, settings), async ({ gateway, fake }) => {
      const long = [{ role: 'user', content: 'word '.repeat(10_000) }]
      for (const model of ['g', 'g', 'g', 's']) {
        const got = await chat(gateway, { model, messages: long })
        assert.deepEqual([got.status, idOf(got)], [200, 'large'], got.text)
      }
      const asked = fake.journal().length
      const refused = await chat(gateway, {
        model: 's',
        messages: [{ role: 'user', content: 'word '.repeat(60_000) }],
      })
      assert.deepEqual([refused.status, at(refused.json, 'error', 'type')], [400, 'bad_request'])
      assert.match(refused.text, /Context Window exceeded for given call/)
      assert.equal(fake.journal().length, asked)
    })
  })
})

describe('what a request says of itself', () => {
  const rows: readonly Row[] = [
    ['g', 'sick', ", api_base: 'FAKE/e500/v1'"],
    ['slow', 'slow', ", api_base: 'FAKE/hang/v1'"],
    ['spare', 'spare', ''],
  ]

  test('headers beat members: retries and deadlines', async () => {
    await withStage(configOf(rows, ''), async ({ gateway, fake }) => {
      const headers = { 'x-litellm-num-retries': '0' }
      await chat(gateway, { model: 'g', num_retries: 3 }, { headers })
      assert.equal(fake.journal().length, 1)
      for (const [name, stream] of [
        ['x-litellm-timeout', false],
        ['x-litellm-stream-timeout', true],
      ] as const) {
        const late = await chat(
          gateway,
          { model: 'slow', stream, num_retries: 0 },
          { headers: { [name]: '0.3' } },
        )
        assert.equal(late.status, 504, late.text)
      }
    })
  })

  test('tests of fallbacks are answered by the fallback, and nobody else is asked', async () => {
    const settings = 'router_settings: { fallbacks: [{ spare: [slow] }, { slow: [spare] }] }\n'
    await withStage(configOf(rows, settings), async ({ gateway, fake }) => {
      const got = await chat(gateway, { model: 'slow', mock_testing_fallbacks: true })
      assert.deepEqual([got.status, idOf(got), fake.journal().length], [200, 'spare', 1])
      assert.equal(at(lastBody(fake), 'mock_testing_fallbacks'), undefined)
      assert.equal(got.headers.get('x-pulsegate-dropped-params'), null)
    })
  })
})

describe('what goes into a body', () => {
  test('extra_body is merged up, and what must not go out does not', async () => {
    const rows: readonly Row[] = [
      ['g', 'one', ', extra_body: { top_k: 4 }, additional_drop_params: [seed, "tools[*].strict"]'],
      ['o', 'two', ', model: openai/o3-mini'],
    ]
    await withStage(
      configOf(rows, 'litellm_settings: { drop_params: true }\n'),
      async ({ gateway, fake }) => {
        const got = await chat(gateway, {
          model: 'g',
          seed: 1,
          tools: [{ a: 1, strict: true }],
          extra_body: { min_p: 0.1, api_key: 'sk-x', seed: 2 },
        })
        assert.equal(got.headers.get('x-pulsegate-dropped-params'), 'seed, tools')
        const body = lastBody(fake)
        assert.deepEqual([at(body, 'top_k'), at(body, 'min_p'), at(body, 'tools')], [4, 0.1, [{ a: 1 }]])
        for (const name of ['seed', 'extra_body', 'api_key']) assert.equal(at(body, name), undefined, name)

        await chat(gateway, { model: 'o', temperature: 1, user: 'u', additional_drop_params: ['user'] })
        for (const name of ['temperature', 'user', 'additional_drop_params'])
          assert.equal(at(lastBody(fake), name), undefined, name)
        await chat(gateway, { model: 'o', temperature: 1, allowed_openai_params: ['temperature'] })
        assert.equal(at(lastBody(fake), 'temperature'), 1)
      },
    )
  })
})

describe('answers that nobody gave', () => {
  const rows: readonly Row[] = [
    ['canned', 'canned', ', mock_response: "Hello there, this is a canned answer."'],
    ['busy', 'busy', ', mock_response: litellm.RateLimitError'],
    ['spare', 'spare', ''],
    ['late', 'late', ', mock_response: late, mock_delay: 0.2'],
    ['never', 'never', ', mock_timeout: true, timeout: 0.3'],
    ['vector', 'vector', ', model: openai/text-embedding-3-small, mock_response: [0.25, 0.5]'],
  ]

  test('a mock_response is answered in the form asked for, and nothing is sent', async () => {
    const settings = 'router_settings: { num_retries: 0, fallbacks: [{ busy: [canned] }] }\n'
    await withStage(configOf(rows, settings), async ({ gateway, fake }) => {
      const whole = await chat(gateway, { model: 'canned' })
      const words = 'Hello there, this is a canned answer.'
      assert.equal(at(whole.json, 'choices', 0, 'message', 'content'), words)
      const own = await chat(gateway, { model: 'spare', mock_response: 'mine' })
      assert.equal(at(own.json, 'choices', 0, 'message', 'content'), 'mine')
      assert.equal(own.headers.get('x-pulsegate-dropped-params'), null)
      const { text } = await chat(gateway, { model: 'canned', stream: true })
      const pieces = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece = '']) => piece)
      assert.equal(pieces.join(''), words)
      assert.match(text, /"finish_reason":"stop"\}\]\}\n\ndata: \[DONE\]\n\n$/)
      const completion = await ask(`${gateway.url}/v1/completions`, {
        headers: AUTH,
        body: { model: 'canned', prompt: 'x' },
      })
      assert.equal(at(completion.json, 'choices', 0, 'text'), words)
      const vector = await ask(`${gateway.url}/v1/embeddings`, {
        headers: AUTH,
        body: { model: 'vector', input: 'x' },
      })
      assert.deepEqual(at(vector.json, 'data', 0, 'embedding'), [0.25, 0.5])
      const fallen = await chat(gateway, { model: 'busy' })
      assert.deepEqual([fallen.status, idOf(fallen)], [200, 'canned'])
      assert.equal(fake.journal().length, 0)
    })
  })

  test('an answer may be late, or never come, by the deployment’s word or the client’s', async () => {
    await withStage(configOf(rows, 'router_settings: { num_retries: 0 }\n'), async ({ gateway, fake }) => {
      const took = async (body: object): Promise<readonly [number, number]> => {
        const startedMs = performance.now()
        const { status } = await chat(gateway, body)
        return [status, performance.now() - startedMs]
      }
      for (const stream of [false, true]) {
        const [late, lateMs] = await took({ model: 'late', stream })
        assert.deepEqual([late, lateMs >= 199], [200, true])
        const [own, ownMs] = await took({ model: 'spare', stream, mock_response: 'x', mock_delay: 0.25 })
        assert.deepEqual([own, ownMs >= 249], [200, true])
        const [never, neverMs] = await took({ model: 'never', stream })
        assert.deepEqual([never, neverMs >= 299], [504, true])
        const [asked] = await took({ model: 'spare', stream, mock_timeout: true, timeout: 0.2 })
        assert.equal(asked, 504)
      }
      assert.equal(fake.journal().length, 0)
      const alone = await chat(gateway, { model: 'spare', mock_delay: 1 })
      assert.equal(alone.headers.get('x-pulsegate-dropped-params'), 'mock_delay')
    })
  })

  test('a client’s mock error is its own, and no evidence against anybody', async () => {
    await withStage(configOf(rows, ''), async ({ gateway, fake }) => {
      for (let sent = 0; sent < 8; sent += 1) {
        const got = await chat(gateway, {
          model: 'spare',
          mock_response: 'litellm.NotFoundError',
          num_retries: 0,
        })
        assert.equal(got.status, 404)
      }
      assert.equal(fake.journal().length, 0)
      assert.equal((await chat(gateway, { model: 'spare' })).status, 200)
      assert.doesNotMatch(gateway.stderr(), /cooldown_begun/)
    })
  })
})
