import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../core/secret.ts'
import { packed, unpacked } from './carry.ts'

test('a config that goes from thread to thread arrives as it was, its secrets closed', () => {
  const config = {
    key: new Secret('sk-1'),
    list: [{ headers: { a: new Secret('sk-2') } }, null, 7, 'text'],
    byName: new Map([['x', { key: new Secret('sk-3') }]]),
    pattern: /a+b/i,
    most: Number.POSITIVE_INFINITY,
    absent: undefined,
  }
  const sent: unknown = structuredClone(packed(config))
  assert.ok(typeof sent === 'object' && sent !== null)
  const arrived = unpacked(sent)
  assert.deepEqual(arrived, config)
  const keys = ['key', 'list', 'byName'].map((name): unknown => Reflect.get(arrived, name))
  const [key, list, byName] = keys
  assert.ok(key instanceof Secret && Array.isArray(list) && byName instanceof Map)
  assert.equal(key.reveal(), 'sk-1')
  assert.equal(list[0].headers.a.reveal(), 'sk-2')
  assert.equal(byName.get('x').key.reveal(), 'sk-3')
  assert.equal(JSON.stringify(arrived).includes('sk-'), false)
})
