import type { Redis } from 'ioredis'
import type { Clock } from '../core/clock.ts'
import type { RedisAddress } from '../core/meeting-place.ts'
import { within } from '../core/within.ts'
import { createLinkedStore } from './linked-store.ts'
import type { LinkedStore } from './linked-store.ts'
import { CLAIM, COMMIT, MEMBERS, MERGE } from './scripts.ts'
import { isWholeOk, MEMBER_MS, MOST_MEMBERS, REPORT_MS, REPORTERS, SharingError } from './sharing.ts'
import type { Note, Outcome, Sharing, SharedRow } from './sharing.ts'
import { findingText, parsed, readHash, verdictText } from './wire.ts'

/** What sharing over Redis needs. */
export interface RedisSharingDeps {
  readonly address: RedisAddress
  readonly clock: Clock
  readonly random: () => number
  readonly self: string
  readonly newNonce: () => string
}

/** Any command is given up after this, milliseconds. */
const COMMAND_MS = 1_000
const CONNECT_MS = 2_000
/** So many rows are asked for at once. */
const CHUNK = 500

/** One connection for commands, and one that listens. */
interface Link {
  readonly commands: Redis
  readonly hints: Redis
}

interface Store extends LinkedStore<Link> {
  readonly deps: RedisSharingDeps
}

/** Makes sharing over one Redis. Every command has a deadline, nothing is queued while there is no connection. */
export function createRedisSharing(deps: RedisSharingDeps): Sharing {
  const { clock, random, self, newNonce } = deps
  const store: Store = {
    deps,
    ...createLinkedStore<Link>({ clock, random, open: () => openLink(store), close: closeLink }),
  }
  const { loop, subscribe } = store
  return {
    kind: 'redis',
    isUp: () => loop.link() !== undefined,
    claim: async (id, leaseMs) => {
      const nonce = newNonce()
      const { word, row } = await run(store, id, CLAIM, [nonce, self, leaseMs])
      if (word === 'granted') return { kind: 'granted', nonce, row }
      return { kind: 'refused', why: word === 'held' ? 'held' : 'not_due', row }
    },
    commit: async (id, nonce, outcome, dueAt) => {
      const { word, row } = await run(store, id, COMMIT, commitArguments(store, id, nonce, outcome, dueAt))
      return { kind: word === 'committed' ? 'committed' : 'superseded', row }
    },
    evidence: (notes) => tellAll(store, notes),
    snapshot: (ids) => readAll(store, ids),
    subscribe,
    members: async () => {
      const answer = await ask(store, ({ commands }) =>
        commands.eval(MEMBERS, 1, `${deps.address.namespace}members`, self, MEMBER_MS, MOST_MEMBERS),
      )
      const [, names] = Array.isArray(answer) ? answer : []
      return Array.isArray(names) ? names.map(String) : [self]
    },
    start: () => loop.start(),
    stop: () => loop.stop(),
  }
}

function keyOf({ deps }: Store, id: string): string {
  return `${deps.address.namespace}${id}`
}

function channelOf({ deps }: Store): string {
  return `${deps.address.namespace}changed`
}

async function ask<Result>(
  store: Store,
  question: (link: Link) => Promise<Result>,
  timeIn: (answer: Result) => unknown = () => undefined,
): Promise<Result> {
  const link = store.loop.link()
  if (link === undefined) throw new SharingError('there is no connection to Redis')
  const { clock } = store.deps
  const sentAt = clock.elapsed()
  const answer = await store.answered({
    asked: question(link),
    mostMs: COMMAND_MS,
    late: 'Redis does not answer',
    isOn: (current) => current === link,
  })
  const serverAt = Number(timeIn(answer))
  if (serverAt > 0) store.time.saw(sentAt, serverAt, clock.elapsed())
  return answer
}

async function run(
  store: Store,
  id: string,
  script: string,
  args: readonly (string | number)[],
): Promise<{ readonly word: string; readonly row: SharedRow }> {
  const answer = await ask(
    store,
    ({ commands }) => commands.eval(script, 1, keyOf(store, id), ...args),
    (told) => (Array.isArray(told) ? told[1] : undefined),
  )
  const [word, , flat] = Array.isArray(answer) ? answer : []
  return { word: String(word), row: readHash(flat, id, store.time.toLocal) }
}

function commitArguments(
  store: Store,
  id: string,
  nonce: string,
  outcome: Outcome | undefined,
  dueAt: number,
): readonly (string | number)[] {
  const { self } = store.deps
  const { toServer } = store.time
  const { finding, conclusion } = outcome ?? {}
  const isWhole = finding !== undefined && isWholeOk(finding)
  return [
    nonce,
    self,
    toServer(dueAt),
    finding === undefined ? '' : findingText(finding, self, toServer),
    isWhole ? toServer(finding.at) : '',
    isWhole ? toServer(finding.startedAt) : '',
    conclusion === undefined ? '' : conclusion.kind === 'up' ? 'up' : verdictText(conclusion),
    conclusion?.kind === 'down' && conclusion.needsSecond ? '1' : '0',
    REPORT_MS,
    REPORTERS,
    channelOf(store),
    id,
  ]
}

