import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scanObject } from '../../core/json-spans.ts'
import { aDeployment } from '../deployment.fixture.ts'
import type { RequestHeaders } from '../request/request-headers.ts'
import { readTags, tagged, withoutTags } from './tags.ts'

const CANDIDATES = [
  { tags: ['free'] },
  { tags: ['paid', 'eu'] },
  { tags: ['default'] },
  undefined,
  { tagPatterns: [/^User-Agent: claude-code\//] },
].map((traffic, index) => ({ deployment: aDeployment(index, traffic && { traffic }) }))

function indexes(
  asked: readonly string[],
  matchesAny = true,
  without: readonly number[] = [],
): readonly number[] {
  const candidates = CANDIDATES.filter((_, index) => !without.includes(index))
  const chosen = tagged('g', candidates, asked, { isEnabled: true, matchesAny })
  return chosen.map(({ deployment }) => deployment.index)
}

test('tags find the deployments that have them, then a fitting user agent, then the default ones', () => {
  const agent = 'User-Agent: claude-code/1.2'
  assert.deepEqual(indexes(['free']), [0])
  assert.deepEqual(indexes(['eu', 'free']), [0, 1])
  assert.deepEqual(indexes(['eu', 'paid'], false), [1])
  assert.deepEqual(indexes(['eu', 'free'], false), [2])
  assert.deepEqual(indexes(['free', agent]), [0])
  assert.deepEqual(indexes(['other', agent]), [4])
  assert.deepEqual(indexes([agent]), [4])
  assert.deepEqual(indexes(['other']), [2])
  assert.deepEqual(indexes([]), [2])
  assert.deepEqual(indexes([], true, [2]), [0, 1, 3, 4])
})

test('a tagged request that nobody is for is refused in LiteLLM’s words', () => {
  assert.throws(() => indexes(['other', 'User-Agent: curl/8'], true, [2]), {
    kind: 'auth',
    clientStatus: 401,
    source: 'client',
    message: 'Not allowed to access model due to tags configuration. Passed model=g and tags=other',
  })
})

function read(body: object, headers: RequestHeaders = {}): readonly string[] {
  const bytes = Buffer.from(JSON.stringify(body))
  return readTags(bytes, scanObject(bytes), headers)
}

test('tags are read from the header, the body and its metadata; a made-up user agent is none', () => {
  const body = { tags: ['b', 3], metadata: { tags: ['c'] }, litellm_metadata: { tags: ['d'] } }
  const headers = { 'x-litellm-tags': 'a, , e', 'user-agent': 'x/1' }
  assert.deepEqual(read(body, headers), ['a', 'e', 'b', 'c', 'd', 'User-Agent: x/1'])
  assert.deepEqual(read({ tags: 'one' }), ['one'])
  assert.deepEqual(read({ tags: ['User-Agent: claude-code/1'], metadata: [] }), [])
})

test('tags for the gateway do not go upstream, other metadata does', () => {
  const bytes = Buffer.from('{"metadata":{"a":"b","tags":["x"]}}')
  assert.deepEqual(withoutTags(bytes, scanObject(bytes)), { metadata: { a: 'b' } })
  const plain = Buffer.from('{"metadata":{"tags":"x"}}')
  assert.deepEqual(withoutTags(plain, scanObject(plain)), {})
})
