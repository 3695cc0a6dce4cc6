import type { ServerResponse } from 'node:http'
import type { Cancel, Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Feed } from '../health/feed.ts'

/** Those who follow a feed, each on a connection of its own. */
export interface FeedReaders {
  /** How many there are. */
  count(): number
  /** Adds one whose head is sent already; it goes on after `version`, or begins with a snapshot. */
  add(response: ServerResponse, version: number | undefined): void
  /** Ends all of them. */
  endAll(): void
}

/** What readers are served with. */
export interface FeedReadersDeps {
  readonly feed: Feed
  readonly clock: Pick<Clock, 'after' | 'elapsed'>
  readonly log: Log
}

interface Reader {
  readonly response: ServerResponse
  /** What it has been sent; undefined while a snapshot is made for it. */
  at: number | undefined
  /** Bytes of a snapshot that may still wait in its connection. */
  allowed: number
}

/** More than this on its way to one reader, a snapshot aside: it does not keep up, and is sent away. */
const MOST_WAITING_BYTES = 64 * 1024
/** Transitions of so long leave in one write: each write to each reader is a system call. */
const GATHER_MS = 50
/** Less than the idle timeouts of common proxies (60 s). */
const HEARTBEAT_MS = 15_000
const HEARTBEAT = Buffer.from(': still here\n\n')
/** After a broken connection a browser asks again after this long. */
const GREETING = Buffer.from('retry: 3000\n\n')

/** All readers of one feed. */
interface Crowd extends FeedReadersDeps {
  readonly readers: Set<Reader>
  stopHeartbeat: Cancel
  /** A write to all is planned already. */
  isGathering: boolean
  gatheredAt: number
}

/** Starts with nobody. */
export function createFeedReaders(deps: FeedReadersDeps): FeedReaders {
  const { feed, clock, log } = deps
  const readers = new Set<Reader>()
  const state = { stopHeartbeat: () => {}, isGathering: false, gatheredAt: Number.NEGATIVE_INFINITY }
  const crowd: Crowd = { feed, clock, log, readers, ...state }
  feed.onEvent(() => gather(crowd))
  return {
    count: () => readers.size,
    add: (response, version) => {
      const reader: Reader = { response, at: version, allowed: 0 }
      response.once('close', () => remove(crowd, reader))
      response.on('error', () => remove(crowd, reader))
      if (readers.size === 0) crowd.stopHeartbeat = clock.after(HEARTBEAT_MS, () => beat(crowd))
      readers.add(reader)
      response.write(GREETING)
      if (version === undefined) begin(crowd, reader)
      else if (version !== feed.version()) gather(crowd)
    },
    endAll: () => {
      // Whoever does not read would keep the server from ending.
      for (const { response } of readers)
        if (response.writableLength > 0) response.destroy()
        else response.end()
    },
  }
}

function remove(crowd: Crowd, reader: Reader): void {
  if (crowd.readers.delete(reader) && crowd.readers.size === 0) crowd.stopHeartbeat()
}

function write(crowd: Crowd, reader: Reader, bytes: Buffer): void {
  const { response, allowed } = reader
  if (response.writableLength <= MOST_WAITING_BYTES + allowed) {
    response.write(bytes)
    return
  }
  const { size } = crowd.readers
  crowd.log.info('event_reader_dropped', { waiting_bytes: response.writableLength, readers: size - 1 })
  remove(crowd, reader)
  response.destroy()
}

function beat(crowd: Crowd): void {
  for (const reader of crowd.readers) write(crowd, reader, HEARTBEAT)
  if (crowd.readers.size > 0) crowd.stopHeartbeat = crowd.clock.after(HEARTBEAT_MS, () => beat(crowd))
}

function gather(crowd: Crowd): void {
  const { clock, gatheredAt, readers } = crowd
  if (crowd.isGathering || readers.size === 0) return
  crowd.isGathering = true
  clock.after(Math.max(gatheredAt + GATHER_MS - clock.elapsed(), 0), () => send(crowd))
}

/** Brings everybody up to date; all who have seen the same get the same bytes. */
function send(crowd: Crowd): void {
  const { feed, clock, readers } = crowd
  crowd.isGathering = false
  crowd.gatheredAt = clock.elapsed()
  const version = feed.version()
  const news = new Map<number, Buffer | undefined>()
  for (const reader of readers) {
    const { at } = reader
    if (at === undefined || at === version) continue
    if (!news.has(at)) news.set(at, feed.since(at))
    const bytes = news.get(at)
    if (bytes === undefined) {
      begin(crowd, reader)
      continue
    }
    reader.at = version
    write(crowd, reader, bytes)
  }
}

/** A reader of whom nobody knows what it has seen. */
function begin(crowd: Crowd, reader: Reader): void {
  const { feed, log, readers } = crowd
  reader.at = undefined
  feed.snapshot().then(
    ({ version, bytes }) => {
      if (!readers.has(reader)) return
      reader.at = version
      reader.allowed += bytes.length
      reader.response.write(bytes, () => {
        reader.allowed -= bytes.length
      })
      if (feed.version() !== version) gather(crowd)
    },
    (error: unknown) => {
      log.error('snapshot_failed', { message: String(error) })
      reader.response.destroy()
    },
  )
}
