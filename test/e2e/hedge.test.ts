import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, AUTH, chat, eventually, MESSAGES, SETTINGS, withStage, type Answer } from './asking.ts'

/** The first is asked as long as it is well. */
const configOf =
  (hedge: string, first: string, second = 'ok') =>
  ({ url }: FakeProvider): string =>
    `model_list:\n${[first, second]
      .map(
        (segment, at) =>
          `  - model_name: g\n    litellm_params: { model: openai/gpt-4o, api_base: '${url}/${segment}/v1', api_key: sk-up, order: ${at + 1} }\n` +
          `    model_info: { id: ${at === 0 ? 'first' : 'second'} }\n`,
      )
      .join(
        '',
      )}router_settings:\n  model_group_hedge: { g: ${hedge} }\n${SETTINGS}litellm_settings: { require_auth_for_metrics_endpoint: false }\n`

const who = ({ headers }: Answer): string | null => headers.get('x-litellm-model-id')
const isHedged = ({ headers }: Answer): boolean => headers.get('x-pulsegate-hedged') === 'true'

const arrived = (fake: FakeProvider, segment: string): number => fake.traffic(segment).total

async function counted(url: string, name: string): Promise<number> {
  const { text } = await ask(`${url}/metrics`, { headers: AUTH })
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}

/** Nobody holds a connection at the fake any more. */
const settled = (fake: FakeProvider): Promise<unknown> =>
  eventually(
    () => fake.traffic().inFlight,
    (count) => count === 0,
  )

describe('a group that hedges', () => {
  for (const stream of [false, true])
    test(`the client of a deployment that hangs is answered by another one${stream ? ', in a stream' : ''}`, async () => {
      await withStage(configOf('{ after: 0.1, budget: 100% }', 'hang'), async ({ gateway, fake }) => {
        const answer = await chat(gateway, { model: 'g', stream })
        assert.deepEqual([answer.status, who(answer), isHedged(answer)], [200, 'second', true])
        const own = Number(answer.headers.get('x-litellm-overhead-duration-ms'))
        const whole = Number(answer.headers.get('x-litellm-response-duration-ms'))
        // The wait for the first was no work of ours.
        assert.ok(whole - own >= 95, `${own} of ${whole}`)
        assert.match(answer.text, stream ? /\[DONE\]/ : /"choices"/)
        assert.deepEqual([arrived(fake, 'hang'), arrived(fake, 'ok')], [1, 1])
        await settled(fake)
        assert.equal(await counted(gateway.url, 'pulsegate_hedges_total'), 1)
        assert.equal(await counted(gateway.url, 'pulsegate_retries_total'), 0)
        const { text } = await ask(`${gateway.url}/metrics`, { headers: AUTH })
        const requests = [...text.matchAll(/^pulsegate_requests_total\{.*\} (\d+)$/gm)]
        assert.deepEqual(
          requests.map(([, count]) => count),
          ['1'],
        )
      })
    })

  test('an answer that comes in time is asked for once, and says nothing of it', async () => {
    await withStage(configOf('{ after: 5, budget: 100% }', 'ok', 'hang'), async ({ gateway, fake }) => {
      const answer = await chat(gateway, { model: 'g' })
      assert.deepEqual([answer.status, who(answer), isHedged(answer)], [200, 'first', false])
      assert.equal(arrived(fake, 'hang'), 0)
    })
  })

  test('a slow one that answers first after all is passed on, and the second is cancelled', async () => {
    await withStage(
      configOf('{ after: 0.1, budget: 100% }', 'slow500', 'hang'),
      async ({ gateway, fake }) => {
        const answer = await chat(gateway, { model: 'g' })
        assert.deepEqual([answer.status, who(answer), isHedged(answer)], [200, 'first', true])
        await settled(fake)
      },
    )
  })

  test('the budget is never exceeded, and who is not hedged waits for the slow one', async () => {
    await withStage(configOf('{ after: 0.05, budget: 10% }', 'slow300'), async ({ gateway, fake }) => {
      const answers = await Promise.all(Array.from({ length: 40 }, () => chat(gateway, { model: 'g' })))
      assert.ok(answers.every(({ status }) => status === 200))
      const hedged = arrived(fake, 'ok')
      assert.ok(hedged >= 1 && hedged <= 4, `${hedged} of 40 were hedged`)
      assert.equal(answers.filter(isHedged).length, hedged)
    })
  })

  test('after enough answers the usual time is known, and what takes longer is hedged', async () => {
    await withStage(configOf('{ after: p95, budget: 50% }', 'turns'), async ({ gateway, fake }) => {
      fake.order('turns', 'ok')
      for (let sent = 0; sent < 19; sent += 1)
        assert.equal(isHedged(await chat(gateway, { model: 'g' })), false)
      await chat(gateway, { model: 'g' })
      fake.order('turns', 'hang')
      const answer = await chat(gateway, { model: 'g' })
      assert.deepEqual([answer.status, who(answer), isHedged(answer)], [200, 'second', true])
    })
  })

  test('a client that leaves takes both with it', async () => {
    await withStage(configOf('{ after: 0.05, budget: 100% }', 'hang', 'hang'), async ({ gateway, fake }) => {
      const left = new AbortController()
      const asking = fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { ...AUTH, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'g', messages: MESSAGES }),
        signal: left.signal,
      })
      await eventually(
        () => fake.traffic().inFlight,
        (count) => count === 2,
      )
      left.abort()
      await assert.rejects(asking)
      await settled(fake)
    })
  })
})
