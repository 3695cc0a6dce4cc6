import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { at } from '../e2e/asking.ts'
import { withModels } from '../e2e/health-answer.ts'
import { COHERE_CALLS } from './cohere-calls.ts'
import { deadPort } from './fault-stage.ts'
import { OBJECT_CALLS } from './object-calls.ts'
import { OPENAI_CALLS } from './openai-calls.ts'
import { outcomeOf } from './outcome.ts'
import { KEY, listedAt, ORDERS, type Call } from './place.ts'
import { SURFACE_CALLS } from './surface-calls.ts'
import { UPLOAD_CALLS } from './upload-calls.ts'

const CALLS: readonly Call[] = [
  ...OPENAI_CALLS,
  ...UPLOAD_CALLS,
  ...OBJECT_CALLS,
  ...COHERE_CALLS,
  ...SURFACE_CALLS,
]

describe("a vendor's client finds at the gateway what it finds at the provider", () => {
  const outcomes = new Map<string, readonly [direct: unknown, relayed: unknown]>()

  before(async () => {
    const fake = await startFakeProvider({ models: ORDERS, keys: [KEY] })
    const geminiUrl = `${fake.url}/as-gemini`
    const goneUrl = `http://127.0.0.1:${await deadPort()}`
    const settings = {
      general_settings: { master_key: KEY },
      router_settings: { num_retries: 0, disable_cooldowns: true },
    }
    try {
      await withModels(
        listedAt({ url: fake.url, geminiUrl }),
        async ({ url }) => {
          for (const call of CALLS)
            outcomes.set(call.name, [
              await outcomeOf(call, { url: fake.url, goneUrl, geminiUrl }),
              await outcomeOf(call, { url, goneUrl }),
            ])
        },
        settings,
      )
    } finally {
      await fake.stop()
    }
  })

  for (const { name, raises } of CALLS)
    test(name, () => {
      const [direct, relayed] = outcomes.get(name) ?? []
      assert.deepEqual(relayed, direct)
      if (raises === undefined) assert.ok(at(direct, 'answer') !== undefined, JSON.stringify(direct))
      else assert.deepEqual(direct, { raised: raises })
    })

  test('no two calls share a name', () => assert.equal(outcomes.size, CALLS.length))
})
