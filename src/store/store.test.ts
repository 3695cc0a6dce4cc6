import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { NO_POSTGRES, startPostgres } from '../../test/e2e/postgres.ts'
import type { PostgresServer } from '../../test/e2e/postgres.ts'
import { systemClock } from '../core/clock.ts'
import { silentLog } from '../core/log.ts'
import { Secret } from '../core/secret.ts'
import { createPostgresStore } from './postgres.ts'
import { createSqliteStore } from './sqlite.ts'
import { storeContract } from './store.contract.ts'

const folders: string[] = []
let server: Promise<PostgresServer> | undefined
let databases = 0

after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
  await (await server)?.stop()
})

const local = { clock: systemClock, log: silentLog }

storeContract('memory', () => Promise.resolve({ store: createSqliteStore(local) }))

storeContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pulsegate-store-'))
  folders.push(folder)
  const make = () => createSqliteStore({ ...local, path: join(folder, 'pulsegate.db') })
  return { store: make(), again: make }
})

storeContract(
  'PostgreSQL',
  async () => {
    server ??= startPostgres()
    // A schema of its own for each test: Prisma's word for it is heeded.
    databases += 1
    const url = `${(await server).url}?schema=s${databases}&connection_limit=5`
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: (await server).url })
    await client.connect()
    await client.query(`CREATE SCHEMA s${databases}`)
    await client.end()
    const make = () => createPostgresStore({ url: new Secret(url), clock: systemClock })
    return { store: make(), again: make }
  },
  NO_POSTGRES,
)
