import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createBodyBuilder } from './body-builder.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each))
/** Parts of a body as a socket may give them, empty ones included. */
const parts = fc.array(bytes, { maxLength: 12 })

test('a body is what was sent, however it is split and whatever was announced', () => {
  const announced = fc.option(fc.nat(2000), { nil: Number.NaN })
  fc.assert(
    fc.property(parts, announced, fc.boolean(), (chunks, length, isTrue) => {
      const sent = Buffer.concat(chunks)
      const builder = createBodyBuilder(isTrue ? sent.length : length)
      let total = 0
      for (const chunk of chunks) {
        total += chunk.length
        assert.equal(builder.add(chunk), total)
      }
      assert.equal(builder.whole().toString('hex'), sent.toString('hex'))
    }),
    { numRuns: 500 },
  )
})

test('a body that came in one piece is not copied', () => {
  const chunk = Buffer.from('{"model":"a"}')
  for (const announced of [chunk.length, Number.NaN]) {
    const builder = createBodyBuilder(announced)
    builder.add(chunk)
    assert.equal(builder.whole(), chunk)
  }
})

test('a body in many pieces is kept once, in memory that is its own', () => {
  const builder = createBodyBuilder(100_000)
  for (let at = 0; at < 10; at += 1) builder.add(Buffer.alloc(10_000, at))
  assert.equal(builder.whole().buffer.byteLength, 100_000)
})

test('memory follows what was sent, not what was announced', () => {
  const builder = createBodyBuilder(100_000_000)
  builder.add(Buffer.alloc(1000))
  builder.add(Buffer.alloc(1000))
  assert.ok(builder.whole().buffer.byteLength < 100_000)
})
