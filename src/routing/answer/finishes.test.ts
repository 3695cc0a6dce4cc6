import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import type { AskedChoices } from '../request/choices.ts'
import { createFinishes } from './finishes.ts'

const body = Buffer.from('{"n":2}')
const TWO: AskedChoices = { operation: { mode: 'chat' }, body, spans: scanObject(body) }

const line = (index: number, chars: number): Buffer =>
  Buffer.from(
    `data: {"choices":[{"index":${index},"delta":{"content":"${'x'.repeat(chars)}"},"finish_reason":"stop"}]}\n\n`,
  )

test('choices that say with every long word that they are complete are told apart all the same', () => {
  for (const chars of [1, 10_000, 100_000]) {
    const finishes = createFinishes()
    assert.equal(finishes.areAll(TWO), false)
    for (let times = 0; times < 20; times += 1) finishes.see(line(1, chars))
    assert.deepEqual([finishes.areAll(undefined), finishes.areAll(TWO)], [true, false])
    finishes.see(line(0, chars))
    assert.equal(finishes.areAll(TWO), true)
  }
})

test('a piece of a line that was too long to be held is about one choice', () => {
  const finishes = createFinishes()
  const piece = Buffer.concat([Buffer.alloc(100_000, 'x'), Buffer.from('"},"finish_reason":"stop"}]}\n')])
  finishes.see(piece)
  assert.equal(finishes.areAll(TWO), false)
  finishes.see(line(1, 1))
  assert.equal(finishes.areAll(TWO), true)
})
