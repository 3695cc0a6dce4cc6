import type { JsonObject } from '../core/json.ts'
import { blankRow, claimed, committed, merged } from './ledger.ts'
import { createLinkedStore } from './linked-store.ts'
import { ask, CHANNEL, closeLink, NOW, openLink } from './postgres-link.ts'
import type { Link, PostgresSharingDeps, Store } from './postgres-link.ts'
import { MEMBER_MS, MOST_MEMBERS, SharingError } from './sharing.ts'
import type { Claim, Committed, Note, Sharing, SharedRow } from './sharing.ts'
import { plainRow, readRow, shiftedNote, shiftedOutcome } from './wire.ts'

/** Somebody else was faster; after so many times in a row there is no hurry. */
const MOST_TRIES = 5
const CHUNK = 500
/** Longest text that a notice may carry, bytes. */
const MOST_NOTICE = 7_500
const READ = `select t.id, t.stamp, t.body, ${NOW} as now from unnest($1::text[]) as u(id)
  left join pulsegate_shared_health t on t.id = u.id`
const WRITE = `insert into pulsegate_shared_health as t (id, stamp, changed, body)
  select u.id, u.stamp, ${NOW}, u.body from unnest($1::text[], $2::text[], $3::jsonb[]) as u(id, stamp, body)
  on conflict (id) do update set stamp = excluded.stamp, changed = excluded.changed, body = excluded.body
    where t.stamp = any($4::text[])
  returning id`
const MEMBERS = `with gone as (delete from pulsegate_replicas where seen < ${NOW} - $2),
  own as (insert into pulsegate_replicas values ($1, ${NOW}) on conflict (name) do update set seen = excluded.seen)
  select name from pulsegate_replicas where seen >= ${NOW} - $2 limit $3`
/** Times that stay as they are. */
const SAME = (time: number): number => time

/** A row as it stands, with what a writer must show to replace it; its times are the server's. */
interface Standing {
  readonly row: SharedRow
  readonly stamp: string
  readonly now: number
}

/**
 * Sharing over Postgres: one connection, each statement by itself, so that it works through a pooler as well. A row is
 * replaced only where it is still the one that was read (each version has a random stamp), so that the rules need not be
 * said again in SQL and nobody ever holds a lock while he is paused.
 */
export function createPostgresSharing(deps: PostgresSharingDeps): Sharing {
  const { clock, random, self, newNonce } = deps
  const store: Store = {
    deps,
    readTo: 0,
    ...createLinkedStore<Link>({ clock, random, open: () => openLink(store), close: closeLink }),
  }
  const { loop, subscribe } = store
  return {
    kind: 'postgres',
    isUp: () => loop.link() !== undefined,
    claim: (id, leaseMs) => claimIn(store, id, { by: self, nonce: newNonce(), leaseMs }),
    commit: (id, nonce, outcome, dueAt) => commitIn(store, id, { by: self, nonce, epoch: 0, outcome, dueAt }),
    evidence: (notes) => mergeIn(store, notes),
    snapshot: async (ids) => {
      const rows: SharedRow[] = []
      for (let from = 0; from < ids.length; from += CHUNK)
        for (const { row } of await read(store, ids.slice(from, from + CHUNK)))
          if (row.epoch > 0) rows.push(toLocalRow(store, row))
      return rows
    },
    subscribe,
    members: async () => {
      const rows = await ask(store, MEMBERS, [self, MEMBER_MS, MOST_MEMBERS])
      return [...new Set([...rows.map(({ name }) => String(name)), self])]
    },
    start: () => loop.start(),
    stop: () => loop.stop(),
  }
}

async function claimIn(store: Store, id: string, request: Parameters<typeof claimed>[1]): Promise<Claim> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const [standing] = await read(store, [id])
    if (standing === undefined) break
    const claim = claimed(standing.row, request, standing.now)
    const told = { ...claim, row: toLocalRow(store, claim.row) }
    if (claim.kind === 'refused') return told
    if (await write(store, [{ ...standing, row: claim.row }], false)) return told
  }
  throw new SharingError('others change this row all the time')
}

