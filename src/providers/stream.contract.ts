import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, assert as assertProperty, nat, property } from 'fast-check'
import type { StreamDecoder } from './adapter.ts'

/** A stream is read to the same events however the network cuts it, and is cut off where its end is missing. */
export function streamContract<Event>(
  name: string,
  open: () => StreamDecoder<Event>,
  stream: string | Buffer,
  events: readonly unknown[],
): void {
  const bytes = typeof stream === 'string' ? Buffer.from(stream) : stream
  test(`${name} is read the same however the network cuts it`, () => {
    assertProperty(
      property(array(nat({ max: bytes.length }), { maxLength: 30 }), (cuts) => {
        const decoder = open()
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const read = places.slice(1).flatMap((end, at) => decoder.push(bytes.subarray(places[at], end)))
        assert.deepEqual([...read, ...decoder.end()], events)
      }),
    )
  })
  test(`${name} that ends early is cut off`, () => {
    const decoder = open()
    decoder.push(bytes.subarray(0, Math.floor(bytes.length / 4)))
    assert.throws(() => decoder.end(), { name: 'GatewayError' })
  })
}
