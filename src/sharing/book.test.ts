import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBook, inheritBook } from './book.ts'
import { blankRow } from './ledger.ts'

test('the book of another config goes on with what is known of those that are called as before, and of nobody else', () => {
  const from = createBook(['a', 'b', 'c'])
  from.ids.forEach((id, index) => {
    from.holds[index] = 100 + index
    from.toldOkAt[index] = 10 + index
    from.rows.set(id, { ...blankRow(id), epoch: 1, version: 1 })
  })
  from.wanted[2] = 1
  // One that is new is the same to its provider as one that was there: it has yet to learn what is known.
  const to = createBook(['new', 'c', 'a', 'a'])
  inheritBook(to, from, (index) => [undefined, 2, 0, undefined][index])
  assert.deepEqual(Array.from(to.holds), [-Infinity, 102, 100, -Infinity])
  assert.deepEqual(Array.from(to.wanted), [0, 1, 0, 0])
  assert.deepEqual(Array.from(to.toldOkAt), [-Infinity, 12, 10, -Infinity])
  assert.deepEqual([...to.rows.keys()], ['c'])
})
