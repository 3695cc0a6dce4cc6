import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import type { FakeProvider } from '../../src/fake-provider/server.ts'
import { at, eventually, keysOf, listAt } from '../e2e/asking.ts'
import { chat, deadPort, modelOf, UPSTREAM_KEY, withGateway } from './fault-stage.ts'
import type { Cell, Got } from './fault-stage.ts'

/**
 * What a client gets in the four ways to meet a fault: from a group of the sick deployment alone, and from one with
 * a live one behind it; whole, and streamed. `asked 1+1` is one request to the sick one and one to the live one;
 * `wait` is Retry-After; what follows the colon has reached the client.
 */
interface Row {
  /** An order of the fake provider, or a name in `BASES`. */
  readonly fault: string
  readonly whole: readonly [alone: string, withLive: string]
  readonly stream: readonly [alone: string, withLive: string]
  /** It is given up for silence or slowness. */
  readonly isWaitedOut?: true
}

const LIVE = '200 of live, asked 1+1: pong'
const SICK = '200 of sick, asked 1: pong'

/** A fault before the first byte: a stream is told of it as anybody is. */
const early = (fault: string, alone: string, withLive: string): Row => ({
  fault,
  whole: [alone, withLive],
  stream: [alone, withLive],
})

/** A fault in the middle: what is judged whole moves on, a stream that has begun does not. */
const midway = (fault: string, alone: string, streamed: string): Row => ({
  fault,
  whole: [alone, LIVE],
  stream: [streamed, streamed],
})

const ROWS: readonly Row[] = [
  // No connection.
  early('refused', '502 unreachable, asked 3', '200 of live, asked 1+1: pong'),
  early('no tls', '502 tls, asked 1', '200 of live, asked 1+1: pong'),
  // No answer, or a late one.
  early('reset', '502 unreachable, asked 3', LIVE),
  { ...early('hang', '504 timeout, asked 3', LIVE), isWaitedOut: true },
  { ...early('slow600000', '504 timeout, asked 3', LIVE), isWaitedOut: true },
  { ...early('ttft600000', '504 timeout, asked 3', LIVE), isWaitedOut: true },
  { ...early('drip9', '504 timeout, asked 3', LIVE), isWaitedOut: true },
  early('drip1', SICK, SICK),
  early('slow50', SICK, SICK),
  early('ttft50', SICK, SICK),
  early('early', SICK, SICK),
  // Half an answer.
  {
    ...midway('stall', '504 timeout, asked 3', '200 of sick, asked 1: po, then timeout'),
    isWaitedOut: true,
  },
  midway('cut', '502 cut, asked 3', '200 of sick, asked 1: po, then cut'),
  midway('tear', '502 cut, asked 3', '200 of sick, asked 1: po, then cut'),
  midway('half', '502 wrong_shape, asked 1', '200 of sick, asked 1: po, then cut'),
  midway('overrun', '502 wrong_shape, asked 1', '200 of sick, asked 1: po, then cut'),
  {
    fault: 'nodone',
    whole: [SICK, SICK],
    stream: ['200 of sick, asked 1: pong, and no end', '200 of sick, asked 1: pong, and no end'],
  },
  {
    fault: 'errevent',
    whole: [SICK, SICK],
    stream: ['200 of sick, asked 1: , then server_error', '200 of sick, asked 1: , then server_error'],
  },
  // An answer that is none.
  early('empty', '502 empty, asked 3', LIVE),
  early('garbage', '502 wrong_shape, asked 1', LIVE),
  early('html', '502 wrong_shape, asked 1', LIVE),
  early('shape', '502 wrong_shape, asked 1', LIVE),
  early('redirect', '502 wrong_shape, asked 1', LIVE),
  early('err200', '500 server_error, asked 3', LIVE),
  // An answer like any other, as far as the gateway looks.
  early('wrongmodel', SICK, SICK),
  early('echo200', SICK, SICK),
  early('recover1', '200 of sick, asked 2: pong', LIVE),
  // A refusal.
  early('echo', '401 auth, asked 1', LIVE),
  early('quota', '429 quota, asked 1', LIVE),
  early('e400', '400 bad_request, asked 1', '400 bad_request, asked 1'),
  early('e401', '401 auth, asked 1', LIVE),
  early('e403', '403 auth, asked 1', LIVE),
  early('e404', '404 not_found, asked 1', LIVE),
  early('e408', '408 timeout, asked 3', LIVE),
  early('e409', '409 bad_request, asked 1', '409 bad_request, asked 1'),
  early('e422', '422 bad_request, asked 1', '422 bad_request, asked 1'),
  early('e429r30', '429 rate_limited, wait 30, asked 1', LIVE),
  early('e429d30', '429 rate_limited, wait 30, asked 1', LIVE),
  early('e429ms300', '429 rate_limited, wait 1, asked 3', LIVE),
  early('e500', '500 server_error, asked 3', LIVE),
  early('e502', '502 server_error, asked 3', LIVE),
  early('e503', '503 overloaded, asked 3', LIVE),
  early('e503r30', '503 overloaded, wait 30, asked 1', LIVE),
  early('e529', '529 overloaded, asked 3', LIVE),
  // More of an answer than anybody wants: it is the client's to leave.
  early('flood', '200 of sick, asked 1: left after 6 MB', '200 of sick, asked 1: left after 6 MB'),
  early('gzipbomb', '200 of sick, asked 1: left after 6 MB', '200 of sick, asked 1: left after 6 MB'),
]