function noteArguments(store: Store, { id, ok, doubt, isDue }: Note): readonly (string | number)[] {
  const { self } = store.deps
  const { toServer } = store.time
  const { finding, conclusion } = doubt ?? {}
  const waitMs = finding?.retryAfterMs
  return [
    self,
    ok === undefined ? '' : toServer(ok.at),
    ok === undefined ? '' : toServer(ok.startedAt),
    ok === undefined ? '' : toServer(ok.nextDueAt),
    finding === undefined ? '' : findingText(finding, self, toServer),
    finding === undefined || waitMs === undefined ? '' : toServer(finding.at + waitMs),
    conclusion?.kind === 'down' ? verdictText(conclusion) : '',
    REPORT_MS,
    REPORTERS,
    isDue === true ? '1' : '',
    channelOf(store),
    id,
  ]
}

/** All in one pipeline. */
async function tellAll(store: Store, notes: readonly Note[]): Promise<void> {
  if (notes.length === 0) return
  if (store.time.isBlank()) throw new SharingError('the time of Redis is not known yet')
  for (let from = 0; from < notes.length; from += CHUNK)
    await ask(store, async ({ commands }) => {
      const pipeline = commands.pipeline()
      for (const note of notes.slice(from, from + CHUNK))
        pipeline.eval(MERGE, 1, keyOf(store, note.id), ...noteArguments(store, note))
      const answers = (await pipeline.exec()) ?? []
      const failed = answers.find(([error]) => error !== null)
      if (failed?.[0]) throw failed[0]
    })
}

async function readAll(store: Store, ids: readonly string[]): Promise<readonly SharedRow[]> {
  const rows: SharedRow[] = []
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK)
    const answers = await ask(store, ({ commands }) => {
      const pipeline = commands.pipeline()
      for (const id of chunk) pipeline.hgetall(keyOf(store, id))
      return pipeline.exec()
    })
    chunk.forEach((id, at) => {
      const [error, hash] = answers?.[at] ?? []
      if (error || typeof hash !== 'object' || hash === null) return
      const flat = Object.entries(hash).flat()
      if (flat.length > 0) rows.push(readHash(flat, id, store.time.toLocal))
    })
  }
  return rows
}

/** Two connections that work: both were asked and have answered. */
async function openLink(store: Store): Promise<Link> {
  const { address, clock, self } = store.deps
  const options = {
    host: address.host,
    port: address.port,
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password.reveal() }),
    db: address.db,
    ...(address.isTls && { tls: {} }),
    protocol: 2 as const,
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResubscribe: false,
    connectionName: `pulsegate-${self}`,
  }
  // It takes 14 MB: only who shares has it. A bundle has no names of a package that is not an ES module, but its default.
  const { default: ioredis } = await import('ioredis')
  const link: Link = { commands: new ioredis.Redis(options), hints: new ioredis.Redis(options) }
  const lost = (why: string) => (): void => {
    if (store.loop.link() === link) store.loop.failed(why)
  }
  for (const each of [link.commands, link.hints]) {
    // Without a listener an error would end the program; the attempt that it belongs to rejects as well.
    each.on('error', () => {})
    each.on('end', lost('the connection to Redis is closed'))
  }
  try {
    const opening = Promise.all([link.commands.connect(), link.hints.connect()])
    await within(clock, CONNECT_MS, opening, 'Redis does not answer')
    link.hints.on('message', (_channel: string, text: string) => heard(store, text))
    await within(clock, COMMAND_MS, link.hints.subscribe(channelOf(store)), 'Redis does not answer')
    const sentAt = clock.elapsed()
    const [seconds, micros] = await within(clock, COMMAND_MS, link.commands.time(), 'Redis does not answer')
    store.time.saw(sentAt, Number(seconds) * 1000 + Math.floor(Number(micros) / 1000), clock.elapsed())
    return link
  } catch (error) {
    closeLink(link)
    throw error
  }
}

function closeLink({ commands, hints }: Link): void {
  commands.disconnect()
  hints.disconnect()
}

/** A hint: somebody has changed a row. What cannot be read is no hint. */
function heard(store: Store, text: string): void {
  const message = parsed(text)
  if (!Array.isArray(message) || store.time.isBlank()) return
  const [id, , flat] = message
  const row = readHash(flat, String(id), store.time.toLocal)
  for (const listener of store.listeners) listener.changed(row)
}
