import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortId } from './deployment.ts'

test('a sentence names a written id whole, a hash by its beginning, and never a page of text', () => {
  const hash = '9f9f01e7c7d2f91d288ccd5baba43593a7d632885c54d2a61030dcf3e8e9fb32'
  assert.equal(shortId('azure-east-us-gpt-4o'), 'azure-east-us-gpt-4o')
  assert.equal(shortId(hash), '9f9f01e7c7d2')
  assert.equal(shortId(`${hash}-copy`), hash)
  assert.equal(shortId('x'.repeat(1000)), 'x'.repeat(64))
})
