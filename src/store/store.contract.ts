import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HistoryBatch, HistoryStore, KeptDeployment } from '../core/history.ts'

/** A store of a test's own, and how to open what it wrote once more. */
export interface StoreUnderTest {
  readonly store: HistoryStore
  /** Another one on the same rows; undefined where they are gone with the first. */
  readonly again?: () => HistoryStore
}

const NOW = 1_800_000_000_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const FIVE = 5 * MINUTE
const A: KeptDeployment = { identity: 'aa', id: 'id-a', group: 'chat', model: 'openai/a' }
const B: KeptDeployment = { identity: 'bb', id: 'id-b', group: 'embed', model: 'openai/b' }

let numbers = 0
function batch(changes: Partial<HistoryBatch>): HistoryBatch {
  numbers += 1
  return {
    writer: 'w',
    number: numbers,
    deployments: [A, B],
    folds: [],
    failures: [],
    transitions: [],
    openings: [],
    closings: [],
    standings: [],
    ...changes,
  }
}

function fold(of: KeptDeployment, at: number, changes: Partial<HistoryBatch['folds'][number]> = {}) {
  const start = at - (at % FIVE)
  const nothing = { ok: 0, failed: 0, tookMs: 0, lastAt: 0, upMs: 0, downMs: 0 }
  return { identity: of.identity, at: start, ...nothing, ...changes }
}

function failure(of: KeptDeployment, at: number, error = 'it said no') {
  return { identity: of.identity, at, reason: 'server_error', status: 500, error, tookMs: 12.4 } as const
}

