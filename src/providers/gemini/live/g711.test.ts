import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as holds, integer, property } from 'fast-check'
import { compressed, expanded, type Law } from './g711.ts'

const LAWS: readonly Law[] = ['pcmu', 'pcma']
const CODES = Buffer.from(Array.from({ length: 256 }, (_, code) => code))

const expand = (code: number, law: Law): number => expanded(Buffer.of(code), law).readInt16LE(0)
const compress = (sample: number, law: Law): number => compressed([sample], law)[0] ?? -1

/** From the tables of ITU-T G.711: the loudest and the quietest of either sign. */
const VALUES: readonly (readonly [Law, code: number, sample: number])[] = [
  ['pcmu', 0x00, -32_124],
  ['pcmu', 0x80, 32_124],
  ['pcmu', 0x7f, 0],
  ['pcmu', 0xff, 0],
  ['pcmu', 0xfe, 8],
  ['pcmu', 0x7e, -8],
  ['pcma', 0xaa, 32_256],
  ['pcma', 0x2a, -32_256],
  ['pcma', 0xd5, 8],
  ['pcma', 0x55, -8],
]

test('codes stand for the samples of the recommendation', () => {
  for (const [law, code, sample] of VALUES) assert.equal(expand(code, law), sample, `${law} ${code}`)
})

test('a code that is expanded and compressed is the same one', () => {
  for (const law of LAWS) {
    const pcm = expanded(CODES, law)
    const samples = Array.from(CODES, (_, at) => pcm.readInt16LE(at * 2))
    const again = [...compressed(samples, law)]
    // There are two zeros in µ-law, and the positive one is told.
    assert.deepEqual(
      again,
      [...CODES].map((code) => (law === 'pcmu' && code === 0x7f ? 0xff : code)),
    )
  }
})

test('a sample comes back as near as its loudness allows, and louder ones are never softer', () => {
  holds(
    property(integer({ min: -0x8000, max: 0x7fff }), integer({ min: -0x8000, max: 0x7fff }), (one, other) => {
      for (const law of LAWS) {
        const [heard, heardToo] = [one, other].map((sample) => expand(compress(sample, law), law))
        assert.ok(heard !== undefined && heardToo !== undefined)
        assert.ok(Math.abs(heard - one) <= Math.max(16, Math.abs(one) / 16), `${law} ${one} → ${heard}`)
        assert.ok(one < other ? heard <= heardToo : heard >= heardToo, `${law} ${one}, ${other}`)
      }
    }),
  )
})

test('what is louder than 16 bits is as loud as can be', () => {
  assert.deepEqual(
    [1e9, -1e9].map((sample) => compress(sample, 'pcmu')),
    [0x80, 0x00],
  )
})
