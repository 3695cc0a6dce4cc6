import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { systemClock } from '../../src/core/clock.ts'
import { Secret } from '../../src/core/secret.ts'
import { createLocalSharing } from '../../src/sharing/local.ts'
import { createPostgresSharing } from '../../src/sharing/postgres.ts'
import { createRedisSharing } from '../../src/sharing/redis.ts'
import type { Conclusion, Outcome, SharedRow, Sharing } from '../../src/sharing/sharing.ts'
import { NO_POSTGRES } from '../e2e/postgres.ts'
import { noRedis, startPostgres, startRedis, type StoreServer } from '../e2e/stores.ts'

/** One store, and how replicas of it are made. */
interface Subject {
  readonly name: string
  readonly skip: string | false
  readonly start: () => Promise<StoreServer | undefined>
  readonly open: (server: StoreServer | undefined, self: string) => Sharing
  /** Whether a second replica sees what the first has done. */
  readonly isShared: boolean
}

const clock = systemClock
const common = (self: string) => ({ clock, random: Math.random, self, newNonce: randomUUID })

const SUBJECTS: readonly Subject[] = [
  {
    name: 'alone',
    skip: false,
    start: () => Promise.resolve(undefined),
    open: (_, self) => createLocalSharing(common(self)),
    isShared: false,
  },
  {
    name: 'Redis',
    skip: noRedis,
    start: startRedis,
    open: (server, self) =>
      createRedisSharing({
        ...common(self),
        address: {
          host: '127.0.0.1',
          port: Number(new URL(server?.url ?? '').port),
          db: 0,
          isTls: false,
          namespace: 'test:',
        },
      }),
    isShared: true,
  },
  {
    name: 'Postgres',
    skip: NO_POSTGRES,
    start: startPostgres,
    open: (server, self) => createPostgresSharing({ ...common(self), url: new Secret(server?.url ?? '') }),
    isShared: true,
  },
]

const now = (): number => clock.elapsed()
const found = (kind: 'ok' | 'server_error', depth: 3 | 4 = 4): Outcome['finding'] => ({
  kind,
  depth,
  startedAt: now() - 10,
  at: now(),
})
const UP: Conclusion = { kind: 'up' }
const down = (needsSecond: boolean): Conclusion => ({
  kind: 'down',
  state: 'DOWN',
  reason: 'server_error',
  domain: 'deployment',
  needsSecond,
})

function up(sharing: Sharing): Promise<void> {
  return new Promise((resolve) => {
    const forget = sharing.subscribe({
      changed: () => {},
      up: () => {
        resolve()
        forget()
      },
      down: () => {},
    })
    sharing.start()
  })
}

async function granted(sharing: Sharing, id: string, leaseMs = 10_000): Promise<string> {
  const claim = await sharing.claim(id, leaseMs)
  assert.equal(claim.kind, 'granted', JSON.stringify(claim))
  return claim.kind === 'granted' ? claim.nonce : ''
}

async function rowOf(sharing: Sharing, id: string): Promise<SharedRow> {
  const [row] = await sharing.snapshot([id])
  assert.ok(row)
  return row
}

