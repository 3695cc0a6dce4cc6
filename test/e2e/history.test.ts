import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import {
  ask,
  at,
  AUTH,
  chat,
  configOf,
  eventually,
  keysOf,
  listAt,
  SETTINGS,
  UPSTREAM_KEY,
} from './asking.ts'
import type { Entry } from './asking.ts'
import { startGateway, withFolder } from './program.ts'
import type { Gateway } from './program.ts'

const BACKGROUND = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 300\n`
const QUICK = `${SETTINGS}  background_health_checks: true\n  health_check_interval: 1\n  health_check_strategy: always\n`

const get = async (gateway: Gateway, path: string) =>
  (await ask(`${gateway.url}${path}`, { headers: AUTH })).json

/** The fake provider, and a folder with a config: the program may be started there again and again. */
async function withHome(
  entries: readonly Entry[],
  settings: string,
  use: (home: {
    readonly fake: FakeProvider
    readonly cwd: string
    readonly start: (args?: readonly string[]) => Promise<Gateway>
  }) => Promise<void>,
): Promise<void> {
  const fake = await startFakeProvider()
  const started: Gateway[] = []
  try {
    await withFolder({ 'config.yaml': configOf(entries, settings)(fake) }, async (cwd) => {
      const start = async (args: readonly string[] = []): Promise<Gateway> => {
        const all = ['config.yaml', '--host', '127.0.0.1', '--port', '0', ...args]
        const gateway = await startGateway(all, { cwd })
        started.push(gateway)
        return gateway
      }
      try {
        await use({ fake, cwd, start })
      } finally {
        for (const gateway of started) await gateway.stop(0)
      }
    })
  } finally {
    await fake.stop()
  }
}

const hasState = (id: string, state: string) => (health: unknown) =>
  [...listAt(health, 'healthy_endpoints'), ...listAt(health, 'unhealthy_endpoints')].some(
    (entry) => at(entry, 'model_id') === id && at(entry, 'health_state') === state,
  )

describe('after a restart', () => {
  test('a thousand that were well are well, and nobody looks at them for it', async () => {
    const entries = Array.from({ length: 1000 }, (_, index) => ({ group: `g${index}`, base: 'ok/v1' }))
    await withHome(entries, BACKGROUND, async ({ fake, start }) => {
      const first = await start()
      await eventually(
        () => get(first, '/health'),
        (health) => at(health, 'healthy_count') === 1000,
        60_000,
      )
      await first.stop()
      fake.clearJournal()
      const second = await start()
      assert.equal(at(await get(second, '/health'), 'healthy_count'), 1000)
      // First looks of an unknown fleet come within five seconds: a storm would be over by then.
      await new Promise((done) => setTimeout(done, 6000))
      assert.ok(fake.traffic().total <= 20, `${fake.traffic().total} requests`)
    })
  })

  test('whoever was down is down, since when and why, after kill -9 too, and its incident goes on', async () => {
    const entries = [
      { group: 'well', base: 'ok/v1' },
      { group: 'sick', base: 'e500/v1' },
    ]
    await withHome(entries, BACKGROUND, async ({ start, fake }) => {
      const first = await start()
      await eventually(() => get(first, '/health'), hasState('id-sick', 'DOWN'), 30_000)
      await eventually(
        () => get(first, '/health/history'),
        (past) => listAt(past, 'incidents').length === 1,
      )
      const before = at(await get(first, '/health/deployments/id-sick'), 'deployments', 0)
      const openedAt = at(await get(first, '/health/history'), 'incidents', 0, 'opened_at')
      first.signal('SIGKILL')
      await first.ended
      fake.clearJournal()
      const second = await start()
      const after = at(await get(second, '/health/deployments/id-sick'), 'deployments', 0)
      assert.deepEqual(
        [at(after, 'health_state'), at(after, 'reason')],
        [at(before, 'health_state'), at(before, 'reason')],
      )
      const drift = Date.parse(String(at(after, 'since'))) - Date.parse(String(at(before, 'since')))
      assert.ok(Math.abs(drift) < 1000, `${drift} ms`)
      const answer = await chat(second, { model: 'sick' })
      assert.equal(answer.status, 503)
      const incidents = listAt(await get(second, '/health/history'), 'incidents')
      assert.deepEqual(
        incidents.map((each) => [
          at(each, 'model_id'),
          at(each, 'opened_at'),
          at(each, 'closed_at'),
          at(each, 'cause'),
        ]),
        [['id-sick', openedAt, null, 'server_error']],
      )
      fake.order('e500', 'ok')
      await eventually(
        () => get(second, '/health/history'),
        (past) => typeof at(past, 'incidents', 0, 'closed_at') === 'string',
        60_000,
      )
    })
  })

  test('an entry that leads elsewhere inherits nothing', async () => {
    await withHome([{ group: 'sick', base: 'e401/v1' }], BACKGROUND, async ({ cwd, fake, start }) => {
      const first = await start()
      await eventually(() => get(first, '/health'), hasState('id-sick', 'MISCONFIGURED'), 30_000)
      await first.stop()
      writeFileSync(join(cwd, 'config.yaml'), configOf([{ group: 'sick', base: 'ok/v1' }], SETTINGS)(fake))
      const second = await start()
      assert.equal((await chat(second, { model: 'sick' })).status, 200)
    })
  })
})

describe('the history', () => {
  test('has LiteLLM’s fields in its answers, and no secret in its file', async () => {
    const entries = [
      { group: 'well', base: 'ok/v1' },
      { group: 'sick', base: 'e500/v1' },
    ]
    await withHome(entries, QUICK, async ({ cwd, start }) => {
      const gateway = await start()
      const past = await eventually(
        () => get(gateway, '/health/history'),
        (body) => new Set(listAt(body, 'health_checks').map((row) => at(row, 'status'))).size === 2,
        30_000,
      )
      const fields = [
        'health_check_id',
        'model_name',
        'model_id',
        'status',
        'healthy_count',
        'unhealthy_count',
      ]
      const more = ['error_message', 'response_time_ms', 'details', 'checked_by', 'checked_at', 'created_at']
      const rows = listAt(past, 'health_checks')
      for (const row of rows) assert.deepEqual(keysOf(row).slice(0, 12), [...fields, ...more])
      assert.deepEqual(keysOf(past), [
        'health_checks',
        'total_records',
        'limit',
        'offset',
        'uptime',
        'incidents',
        'store',
      ])
      assert.deepEqual(
        [at(past, 'total_records'), at(past, 'limit'), at(past, 'offset')],
        [rows.length, 100, 0],
      )
      assert.equal(at(past, 'store', 'kind'), 'sqlite')
      const latest = await get(gateway, '/health/latest')
      assert.deepEqual(keysOf(at(latest, 'latest_health_checks')).toSorted(), ['id-sick', 'id-well'])
      assert.equal(at(latest, 'total_models'), 2)
      assert.equal(at(latest, 'latest_health_checks', 'id-sick', 'status'), 'unhealthy')
      const only = await get(gateway, '/health/history?model=sick&status_filter=unhealthy&limit=1')
      assert.equal(listAt(only, 'health_checks').length, 1)
      assert.equal(at(only, 'health_checks', 0, 'model_id'), 'id-sick')
      assert.deepEqual(listAt(await get(gateway, '/health/history?status_filter=odd'), 'health_checks'), [])
      for (const bad of ['limit=0', 'limit=1001', 'limit=x', 'offset=-1'])
        assert.equal((await ask(`${gateway.url}/health/history?${bad}`, { headers: AUTH })).status, 422)
      assert.equal((await ask(`${gateway.url}/health/history`)).status, 401)
      assert.doesNotMatch(gateway.stderr(), /ExperimentalWarning/)
      await gateway.stop()
      for (const name of readdirSync(cwd).filter((each) => each.startsWith('pulsegate.db')))
        assert.ok(!readFileSync(join(cwd, name)).includes(UPSTREAM_KEY), name)
    })
  })

  test('a folder that cannot be written to is said once, and stops nothing', async () => {
    await withHome([{ group: 'well', base: 'ok/v1' }], QUICK, async ({ start }) => {
      // Nobody may make a folder there, root included.
      const gateway = await start(['--data-dir', '/proc/pulsegate'])
      const past = await eventually(
        () => get(gateway, '/health/history'),
        (body) => listAt(body, 'health_checks').length === 1,
        20_000,
      )
      assert.equal(at(past, 'store', 'state'), 'waiting')
      assert.match(String(at(past, 'store', 'error')), /\/proc\/pulsegate/)
      assert.equal((await chat(gateway, { model: 'well' })).status, 200)
      await gateway.seen(/"history_unavailable"/)
      assert.equal(gateway.stderr().match(/"history_unavailable"/g)?.length, 1)
    })
  })

  test('a file that another process holds is written to as soon as that one lets go', async () => {
    await withHome([{ group: 'well', base: 'ok/v1' }], QUICK, async ({ cwd, start }) => {
      const first = await start()
      await eventually(
        () => get(first, '/health/history'),
        (body) => listAt(body, 'health_checks').length === 1,
        20_000,
      )
      await first.stop()
      const holder = new DatabaseSync(join(cwd, 'pulsegate.db'))
      holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
      const second = await start()
      const waiting = (body: unknown) => at(body, 'store', 'state') === 'waiting'
      await eventually(() => get(second, '/health/history'), waiting, 20_000)
      assert.equal((await chat(second, { model: 'well' })).status, 200)
      await eventually(
        () => get(second, '/health/history'),
        (body) => Number(at(body, 'store', 'waiting_rows')) > 0,
        20_000,
      )
      holder.exec('COMMIT')
      holder.close()
      const back = await eventually(
        () => get(second, '/health/history'),
        (body) => at(body, 'store', 'state') === 'kept' && listAt(body, 'health_checks').length > 0,
        30_000,
      )
      assert.equal(at(back, 'store', 'dropped_rows'), 0)
      await second.seen(/"history_available"/)
    })
  })

  test('a full disk is said once, and what waits is written as soon as there is room', async (context) => {
    await withFolder({}, async (data) => {
      if (!mounted(data)) return context.skip('only root can mount a small disk to fill')
      try {
        await withHome([{ group: 'well', base: 'ok/v1' }], QUICK, async ({ start }) => {
          const filler = join(data, 'filler')
          fill(filler)
          const gateway = await start(['--data-dir', data])
          const past = await eventually(
            () => get(gateway, '/health/history'),
            (body) => at(body, 'store', 'state') === 'waiting' && listAt(body, 'health_checks').length === 1,
            20_000,
          )
          assert.match(String(at(past, 'store', 'error')), /full|I\/O|no space/i)
          assert.equal((await chat(gateway, { model: 'well' })).status, 200)
          rmSync(filler)
          await eventually(
            () => get(gateway, '/health/history'),
            (body) => at(body, 'store', 'state') === 'kept' && listAt(body, 'health_checks').length > 0,
            30_000,
          )
          await gateway.seen(/"history_available"/)
          assert.equal(gateway.stderr().match(/"history_unavailable"/g)?.length, 1)
          await gateway.stop()
        })
      } finally {
        spawnSync('umount', [data])
      }
    })
  })

  test('a corrupt file is moved aside, and a new one begun', async () => {
    await withHome([{ group: 'well', base: 'ok/v1' }], QUICK, async ({ cwd, start }) => {
      writeFileSync(join(cwd, 'pulsegate.db'), 'this is no database, and never was one '.repeat(1000))
      const gateway = await start()
      await eventually(
        () => get(gateway, '/health/history'),
        (body) => at(body, 'store', 'state') === 'kept' && listAt(body, 'health_checks').length === 1,
        20_000,
      )
      await gateway.seen(/"history_file_moved"/)
      assert.match(readFileSync(join(cwd, 'pulsegate.db.corrupt'), 'utf8'), /^this is no database/)
    })
  })

  test('whatever the moment of a kill -9, the file opens and no row that it had taken is lost', async () => {
    await withFolder({}, async (cwd) => {
      await mkdir(join(cwd, 'data'))
      const path = join(cwd, 'data', 'pulsegate.db')
      let last = 0
      const end = performance.now() + 40_000
      for (let kill = 0; kill < 50 && performance.now() < end; kill += 1) {
        last = await writeUntilKilled(path, last, 1 + ((kill * 7) % 40))
        const database = new DatabaseSync(path)
        const found = database
          .prepare(
            'SELECT count(*) AS rows, max(CAST(text AS INTEGER)) AS last FROM failures JOIN texts USING (text_n)',
          )
          .get()
        const standing = database.prepare('SELECT plain FROM standings').get()
        const check = database.prepare('PRAGMA integrity_check').get()
        database.close()
        const [rows, newest] = [Number(found?.['rows']), Number(found?.['last'])]
        assert.equal(check?.['integrity_check'], 'ok')
        assert.ok(newest >= last && rows === newest, `${rows} rows to ${newest}, ${last} were taken`)
        assert.equal(at(JSON.parse(String(standing?.['plain'])), 'number'), newest)
        last = newest
      }
    })
  })
})

/** Mounts a disk of two megabytes there; false where that may not be done. */
function mounted(folder: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]).status === 0
}

/** Writes until nothing more goes in. */
function fill(path: string): void {
  for (const bytes of [65_536, 4096, 1])
    try {
      for (;;) appendFileSync(path, Buffer.alloc(bytes))
    } catch {
      // It is full for pieces of this size.
    }
}

/** Lets a process write for a moment after its first rows, kills it, and gives the last row that it was told of. */
async function writeUntilKilled(path: string, first: number, lines: number): Promise<number> {
  const entry = resolve(import.meta.dirname, 'history-writer.ts')
  const child = spawn(process.execPath, [entry, path, 'writer', String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
    if (text.split('\n').length > lines) child.kill('SIGKILL')
  })
  await closed
  return Number(text.slice(0, text.lastIndexOf('\n')).split('\n').at(-1))
}
