import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'
import { makeDeployment } from './fixtures.ts'
import { identityOf } from './identity.ts'

const NO_LINE = { misconfigured: { message: 'none' } } as const
const connection = (key: string, base = 'http://a/v1') => ({
  apiKey: new Secret(key),
  apiBase: base,
  headers: {},
})
const identity = (changes: Partial<Deployment>) => identityOf(makeDeployment(changes), NO_LINE)

test('the same entry is the same deployment, wherever it stands in the list and however it is checked', () => {
  const one = makeDeployment({ connection: connection('sk-one') })
  const moved = { ...one, index: 7, timeouts: { timeoutMs: 5 }, traffic: { weight: 3 } }
  assert.equal(identityOf(one, NO_LINE), identityOf(moved, NO_LINE))
})

test('another key, address, model or name is another deployment', () => {
  const all = [
    identity({ connection: connection('sk-one') }),
    identity({ connection: connection('sk-two') }),
    identity({ connection: connection('sk-one', 'http://b/v1') }),
    identity({ connection: connection('sk-one'), upstreamModel: 'other' }),
    identity({ connection: connection('sk-one'), group: 'other' }),
  ]
  assert.equal(new Set(all).size, all.length)
})

test('of a key no more is told than 16 bits of a hash', () => {
  const [one = '', two = ''] = ['sk-one', 'sk-two'].map((key) => identity({ connection: connection(key) }))
  assert.match(one, /^[0-9a-f]{32}-[0-9a-f]{4}$/)
  assert.equal(one.slice(0, 33), two.slice(0, 33))
})
