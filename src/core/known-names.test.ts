import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as assertProperty, constantFrom, oneof, property, string } from 'fast-check'
import { scanObject } from './json-spans.ts'
import { knownName, NAMES } from './known-names.ts'

test('a name is known by its bytes and by nothing else', () => {
  for (const name of NAMES) {
    const bytes = Buffer.from(`..${name}..`)
    assert.equal(knownName(bytes, 2, 2 + name.length), name)
    assert.equal(knownName(bytes, 2, 1 + name.length), undefined, `${name} without its end`)
    assert.equal(knownName(bytes, 1, 2 + name.length), undefined, `${name} with more before it`)
  }
  assert.equal(knownName(Buffer.alloc(0), 0, 0), undefined)
})

test('keys are what they are, whether they are known or not', () => {
  const key = oneof(constantFrom(...NAMES), string({ unit: 'binary', maxLength: 12 }))
  assertProperty(
    property(key, (given) => {
      const name = given.toWellFormed()
      const { members } = scanObject(Buffer.from(`{${JSON.stringify(name)}:1}`))
      assert.deepEqual(
        members.map((member) => member.key),
        [name],
      )
    }),
  )
})
