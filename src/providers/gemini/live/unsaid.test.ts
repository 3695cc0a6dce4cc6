import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createUnsaid } from './unsaid.ts'

const LARGE = { output: 'x'.repeat(8 * 1024 * 1024) }

test('outputs of calls that are not waited for any more take no room', () => {
  const unsaid = createUnsaid()
  unsaid.called('a', { name: 'f' })
  unsaid.called('b', { name: 'f' })
  assert.equal(unsaid.output('a', LARGE), 'kept')
  assert.equal(unsaid.output('b', LARGE), 'full')
  unsaid.forget(['a'])
  assert.equal(unsaid.output('b', LARGE), 'kept')
  assert.deepEqual(
    unsaid.takeOutputs().map(({ name }) => name),
    ['f'],
  )
})

test('a call takes one output', () => {
  const unsaid = createUnsaid()
  unsaid.called('a', { name: 'f', id: '1' })
  assert.equal(unsaid.output('a', { output: 'first' }), 'kept')
  assert.equal(unsaid.output('a', { output: 'second' }), 'unknown')
  assert.deepEqual(unsaid.takeOutputs(), [{ id: '1', name: 'f', response: { output: 'first' } }])
})
