import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHiding } from './hiding.ts'
import { Secret } from './secret.ts'

const secrets = (...texts: readonly string[]): readonly Secret[] => texts.map((text) => new Secret(text))

test('secrets of the start, of now and of just before are hidden', () => {
  const hiding = createHiding(secrets('sk-start'))
  const text = 'sk-start sk-second sk-third'
  assert.equal(hiding.redact(text), '[secret] sk-second sk-third')
  hiding.renew(secrets('sk-second'))
  assert.equal(hiding.redact(text), '[secret] [secret] sk-third')
  hiding.renew(secrets('sk-third'))
  assert.equal(hiding.redact(text), '[secret] [secret] [secret]')
})
