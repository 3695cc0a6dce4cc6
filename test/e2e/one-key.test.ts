import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ask,
  at,
  AUTH,
  chat,
  eventually,
  listAt,
  SETTINGS,
  UPSTREAM_KEY,
  withStage,
  type Stage,
} from './asking.ts'

const background = (intervalS: number): string =>
  `${SETTINGS}  background_health_checks: true\n  health_check_interval: ${intervalS}\n`

/** Models of one provider, all with one key; each id is its model's name. */
const configOf = (base: string, models: readonly string[], settings: string): string =>
  `model_list:\n${models
    .map(
      (model) =>
        `  - model_name: ${model}\n` +
        `    litellm_params: { model: openai/${model}, api_base: '${base}/v1', api_key: ${UPSTREAM_KEY} }\n` +
        `    model_info: { id: ${model} }\n`,
    )
    .join('')}${settings}`

async function view({ gateway }: Pick<Stage, 'gateway'>, id: string): Promise<unknown> {
  const { json } = await ask(`${gateway.url}/health/deployments/${id}`, { headers: AUTH })
  return listAt(json, 'deployments')[0]
}

const stateOf = async (stage: Stage, id: string): Promise<unknown> =>
  at(await view(stage, id), 'health_state')

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-5-nano'] as const

async function untilWell(stage: Stage): Promise<void> {
  for (const model of MODELS)
    await eventually(
      () => stateOf(stage, model),
      (state) => state === 'HEALTHY',
    )
}

describe('models that share a key', () => {
  test('are not out of credit because one of them is', async () => {
    await withStage(
      ({ url }) => configOf(url, MODELS, background(30)),
      async (stage) => {
        const { gateway, fake } = stage
        await untilWell(stage)
        fake.clearJournal()
        fake.order('gpt-4o', 'quota')
        assert.equal((await chat(gateway, { model: 'gpt-4o' })).status, 429)
        assert.equal(await stateOf(stage, 'gpt-4o'), 'MISCONFIGURED')
        // Another one is asked, and says that the key is good.
        const others = (): number => fake.traffic().total - fake.traffic('gpt-4o').total
        await eventually(others, (count) => count === 1)
        for (const model of MODELS.slice(1)) {
          assert.equal((await chat(gateway, { model })).status, 200)
          assert.equal(await stateOf(stage, model), 'HEALTHY')
        }
      },
    )
  })

  test('are all out of credit once two of them have said so', async () => {
    await withStage(
      ({ url }) => configOf(url, MODELS, background(30)),
      async (stage) => {
        await untilWell(stage)
        for (const model of MODELS) stage.fake.order(model, 'quota')
        assert.equal((await chat(stage.gateway, { model: 'gpt-4o' })).status, 429)
        for (const model of MODELS)
          await eventually(
            () => stateOf(stage, model),
            (state) => state === 'MISCONFIGURED',
          )
        // One request, and one look.
        assert.equal(stage.fake.traffic().total, MODELS.length + 2)
        assert.equal(at(await view(stage, 'gpt-5-nano'), 'blame'), 'credential')
      },
    )
  })
})

test('little left of what a provider allows is left to the clients: looks go on that cost nothing', async () => {
  await withStage(
    ({ url }) => configOf(`${url}/rule-nearly-spent`, ['gpt-4o'], background(1)),
    async (stage) => {
      const free = (): number =>
        stage.fake.journal().filter(({ method, url }) => method === 'GET' && url.includes('/models')).length
      await eventually(free, (count) => count >= 3)
      assert.equal(stage.fake.traffic().total - free(), 1)
      const shown = await view(stage, 'gpt-4o')
      assert.equal(at(shown, 'health_state'), 'HEALTHY')
      assert.match(String(at(shown, 'checks_spared_until')), /^\d{4}-/)
      assert.equal(at(shown, 'next_probe', 'price_usd'), 0)
    },
  )
})
