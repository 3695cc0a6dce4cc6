import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createHandClock } from '../core/clock.ts'
import { watchFiles } from './watch.ts'

/** Files that exist in name only, under a clock that is wound by hand. */
function begin({ isNewer = false } = {}) {
  const clock = createHandClock()
  const stamps = new Map([['config.yaml', '1']])
  let changes = 0
  const stop = watchFiles({
    paths: () => stamps.keys(),
    stampOf: (path) => Promise.resolve(stamps.get(path) ?? 'ENOENT'),
    read: () => (isNewer ? 'before' : '1'),
    clock,
    changed: () => (changes += 1),
  })
  const pass = async (ms: number): Promise<number> => {
    for (let passed = 0; passed < ms; passed += 100) {
      await nextTurn()
      clock.wind(100)
    }
    await nextTurn()
    return changes
  }
  return { stamps, stop, pass, clock }
}

test('files that stay as they are are never read', async () => {
  const { pass } = begin()
  assert.equal(await pass(10_000), 0)
})

test('a file that changes is read once, when it has rested', async () => {
  const { stamps, pass } = begin()
  await pass(500)
  stamps.set('config.yaml', '2')
  assert.equal(await pass(3000), 1)
  assert.equal(await pass(10_000), 1)
})

test('a file that is still being written is left to be finished', async () => {
  const { stamps, pass } = begin()
  await pass(500)
  for (let at = 0; at < 30; at += 1) {
    stamps.set('config.yaml', `half ${at}`)
    assert.equal(await pass(200), 0)
  }
  assert.equal(await pass(3000), 1)
})

test('a file that goes and comes back in between is not missed', async () => {
  const { stamps, pass } = begin()
  await pass(500)
  stamps.set('config.yaml', 'ENOENT')
  assert.equal(await pass(3000), 1)
  stamps.set('config.yaml', '1')
  assert.equal(await pass(3000), 2)
})

test('what was written between the start and the first look is read', async () => {
  const { pass } = begin({ isNewer: true })
  assert.equal(await pass(3000), 1)
  assert.equal(await pass(10_000), 1)
})

test('nothing is looked at after the end', async () => {
  const { stamps, stop, pass, clock } = begin()
  await pass(500)
  stop()
  stamps.set('config.yaml', '2')
  assert.equal(await pass(5000), 0)
  assert.equal(clock.pending(), 0)
})