for (const { name, skip, start, open, isShared } of SUBJECTS)
  describe(`sharing, ${name}`, { skip }, () => {
    let server: StoreServer | undefined
    let a: Sharing
    let b: Sharing
    let count = 0
    const fresh = (): string => `id-${(count += 1)}`
    before(async () => {
      server = await start()
      a = open(server, 'a')
      b = isShared ? open(server, 'b') : a
      await up(a)
      if (isShared) await up(b)
    })
    after(async () => {
      await a.stop()
      await b.stop()
      await server?.stop()
    })

    test('what nobody looks at is granted, and then held', async () => {
      const id = fresh()
      await granted(a, id)
      const second = await b.claim(id, 10_000)
      assert.equal(second.kind, 'refused')
      assert.equal(second.kind === 'refused' && second.why, 'held')
      assert.ok(second.row.until > now())
    })

    test('of many that ask at once exactly one may look', async () => {
      const id = fresh()
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, at) => (at % 2 ? a : b).claim(id, 10_000)),
      )
      assert.equal(claims.filter(({ kind }) => kind === 'granted').length, 1)
    })

    test('a claim that nobody ends is over with its lease', async () => {
      const id = fresh()
      await granted(a, id, 30)
      await later(60)
      await granted(b, id)
    })

    test('a commit needs the nonce of its claim, and is taken once', async () => {
      const id = fresh()
      const nonce = await granted(a, id)
      const outcome = { finding: found('ok'), conclusion: UP }
      assert.equal((await a.commit(id, 'another', outcome, now() + 60_000)).kind, 'superseded')
      assert.equal((await a.commit(id, nonce, outcome, now() + 60_000)).kind, 'committed')
      assert.equal((await a.commit(id, nonce, outcome, now() + 60_000)).kind, 'superseded')
    })

    test('whoever was away for longer than the lease is refused once another has claimed', async () => {
      const id = fresh()
      const late = await granted(a, id, 20)
      await later(50)
      const nonce = await granted(b, id)
      const answer = await a.commit(
        id,
        late,
        { finding: found('server_error'), conclusion: down(false) },
        now(),
      )
      assert.equal(answer.kind, 'superseded')
      assert.equal(answer.row.verdict, undefined)
      assert.equal((await b.commit(id, nonce, undefined, now())).kind, 'committed')
    })

    test('after a commit nobody looks before it is due, and then anybody may', async () => {
      const id = fresh()
      const nonce = await granted(a, id)
      await a.commit(id, nonce, { finding: found('ok'), conclusion: UP }, now() + 150)
      const early = await b.claim(id, 10_000)
      assert.equal(early.kind === 'refused' && early.why, 'not_due')
      assert.equal(early.row.look?.kind, 'ok')
      await later(250)
      await granted(b, id)
    })

    test('a claim that is given back without a word changes nothing but that', async () => {
      const id = fresh()
      const nonce = await granted(a, id)
      const { row } = await a.commit(id, nonce, undefined, now())
      assert.equal(row.look, undefined)
      await granted(b, id)
    })

    test('epoch and version only grow', async () => {
      const id = fresh()
      const seen: SharedRow[] = []
      for (let turn = 0; turn < 4; turn += 1) {
        const nonce = await granted(turn % 2 ? a : b, id)
        seen.push(await rowOf(a, id))
        await (turn % 2 ? a : b).commit(id, nonce, { finding: found('ok'), conclusion: UP }, now() - 50)
        seen.push(await rowOf(b, id))
      }
      for (const [at, { epoch, version }] of seen.entries()) {
        const before_ = seen[at - 1]
        if (before_ !== undefined)
          assert.ok(epoch > before_.epoch || (epoch === before_.epoch && version > before_.version))
      }
    })

    test('a success of traffic puts off the look of everybody, and an older one changes nothing', async () => {
      const id = fresh()
      const at = now()
      await a.evidence([{ id, ok: { at, startedAt: at - 20, nextDueAt: at + 60_000 } }])
      const claim = await b.claim(id, 10_000)
      assert.equal(claim.kind === 'refused' && claim.why, 'not_due')
      const { okAt, version } = await rowOf(b, id)
      await b.evidence([{ id, ok: { at: at - 5_000, startedAt: at - 5_000, nextDueAt: at + 100 } }])
      const later_ = await rowOf(b, id)
      assert.equal(later_.version, version)
      assert.ok(Math.abs(later_.okAt - okAt) < 100)
    })

    test('a doubt lets anybody look at once, and everybody hears of it', async () => {
      const id = fresh()
      const nonce = await granted(a, id)
      await a.commit(id, nonce, { finding: found('ok'), conclusion: UP }, now() + 60_000)
      const heard = new Promise<SharedRow>((resolve) => {
        const forget = b.subscribe({
          changed: (row) => {
            if (row.id !== id || row.doubt === undefined) return
            forget()
            resolve(row)
          },
          up: () => {},
          down: () => {},
        })
      })
      await a.evidence([{ id, doubt: { finding: found('server_error') } }])
      assert.equal((await heard).doubt?.kind, 'server_error')
      await granted(b, id)
    })

    test('who asks us to wait is left alone by all', async () => {
      const id = fresh()
      const finding = { ...found('server_error'), kind: 'rate_limited', retryAfterMs: 60_000 } as const
      await a.evidence([{ id, doubt: { finding } }])
      const claim = await b.claim(id, 10_000)
      assert.equal(claim.kind === 'refused' && claim.why, 'not_due')
    })

    test('one report is no verdict; a look is', async () => {
      const id = fresh()
      await a.evidence([{ id, doubt: { finding: found('server_error'), conclusion: down(true) } }])
      assert.equal((await rowOf(b, id)).verdict, undefined)
      const nonce = await granted(a, id)
      await a.commit(id, nonce, { finding: found('server_error'), conclusion: down(false) }, now() + 5_000)
      assert.equal((await rowOf(b, id)).verdict?.state, 'DOWN')
    })

    test('a later success ends a verdict, an earlier one does not', async () => {
      const id = fresh()
      const nonce = await granted(a, id)
      const before_ = now() - 1_000
      await a.commit(id, nonce, { finding: found('server_error'), conclusion: down(false) }, now())
      await b.evidence([{ id, ok: { at: before_, startedAt: before_, nextDueAt: now() } }])
      assert.equal((await rowOf(b, id)).verdict?.reason, 'server_error')
      await later(60)
      await b.evidence([{ id, ok: { at: now(), startedAt: now() - 5, nextDueAt: now() } }])
      assert.equal((await rowOf(a, id)).verdict, undefined)
    })

    test('what is not known is left out', async () => {
      assert.deepEqual(await a.snapshot([fresh()]), [])
    })

    if (isShared) {
      test('two reports are a verdict', async () => {
        const id = fresh()
        for (const each of [a, b])
          await each.evidence([{ id, doubt: { finding: found('server_error'), conclusion: down(true) } }])
        assert.equal((await rowOf(a, id)).verdict?.state, 'DOWN')
      })

      test('a look that may be the fault of our own network needs a second one', async () => {
        const id = fresh()
        for (const each of [a, b]) {
          assert.equal((await each.snapshot([id]))[0]?.verdict, undefined)
          const nonce = await granted(each, id)
          await each.commit(id, nonce, { finding: found('server_error'), conclusion: down(true) }, now() - 50)
        }
        assert.equal((await rowOf(a, id)).verdict?.state, 'DOWN')
      })

      test('a store that forgets everything refuses the old claim, and its rows are news again', async () => {
        const id = fresh()
        const old = await granted(a, id)
        const before = await rowOf(a, id)
        await server?.empty()
        const outcome = { finding: found('server_error'), conclusion: down(false) }
        assert.equal((await a.commit(id, old, outcome, now())).kind, 'superseded')
        const nonce = await granted(b, id)
        assert.equal((await a.commit(id, old, outcome, now())).kind, 'superseded')
        assert.equal(
          (await b.commit(id, nonce, { finding: found('ok'), conclusion: UP }, now())).kind,
          'committed',
        )
        const after_ = await rowOf(a, id)
        assert.ok(after_.epoch > before.epoch)
        assert.equal(after_.look?.kind, 'ok')
      })

      test('all that live know of each other', async () => {
        await a.members()
        assert.deepEqual([...(await b.members())].sort(), ['a', 'b'])
      })

      test('a store that is frozen is noticed in time, and a store that is back is used again', async () => {
        const told: string[] = []
        const forget = a.subscribe({
          changed: () => {},
          up: () => told.push('up'),
          down: () => told.push('down'),
        })
        await server?.signal('SIGSTOP')
        const startedAt = now()
        for (let turn = 0; turn < 3; turn += 1) await assert.rejects(a.claim(fresh(), 10_000))
        assert.ok(now() - startedAt < 15_000)
        assert.equal(a.isUp(), false)
        assert.equal(told[0], 'down')
        await server?.signal('SIGCONT')
        const deadline = now() + 30_000
        while (!a.isUp() && now() < deadline) await later(50)
        assert.equal(a.isUp(), true)
        await granted(a, fresh())
        forget()
      })
    }
  })
