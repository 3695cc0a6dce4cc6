import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDotEnv, shellVariable } from './env.ts'

describe('a line of .env is read', () => {
  const table: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['A=1', { A: '1' }],
    ['export A = 1 ', { A: '1' }],
    ['A="x y" # comment', { A: 'x y' }],
    ["A='x \\n $B'", { A: 'x \\n $B' }],
    ['A="x\\ny\\"z"', { A: 'x\ny"z' }],
    ['A=x # comment', { A: 'x' }],
    ['A=x#y', { A: 'x#y' }],
    ['A=', { A: '' }],
    ['A=# comment', { A: '' }],
    ['# A=1', {}],
    ['nonsense', {}],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['A=1\nA=2', { A: '2' }],
    ["A='it\\'s'", { A: "it's" }],
    ['A="\\d\\\\"', { A: '\\d\\' }],
    ['A=1\nB=${A}-${A}', { A: '1', B: '1-1' }],
    ['A="x"\nB="${A}"\nC=\'${A}\'', { A: 'x', B: 'x', C: 'x' }],
    ['A=${NO}x', { A: 'x' }],
    ['A=${NO:-y}x', { A: 'yx' }],
    ['A=$B', { A: '$B' }],
    ['OUTER=file\nA=${OUTER}', { OUTER: 'file', A: 'process' }],
  ]
  for (const [text, expected] of table)
    test(JSON.stringify(text), () => assert.deepEqual(parseDotEnv(text, { OUTER: 'process' }), expected))
})

describe('a shell form is recognised', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['${KEY}', 'KEY'],
    ['http://${HOST}/v1', 'HOST'],
    ['${KEY:-default}', 'KEY'],
    ['$OPENAI_API_KEY', 'OPENAI_API_KEY'],
    ['cost $5', undefined],
    ['^a$', undefined],
    ['$lower', undefined],
  ]
  for (const [text, name] of table) test(text, () => assert.equal(shellVariable(text)?.name, name))

  test('a name that could be a password is not repeated', () => assert.deepEqual(shellVariable('$ECRET'), {}))
})
