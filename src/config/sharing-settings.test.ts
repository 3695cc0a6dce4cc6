import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadFiles, loadText } from './load-text.fixture.ts'

const MODEL = 'model_list:\n  - { model_name: a, litellm_params: { model: openai/a, api_key: sk-x } }\n'
const ON = `${MODEL}general_settings:\n  use_shared_health_check: true\n`

describe('where replicas share their checks', () => {
  test('nowhere, unless it is asked for', async () => {
    const config = await loadText(`${MODEL}general_settings: { coordination_redis: { host: r } }\n`, {
      REDIS_URL: 'redis://r',
    })
    assert.equal(config.sharing, undefined)
  })

  for (const [name, yaml, env, expected] of [
    [
      'coordination_redis comes first',
      `${ON}  coordination_redis: { host: own, port: 7000, db: 2, ssl: true, namespace: fleet }\n` +
        'litellm_settings: { cache_params: { type: redis, host: cache } }\n',
      { REDIS_URL: 'redis://variable', DATABASE_URL: 'postgres://db' },
      { kind: 'redis', host: 'own', port: 7000, db: 2, isTls: true, namespace: 'fleet:' },
    ],
    [
      "then the cache's",
      `${ON}litellm_settings: { cache_params: { type: redis, host: cache, port: '6380' } }\n`,
      { REDIS_URL: 'redis://variable' },
      { kind: 'redis', host: 'cache', port: 6380, db: 0, isTls: false, namespace: 'pulsegate:health:' },
    ],
    [
      'a cache elsewhere is none, and the variables count',
      `${ON}litellm_settings: { cache_params: { type: s3, host: cache } }\n`,
      { REDIS_HOST: 'variable', REDIS_PORT: '6390' },
      { kind: 'redis', host: 'variable', port: 6390, db: 0, isTls: false, namespace: 'pulsegate:health:' },
    ],
    [
      'an address says it all',
      ON,
      { REDIS_URL: 'rediss://[::1]:6391/3' },
      { kind: 'redis', host: '::1', port: 6391, db: 3, isTls: true, namespace: 'pulsegate:health:' },
    ],
    ['with neither it is asked for in vain', ON, {}, { kind: 'missing' }],
  ] as const) {
    test(name, async () => {
      const config = await loadText(yaml, env)
      assert.deepEqual(config.sharing, expected)
    })
  }

  test('a password is a secret, from wherever it comes', async () => {
    const config = await loadText(ON, { REDIS_URL: 'redis://me:p%40ssword@host' })
    const { sharing } = config
    assert.equal(sharing?.kind === 'redis' && sharing.username, 'me')
    assert.equal(sharing?.kind === 'redis' && sharing.password?.reveal(), 'p@ssword')
    assert.ok(config.secrets.some((secret) => secret.reveal() === 'p@ssword'))
    assert.ok(!JSON.stringify(sharing).includes('p@ss'))
  })

  test('the database is what is left', async () => {
    const config = await loadText(ON, { DATABASE_URL: 'postgres://me:secret-word@db/x' })
    assert.equal(config.sharing?.kind, 'postgres')
  })

  test('sharing with nobody is warned of', async () => {
    const { problems } = await loadFiles({ 'config.yaml': ON })
    assert.match(problems.map(({ message }) => message).join(), /no Redis and no database/)
  })

  for (const [written, path] of [
    ['{ port: 6379 }', 'general_settings.coordination_redis'],
    ['{ url: "http://host" }', 'general_settings.coordination_redis.url'],
    ['{ host: r, port: 70000 }', 'general_settings.coordination_redis.port'],
    ['{ host: r, db: -1 }', 'general_settings.coordination_redis.db'],
    ['{ host: r, startup_nodes: [] }', 'general_settings.coordination_redis.startup_nodes'],
  ] as const) {
    test(`coordination_redis: ${written} stops the start, and says where`, async () => {
      const { config, problems } = await loadFiles({
        'config.yaml': `${ON}  coordination_redis: ${written}\n`,
      })
      assert.equal(config, undefined)
      const found = problems.find((problem) => problem.path === path)
      assert.equal(found?.severity, 'fatal')
      assert.ok(found.line !== undefined)
    })
  }
})
