import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, chat, configOf, eventually, listAt, withStage, type Answer } from './asking.ts'
import type { Gateway } from './program.ts'

const ONE = [{ group: 'a', base: 'ok/v1' }] as const
const TWINS = `model_list:
  - model_name: g
    litellm_params: { model: openai/one, api_base: BASE/ok/v1, api_key: sk-up-1 }
    model_info: { id: eu/one }
  - model_name: g
    litellm_params: { model: openai/two, api_base: BASE/ok/v1, api_key: sk-up-2 }
    model_info: { id: two }
general_settings: { master_key: sk-1234, drain_delay: 0 }
`

const post = (gateway: Gateway, path: string, body?: object | string): Promise<Answer> =>
  ask(`${gateway.url}/health/deployments/${path}`, {
    method: 'POST',
    headers: AUTH,
    ...(body !== undefined && { body }),
  })

const askedModels = (journal: readonly { readonly body?: unknown }[]): ReadonlySet<unknown> =>
  new Set(journal.map(({ body }) => at(body, 'model')))

describe('an operator', () => {
  test('takes a deployment out at once, with a reason that health shows, and puts it back', async () => {
    await withStage(
      ({ url }) => TWINS.replaceAll('BASE', url),
      async ({ gateway, fake }) => {
        const out = await post(gateway, 'eu/one/isolate', { reason: 'new\u001B[2J driver', ttl: 3600 })
        assert.equal(out.status, 200, out.text)
        const [view] = listAt(out.json, 'deployments')
        assert.equal(at(view, 'health_state'), 'ISOLATED')
        assert.equal(at(view, 'in_rotation'), false)
        assert.match(
          String(at(view, 'why')),
          /^ISOLATED for 0 s: an operator has taken it out: new \[2J driver, until 20\d\d-.*Z\.$/,
        )
        const aheadMs = Date.parse(String(at(view, 'until'))) - Date.now()
        assert.ok(aheadMs > 3_500_000 && aheadMs <= 3_600_000, String(aheadMs))
        for (let call = 0; call < 12; call += 1)
          assert.equal((await chat(gateway, { model: 'g' })).status, 200)
        assert.deepEqual([...askedModels(fake.journal())], ['two'])
        const health = await ask(`${gateway.url}/health?model_id=eu/one`, { headers: AUTH })
        assert.match(String(at(health.json, 'unhealthy_endpoints', 0, 'error')), /taken it out: new/)

        // The reader of health has looked for itself.
        fake.clearJournal()
        const back = await post(gateway, 'eu%2Fone/restore')
        assert.equal(back.status, 200, back.text)
        assert.equal(at(back.json, 'deployments', 0, 'in_rotation'), true)
        await eventually(
          async () => {
            await chat(gateway, { model: 'g' })
            return askedModels(fake.journal()).has('one')
          },
          (isAsked) => isAsked,
        )
        await eventually(
          async () => (await ask(`${gateway.url}/health/deployments/eu/one`, { headers: AUTH })).json,
          (view) => at(view, 'deployments', 0, 'health_state') === 'HEALTHY',
        )
      },
    )
  })

  test('a ttl that has passed puts it back by itself', async () => {
    await withStage(configOf(ONE), async ({ gateway }) => {
      await post(gateway, 'id-a/isolate', { ttl: 0.3 })
      assert.equal((await chat(gateway, { model: 'a' })).status, 503)
      await eventually(
        async () => (await chat(gateway, { model: 'a' })).status,
        (status) => status === 200,
      )
    })
  })

  test('where all of a group are taken out, nobody is asked, not even as a last resort', async () => {
    await withStage(configOf(ONE), async ({ gateway, fake }) => {
      await post(gateway, 'id-a/isolate')
      for (let call = 0; call < 5; call += 1) assert.equal((await chat(gateway, { model: 'a' })).status, 503)
      assert.equal(fake.journal().length, 0)
      const view = await ask(`${gateway.url}/health/deployments/id-a`, { headers: AUTH })
      assert.match(String(at(view.json, 'deployments', 0, 'why')), /until somebody restores it\.$/)
    })
  })

  test('has one checked now: at once for a script that goes on, or with the verdict where it waits', async () => {
    const entries = [...ONE, { group: 'sick', base: 'e500/v1' }]
    await withStage(configOf(entries), async ({ gateway, fake }) => {
      const started = await post(gateway, 'id-a/probe')
      assert.equal(started.status, 202, started.text)
      assert.equal(at(started.json, 'status'), 'started')
      await eventually(
        () => fake.journal().length,
        (asked) => asked === 1,
      )
      const good = await post(gateway, 'id-a/probe?wait=true')
      assert.deepEqual([good.status, at(good.json, 'status')], [200, 'healthy'], good.text)
      assert.equal(at(good.json, 'deployments', 0, 'health_state'), 'HEALTHY')
      const bad = await post(gateway, 'id-sick/probe?wait=true')
      assert.deepEqual([bad.status, at(bad.json, 'status')], [200, 'unhealthy'], bad.text)
      assert.equal(at(bad.json, 'results', 0, 'reason'), 'server_error')
      assert.match(String(at(bad.json, 'results', 0, 'error')), /answered 500/)
    })
  })

  test('one that is taken out may be checked, and stays out whatever the check says', async () => {
    await withStage(configOf(ONE), async ({ gateway }) => {
      await post(gateway, 'id-a/isolate')
      const checked = await post(gateway, 'id-a/probe?wait=true')
      assert.equal(at(checked.json, 'status'), 'healthy')
      assert.equal(at(checked.json, 'deployments', 0, 'health_state'), 'ISOLATED')
    })
  })

  test('each order is one line of the log that says who, what and whom, without the key', async () => {
    await withStage(configOf(ONE), async ({ gateway }) => {
      await post(gateway, 'id-a/isolate', { reason: 'maintenance sk-1234' })
      const [line] = await gateway.seen(/^.*operator_action.*$/m)
      const said: unknown = JSON.parse(line)
      assert.equal(at(said, 'action'), 'isolate')
      assert.equal(at(said, 'model_id'), 'id-a')
      assert.equal(at(said, 'by'), 'master_key')
      assert.match(String(at(said, 'key_hash')), /^[0-9a-f]{8}$/)
      assert.equal(at(said, 'reason'), 'maintenance [secret]')
      assert.ok(!gateway.stderr().includes('sk-1234'))
    })
  })

  test('a bad order is refused, says what is wrong, and changes nothing', async () => {
    await withStage(configOf(ONE), async ({ gateway }) => {
      for (const [path, body, status, words] of [
        ['id-a/isolate', { ttl: '5 min' }, 400, /ttl: .*number/],
        ['id-a/isolate', { ttl: -1 }, 400, /ttl/],
        ['id-a/isolate', { ttl: 1e9 }, 400, /ttl/],
        ['id-a/isolate', { reasons: 'x' }, 400, /reasons/],
        ['id-a/isolate', '{"ttl":', 400, /JSON/],
        ['id-a/isolate', '[]', 400, /object/],
        ['id-a/restore', { ttl: 5 }, 400, /ttl/],
        ['id-a/probe?wait=please', undefined, 400, /wait/],
        ['id-a/remove', undefined, 404, /probe, isolate, restore/],
        ['nobody/isolate', undefined, 404, /Model with ID nobody not found/],
      ] as const) {
        const answer = await post(gateway, path, body)
        assert.equal(answer.status, status, `${path} ${answer.text}`)
        assert.match(String(at(answer.json, 'error', 'message')), words)
      }
      assert.equal((await chat(gateway, { model: 'a' })).status, 200)
    })
  })

  test('without the key, and where there is none, nobody may', async () => {
    await withStage(configOf(ONE), async ({ gateway }) => {
      for (const headers of [{}, { authorization: 'Bearer sk-other' }]) {
        const answer = await ask(`${gateway.url}/health/deployments/id-a/isolate`, {
          method: 'POST',
          headers,
        })
        assert.equal(answer.status, 401)
      }
    })
    await withStage(configOf(ONE, 'general_settings:\n  drain_delay: 0\n'), async ({ gateway }) => {
      const answer = await post(gateway, 'id-a/isolate')
      assert.equal(answer.status, 403)
      assert.match(answer.text, /master_key/)
      assert.equal((await chat(gateway, { model: 'a' })).status, 200)
    })
  })
})
