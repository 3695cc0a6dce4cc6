import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { atTurnEnd } from './turn-end.ts'

test('all of a turn is done at its end, in order, and what comes meanwhile in the next', async () => {
  const done: number[] = []
  const later = atTurnEnd()
  const putOff = (each: number): void =>
    later(() => {
      done.push(each)
      if (each === 2) putOff(9)
    })
  for (const each of [1, 2, 3]) putOff(each)
  await Promise.resolve()
  assert.deepEqual(done, [])
  await nextTurn()
  assert.deepEqual(done, [1, 2, 3])
  await nextTurn()
  assert.deepEqual(done, [1, 2, 3, 9])
})

test('no more wait than may: they are done at once, and the others at the end', async () => {
  const done: number[] = []
  const putOff = atTurnEnd(3)
  for (let each = 1; each <= 7; each++) putOff(() => done.push(each))
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6])
  await nextTurn()
  assert.deepEqual(done, [1, 2, 3, 4, 5, 6, 7])
})

/** A program of its own: in this one the test runner catches what nobody does. */
const PROGRAM = `
import { atTurnEnd } from ${JSON.stringify(new URL('turn-end.ts', import.meta.url).href)}
const putOff = atTurnEnd()
process.on('uncaughtException', ({ message }) => process.stdout.write(message))
for (const each of [1, 2, 3])
  putOff(() => {
    if (each === 2) throw new Error('of two')
    process.stdout.write(String(each))
  })
`

test('what one of them throws is thrown after the others are done', () => {
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM])
  assert.equal(ran.stdout.toString(), '13of two')
})