/** What every store must do. */
export function storeContract(
  name: string,
  make: () => Promise<StoreUnderTest>,
  skip: string | false = false,
): void {
  const promise = (sentence: string, run: (tested: StoreUnderTest) => Promise<void>): void => {
    test(`${name}: ${sentence}`, { skip }, async () => {
      const tested = await make()
      try {
        await tested.store.open()
        await run(tested)
      } finally {
        await tested.store.close()
      }
    })
  }

  promise('an empty one has no rows and takes a ping', async ({ store }) => {
    await store.ping()
    assert.deepEqual(await store.checks({ limit: 10, offset: 0 }), [])
    assert.deepEqual(await store.latest(), [])
    assert.deepEqual(await store.uptime({ now: NOW }), [])
    assert.deepEqual(await store.incidents({ now: NOW, most: 10 }), [])
    assert.deepEqual(await store.standings(), [])
  })

  promise(
    'successes of five minutes are one row, added up over batches; a failure is one of its own',
    async ({ store }) => {
      const ok = { ok: 2, tookMs: 300, lastAt: NOW + 1000 }
      await store.write(batch({ folds: [fold(A, NOW, ok)], failures: [failure(A, NOW + 2000)] }))
      await store.write(
        batch({ folds: [fold(A, NOW, { ok: 1, tookMs: 30, lastAt: NOW + 3000 }), fold(B, NOW, ok)] }),
      )
      const rows = await store.checks({ limit: 10, offset: 0 })
      assert.deepEqual(
        rows.map(({ id, group, at, ok, tookMs, failure }) => [id, group, at, ok, tookMs, failure?.error]),
        [
          ['id-a', 'chat', NOW + 3000, 3, 110, undefined],
          ['id-a', 'chat', NOW + 2000, 0, 12, 'it said no'],
          ['id-b', 'embed', NOW + 1000, 2, 150, undefined],
        ],
      )
      assert.equal(new Set(rows.map(({ key }) => key)).size, 3)
      assert.deepEqual(rows[1]?.failure, { reason: 'server_error', status: 500, error: 'it said no' })
    },
  )

  promise('rows are asked for by group, id or model, by status, and page by page', async ({ store }) => {
    const failures = [1, 2, 3, 4].map((each) => failure(A, NOW + each, `no ${each}`))
    await store.write(batch({ failures, folds: [fold(B, NOW, { ok: 1, lastAt: NOW + 9 })] }))
    const errors = async (query: Parameters<HistoryStore['checks']>[0]) =>
      (await store.checks(query)).map((row) => row.failure?.error ?? row.id)
    assert.deepEqual(await errors({ limit: 2, offset: 0 }), ['id-b', 'no 4'])
    assert.deepEqual(await errors({ limit: 2, offset: 2 }), ['no 3', 'no 2'])
    assert.deepEqual(await errors({ limit: 9, offset: 0, name: 'chat' }), ['no 4', 'no 3', 'no 2', 'no 1'])
    assert.deepEqual(await errors({ limit: 1, offset: 0, name: 'id-a' }), ['no 4'])
    assert.deepEqual(await errors({ limit: 9, offset: 0, name: 'openai/b' }), ['id-b'])
    assert.deepEqual(await errors({ limit: 9, offset: 0, status: 'healthy' }), ['id-b'])
    assert.deepEqual(await errors({ limit: 9, offset: 3, status: 'unhealthy' }), ['no 1'])
    assert.deepEqual(await errors({ limit: 9, offset: 0, name: "'; DROP TABLE folds; --" }), [])
  })

  promise('the latest row of each deployment is its newest of either kind', async ({ store }) => {
    const folds = [fold(A, NOW, { ok: 1, lastAt: NOW }), fold(B, NOW, { ok: 1, lastAt: NOW + 50 })]
    await store.write(batch({ folds, failures: [failure(A, NOW + 10), failure(B, NOW + 10)] }))
    await store.write(batch({ folds: [fold(B, NOW + DAY, { ok: 1, lastAt: NOW + DAY })] }))
    const rows = [...(await store.latest())].sort((a, b) => a.id.localeCompare(b.id))
    assert.deepEqual(
      rows.map(({ id, at, ok }) => [id, at, ok]),
      [
        ['id-a', NOW + 10, 0],
        ['id-b', NOW + DAY, 1],
      ],
    )
  })

  promise('the same batch twice counts once, and one that failed leaves nothing', async ({ store }) => {
    const twice = batch({ folds: [fold(A, NOW, { ok: 1, lastAt: NOW })], failures: [failure(A, NOW)] })
    await store.write(twice)
    await store.write(twice)
    const nowhere = batch({
      deployments: [],
      failures: [failure({ ...A, identity: 'nobody' }, NOW)],
      folds: [],
    })
    await store.write(nowhere).catch(() => undefined)
    const rows = await store.checks({ limit: 10, offset: 0 })
    assert.deepEqual(
      rows.map(({ ok }) => ok).sort((a, b) => a - b),
      [0, 1],
    )
  })

  promise(
    'uptime is told for a day, a week and a month, and of what is not known nothing is said',
    async ({ store }) => {
      const at = (ago: number, upMs: number, downMs: number) => fold(A, NOW - ago, { upMs, downMs })
      const folds = [at(HOUR, 3000, 1000), at(3 * DAY, 5000, 0), at(20 * DAY, 0, 7000), at(40 * DAY, 0, 9000)]
      await store.write(batch({ folds }))
      const rows = await store.uptime({ now: NOW, name: 'id-a' })
      assert.deepEqual(
        rows.map(({ window, upMs, downMs }) => [window, upMs, downMs]),
        [
          ['24h', 3000, 1000],
          ['7d', 8000, 1000],
          ['30d', 8000, 8000],
        ],
      )
      assert.deepEqual(await store.uptime({ now: NOW, name: 'id-b' }), [])
    },
  )

  promise('an incident opens once and closes once, whoever says so', async ({ store }) => {
    const opening = { identity: A.identity, at: NOW, cause: 'auth', evidence: 'a key was refused' } as const
    await store.write(batch({ openings: [opening] }))
    await store.write({
      ...batch({ openings: [{ ...opening, at: NOW + 5, cause: 'timeout' }] }),
      writer: 'twin',
    })
    const open = await store.incidents({ now: NOW, most: 10 })
    assert.deepEqual(
      open.map(({ id, openedAt, closedAt, cause, evidence }) => [id, openedAt, closedAt, cause, evidence]),
      [['id-a', NOW, undefined, 'auth', 'a key was refused']],
    )
    const closings = [{ identity: A.identity, at: NOW + 100 }]
    await store.write(batch({ closings, openings: [{ ...opening, at: NOW + 200 }] }))
    const both = await store.incidents({ now: NOW, most: 10, name: 'chat' })
    assert.deepEqual(
      both.map(({ openedAt, closedAt }) => [openedAt, closedAt]),
      [
        [NOW + 200, undefined],
        [NOW, NOW + 100],
      ],
    )
    assert.equal((await store.incidents({ now: NOW, most: 1 })).length, 1)
  })

  promise(
    'of standings the newest is kept, and outlives the process where anything does',
    async ({ store, again }) => {
      const stood = (at: number, plain: string) => [{ identity: A.identity, at, plain }]
      await store.write(batch({ standings: stood(NOW, '{"a":1}') }))
      await store.write(batch({ standings: stood(NOW + 1, '{"a":"\\u0000 é"}') }))
      await store.write(batch({ standings: stood(NOW - 5, '{"a":3}') }))
      if (again === undefined) return
      await store.close()
      const next = again()
      await next.open()
      const [standing] = await next.standings()
      assert.equal(standing?.at, NOW + 1)
      assert.match(standing?.plain ?? '', / é/)
      await next.close()
    },
  )

  promise('what is too old is thrown away, and the long view stays', async ({ store }) => {
    const old = NOW - 8 * DAY
    const folds = [fold(A, old, { ok: 1, lastAt: old, upMs: 4000 }), fold(A, NOW, { ok: 1, lastAt: NOW })]
    await store.write(batch({ folds, failures: [failure(A, old), failure(A, NOW - 6 * DAY)] }))
    await store.write(batch({ standings: [{ identity: B.identity, at: old, plain: '{}' }] }))
    await store.prune(NOW)
    const rows = await store.checks({ limit: 10, offset: 0 })
    assert.deepEqual(
      rows.map(({ at }) => at),
      [NOW, NOW - 6 * DAY],
    )
    const month = (await store.uptime({ now: NOW })).find(({ window }) => window === '30d')
    assert.equal(month?.upMs, 4000)
    assert.deepEqual(await store.standings(), [])
  })
}
