import { Socket } from 'node:net'
import type { Client } from 'pg'
import type { Cancel, Clock } from '../core/clock.ts'
import { postgresAddress } from '../core/postgres-address.ts'
import type { Secret } from '../core/secret.ts'
import { within } from '../core/within.ts'
import type { LinkedStore } from './linked-store.ts'
import { SharingError } from './sharing.ts'
import type { SharedRow } from './sharing.ts'
import { parsed, readRow } from './wire.ts'

/** What sharing over Postgres needs. */
export interface PostgresSharingDeps {
  readonly url: Secret
  readonly clock: Clock
  readonly random: () => number
  readonly self: string
  readonly newNonce: () => string
}

/** Any statement is given up after this, milliseconds. */
const STATEMENT_MS = 2_000
const CONNECT_MS = 3_000
/** What changed is asked for so often: notices may get lost, and a pooler may not pass them on. */
const POLL_MS = 5_000
/** Rows that changed a little before the newest one seen are asked for again: they may have become visible later. */
const OVERLAP_MS = 10_000
/** Rows that nobody has written for so long are removed. */
const KEPT = '2 days'
/** Where notices are sent. */
export const CHANNEL = 'pulsegate_shared_health'

/** The server's time, whole milliseconds. */
export const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint'
const TABLES = `
create table if not exists pulsegate_shared_health (
  id text primary key, stamp text not null, changed bigint not null, body jsonb not null);
create index if not exists pulsegate_shared_health_changed on pulsegate_shared_health (changed);
create table if not exists pulsegate_replicas (name text primary key, seen bigint not null);`
const CHANGED = `select id, body, changed, ${NOW} as now from pulsegate_shared_health
  where changed > $1 order by changed limit 5000`
const TIDY = `delete from pulsegate_shared_health
  where changed < (extract(epoch from now() - interval '${KEPT}') * 1000)::bigint`

/** One connection, in use. */
export interface Link {
  readonly client: Client
  /** Ends when the statement before has: one at a time. Bounded by the looks that run at once. */
  tail: Promise<unknown>
  readonly socket: Socket
  readonly stopPolling: Cancel
}

/** What all of one replica's statements share. */
export interface Store extends LinkedStore<Link> {
  readonly deps: PostgresSharingDeps
  /** Up to where changes were read, in the server's time. */
  readTo: number
}

/** Asks on the connection that there is. */
export async function ask(
  store: Store,
  statement: string,
  values: readonly unknown[],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const link = store.loop.link()
  if (link === undefined) throw new SharingError('there is no connection to Postgres')
  return askLink(store, link, statement, values)
}

async function askLink(
  store: Store,
  link: Pick<Link, 'client' | 'tail'>,
  statement: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const asked = link.tail.then(() => link.client.query<Record<string, unknown>>(statement, [...values]))
  link.tail = asked.catch(() => {
    // Told to whoever asked; the next one asks all the same.
  })
  const { rows } = await store.answered({
    asked,
    mostMs: STATEMENT_MS,
    late: 'Postgres does not answer',
    isOn: (current) => current?.client === link.client,
  })
  return rows
}

/** A connection that works, with the tables there and hints coming in. */
export async function openLink(store: Store): Promise<Link> {
  const { clock, url, self } = store.deps
  const socket = new Socket()
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    stream: () => socket,
    ...postgresAddress(url.reveal()),
    connectionTimeoutMillis: CONNECT_MS,
    application_name: `pulsegate ${self}`,
    keepAlive: true,
  })
  const lost = (why: string): void => {
    if (store.loop.link()?.client === client) store.loop.failed(why)
  }
  client.on('error', (error) => lost(error.message))
  client.on('end', () => lost('the connection to Postgres is closed'))
  client.on('notification', ({ payload }) => heard(store, payload))
  try {
    const link = { client, socket, tail: Promise.resolve<unknown>(undefined) }
    await within(clock, CONNECT_MS, client.connect(), 'Postgres does not answer')
    await createTables(store, link)
    const sentAt = clock.elapsed()
    const [row] = await askLink(store, link, `select ${NOW} as now`)
    store.time.saw(sentAt, Number(row?.['now']), clock.elapsed())
    store.readTo = Number(row?.['now']) - OVERLAP_MS
    await askLink(store, link, TIDY)
    return { ...link, stopPolling: startPolling(store, link) }
  } catch (error) {
    closeLink({ client, socket, stopPolling: () => {} })
    throw error
  }
}

/** Two that make the same table at once get in each other's way; the second finds it made. */
async function createTables(store: Store, link: Pick<Link, 'client' | 'tail'>): Promise<void> {
  const { clock } = store.deps
  const make = (): Promise<unknown> =>
    within(clock, STATEMENT_MS, link.client.query(TABLES), 'Postgres does not answer')
  await make().catch(make)
  await askLink(store, link, `listen ${CHANNEL}`)
}

/** Waits for nobody: what does not say goodbye is cut off. */
export function closeLink({
  client,
  socket,
  stopPolling,
}: Pick<Link, 'client' | 'socket' | 'stopPolling'>): void {
  stopPolling()
  client.end().catch(() => {})
  socket.destroy()
}

function startPolling(store: Store, link: Pick<Link, 'client' | 'tail'>): Cancel {
  const { clock } = store.deps
  let cancel: Cancel = () => {}
  let isOver = false
  const poll = async (): Promise<void> => {
    await pollOnce(store, link).catch(() => {
      // Said by whoever counts the failures; the next round asks again.
    })
    if (!isOver) cancel = clock.after(POLL_MS, () => void poll())
  }
  cancel = clock.after(POLL_MS, () => void poll())
  return () => {
    isOver = true
    cancel()
  }
}

async function pollOnce(store: Store, link: Pick<Link, 'client' | 'tail'>): Promise<void> {
  const rows = await askLink(store, link, CHANGED, [store.readTo - OVERLAP_MS])
  for (const { id, body, changed } of rows) {
    store.readTo = Math.max(store.readTo, Number(changed))
    tell(store, readRow(body, String(id), store.time.toLocal))
  }
}

function heard(store: Store, payload: string | undefined): void {
  const body = parsed(payload)
  if (typeof body !== 'object' || body === null || !('id' in body) || store.time.isBlank()) return
  tell(store, readRow(body, String(body.id), store.time.toLocal))
}

function tell({ listeners }: Store, row: SharedRow): void {
  for (const listener of listeners) listener.changed(row)
}
