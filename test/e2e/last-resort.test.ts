import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, chat, eventually, listAt, SETTINGS, withStage } from './asking.ts'
import type { Answer, Stage } from './asking.ts'

const IDS = ['one', 'two', 'three'] as const
const CLIENTS = 40
const ROUNDS = 3

/**
 * Three deployments whose orders the test gives. Nobody looks by himself, so that all that the provider sees are
 * clients; and what is down stays down until a client has found out better.
 */
const configAt = (url: string): string => {
  const entries = IDS.map(
    (id) =>
      '  - model_name: g\n' +
      `    litellm_params: { model: openai/gpt-4o, api_base: '${url}/at-${id}/v1', api_key: sk-up, timeout: 1 }\n` +
      `    model_info: { id: ${id} }\n`,
  )
  const engine = '  health_check_down: { first: 600, cap: 600, cap_mid: 600, cap_dear: 600 }\n'
  return `model_list:\n${entries.join('')}${SETTINGS}${engine}router_settings: { num_retries: 0 }\n`
}

const orderAll = ({ fake }: Pick<Stage, 'fake'>, order: string): void => {
  for (const id of IDS) fake.order(`at-${id}`, order)
}

async function statesOf({ gateway }: Pick<Stage, 'gateway'>): Promise<readonly unknown[]> {
  const states: unknown[] = []
  for (const id of IDS) {
    const { json } = await ask(`${gateway.url}/health/deployments/${id}`, { headers: AUTH })
    states.push(at(listAt(json, 'deployments')[0], 'health_state'))
  }
  return states
}

/** Requests of many clients at once, each another one; the last to be answered is the one that found out. */
async function crowd({ gateway, fake }: Stage, round: number): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  const all = Array.from({ length: CLIENTS }, async (_, number) => {
    const content = `are you back? ${round} ${number}`
    answers.push(await chat(gateway, { model: 'g', messages: [{ role: 'user', content }] }))
  })
  await Promise.all(all)
  // It hears a moment later that the one which waited has given up.
  await eventually(
    () => fake.traffic().inFlight,
    (left) => left === 0,
  )
  return answers
}

function assertTold({ status, headers, text, json }: Answer): void {
  assert.equal(status, 503, text)
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  assert.equal(at(json, 'error', 'type'), 'none_available')
  const message = String(at(json, 'error', 'message'))
  for (const id of IDS)
    assert.match(message, new RegExp(`\\(${id}\\): DOWN \\((server_error|timeout)\\) since \\d+ s`))
}

async function bringDown(stage: Stage): Promise<void> {
  orderAll(stage, 'e500')
  let sent = 0
  await eventually(
    async () => {
      const content = `fail ${(sent += 1)}`
      await chat(stage.gateway, { model: 'g', messages: [{ role: 'user', content }] })
      return statesOf(stage)
    },
    (states) => states.every((state) => state === 'DOWN'),
  )
}

describe('where a whole group is down', () => {
  test('everybody is told why and when, and one request at a time finds out, whoever crowds in', async () => {
    await withStage(
      ({ url }) => configAt(url),
      async (stage) => {
        const { fake, gateway } = stage
        await bringDown(stage)
        orderAll(stage, 'hang')
        fake.clearJournal()
        for (let round = 0; round < ROUNDS; round += 1)
          for (const answer of await crowd(stage, round)) assertTold(answer)
        assert.deepEqual({ ...fake.traffic() }, { total: ROUNDS, inFlight: 0, maxInFlight: 1 })
        assert.deepEqual(await statesOf(stage), ['DOWN', 'DOWN', 'DOWN'])

        // What is wrong with a request is its sender's to hear, and nobody's way back.
        orderAll(stage, 'e400')
        assert.equal((await chat(gateway, { model: 'g' })).status, 400)
        assert.deepEqual(await statesOf(stage), ['DOWN', 'DOWN', 'DOWN'])

        // Whoever finds it back is answered, and ends it for all.
        orderAll(stage, 'ok')
        assert.equal((await chat(gateway, { model: 'g' })).status, 200)
        assert.ok((await statesOf(stage)).includes('RECOVERING'))
        assert.equal((await chat(gateway, { model: 'g' })).status, 200)
      },
    )
  })

  test('with no last resort nobody is asked at all', async () => {
    await withStage(
      ({ url }) =>
        configAt(url).replace('  health_check_down', '  health_check_panic: off\n  health_check_down'),
      async (stage) => {
        await bringDown(stage)
        stage.fake.clearJournal()
        for (let sent = 0; sent < CLIENTS; sent += 1) assertTold(await chat(stage.gateway, { model: 'g' }))
        assert.equal(stage.fake.traffic().total, 0)
      },
    )
  })
})
