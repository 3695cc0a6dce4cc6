import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closingEnd } from './closing-quote.ts'

/** Around the size at which the search changes its ways. */
const SIZES = [0, 1, 10, 11, 12, 13, 14, 40_000]
/** What stands inside of the string just before its end, as JSON text. */
const TAILS = ['', 'x', '\\\\', '\\"', '\\\\\\"', '\\"\\"', '\\u0022']

for (const size of SIZES)
  test(`a string of ${size} plain bytes and any escapes ends at its own quote`, () => {
    for (const tail of TAILS) {
      const string = `"${'y'.repeat(size)}${tail}"`
      const text = Buffer.from(`[${string}, "next"]`)
      assert.equal(closingEnd(text, 1), 1 + string.length, tail)
      assert.equal(closingEnd(text, 1 + string.length + 2), 1 + string.length + 2 + '"next"'.length, tail)
    }
  })

test('escapes all along a long string are each seen, wherever they fall', () => {
  for (const piece of [
    '\\"',
    'ab\\"',
    'a line of words that is longer than a walk \\"quoted\\"\\n',
    '\\\\\\\\',
  ]) {
    const string = `"${piece.repeat(Math.ceil(50_000 / piece.length))}"`
    assert.equal(closingEnd(Buffer.from(`${string},"next"`), 0), string.length, piece)
  }
})

test('letters beyond ASCII are counted as the bytes that they are', () => {
  const string = `"${'é😀'.repeat(6000)}\\""`
  assert.equal(closingEnd(Buffer.from(string), 0), Buffer.byteLength(string))
})

test('a string that does not close has no end', () => {
  for (const text of ['"', '"abc', '"abc\\"', `"${'y'.repeat(40_000)}`, `"${'y'.repeat(40_000)}\\"`])
    assert.equal(closingEnd(Buffer.from(text), 0), -1)
})
