import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createSeal } from './seal.ts'
import { Secret } from './secret.ts'

const seal = createSeal(new Secret('sk-1234'), 'tests', randomBytes)

describe('a seal', () => {
  test('opens what it made, and what another one with its secret and purpose made', () => {
    const twin = createSeal(new Secret('sk-1234'), 'tests', randomBytes)
    for (const text of ['a', 'ünï', 'x'.repeat(10_000)]) {
      assert.match(seal.seal(text), /^[\w-]+$/)
      assert.equal(twin.open(seal.seal(text)), text)
    }
  })

  test('shows nothing of the text, and is another each time', () => {
    assert.doesNotMatch(Buffer.from(seal.seal('in the open'), 'base64url').toString('latin1'), /open/)
    assert.notEqual(seal.seal('a'), seal.seal('a'))
  })

  test('opens nothing of another secret or purpose', () => {
    assert.equal(createSeal(new Secret('sk-1235'), 'tests', randomBytes).open(seal.seal('a')), undefined)
    assert.equal(createSeal(new Secret('sk-1234'), 'other', randomBytes).open(seal.seal('a')), undefined)
  })

  test('opens nothing that was altered, cut or made up', () => {
    const sealed = seal.seal('ab')
    for (let at = 0; at < sealed.length; at += 1) {
      assert.equal(seal.open(sealed.slice(0, at)), undefined)
      assert.equal(
        seal.open(sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)),
        undefined,
      )
    }
    for (const text of ['', 'A', '!', `${sealed}A`, `${sealed}=`, 'A'.repeat(100)])
      assert.equal(seal.open(text), undefined)
  })
})
