import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import { createSeal } from '../../core/seal.ts'
import { Secret } from '../../core/secret.ts'
import { createSessionKeys } from './session-keys.ts'

const clock = createHandClock()
const seal = createSeal(new Secret('sk-1234'), 'realtime session', randomBytes)
const keys = createSessionKeys(seal, clock)
const grant = (lifeMs: number) => ({
  deploymentId: 'id-voice',
  model: 'voice',
  key: new Secret('ek_of_the_provider'),
  expiresAtMs: clock.now() + lifeMs,
})

test('a session key says what it is good for, until it ends', () => {
  const key = keys.give(grant(60_000))
  assert.match(key, /^ek_pg1_[\w-]+$/)
  clock.wind(59_999)
  const read = keys.read(key)
  assert.deepEqual(
    [read?.deploymentId, read?.model, read?.key.reveal()],
    ['id-voice', 'voice', 'ek_of_the_provider'],
  )
  clock.wind(1)
  assert.throws(() => keys.read(key), /has expired; ask for a new one/)
})

test('keys of other kinds are not for it, and strange ones of its kind are refused', () => {
  for (const other of ['sk-1234', 'ek_of_the_provider', '']) assert.equal(keys.read(other), undefined)
  for (const strange of ['ek_pg1_', 'ek_pg1_AAAA', `${keys.give(grant(1000))}A`])
    assert.throws(() => keys.read(strange), /was not given by this gateway/)
  for (const content of ['[]', '{}', '["d","m",7,1]'])
    assert.throws(() => keys.read(`ek_pg1_${seal.seal(content)}`), /of another version/)
})
