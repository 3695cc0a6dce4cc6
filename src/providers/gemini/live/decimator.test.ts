import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as holds, nat, property } from 'fast-check'
import { createDecimator } from './decimator.ts'

const RATE = 24_000

/** A tone of so many Hertz, a tenth of a second of 16-bit samples. */
function tone(hertz: number): Buffer {
  const bytes = Buffer.alloc((RATE / 10) * 2)
  for (let at = 0; at < bytes.length / 2; at += 1)
    bytes.writeInt16LE(Math.round(10_000 * Math.sin((2 * Math.PI * hertz * at) / RATE)), at * 2)
  return bytes
}

/** How loud it is once the filter is full. */
const loudness = (samples: readonly number[]): number => Math.max(...samples.slice(100).map(Math.abs))

test('one sample of three is kept, and what a telephone carries is as loud as before', () => {
  for (const hertz of [300, 1_000, 3_000]) {
    const kept = createDecimator(3).take(tone(hertz))
    assert.equal(kept.length, 800)
    assert.ok(Math.abs(loudness(kept) / 10_000 - 1) < 0.05, `${hertz}: ${loudness(kept)}`)
  }
})

test('what is too high is not heard as something else', () => {
  for (const hertz of [4_600, 6_000, 8_000, 11_000]) {
    const kept = createDecimator(3).take(tone(hertz))
    assert.ok(loudness(kept) < 300, `${hertz}: ${loudness(kept)}`)
  }
})

test('however the bytes are cut, the samples are the same', () => {
  const bytes = tone(700).subarray(0, 601)
  const whole = createDecimator(3).take(bytes)
  holds(
    property(array(nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const ends = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      const decimator = createDecimator(3)
      const kept = ends.slice(1).flatMap((end, at) => decimator.take(bytes.subarray(ends[at], end)))
      assert.deepEqual(kept, whole)
    }),
  )
})

test('a factor of one changes nothing', () => {
  assert.deepEqual(createDecimator(1).take(Buffer.from([1, 0, 255, 255, 0, 128])), [1, -1, -32_768])
})
