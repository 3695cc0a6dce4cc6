import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { ask, at, AUTH, chat, configOf, eventually, listAt, SETTINGS, withStage } from './asking.ts'
import { NO_POSTGRES, startPostgres } from './postgres.ts'
import type { PostgresServer } from './postgres.ts'
import type { Gateway } from './program.ts'

const QUICK = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 1\n  health_check_strategy: always\n`
const ENTRIES = [
  { group: 'well', base: 'ok/v1' },
  { group: 'sick', base: 'e500/v1' },
]

const history = async (gateway: Gateway) =>
  (await ask(`${gateway.url}/health/history?limit=1000`, { headers: AUTH })).json

const readiness = async (gateway: Gateway) => {
  const startedAt = performance.now()
  const { status, json } = await ask(`${gateway.url}/health/readiness`)
  return { status, json, db: at(json, 'db'), tookMs: performance.now() - startedAt }
}

const isConnected = ({ db }: { readonly db: unknown }) => db === 'connected'
const isKept = (past: unknown) => at(past, 'store', 'state') === 'kept'
const keys = (past: unknown) => new Set(listAt(past, 'health_checks').map((row) => at(row, 'checked_at')))

/** When probes failed. */
const failures = (past: unknown) =>
  new Set(
    listAt(past, 'health_checks')
      .filter((row) => at(row, 'status') === 'unhealthy')
      .map((row) => at(row, 'checked_at')),
  )

describe('a history in PostgreSQL', { skip: NO_POSTGRES }, () => {
  let server: Promise<PostgresServer> | undefined
  const running = () => (server ??= startPostgres())
  after(async () => (await server)?.stop())

  const withDatabase = async (
    use: (gateway: Gateway, postgres: PostgresServer) => Promise<void>,
    settings = QUICK,
  ): Promise<void> => {
    const postgres = await running()
    await withStage(configOf(ENTRIES, settings), ({ gateway }) => use(gateway, postgres), {
      env: { DATABASE_URL: postgres.url },
    })
  }

  test('readiness says connected, and when the database last answered', async () => {
    await withDatabase(async (gateway) => {
      const { status, json } = await eventually(() => readiness(gateway), isConnected)
      assert.equal(status, 200)
      assert.match(String(at(json, 'last_updated')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
      assert.deepEqual(
        { ...Object(json), last_updated: '' },
        {
          status: 'connected',
          db: 'connected',
          cache: null,
          litellm_version: '1.100.5',
          success_callbacks: [],
          last_updated: '',
        },
      )
      const past = await eventually(
        () => history(gateway),
        (body) => listAt(body, 'incidents').length === 1 && keys(body).size > 1,
        20_000,
      )
      assert.equal(at(past, 'store', 'kind'), 'postgres')
      assert.doesNotMatch(gateway.stderr(), /canary-database/)
    })
  })

  test('frozen, it is said within moments, requests flow, and what happened meanwhile arrives', async () => {
    await withDatabase(async (gateway, postgres) => {
      await eventually(
        () => history(gateway),
        (body) => isKept(body) && keys(body).size > 1,
        20_000,
      )
      const slowest: number[] = []
      const seen = new Set<unknown>()
      await postgres.signal('SIGSTOP')
      try {
        await eventually(
          async () => {
            const answer = await readiness(gateway)
            slowest.push(answer.tookMs)
            return answer
          },
          ({ db, json, status }) =>
            db === 'Not connected' && status === 200 && at(json, 'last_updated') === undefined,
          10_000,
        )
        assert.equal((await chat(gateway, { model: 'well' })).status, 200)
        const meanwhile = await eventually(
          () => history(gateway),
          (body) => failures(body).size > 0,
          40_000,
        )
        for (const key of failures(meanwhile)) seen.add(key)
        assert.equal(at(meanwhile, 'store', 'state'), 'waiting')
        assert.ok(Math.max(...slowest) < 4000, `${Math.max(...slowest)} ms`)
      } finally {
        await postgres.signal('SIGCONT')
      }
      await eventually(() => readiness(gateway), isConnected, 20_000)
      await eventually(
        () => history(gateway),
        (body) => isKept(body) && [...seen].every((each) => failures(body).has(each)),
        20_000,
      )
      await gateway.seen(/"history_available"/)
      assert.equal(gateway.stderr().match(/"history_unavailable"/g)?.length, 1)
    })
  })

  test('killed and started again, it has all that it had taken and all that waited', async () => {
    await withDatabase(async (gateway, postgres) => {
      const before = await eventually(
        () => history(gateway),
        (body) => isKept(body) && keys(body).size > 1,
        20_000,
      )
      await postgres.kill()
      await eventually(
        () => history(gateway),
        (body) => !isKept(body),
        20_000,
      )
      await eventually(
        () => readiness(gateway),
        ({ db }) => db === 'Not connected',
        20_000,
      )
      assert.equal((await chat(gateway, { model: 'well' })).status, 200)
      await postgres.start()
      const back = await eventually(
        () => history(gateway),
        (body) =>
          isKept(body) && listAt(body, 'health_checks').length >= listAt(before, 'health_checks').length,
        30_000,
      )
      assert.equal(at(back, 'store', 'dropped_rows'), 0)
    })
  })

  test('an unreachable one is fatal for readiness only where that is written', async () => {
    const strict = `${QUICK}  allow_requests_on_db_unavailable: false\n`
    await withStage(
      configOf(ENTRIES, strict),
      async ({ gateway }) => {
        const { status, db } = await readiness(gateway)
        assert.deepEqual([status, db], [503, 'Not connected'])
        assert.equal((await chat(gateway, { model: 'well' })).status, 200)
      },
      { env: { DATABASE_URL: 'postgres://nobody:canary-database@127.0.0.1:9/none' } },
    )
  })
})
