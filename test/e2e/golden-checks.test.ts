import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ask,
  at,
  AUTH,
  chat,
  configOf,
  eventually,
  listAt,
  SETTINGS,
  withStage,
  type Stage,
} from './asking.ts'

const BACKGROUND = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 1\n`

async function view({ gateway }: Pick<Stage, 'gateway'>, id: string): Promise<unknown> {
  const { json } = await ask(`${gateway.url}/health/deployments/${id}`, { headers: AUTH })
  return listAt(json, 'deployments')[0]
}

const untilIn = (stage: Stage, id: string, state: string): Promise<unknown> =>
  eventually(
    () => view(stage, id),
    (shown) => at(shown, 'health_state') === state,
  )

/** How often a provider was asked this, under this path segment. */
const askedFor = ({ fake }: Stage, segment: string, prompt: string): number =>
  fake
    .journal()
    .filter(
      ({ url, body }) => url.startsWith(`/${segment}/`) && at(body, 'messages', 0, 'content') === prompt,
    ).length

/** The fake answers every chat with "pong", as the model that it was asked for with a date behind it. */
const AS_DATED = 'rule-dated-model/v1'

describe('what answers to checks must be like', () => {
  test('another model, or a vector of another size, is degraded and says so; the right one is well', async () => {
    const expecting = (expect: string): string => `, health_check_expect: ${expect}`
    const entries = [
      { group: 'right', base: AS_DATED, info: expecting('{model: ^gpt-4o-2024}') },
      { group: 'other', base: 'wrongmodel/v1', info: expecting('{model: ^gpt-4o}') },
      {
        group: 'size',
        base: 'ok/v1',
        model: 'openai/text-embedding-3-small',
        info: expecting('{dimensions: 1536}'),
      },
    ]
    await withStage(configOf(entries, BACKGROUND), async (stage) => {
      const { gateway } = stage
      const other = await untilIn(stage, 'id-other', 'DEGRADED')
      assert.equal(at(other, 'reason'), 'wrong_model')
      assert.match(String(at(other, 'error')), /answered as model "another-model".*health_check_expect/)
      const size = await untilIn(stage, 'id-size', 'DEGRADED')
      assert.match(String(at(size, 'error')), /answered with \d+ dimensions.* is 1536/)
      await untilIn(stage, 'id-right', 'HEALTHY')
      // It still serves, and what clients are answered with clears nothing.
      assert.equal((await chat(gateway, { model: 'other' })).status, 200)
      assert.equal(at(await view(stage, 'id-other'), 'health_state'), 'DEGRADED')
      const { json } = await ask(`${gateway.url}/health`, { headers: AUTH })
      const reasons = listAt(json, 'unhealthy_endpoints').map((entry) => at(entry, 'reason'))
      assert.deepEqual(reasons, ['wrong_model', 'wrong_model'])
    })
  })
})

describe('golden checks', () => {
  test('ask once what has one right answer, and twice before they call a wrong one a fault', async () => {
    const golden = (answer: string): string =>
      `, health_check_rung: golden, health_check_expect: {prompt: Ping?, answer: ${answer}}`
    const entries = [
      { group: 'knows', base: 'rule-bare-choices/v1', info: golden('^pong$') },
      { group: 'errs', base: 'rule-no-usage/v1', info: golden('^ping$') },
      { group: 'plain', base: 'ok/v1' },
    ]
    await withStage(configOf(entries, BACKGROUND), async (stage) => {
      const errs = await untilIn(stage, 'id-errs', 'DEGRADED')
      assert.equal(at(errs, 'reason'), 'quality')
      assert.match(String(at(errs, 'why')), /it answers wrongly what it is known to know/)
      assert.equal(askedFor(stage, 'rule-no-usage', 'Ping?'), 2)
      await untilIn(stage, 'id-knows', 'HEALTHY')
      assert.equal(askedFor(stage, 'rule-bare-choices', 'Ping?'), 1)
      assert.equal(askedFor(stage, 'ok', 'Ping?'), 0)
      // It answers, after all.
      const { json } = await ask(`${stage.gateway.url}/health`, { headers: AUTH })
      assert.equal(at(json, 'healthy_count'), 3)
      assert.equal((await chat(stage.gateway, { model: 'errs' })).status, 200)
    })
  })
})
