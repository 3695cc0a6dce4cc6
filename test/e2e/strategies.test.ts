import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chat, SETTINGS, withStage, type Answer, type Stage } from './asking.ts'
import { freePort } from './program.ts'
import { ROUTING_STRATEGIES } from '../../src/core/routing-strategy.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'

const REQUESTS = 60
const AT_ONCE = 6
/** Each is an order of the fake provider, or an address where nobody listens. */
const SICKNESSES = ['e500', 'e401', 'e429', 'reset', 'refused', 'hang'] as const

/** For each sickness a group of one deployment that has it and one that lives. */
function configOf(strategy: string, fake: FakeProvider, nobody: number): string {
  const entries = SICKNESSES.flatMap((sick) => {
    const address = sick === 'refused' ? `http://127.0.0.1:${nobody}/v1` : `${fake.url}/${sick}/v1`
    const own = `{ model: openai/gpt-4o, api_key: sk-up, timeout: 2, api_base: '${address}' }`
    const other = `{ model: openai/gpt-4o, api_key: sk-up, api_base: '${fake.url}/ok/${sick}/v1' }`
    return [
      `  - { model_name: ${sick}, litellm_params: ${own}, model_info: { id: ${sick}-sick } }`,
      `  - { model_name: ${sick}, litellm_params: ${other}, model_info: { id: ${sick}-live } }`,
    ]
  })
  return `model_list:\n${entries.join('\n')}\n${SETTINGS}router_settings: { routing_strategy: ${strategy} }\n`
}

/** Sends requests to one group, a few at a time. */
async function many(gateway: Stage['gateway'], model: string): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let sent = 0
  const worker = async (): Promise<void> => {
    while (sent < REQUESTS) {
      sent += 1
      answers.push(await chat(gateway, { model, stream: sent % 3 === 0 }))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return answers
}

describe('with one sick and one live deployment no client notices, and the sick one is soon left alone', () => {
  for (const strategy of ROUTING_STRATEGIES)
    test(strategy, async () => {
      const nobody = await freePort()
      await withStage(
        (fake) => configOf(strategy, fake, nobody),
        async ({ gateway, fake }) => {
          for (const sick of SICKNESSES) {
            const answers = await many(gateway, sick)
            const failed = answers.filter(({ status }) => status !== 200).map(({ text }) => text)
            assert.deepEqual(failed, [], sick)
            const ids = new Set(answers.map(({ headers }) => headers.get('x-litellm-model-id')))
            assert.deepEqual([...ids], [`${sick}-live`])
            const wasted = fake.journal().filter(({ url }) => url.startsWith(`/${sick}/`)).length
            // Those in flight before the first verdict; the hanging one is silent for as long as its timeout. What a
            // reused connection swallowed is sent once more.
            assert.ok(
              wasted <= (AT_ONCE + 4) * (sick === 'reset' ? 2 : 1),
              `${wasted} of ${REQUESTS} went to the one that is ${sick}`,
            )
          }
        },
      )
    })
})
