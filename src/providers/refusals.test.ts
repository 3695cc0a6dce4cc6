import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { GatewayError } from '../core/failure.ts'
import type { WireResponse } from '../transport/wire.ts'
import type { ProviderAdapter, Target } from './adapter.ts'
import { adapterFor, allAdapters } from './registry.ts'

await allAdapters()

/** What providers say when they refuse, each with where its words come from and what they mean. */
const FIXTURES = z
  .array(
    z.object({
      provider: z.string(),
      what: z.string(),
      source: z.string().regex(/^(https:\/\/\S+, read|written, not recorded, after .+,) \d{4}-\d\d-\d\d$/),
      status: z.int(),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.unknown(),
      kind: z.string(),
      /** `answer`: it came as a 200, and what reads good answers has to notice. */
      via: z.enum(['refusal', 'answer']).default('refusal'),
    }),
  )
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/refusals.json'), 'utf8')))

const TARGET: Target = { provider: 'openai', model: 'm', base: 'http://upstream.test', bodyDefaults: {} }

/** Providers that are not built yet speak through the common table, as gateways in front of them do. */
function adapterOf(provider: string): ProviderAdapter {
  const adapter = adapterFor(provider) ?? adapterFor('openai')
  assert.ok(adapter !== undefined)
  return adapter
}

function kindOf(adapter: ProviderAdapter, response: WireResponse, via: 'refusal' | 'answer'): string {
  if (via === 'refusal') return adapter.classify(response).kind
  const codec = adapter.codecs.chat
  assert.ok(codec !== 'unsupported')
  try {
    codec.decode(response, TARGET)
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return error.kind
  }
  return 'an answer'
}

for (const { provider, what, status, headers, body, kind, via } of FIXTURES) {
  test(`${provider}: ${what} is ${kind}`, () => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    assert.equal(kindOf(adapterOf(provider), { status, headers, body: Buffer.from(text) }, via), kind)
  })
}

test('the table is as long as it has to be, and says nothing twice', () => {
  assert.ok(FIXTURES.length >= 80)
  assert.equal(new Set(FIXTURES.map(({ provider, what }) => `${provider}: ${what}`)).size, FIXTURES.length)
})

test('a refusal that is nested too deep to be written again is read all the same, by every adapter', async () => {
  const deep = '['.repeat(30_000) + ']'.repeat(30_000)
  const bodies = [
    `{"error":{"a":${deep}}}`,
    `{"error":{"message":"no","a":${deep}}}`,
    `{"detail":[{"loc":${deep},"msg":{"a":${deep}}},${deep}]}`,
    `{"detail":{"a":${deep}}}`,
    `{"message":${deep}}`,
    deep,
  ]
  for (const adapter of await allAdapters())
    for (const body of bodies) {
      const refused = adapter.classify({ status: 400, headers: {}, body: Buffer.from(body) })
      assert.ok(refused instanceof GatewayError, `${adapter.id}: ${body.slice(0, 40)}`)
      assert.ok(refused.message.length < 2_000)
      const { chat } = adapter.codecs
      if (chat === 'unsupported') continue
      const target = { ...TARGET, provider: adapter.id }
      const answer = { status: 200, headers: {}, body: Buffer.from(body) }
      assert.throws(() => chat.decode(answer, target), GatewayError, `${adapter.id}: ${body.slice(0, 40)}`)
    }
})