/** More than any of them takes: three timeouts, or a stream that drips. */
const LONGEST_MS = 9_000

/** Bases that are no order of the fake. */
async function basesAt(fake: FakeProvider): Promise<Readonly<Record<string, string>>> {
  return {
    refused: `http://127.0.0.1:${await deadPort()}/v1`,
    'no tls': `${fake.url.replace('http:', 'https:')}/ok/v1`,
  }
}

const cellsOf = (bases: Readonly<Record<string, string>>): readonly Cell[] =>
  ROWS.flatMap(({ fault, isWaitedOut = false }) =>
    [false, true].flatMap((isStream) =>
      [false, true].map((hasLive) => ({
        name: [fault.replaceAll(' ', '-'), isStream ? 'streamed' : 'whole', hasLive ? 'pair' : 'alone'].join(
          '-',
        ),
        fault: bases[fault] ?? fault,
        isStream,
        hasLive,
        isWaitedOut,
      })),
    ),
  )

/** One cell, met. */
interface Met {
  readonly cell: Cell
  readonly got: Got
  readonly outcome: string
}

describe('each fault of an upstream, whole and streamed, alone and beside a live one', () => {
  let met: readonly Met[] = []
  let left = { running: -1, readiness: 0, resources: ['never counted'] }

  before(async () => {
    const known = resources()
    const fake = await startFakeProvider()
    try {
      const cells = cellsOf(await basesAt(fake))
      await withGateway(fake, cells, async (url) => {
        const meet = async (cell: Cell): Promise<Met> => {
          const got = await chat(url, cell)
          return { cell, got, outcome: outcomeOf(fake, cell, got) }
        }
        // A flood leaves the others no time: it comes last, and one at a time.
        const isFlood = ({ fault }: Cell): boolean => fault === 'flood' || fault === 'gzipbomb'
        const others = await Promise.all(cells.filter((cell) => !isFlood(cell)).map(meet))
        const floods: Met[] = []
        for (const cell of cells.filter(isFlood)) floods.push(await meet(cell))
        met = [...others, ...floods]
        const running = await settled(() => fake.traffic().inFlight, 0)
        const readiness = (await fetch(`${url}/health/readiness`)).status
        left = { ...left, running, readiness }
      })
    } finally {
      await fake.stop()
    }
    const surplus = (): readonly string[] => without(resources(), known)
    left = { ...left, resources: [...(await settledList(surplus))] }
  })

  for (const [at, { fault, whole, stream }] of ROWS.entries())
    test(fault, () => {
      const mine = met.slice(4 * at, 4 * at + 4).map(({ outcome }) => outcome)
      assert.deepEqual(mine, [...whole, ...stream])
    })

  test('nothing hangs, and whoever has a timeout is told in time', () => {
    const late = met.filter(({ got }) => got.tookMs > LONGEST_MS)
    assert.deepEqual(
      late.map(({ cell, got }) => `${cell.name}: ${got.tookMs} ms`),
      [],
    )
    assert.equal(met.length, 4 * ROWS.length)
  })

  test("every error is OpenAI's envelope, names its deployment, and says whose it is", () => {
    for (const { cell, got } of met.filter(({ got }) => got.status !== 200)) {
      const { error } = { error: undefined, ...objectOf(got.text) }
      assert.deepEqual(keysOf(error), ['message', 'type', 'param', 'code'], cell.name)
      assert.equal(at(error, 'code'), String(got.status), cell.name)
      assert.ok(String(at(error, 'message')).includes(`deployment "${cell.name}"`), got.text)
      assert.equal(got.headers['content-type'], 'application/json', cell.name)
      assert.equal(got.headers['x-pulsegate-error-source'], 'upstream', cell.name)
      assert.equal(got.headers['x-litellm-model-id'], `${cell.name}-sick`)
      assert.equal(got.headers['x-litellm-attempted-retries'], undefined, cell.name)
    }
  })

  test('every answer says who gave it, and after how many retries', () => {
    for (const { cell, got, outcome } of met.filter(({ got }) => got.status === 200)) {
      const who = outcome.includes('of live') ? 'live' : 'sick'
      assert.equal(got.headers['x-litellm-model-id'], `${cell.name}-${who}`)
      assert.equal(got.headers['x-litellm-model-group'], cell.name)
      const retries = /asked (?:1\+1|2)/.test(outcome) ? '1' : '0'
      assert.equal(got.headers['x-litellm-attempted-retries'], retries, cell.name)
      const type = cell.isStream ? 'text/event-stream; charset=utf-8' : 'application/json'
      assert.equal(got.headers['content-type'], type, cell.name)
    }
  })

  test('every answer has an id, and none of them a secret', () => {
    for (const { cell, got } of met) {
      assert.match(String(got.headers['x-litellm-call-id']), /./, cell.name)
      assert.ok(!`${JSON.stringify(got.headers)}${got.text}`.includes(UPSTREAM_KEY), cell.name)
    }
  })

  test('nothing is left running: no exchange at the upstream, no socket and no timer', () => {
    assert.deepEqual(left, { running: 0, readiness: 200, resources: [] })
  })
})