async function commitIn(
  store: Store,
  id: string,
  request: Parameters<typeof committed>[1],
): Promise<Committed> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const [standing] = await read(store, [id])
    if (standing === undefined) break
    const { toServer } = store.time
    const outcome = shiftedOutcome(request.outcome, toServer)
    const dueAt = toServer(request.dueAt)
    const row = committed(standing.row, { ...request, outcome, dueAt }, standing.now)
    if (row === undefined) return { kind: 'superseded', row: toLocalRow(store, standing.row) }
    const isNews =
      row.verdict?.state !== standing.row.verdict?.state || row.look?.kind !== standing.row.look?.kind
    if (await write(store, [{ ...standing, row }], isNews))
      return { kind: 'committed', row: toLocalRow(store, row) }
  }
  throw new SharingError('others change this row all the time')
}

/** Two statements for each few hundred rows; what somebody else has changed meanwhile is tried again. */
async function mergeIn(store: Store, notes: readonly Note[]): Promise<void> {
  let left = notes
  for (let tries = 0; tries < MOST_TRIES && left.length > 0; tries += 1) {
    const again: Note[] = []
    for (let from = 0; from < left.length; from += CHUNK)
      again.push(...(await mergeSome(store, left.slice(from, from + CHUNK))))
    left = again
  }
}

async function mergeSome(store: Store, notes: readonly Note[]): Promise<readonly Note[]> {
  const byId = new Map(notes.map((note) => [note.id, note]))
  const standings = await read(store, [...byId.keys()])
  const changed = standings.flatMap((standing) => {
    const note = byId.get(standing.row.id)
    if (note === undefined) return []
    const row = merged(standing.row, shiftedNote(note, store.time.toServer), store.deps.self, standing.now)
    return row === standing.row ? [] : [{ ...standing, row }]
  })
  const loud = changed.filter(({ row }) => byId.get(row.id)?.doubt !== undefined)
  const quiet = changed.filter(({ row }) => byId.get(row.id)?.doubt === undefined)
  const written = new Set([...(await replaced(store, loud, true)), ...(await replaced(store, quiet, false))])
  return changed.flatMap(({ row }) => (written.has(row.id) ? [] : (byId.get(row.id) ?? [])))
}

async function read(store: Store, ids: readonly string[]): Promise<readonly Standing[]> {
  const { clock } = store.deps
  const sentAt = clock.elapsed()
  const rows = await ask(store, READ, [ids])
  const now = Number(rows[0]?.['now'] ?? Number.NaN)
  if (now > 0) store.time.saw(sentAt, now, clock.elapsed())
  const known = new Map(rows.map((row) => [String(row['id']), row]))
  return ids.map((id) => {
    const found = known.get(id)
    if (found === undefined) return { row: blankRow(id), stamp: '', now }
    return { row: readRow(found['body'], id, SAME), stamp: String(found['stamp']), now }
  })
}

async function write(store: Store, rows: readonly Standing[], isNews: boolean): Promise<boolean> {
  return (await replaced(store, rows, isNews)).length === rows.length
}

/** Writes those that are still as they were read, and says which. */
async function replaced(
  store: Store,
  standings: readonly Standing[],
  isNews: boolean,
): Promise<readonly string[]> {
  if (standings.length === 0) return []
  const { newNonce } = store.deps
  const bodies = standings.map(({ row }) => plainRow(row, SAME))
  const rows = await ask(store, WRITE, [
    standings.map(({ row }) => row.id),
    standings.map(() => newNonce()),
    bodies.map((body) => JSON.stringify(body)),
    standings.map(({ stamp }) => stamp),
  ])
  const ids = rows.map(({ id }) => String(id))
  if (isNews) await notify(store, bodies, new Set(ids))
  return ids
}

/** A hint for whoever listens. It is sent where a verdict changes: a notice takes a lock of the whole database. */
async function notify(store: Store, bodies: readonly JsonObject[], ids: ReadonlySet<string>): Promise<void> {
  for (const body of bodies) {
    const text = JSON.stringify(body)
    const { id } = body
    if (typeof id === 'string' && ids.has(id) && Buffer.byteLength(text) <= MOST_NOTICE)
      await ask(store, 'select pg_notify($1, $2)', [CHANNEL, text])
  }
}

function toLocalRow({ time }: Store, row: SharedRow): SharedRow {
  return readRow(plainRow(row, SAME), row.id, time.toLocal)
}
