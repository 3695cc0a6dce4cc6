import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import { createRedact, Secret } from '../core/secret.ts'
import { makeBoard } from './board.fixture.ts'
import { createFeed, MOST_REMEMBERED } from './feed.ts'
import type { Feed } from './feed.ts'
import { makeDeployment } from './fixtures.ts'

function scene({ count = 2, details = true }: { count?: number; details?: boolean } = {}) {
  const clock = createHandClock()
  const deployments = Array.from({ length: count }, (_, index) =>
    makeDeployment({ index, id: `id-${index}`, group: `g-${index}` }),
  )
  const board = makeBoard(deployments, clock)
  const state = { pauses: 0 }
  const feed: Feed = createFeed({
    deployments,
    board,
    clock,
    redact: createRedact([new Secret('sk-canary-1')]),
    details,
    epoch: 'e1',
    pause: () => {
      state.pauses += 1
      return Promise.resolve()
    },
  })
  const isolate = (index: number): void =>
    board.engine.standings.apply(index, { kind: 'isolate', until: Infinity }, clock.elapsed())
  const restore = (index: number): void =>
    board.engine.standings.apply(index, { kind: 'restore' }, clock.elapsed())
  return { feed, isolate, restore, clock, state, board }
}

/** The events of a text, each with its data read. */
function eventsOf(bytes: Buffer | undefined) {
  assert.ok(bytes !== undefined)
  return bytes
    .toString()
    .split('\n\n')
    .slice(0, -1)
    .map((text) => {
      const [event = '', id = '', data = '', ...more] = text.split('\n')
      assert.deepEqual(more, [])
      return {
        event: event.replace('event: ', ''),
        id: id.replace('id: ', ''),
        data: JSON.parse(data.replace('data: ', '')),
      }
    })
}

test('the snapshot has the state of everybody, and the id to go on from', async () => {
  const { feed, isolate } = scene()
  isolate(1)
  const { version, bytes } = await feed.snapshot()
  const [snapshot, ...more] = eventsOf(bytes)
  assert.deepEqual(more, [])
  assert.equal(version, 1)
  assert.equal(snapshot?.event, 'snapshot')
  assert.equal(snapshot?.id, 'e1-1')
  assert.deepEqual(
    snapshot?.data.deployments.map((each: Record<string, unknown>) => [
      each['model_id'],
      each['model_name'],
      each['health_state'],
      each['reason'],
    ]),
    [
      ['id-0', 'g-0', 'UNKNOWN', 'not_checked_yet'],
      ['id-1', 'g-1', 'ISOLATED', 'checks_disabled'],
    ],
  )
})

test('each transition is an event with a version of its own, in the order they came', () => {
  const { feed, isolate, restore } = scene()
  isolate(0)
  isolate(0)
  restore(0)
  isolate(1)
  const events = eventsOf(feed.since(0))
  assert.deepEqual(
    events.map(({ event, id, data }) => [event, id, data.model_id, data.from, data.to]),
    [
      ['transition', 'e1-1', 'id-0', 'UNKNOWN', 'ISOLATED'],
      ['transition', 'e1-2', 'id-0', 'ISOLATED', 'UNKNOWN'],
      ['transition', 'e1-3', 'id-1', 'UNKNOWN', 'ISOLATED'],
    ],
  )
  assert.deepEqual(
    eventsOf(feed.since(2)).map(({ id }) => id),
    ['e1-3'],
  )
  assert.deepEqual(eventsOf(feed.since(3)), [])
})

test('whoever asks for the same events gets the same bytes', () => {
  const { feed, isolate } = scene()
  isolate(0)
  assert.equal(feed.since(0), feed.since(0))
})

test('what is too long ago is forgotten, and ids of others or of the future are none', () => {
  const { feed, isolate, restore } = scene()
  for (let each = 0; each < MOST_REMEMBERED / 2; each += 1) {
    isolate(0)
    restore(0)
  }
  assert.equal(eventsOf(feed.since(0)).length, MOST_REMEMBERED)
  isolate(0)
  assert.equal(feed.since(0), undefined)
  assert.equal(eventsOf(feed.since(1)).length, MOST_REMEMBERED)
  assert.equal(feed.versionOf('e1-5'), 5)
  for (const id of ['e2-5', '5', 'e1-', 'e1-1.5', `e1-${MOST_REMEMBERED + 2}`, 'e1--1', '', 'e1-5 '])
    assert.equal(feed.versionOf(id), undefined, id)
})

test('a large fleet is written in slices, once for all who come within a second', async () => {
  const { feed, state, clock } = scene({ count: 1200 })
  const [one, two] = await Promise.all([feed.snapshot(), feed.snapshot()])
  assert.equal(one.bytes, two.bytes)
  assert.equal(state.pauses, 2)
  clock.wind(1000)
  assert.notEqual((await feed.snapshot()).bytes, one.bytes)
})

test('secrets and, without details, reasons and names stay inside', async () => {
  const clear = scene()
  clear.board.failed(0, `the upstream says sk-canary-1 ${'x'.repeat(600)}`)
  clear.board.engine.standings.apply(
    0,
    { kind: 'condemned', domain: 'deployment', state: 'MISCONFIGURED', reason: 'auth' },
    0,
  )
  const [event] = eventsOf(clear.feed.since(0))
  assert.equal(event?.data.reason, 'auth')
  assert.ok(event?.data.error.startsWith('the upstream says [secret] x') && event.data.error.length <= 512)
  const bare = scene({ details: false })
  bare.isolate(0)
  assert.deepEqual(Object.keys(eventsOf(bare.feed.since(0))[0]?.data), [
    'version',
    'at',
    'model_id',
    'model',
    'from',
    'to',
  ])
  const { bytes } = await bare.feed.snapshot()
  assert.deepEqual(Object.keys(eventsOf(bytes)[0]?.data.deployments[0]), [
    'model_id',
    'model',
    'health_state',
  ])
})