/** A cell's outcome in the words of the table. */
function outcomeOf(fake: FakeProvider, cell: Cell, got: Got): string {
  const live = fake.traffic(modelOf(cell, 'live')).total
  const error = got.status === 200 ? undefined : objectOf(got.text)?.['error']
  const tries =
    error === undefined
      ? Number(got.headers['x-litellm-attempted-retries']) + 1
      : Number(/\(tried (\d) times/.exec(String(at(error, 'message')))?.[1] ?? 1)
  assertCounted(fake, cell, tries - live)
  const asked = `asked ${tries - live}${live === 0 ? '' : `+${live}`}`
  if (error === undefined) {
    const who = String(got.headers['x-litellm-model-id']).slice(cell.name.length + 1)
    return `200 of ${who}, ${asked}: ${bodyOf(cell, got)}`
  }
  const wait = got.headers['retry-after']
  return [
    `${got.status} ${String(at(error, 'type'))}`,
    ...(wait === undefined ? [] : [`wait ${wait}`]),
    asked,
  ].join(', ')
}

/** The sick one was asked as often as the client is told. */
function assertCounted(fake: FakeProvider, cell: Cell, tries: number): void {
  const { total } = fake.traffic(modelOf(cell, 'sick'))
  if (cell.fault.includes('://')) assert.equal(total, 0, `${cell.name}: nobody is there to count`)
  // What breaks on a connection that was used before is sent once more on a new one: that is no second try.
  else if (cell.fault === 'reset') assert.ok(total >= tries && total <= 2 * tries, `${cell.name}: ${total}`)
  else assert.equal(total, tries, cell.name)
}

/** What of an answer has reached the client. */
function bodyOf(cell: Cell, { text, end }: Got): string {
  if (end === 'left') return `left after ${Math.floor(text.length / 2 ** 20)} MB`
  if (end === 'torn') return `torn after ${text.length} bytes`
  if (!cell.isStream) return String(at(objectOf(text), 'choices', 0, 'message', 'content'))
  const events = text.split('\n\n').map((event) => event.replace(/^\s*data: /, ''))
  const said = events.flatMap((event) => listAt(objectOf(event), 'choices'))
  const words = said
    .map((choice) => at(choice, 'delta', 'content'))
    .filter((word) => typeof word === 'string')
    .join('')
  const errors = events.flatMap((event) => objectOf(event)?.['error'] ?? [])
  const isDone = events.at(-2) === '[DONE]'
  if (errors.length > 0)
    return `${words}, then ${errors.map((error) => String(at(error, 'type'))).join(' and ')}${isDone ? ' and done' : ''}`
  return isDone ? words : `${words}, and no end`
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined // `[DONE]`, or the half of an event.
  }
}

/** Whatever keeps this process busy, by kind. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().toSorted()
}

/** What is in `more` beyond `less`. */
function without(more: readonly string[], less: readonly string[]): readonly string[] {
  const rest = [...less]
  return more.filter((kind) => {
    const found = rest.indexOf(kind)
    if (found !== -1) rest.splice(found, 1)
    return found === -1
  })
}

const SETTLE_MS = 3_000

/** The value as soon as it is the expected one, else what it is in the end. */
async function settled(read: () => number, expected: number): Promise<number> {
  return eventually(read, (value) => value === expected, SETTLE_MS).catch(read)
}

async function settledList(read: () => readonly string[]): Promise<readonly string[]> {
  return eventually(read, ({ length }) => length === 0, SETTLE_MS).catch(read)
}
