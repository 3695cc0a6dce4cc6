import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from '../../core/failure.ts'
import { createPartLines } from './part-lines.ts'

const line = (model: string, id = 'a'): string =>
  `${JSON.stringify({ custom_id: id, url: '/v1/chat/completions', body: { model, messages: [] } })}\n`
const NAMES: ReadonlyMap<string, string> = new Map([
  ['ours', 'theirs'],
  ['same', 'same'],
])

/** Sends a text in pieces that end at these offsets; what comes out, or the refusal. */
function pass(text: string, cuts: readonly number[]): string {
  const bytes = Buffer.from(text)
  const edit = createPartLines((model) => NAMES.get(model))
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  let from = 0
  let out = ''
  try {
    for (const end of ends) {
      for (const piece of edit.push(bytes.subarray(from, end))) out += piece.toString()
      from = end
    }
    for (const piece of edit.end()) out += piece.toString()
    return out
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return `${error.clientStatus} ${error.message}`
  }
}

test('a part passes as it came, unless a whole line of it names a model by the config’s name', () => {
  const good = [
    line('theirs') + line('same') + line('nobody'),
    line('ours').slice(5) + line('theirs'),
    line('theirs') + line('ours').slice(0, -4),
    '{"messages":[{"role":"user","content":"ours"}]}\n',
    '%PDF {"custom_id":"a","body":{"model":"ours"}}\n\0',
    '',
  ]
  const bad = [line('ours'), line('theirs') + line('ours').trimEnd(), `\n\n${line('ours')}`]
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 6 }), (cuts) => {
      for (const text of good) assert.equal(pass(text, cuts), text)
      for (const text of bad)
        assert.match(pass(text, cuts), /^400 .*'ours', which its provider knows as 'theirs'/)
    }),
  )
})

test('a line that is too long to be held passes as it came, and the next one is looked at', () => {
  const long = line('ours', 'a'.repeat(8 * 1024 * 1024))
  assert.ok(pass(long, [1000, 5_000_000]) === long)
  assert.match(pass(long + line('ours'), [1000]), /^400 .*'ours'/)
})
