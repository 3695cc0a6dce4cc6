import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../core/json.ts'
import { withAllowed } from './allowed-members.ts'
import { deploymentOf } from './adapter.contract.ts'
import { adapterFor, allAdapters } from './registry.ts'

await allAdapters()

const MESSAGES = [{ role: 'user', content: 'ping' }]

/** What is sent of a chat, and what is still left out. */
function sent(provider: string, model: string, more: JsonObject, allowed: readonly string[]): unknown {
  const codec = adapterFor(provider)?.codecs.chat
  assert.ok(codec !== undefined && codec !== 'unsupported')
  const { bodyDefaults } = deploymentOf(provider)
  const target = { provider, model, base: 'http://upstream.test', region: 'us-east-1', bodyDefaults }
  const request = { messages: MESSAGES, ...more }
  const { body, dropped } = withAllowed(codec, target, codec.encode(request, target), request, allowed)
  assert.ok(typeof body === 'string')
  const json: unknown = JSON.parse(body)
  return [json, dropped]
}

test('a member that is allowed goes where its provider looks for what it is not known to take', () => {
  const cases = [
    ['anthropic', 'claude-sonnet-4-5', 'seed', []],
    ['bedrock', 'amazon.nova-pro-v1:0', 'seed', ['additionalModelRequestFields']],
    ['bedrock', 'invoke/anthropic.claude-sonnet-4-20250514-v1:0', 'seed', []],
    ['gemini', 'gemini-2.5-flash', 'logit_bias', ['generationConfig']],
    ['ollama_chat', 'llama3.2', 'logit_bias', ['options']],
    ['cohere', 'command-r', 'logit_bias', []],
  ] as const
  for (const [provider, model, name, path] of cases) {
    const value = name === 'seed' ? 7 : { 50_256: -100 }
    const [json, dropped] = Object(
      sent(provider, model, { [name]: value, n: 1, verbosity: 'low' }, [name, 'x']),
    )
    const place = path.reduce<unknown>((within, step) => Reflect.get(Object(within), step), json)
    assert.deepEqual(Reflect.get(Object(place), name), value, provider)
    assert.deepEqual(dropped, ['verbosity'], provider)
  }
})

test('a deployment’s own default can be allowed as well, and what stands in no body stays left out', () => {
  const codec = adapterFor('anthropic')?.codecs.chat
  assert.ok(codec !== undefined && codec !== 'unsupported')
  const target = { provider: 'anthropic', model: 'm', base: 'http://h', bodyDefaults: { seed: 3 } }
  const json = { url: 'http://h', method: 'POST', headers: {}, dropped: ['seed', 'messages.name'] } as const
  const filled = withAllowed(codec, target, { ...json, body: '{"a":1}' }, {}, ['seed', 'messages.name'])
  assert.deepEqual([filled.body, filled.dropped], ['{"a":1,"seed":3}', ['messages.name']])
  const bytes = { ...json, body: Buffer.from('sound') }
  assert.equal(withAllowed(codec, target, bytes, {}, ['seed']), bytes)
})
