import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ratios, shownSpread, spreadOf, table, verdict } from '../bench/figures.ts'
import { chatRequest, wholeAnswer } from '../bench/messages.ts'
import { scanObject } from '../src/core/json-spans.ts'

test('the middle of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 })
  assert.deepEqual(spreadOf([9, 1, 5]), { median: 5, least: 1, most: 9 })
})

test('a ratio compares values of the same round', () => {
  assert.deepEqual(ratios([20, 60, 40], [10, 20, 40]), { median: 2, least: 1, most: 3 })
})

test('a difference that is larger than its own spread is a verdict', () => {
  assert.equal(verdict([20, 21, 22], [10, 10, 10], 'µs'), '+11.0 µs (10.0 … 12.0)')
  assert.equal(verdict([10, 10, 10], [20, 21, 22], 'µs'), '−11.0 µs (-12.0 … -10.0)')
})

test('rounds that differ by more than the contestants do give no verdict', () => {
  assert.equal(
    verdict([10, 15, 20], [10, 12, 13], 'µs'),
    'no verdict (+3.0 µs, but the rounds differ by 7.0)',
  )
})

test('a spread is shown with its ends, and columns stand under each other', () => {
  assert.equal(shownSpread({ median: 2, least: 1.25, most: 3 }, 1), '2.0 (1.3–3.0)')
  assert.equal(
    table([
      ['', 'µs'],
      ['nginx', '10'],
    ]),
    '       µs\nnginx  10',
  )
})

for (const [kind, least, most] of [
  ['small', 590, 610],
  ['large', 100_000, 104_000],
  ['large, model last', 100_000, 104_000],
  ['stream', 600, 630],
] as const)
  test(`the ${kind} request is valid and as large as it is said to be`, () => {
    const request = chatRequest(kind, 1234)
    const body = request.subarray(request.indexOf('\r\n\r\n') + 4)
    assert.ok(body.length >= least && body.length <= most, `${body.length} bytes`)
    JSON.parse(body.toString())
    const { members } = scanObject(body)
    assert.equal(members.at(kind === 'large, model last' ? -1 : 0)?.key, 'model')
    assert.match(request.toString(), new RegExp(`\r\ncontent-length: ${body.length}\r\n`))
  })

test('the answer holds 800 bytes of JSON', () => {
  const answer = wholeAnswer()
  const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4)
  JSON.parse(body.toString())
  assert.ok(Math.abs(body.length - 800) <= 40, `${body.length} bytes`)
})
