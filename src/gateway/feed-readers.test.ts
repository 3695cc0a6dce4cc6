import assert from 'node:assert/strict'
import http from 'node:http'
import { after, test } from 'node:test'
import { createHandClock, systemClock } from '../core/clock.ts'
import type { LogFields } from '../core/log.ts'
import { silentLog } from '../core/log.ts'
import type { Feed } from '../health/feed.ts'
import { createFeedReaders } from './feed-readers.ts'

/** A feed whose events are so long as the test wants; its first one is the snapshot. */
function makeFeed(eventBytes: number) {
  const listeners: (() => void)[] = []
  const event = Buffer.alloc(eventBytes, '.')
  const state = { version: 0, written: 0, snapshots: 0, most: 1000 }
  const feed: Feed = {
    version: () => state.version,
    versionOf: () => undefined,
    since: (from) => {
      if (state.version - from > state.most) return undefined
      state.written += 1
      return Buffer.concat(Array.from({ length: state.version - from }, () => event))
    },
    snapshot: () => {
      state.snapshots += 1
      return Promise.resolve({ version: state.version, bytes: Buffer.from(`snapshot ${state.version}\n`) })
    },
    onEvent: (listener) => void listeners.push(listener),
  }
  const happen = (times = 1): void => {
    for (let each = 0; each < times; each += 1) {
      state.version += 1
      for (const listener of listeners) listener()
    }
  }
  return { feed, happen, state }
}

/** A server that adds whoever asks to the readers; ended after the file. */
async function serve(add: (response: http.ServerResponse) => void): Promise<string> {
  const server = http.createServer((_, response) => {
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, { connection: 'close' })
    add(response)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
}

const open = (url: string): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => void http.get(url, { agent: false }, resolve).on('error', reject))

/** Resolves when the text read so far matches. */
function seen(response: http.IncomingMessage, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (pattern.test(text)) resolve()
    })
    response.on('close', () => reject(new Error(`closed before ${pattern}: ${text}`)))
  })
}

test('a reader that does not read is sent away, with a line in the log; the others lose nothing', async () => {
  const { feed, happen, state } = makeFeed(64 * 1024)
  const dropped: LogFields[] = []
  const log = { ...silentLog, info: (_: string, fields: LogFields = {}) => void dropped.push(fields) }
  const readers = createFeedReaders({ feed, clock: systemClock, log })
  const url = await serve((response) => readers.add(response, undefined))
  const slow = await open(url)
  const quick = await open(url)
  const read = { bytes: 0 }
  quick.on('data', (part: Buffer) => (read.bytes += part.length))
  slow.pause()
  // The kernel takes some megabytes in before a writer notices that nobody reads.
  for (let round = 0; round < 2000 && dropped.length === 0; round += 1) {
    happen()
    await new Promise((resolve) => void setTimeout(resolve, 51))
    if (round > 20) happen(20)
  }
  assert.equal(dropped.length, 1)
  assert.ok(Number(dropped[0]?.['waiting_bytes']) > 64 * 1024)
  assert.equal(readers.count(), 1)
  while (read.bytes < state.version * 64 * 1024) await new Promise((resolve) => void setTimeout(resolve, 20))
  quick.destroy()
  slow.destroy()
})

test('a burst is one write for all, and a reader that missed too much begins again', async () => {
  const clock = createHandClock()
  const { feed, happen, state } = makeFeed(1)
  const readers = createFeedReaders({ feed, clock, log: silentLog })
  const url = await serve((response) => readers.add(response, undefined))
  const many = await Promise.all(Array.from({ length: 5 }, () => open(url)))
  const all = (pattern: RegExp) => Promise.all(many.map((each) => seen(each, pattern)))
  await all(/retry: 3000\n\nsnapshot 0\n/)
  state.written = 0
  happen(3)
  clock.wind(50)
  await Promise.all(many.map((each) => seen(each, /^\.\.\.$/)))
  assert.equal(state.written, 1)
  happen(1001)
  clock.wind(50)
  await Promise.all(many.map((each) => seen(each, /snapshot 1004\n/)))
  for (const each of many) each.destroy()
})

test('silence is broken by a comment every 15 s, and nothing is left running when all are gone', async () => {
  const clock = createHandClock()
  const { feed } = makeFeed(1)
  const readers = createFeedReaders({ feed, clock, log: silentLog })
  const url = await serve((response) => readers.add(response, undefined))
  const one = await open(url)
  await seen(one, /snapshot/)
  const beats = seen(one, /(: still here\n\n){2}/)
  clock.wind(15_000)
  clock.wind(15_000)
  await beats
  one.destroy()
  while (readers.count() > 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(clock.pending(), 0)
})

test('all are ended when the gateway ends', async () => {
  const { feed } = makeFeed(1)
  const readers = createFeedReaders({ feed, clock: systemClock, log: silentLog })
  const url = await serve((response) => readers.add(response, undefined))
  const one = await open(url)
  await seen(one, /snapshot/)
  const ended = new Promise((resolve) => void one.on('end', resolve))
  one.resume()
  readers.endAll()
  await ended
})
