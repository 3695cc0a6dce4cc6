import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQuoteSearch } from './quote-search.ts'

/** Around the sizes at which the search changes its ways. */
const SIZES = [0, 1, 10, 11, 12, 13, 16_380, 16_384, 16_385, 16_400, 40_000]
/** What stands inside of the string just before its end, as JSON text. */
const TAILS = ['', 'x', '\\\\', '\\"', '\\\\\\"', '\\"\\"', '\\u0022']

for (const size of SIZES)
  test(`a string of ${size} plain bytes and any escapes ends at its own quote`, () => {
    for (const tail of TAILS) {
      const string = `"${'y'.repeat(size)}${tail}"`
      const search = createQuoteSearch(Buffer.from(`[${string}, "next"]`))
      assert.equal(search.closingEnd(1), 1 + string.length, tail)
      assert.equal(search.closingEnd(1 + string.length + 2), 1 + string.length + 2 + '"next"'.length, tail)
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
    assert.equal(createQuoteSearch(Buffer.from(`${string},"next"`)).closingEnd(0), string.length, piece)
  }
})

test('letters beyond ASCII are counted as the bytes that they are', () => {
  const string = `"${'é😀'.repeat(6000)}\\""`
  assert.equal(createQuoteSearch(Buffer.from(string)).closingEnd(0), Buffer.byteLength(string))
})

test('a string that does not close has no end', () => {
  for (const text of ['"', '"abc', '"abc\\"', `"${'y'.repeat(40_000)}`, `"${'y'.repeat(40_000)}\\"`])
    assert.equal(createQuoteSearch(Buffer.from(text)).closingEnd(0), -1)
})

test('asking for an earlier string after a later one finds it', () => {
  const long = `"${'y'.repeat(50_000)}"`
  const search = createQuoteSearch(Buffer.from(`${long}${long}`))
  assert.equal(search.closingEnd(long.length), 2 * long.length)
  assert.equal(search.closingEnd(0), long.length)
})
