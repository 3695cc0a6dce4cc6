import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { silentLog } from '../core/log.ts'
import type { Mode } from '../core/mode.ts'
import { createRedact, Secret } from '../core/secret.ts'
import { RULES } from '../fake-provider/rules.ts'
import { startFakeProvider } from '../fake-provider/server.ts'
import type { FakeProvider } from '../fake-provider/server.ts'
import { openLine } from '../providers/call.ts'
import { allAdapters, resolveModel } from '../providers/registry.ts'
import { createTransport } from '../transport/transport.ts'
import { createHealthChecks } from './checks.ts'
import type { HealthChecks } from './checks.ts'
import { engineRulesOf } from './engine-rules.ts'
import { makeDeployment, makeProbeSettings, NOTHING_WRITTEN } from './fixtures.ts'
import { DEFAULT_HEALTH_SETTINGS } from './settings.ts'

await allAdapters()

/** The nine modes as three providers speak them. */
const ALIVE: readonly (readonly [string, Mode])[] = [
  ['openai/gpt-4o', 'chat'],
  ['openai/o3-mini', 'chat'],
  ['azure/gpt-35-turbo', 'chat'],
  ['cohere_chat/command-r-plus', 'chat'],
  ['text-completion-openai/gpt-3.5-turbo-instruct', 'completion'],
  ['azure/text-davinci-003', 'completion'],
  ['openai/text-embedding-3-small', 'embedding'],
  ['azure/azure-embedding-model', 'embedding'],
  ['cohere/embed-english-v3.0', 'embedding'],
  ['openai/dall-e-3', 'image_generation'],
  ['azure/dall-e-3', 'image_generation'],
  ['whisper-1', 'audio_transcription'],
  ['azure/whisper', 'audio_transcription'],
  ['openai/tts-1', 'audio_speech'],
  ['azure/tts', 'audio_speech'],
  ['cohere/rerank-english-v3.0', 'rerank'],
  ['openai/gpt-4o-mini', 'batch'],
  ['azure/batch-gpt-4o-mini', 'batch'],
  ['openai/gpt-4o-realtime-audio', 'realtime'],
  ['azure/gpt-4o-realtime', 'realtime'],
]

/** [order, reason, exception_status, upstream requests] of a chat. */
const SICK: readonly (readonly [string, string, number, number])[] = [
  ['e400', 'bad_request', 400, 1],
  ['e401', 'auth', 401, 1],
  ['e403', 'auth', 403, 1],
  ['e404', 'not_found', 404, 1],
  ['e408', 'timeout', 408, 1],
  ['e409', 'bad_request', 409, 1],
  ['e422', 'bad_request', 422, 1],
  ['e429', 'rate_limited', 429, 1],
  ['e500', 'server_error', 500, 1],
  ['e502', 'server_error', 502, 1],
  ['e503', 'overloaded', 503, 1],
  ['e529', 'overloaded', 529, 1],
  ['hang', 'timeout', 408, 1],
  ['stall', 'timeout', 408, 1],
  ['garbage', 'wrong_shape', 500, 1],
  ['html', 'wrong_shape', 500, 1],
  ['shape', 'wrong_shape', 500, 1],
  ['empty', 'empty', 500, 1],
  ['cut', 'cut', 500, 1],
  ['err200', 'server_error', 500, 1],
]

describe('probing over real sockets', () => {
  const transport = createTransport()
  let fake: FakeProvider
  before(async () => {
    fake = await startFakeProvider()
  })
  after(async () => {
    await transport.close()
    await fake.stop()
  })

  /** A deployment at the fake, and checks of it alone. */
  function scene(model: string, mode: Mode, order: string): { checks: HealthChecks; deployment: Deployment } {
    const { provider, upstreamModel } = resolveModel(model, {})
    const apiBase = provider === 'azure' ? `${fake.url}/${order}` : `${fake.url}/${order}/v1`
    const deployment = makeDeployment({
      model,
      provider,
      upstreamModel,
      mode,
      modeSource: 'explicit',
      connection: { apiKey: new Secret('sk-canary-KEY'), apiBase, headers: {} },
      probe: makeProbeSettings({ timeoutMs: 400 }),
    })
    const open = (one: Deployment) => openLine(one, { transport, env: {}, redact: createRedact([]) })
    const checks = createHealthChecks({
      deployments: [deployment],
      lines: () => open(deployment),
      openLine: open,
      priceOf: () => 0,
      lagMs: () => 0,
      clock: systemClock,
      log: silentLog,
      settings: DEFAULT_HEALTH_SETTINGS,
      engineRules: engineRulesOf(NOTHING_WRITTEN),
      random: () => 0,
    })
    return { checks, deployment }
  }

  for (const [model, mode] of ALIVE) {
    test(`${model} is proven alive as ${mode} by one request`, async () => {
      const { checks, deployment } = scene(model, mode, 'ok')
      const verdict = await checks.check(deployment)
      assert.equal(verdict.kind === 'unhealthy' ? verdict.error : verdict.kind, 'healthy')
      assert.equal(verdict.requests, 1)
      assert.equal(verdict.probedModel, model)
    })
  }

  for (const [order, reason, status, requests] of SICK) {
    test(`an upstream ordered to ${order} is called ${reason}`, async () => {
      const { checks, deployment } = scene('openai/gpt-4o', 'chat', order)
      const seen = fake.journal().length
      const verdict = await checks.check(deployment)
      assert.equal(verdict.kind, 'unhealthy')
      if (verdict.kind !== 'unhealthy') return
      assert.deepEqual([verdict.reason, verdict.exceptionStatus], [reason, status])
      assert.equal(fake.journal().length - seen, requests)
      assert.match(verdict.error, /What to do: /)
    })
  }

  test('a key that an upstream echoes is nowhere in the verdict', async () => {
    const { checks, deployment } = scene('openai/gpt-4o', 'chat', 'echo')
    const verdict = await checks.check(deployment)
    assert.equal(verdict.kind, 'unhealthy')
    assert.match(JSON.stringify(verdict), /\[secret\]/)
    assert.doesNotMatch(JSON.stringify(verdict), /sk-canary/)
  })

  test('a session that is opened and then refused is no proof of life', async () => {
    const { checks, deployment } = scene('openai/gpt-realtime', 'realtime', 'wserror')
    assert.equal((await checks.check(deployment)).kind, 'unhealthy')
  })

  for (const rule of RULES) {
    test(`the habit "${rule.name}" is no fault: two requests at first, one from then on`, async () => {
      const { checks, deployment } = scene(rule.model, rule.mode, `rule-${rule.name}`)
      const first = await checks.check(deployment)
      assert.equal(first.kind === 'unhealthy' ? first.error : first.kind, 'healthy')
      assert.ok(first.requests <= 2)
      const later = await checks.check(deployment)
      assert.equal(later.kind === 'unhealthy' ? later.error : later.kind, 'healthy')
      assert.equal(later.requests, 1)
    })
  }
})
