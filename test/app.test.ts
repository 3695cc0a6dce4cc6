import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createApp, ListenError, type App } from '../src/app.ts'
import { readConfigText } from '../src/read-config.ts'
import { systemClock } from '../src/core/clock.ts'
import { silentLog } from '../src/core/log.ts'
import { startFakeProvider } from '../src/fake-provider/server.ts'
import { logLevelOf } from '../src/json-log.ts'

async function app(yaml: string, more: { port?: number; checksAtStart?: boolean } = {}): Promise<App> {
  const { config, problems } = await readConfigText('config.yaml', yaml)
  assert.ok(config !== undefined, JSON.stringify(problems))
  return createApp(config, {
    log: silentLog,
    clock: systemClock,
    random: () => 0.5,
    version: '1.2.3',
    host: '127.0.0.1',
    port: 0,
    ...more,
  })
}

const yaml = (base: string): string => `model_list:
  - model_name: gpt-4o
    litellm_params: { model: openai/gpt-4o, api_key: sk-upstream, api_base: '${base}/v1' }
general_settings: { drain_delay: 0 }
`

describe('an app', () => {
  test('lives beside another one in the same process, each with its own health', async () => {
    const fake = await startFakeProvider()
    const good = await app(yaml(`${fake.url}/ok`))
    const bad = await app(yaml(`${fake.url}/e500`))
    try {
      const urls = [(await good.start()).url, (await bad.start()).url]
      const [first, second] = await Promise.all(
        urls.map(async (url): Promise<unknown> => (await fetch(`${url}/health`)).json()),
      )
      assert.deepEqual(countsOf(first), [1, 0])
      assert.deepEqual(countsOf(second), [0, 1])
      await good.stop()
      assert.equal((await fetch(`${urls[1]}/health/liveliness`)).status, 200)
    } finally {
      await Promise.all([good.stop(), bad.stop(), fake.stop()])
    }
  })

  test('checks everything at start when asked to, and says when it listens before it does', async () => {
    const fake = await startFakeProvider()
    const { config } = await readConfigText('config.yaml', yaml(`${fake.url}/ok`))
    assert.ok(config !== undefined)
    const checked = Promise.withResolvers<string>()
    const events: string[] = []
    const built = await createApp(config, {
      log: silentLog,
      clock: systemClock,
      random: () => 0.5,
      version: '1.2.3',
      host: '127.0.0.1',
      port: 0,
      checksAtStart: true,
      onListening: () => void events.push(`listening, ${fake.traffic().total} requests sent`),
    })
    built.board.onChange((_, __, after) => checked.resolve(after.state))
    try {
      await built.start()
      assert.equal(await checked.promise, 'HEALTHY')
      assert.deepEqual(events, ['listening, 0 requests sent'])
    } finally {
      await Promise.all([built.stop(), fake.stop()])
    }
  })

  test('says in one sentence that its port is taken', async () => {
    const first = await app(yaml('http://127.0.0.1:1'))
    const { url } = await first.start()
    const port = Number(new URL(url).port)
    const second = await app(yaml('http://127.0.0.1:1'), { port })
    try {
      await assert.rejects(second.start(), (error: unknown) => {
        assert.ok(error instanceof ListenError)
        assert.match(error.message, new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is in use: `))
        return true
      })
    } finally {
      await first.stop()
    }
  })

  test('ends once, however often it is asked to', async () => {
    const built = await app(yaml('http://127.0.0.1:1'))
    const { url } = await built.start()
    await Promise.all([built.stop(), built.stop()])
    await assert.rejects(fetch(`${url}/health/liveliness`))
  })
})

describe('the log level', () => {
  const cases: readonly (readonly [Record<string, string>, string | undefined])[] = [
    [{}, undefined],
    [{ LITELLM_LOG: 'DEBUG' }, 'debug'],
    [{ LITELLM_LOG: 'WARNING' }, 'warn'],
    [{ LITELLM_LOG: 'CRITICAL' }, 'fatal'],
    [{ LITELLM_LOG: 'loud' }, undefined],
    [{ LITELLM_LOG: 'DEBUG', PULSEGATE_LOG: 'silent' }, 'silent'],
  ]
  for (const [env, level] of cases)
    test(`of ${JSON.stringify(env)} is ${level}`, () => assert.equal(logLevelOf(env), level))
})

function countsOf(report: unknown): readonly unknown[] {
  const isReport = typeof report === 'object' && report !== null && 'healthy_count' in report
  return isReport && 'unhealthy_count' in report ? [report.healthy_count, report.unhealthy_count] : []
}
