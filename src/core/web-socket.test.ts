import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { closeReason, isSendableCode } from './web-socket.ts'

describe('a close frame', () => {
  for (const [code, isSendable] of [
    [999, false],
    [1000, true],
    [1003, true],
    [1004, false],
    [1005, false],
    [1006, false],
    [1007, true],
    [1014, true],
    [1015, false],
    [1016, false],
    [2999, false],
    [3000, true],
    [4999, true],
    [5000, false],
  ] as const)
    test(`${isSendable ? 'may' : 'may not'} carry ${code}`, () =>
      assert.equal(isSendableCode(code), isSendable))

  for (const [name, text, expected] of [
    ['is kept as it is where it fits', 'x'.repeat(123), 'x'.repeat(123)],
    ['is cut to 123 bytes', 'x'.repeat(200), 'x'.repeat(123)],
    ['is not cut within a character', 'ü'.repeat(62), 'ü'.repeat(61)],
    ['is not cut within a character of four bytes', `${'x'.repeat(121)}😀`, 'x'.repeat(121)],
  ] as const)
    test(`a reason ${name}`, () => assert.equal(closeReason(text), expected))
})
