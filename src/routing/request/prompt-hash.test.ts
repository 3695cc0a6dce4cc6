import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { promptHash } from './prompt-hash.ts'

test('the same prompt of the same caller has the same hash, and no hash is nobody', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.string(), (bytes, key) => {
      const hash = promptHash(Buffer.from(bytes), key)
      assert.ok(Number.isInteger(hash) && hash > 0 && hash < 2 ** 32)
      assert.equal(promptHash(Buffer.from(bytes), key), hash)
    }),
  )
})

test('another caller, another length or another text has another hash', () => {
  const body = Buffer.from('{"model":"m","messages":[{"role":"user","content":"ping"}]}')
  const hashes = [
    promptHash(body, 'sk-1'),
    promptHash(body, 'sk-2'),
    promptHash(Buffer.concat([body, Buffer.from(' ')]), 'sk-1'),
    promptHash(Buffer.from(body.toString().replace('ping', 'pong')), 'sk-1'),
  ]
  assert.equal(new Set(hashes).size, hashes.length)
})
