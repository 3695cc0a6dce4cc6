import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatewayError } from '../core/failure.ts'
import { Secret } from '../core/secret.ts'
import { createKeyCheck, sessionGrant } from './key-check.ts'

const SESSION_KEY = 'ek_pg1_good'
const GRANT = { deploymentId: 'd', model: 'voice', key: new Secret('ek_upstream'), expiresAtMs: 1 }
/** Reads one key, and knows one that is over. */
const sessionKeys = {
  read: (key: string) => {
    if (key === 'ek_pg1_over')
      throw new GatewayError('auth', 'it has expired', { status: 401, source: 'client' })
    return key === SESSION_KEY ? GRANT : undefined
  },
}

describe('the key check', () => {
  const check = createKeyCheck({ masterKey: new Secret('sk-1234'), isMasterKeyUnset: false }, sessionKeys)

  for (const [name, headers, passes] of [
    ['a bearer key', { authorization: 'Bearer sk-1234' }, true],
    ['a bearer key in any case', { authorization: 'bearer sk-1234' }, true],
    ["Azure clients' header", { 'api-key': 'sk-1234' }, true],
    ["Anthropic clients' header", { 'x-api-key': 'sk-1234' }, true],
    ["LiteLLM's header, with or without Bearer", { 'x-litellm-api-key': 'Bearer sk-1234' }, true],
    [
      "a browser's subprotocol",
      { 'sec-websocket-protocol': 'realtime, openai-insecure-api-key.sk-1234' },
      true,
    ],
    ['a wrong key as a subprotocol', { 'sec-websocket-protocol': 'openai-insecure-api-key.sk-1' }, false],
    ['the key as the whole subprotocol', { 'sec-websocket-protocol': 'sk-1234' }, false],
    ['no key', {}, false],
    ['a wrong key', { authorization: 'Bearer sk-123' }, false],
    ['a longer key that begins with the right one', { authorization: 'Bearer sk-12345' }, false],
    ['the key without Bearer in authorization', { authorization: 'sk-1234' }, false],
    ['another scheme', { authorization: 'Basic sk-1234' }, false],
  ] as const) {
    test(`${name} ${passes ? 'passes' : 'is refused with 401'}`, () => {
      const refused = check(headers)
      assert.equal(refused?.clientStatus, passes ? undefined : 401)
    })
  }

  test('a refusal never repeats the key it was shown', () => {
    const message = check({ authorization: 'Bearer sk-someone-elses' })?.message ?? ''
    assert.ok(message.startsWith('Authentication Error'))
    assert.ok(!message.includes('someone'))
  })

  test('without a master key everything passes', () => {
    assert.equal(createKeyCheck({ isMasterKeyUnset: false }, sessionKeys)({}), undefined)
  })

  test('with a master key whose variable is not set nothing passes', () => {
    const refused = createKeyCheck(
      { isMasterKeyUnset: true },
      sessionKeys,
    )({ authorization: 'Bearer sk-1234' })
    assert.equal(refused?.clientStatus, 401)
    assert.match(refused?.message ?? '', /variable .* is not set/)
  })

  test('a session key passes where a session is wanted, and nowhere else', () => {
    for (const headers of [
      { authorization: `Bearer ${SESSION_KEY}` },
      { 'sec-websocket-protocol': `realtime, openai-insecure-api-key.${SESSION_KEY}` },
    ]) {
      assert.equal(check(headers, true), undefined)
      assert.equal(check(headers)?.clientStatus, 401)
      assert.equal(sessionGrant(headers, sessionKeys), GRANT)
    }
  })

  test('a session key that is over says so', () => {
    assert.equal(check({ authorization: 'Bearer ek_pg1_over' }, true)?.message, 'it has expired')
    assert.equal(check({ authorization: 'Bearer sk-another' }, true)?.clientStatus, 401)
  })
})
