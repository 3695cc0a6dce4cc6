import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, chat, eventually, listAt, SETTINGS, withStage, type Stage } from './asking.ts'
import { freePort } from './program.ts'

const BACKGROUND = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 30\n`

interface Member {
  readonly group: string
  readonly id: string
  readonly base: string
  readonly key?: string
}

const configOf = (members: readonly Member[], settings = BACKGROUND): string =>
  `model_list:\n${members
    .map(
      ({ group, id, base, key = 'sk-up' }) =>
        `  - model_name: ${group}\n` +
        `    litellm_params: { model: openai/gpt-4o, api_base: '${base}', api_key: ${key} }\n` +
        `    model_info: { id: ${id} }\n`,
    )
    .join('')}${settings}`

/** The entries of GET /health, healthy or not, by id. */
async function entries({ gateway }: Pick<Stage, 'gateway'>): Promise<ReadonlyMap<unknown, unknown>> {
  const { json } = await ask(`${gateway.url}/health`, { headers: AUTH })
  const all = [...listAt(json, 'healthy_endpoints'), ...listAt(json, 'unhealthy_endpoints')]
  return new Map(all.map((entry) => [at(entry, 'model_id'), entry]))
}

const stateOf = async (stage: Pick<Stage, 'gateway'>, id: string): Promise<unknown> =>
  at((await entries(stage)).get(id), 'health_state')

describe('the health engine, from outside', () => {
  test('a client that only sends bad requests takes no model from anybody', async () => {
    for (const fault of ['e400', 'e422', 'e409'])
      await withStage(
        ({ url }) => configOf([{ group: 'g', id: 'g', base: `${url}/${fault}/v1` }], SETTINGS),
        async ({ gateway }) => {
          for (let sent = 0; sent < 60; sent += 1) {
            const { status } = await chat(gateway, { model: 'g' })
            assert.ok(status < 500 && status !== 429, `${fault}: ${status}`)
          }
        },
      )
  })

  test('a refused key marks its own deployments, with the fix, and not those of other keys', async () => {
    await withStage(
      ({ url }) =>
        configOf([
          { group: 'a', id: 'refused', base: `${url}/e401/v1`, key: 'sk-one' },
          { group: 'b', id: 'same-key', base: `${url}/e401/v1`, key: 'sk-one' },
          { group: 'c', id: 'other-key', base: `${url}/ok/v1`, key: 'sk-two' },
        ]),
      async (stage) => {
        for (const id of ['refused', 'same-key'])
          await eventually(
            () => stateOf(stage, id),
            (state) => state === 'MISCONFIGURED',
          )
        const known = await entries(stage)
        assert.match(String(at(known.get('refused'), 'error')), /check the api_key and its permissions/)
        assert.equal(at(known.get('other-key'), 'health_state'), 'HEALTHY')
        assert.equal((await chat(stage.gateway, { model: 'c' })).status, 200)
        const answer = await chat(stage.gateway, { model: 'a' })
        assert.equal(answer.status, 503)
        assert.match(String(at(answer.json, 'error', 'message')), /MISCONFIGURED \(auth\) since \d+ s/)
      },
    )
  })

  test('where all are down everybody is told at once, and one at a time finds out', async () => {
    const port = await freePort()
    await withStage(
      ({ url }) =>
        configOf([
          { group: 'g', id: 'one', base: `${url}/e500/v1` },
          { group: 'g', id: 'two', base: `http://127.0.0.1:${port}/v1` },
        ]),
      async (stage) => {
        const { gateway } = stage
        for (const id of ['one', 'two'])
          await eventually(
            () => stateOf(stage, id),
            (state) => state === 'DOWN',
          )
        const answer = await chat(gateway, { model: 'g' })
        assert.equal(answer.status, 503)
        assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
        const message = String(at(answer.json, 'error', 'message'))
        assert.match(message, /DOWN \(server_error\) since \d+ s/)
        assert.match(message, /\(unreachable\) since \d+ s, no connection comes about/)
      },
    )
  })

  test('where nobody can be reached at all nobody is called down, and the answer says why', async () => {
    const ports = [await freePort(), await freePort(), await freePort()]
    const members = ports.map((port, index) => ({
      group: 'g',
      id: `id-${index}`,
      base: `http://127.0.0.1:${port}/v1`,
    }))
    await withStage(configOf(members), async (stage) => {
      const { gateway } = stage
      const health = async (): Promise<unknown> =>
        (await ask(`${gateway.url}/health`, { headers: AUTH })).json
      await eventually(health, (json) => at(json, 'self_isolated') === true)
      for (let sent = 0; sent < 20; sent += 1) await chat(gateway, { model: 'g' })
      for (const { id } of members) assert.notEqual(await stateOf(stage, id), 'DOWN')
    })
  })

  test('a model that an engine has not loaded is seen, said so, and not loaded by any check', async () => {
    const names = [
      'gpt-oss:20b',
      'llama3',
      'llama3.1',
      'llama3.2',
      'llava',
      'nomic-embed-text',
      'qwen3:8b',
      'never-pulled',
    ]
    await withStage(
      ({ url }) =>
        `model_list:\n${names
          .map(
            (name) =>
              `  - model_name: '${name}'\n` +
              `    litellm_params: { model: 'ollama_chat/${name}', api_base: '${url}/ok/as-ollama' }\n` +
              `    model_info: { id: 'id-${name}' }\n`,
          )
          .join('')}${BACKGROUND}`,
      async ({ gateway, fake }) => {
        const health = async (): Promise<unknown> =>
          (await ask(`${gateway.url}/health`, { headers: AUTH })).json
        const seen = await eventually(
          health,
          (json) =>
            listAt(json, 'unknown_endpoints').filter((entry) => at(entry, 'model_loaded') === false)
              .length === 6 && at(json, 'healthy_count') === 1,
        )
        const [loaded] = listAt(seen, 'healthy_endpoints')
        assert.deepEqual(
          [at(loaded, 'model_id'), at(loaded, 'model_loaded'), at(loaded, 'model_loaded_until')],
          ['id-qwen3:8b', true, '2318-04-20T17:00:00.184Z'],
        )
        const [missing] = listAt(seen, 'unhealthy_endpoints')
        assert.deepEqual([at(missing, 'model_id'), at(missing, 'reason')], ['id-never-pulled', 'not_found'])
        // Only what is in memory was asked.
        const asked = (): readonly unknown[] =>
          fake.journal().flatMap(({ method, body }) => (method === 'POST' ? [at(body, 'model')] : []))
        assert.deepEqual(new Set(asked()), new Set(['qwen3:8b']))
        const view = at(
          (await ask(`${gateway.url}/health/deployments/id-llama3`, { headers: AUTH })).json,
          'deployments',
          0,
        )
        assert.deepEqual(
          [at(view, 'health_state'), at(view, 'model_loaded'), at(view, 'next_probe', 'rung')],
          ['UNKNOWN', false, 3],
        )
        assert.match(String(at(view, 'why')), /is there but not loaded, and no check loads it/)
        // And who asks for it gets it.
        assert.equal((await chat(gateway, { model: 'llama3' })).status, 200)
        assert.ok(asked().includes('llama3'))
      },
    )
  })
})
