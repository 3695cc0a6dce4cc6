import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import { silentLog } from '../core/log.ts'
import { Secret } from '../core/secret.ts'
import { startFakeProvider, type FakeProvider } from '../fake-provider/server.ts'
import { openLine } from '../providers/call.ts'
import { createTransport } from '../transport/transport.ts'
import { createChecker, type Look } from './check.ts'
import { makeDeployment } from './fixtures.ts'
import { createLessons } from './lessons.ts'
import { DEFAULT_HEALTH_SETTINGS } from './settings.ts'
import { createSlots } from './slots.ts'
import { allAdapters } from '../providers/registry.ts'

await allAdapters()

let fake: FakeProvider
before(async () => {
  fake = await startFakeProvider({ keys: ['sk-good'] })
})
after(() => fake.stop())

/** A free look at a provider's double. */
async function lookAt(provider: string, path: string, key = 'sk-good', model = 'm'): Promise<Look> {
  const transport = createTransport()
  const apiBase = `${fake.url}/ok/as-${provider}${path}`
  const connection = { apiBase, apiKey: new Secret(key), headers: {}, settings: {}, secrets: {} }
  const deployment = makeDeployment({
    provider,
    model: `${provider}/${model}`,
    upstreamModel: model,
    connection,
  })
  const opened = openLine(deployment, { transport, env: {}, redact: (text) => text })
  const checker = createChecker({
    lessons: createLessons(),
    lines: () => opened,
    openLine: () => opened,
    slots: createSlots(systemClock),
    clock: systemClock,
    log: silentLog,
    settings: DEFAULT_HEALTH_SETTINGS,
  })
  try {
    return await checker.look(deployment, new AbortController().signal, 'auth')
  } finally {
    await transport.close()
  }
}

test('a listing that is shown for the key proves the key, in whatever form it lists', async () => {
  assert.deepEqual(await lookAt('groq', '/openai/v1'), { kind: 'passed' })
  assert.deepEqual(await lookAt('together_ai', '/v1'), { kind: 'passed' })
  assert.equal((await lookAt('groq', '/openai/v1', 'sk-bad')).kind, 'failed')
})

test('where anybody may list models, the key is proven by its own page', async () => {
  assert.deepEqual(await lookAt('openrouter', '/api/v1'), { kind: 'passed' })
  assert.equal((await lookAt('openrouter', '/api/v1', 'sk-bad')).kind, 'failed')
})

test('where counting is free, the model is seen as well as the key, and a wildcard is seen by its key', async () => {
  assert.deepEqual(await lookAt('anthropic', '', 'sk-good', 'claude-haiku-4-5'), { kind: 'passed' })
  assert.deepEqual(await lookAt('anthropic', '', 'sk-good', 'claude-*'), { kind: 'passed' })
  assert.equal((await lookAt('anthropic', '', 'sk-bad', 'claude-haiku-4-5')).kind, 'failed')
  const asked = fake.journal().slice(-3)
  assert.deepEqual(
    asked.map(({ method, url }) => `${method} ${url}`),
    [
      'POST /ok/as-anthropic/v1/messages/count_tokens',
      'GET /ok/as-anthropic/v1/models?limit=1',
      'POST /ok/as-anthropic/v1/messages/count_tokens',
    ],
  )
})

test('a listing that needs no key proves the way there, and no key', async () => {
  assert.deepEqual(await lookAt('nvidia_nim', '/v1'), { kind: 'reached' })
  assert.deepEqual(await lookAt('nvidia_nim', '/v1', 'sk-bad'), { kind: 'reached' })
})

test('a provider without anything free is not looked at', async () => {
  assert.deepEqual(await lookAt('voyage', '/v1'), { kind: 'unsupported' })
  assert.deepEqual(await lookAt('perplexity', ''), { kind: 'unsupported' })
})

test('an engine is asked whether the model is there, and whether it is loaded: neither loads it', async () => {
  const seen = async (model: string): Promise<unknown> => {
    fake.clearJournal()
    const look = await lookAt('ollama', '', 'sk-good', model)
    return [look, fake.journal().map(({ method, url }) => `${method} ${url.replace('/ok/as-ollama', '')}`)]
  }
  const both = ['GET /api/tags', 'GET /api/ps']
  const until = Date.parse('2318-04-20T17:00:00.184Z')
  assert.deepEqual(await seen('qwen3:8b'), [{ kind: 'passed', residence: { isLoaded: true, until } }, both])
  assert.deepEqual(await seen('llama3.2'), [{ kind: 'passed', residence: { isLoaded: false } }, both])
  fake.clearJournal()
  const missing = await lookAt('ollama', '', 'sk-good', 'never-pulled')
  assert.ok(missing.kind === 'failed' && missing.verdict.kind === 'unhealthy')
  assert.equal(missing.verdict.reason, 'not_found')
  assert.match(missing.verdict.error, /is to be pulled there first/)
})
