import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../core/secret.ts'
import { createTransport } from '../transport/transport.ts'
import { deploymentOf } from './adapter.contract.ts'
import { openLine, type Line } from './call.ts'
import { hasObjects, hasRealtimeKeys, isSameAccount, objectRequest } from './objects.ts'
import { adapterFor, allAdapters } from './registry.ts'

await allAdapters()

const transport = createTransport()

function line(provider: string, apiBase: string, key = 'sk-one', apiVersion?: string): Line {
  const connection = {
    apiBase,
    apiKey: new Secret(key),
    headers: {},
    ...(apiVersion !== undefined && { apiVersion }),
  }
  const opened = openLine(deploymentOf(provider, { connection }), {
    transport,
    env: {},
    redact: (text) => text,
  })
  assert.ok('line' in opened)
  return opened.line
}

test('files and batches are below the base, also of a base that was pasted with a route', () => {
  const call = { method: 'GET', path: '/files/f/content', query: '?a=1', accept: '*/*' } as const
  for (const base of ['http://h/v1', 'http://h/v1/', 'http://h/v1/batches', 'http://h/v1/chat/completions']) {
    const { url, headers, method } = objectRequest(line('openai', base), call)
    assert.deepEqual([method, url, headers], ['GET', 'http://h/v1/files/f/content?a=1', { accept: '*/*' }])
  }
  const { url } = objectRequest(line('azure', 'http://h'), {
    method: 'DELETE',
    path: '/files/f',
    query: '?a=1',
  })
  assert.equal(url, 'http://h/openai/files/f?api-version=2024-10-21&a=1')
})

test('who keeps none says so', () => {
  for (const [id, keeps, handsOut] of [
    ['openai', true, true],
    ['azure', true, true],
    ['groq', true, false],
    // Its batches are "jobs".
    ['mistral', false, false],
    ['openrouter', false, false],
    ['cohere_chat', false, false],
  ] as const) {
    const adapter = adapterFor(id)
    assert.deepEqual(
      [adapter?.objects !== 'unsupported', adapter?.realtimeKeys !== 'unsupported'],
      [keeps, handsOut],
      id,
    )
  }
  const cohere = line('cohere', 'http://h')
  assert.deepEqual([hasObjects(cohere), hasRealtimeKeys(cohere)], [false, false])
  const call = { method: 'GET', path: '/files', query: '' } as const
  assert.throws(() => objectRequest(cohere, call), /has no files and batches/)
})

test('an account is a place and a credential, whatever the model and the version', async () => {
  const one = line('openai', 'http://h/v1')
  for (const [other, isSame] of [
    [line('openai', 'http://h/v1/'), true],
    [line('text-completion-openai', 'http://h/v1'), true],
    [line('openai', 'http://h/v1', 'sk-two'), false],
    [line('openai', 'http://h/v2'), false],
    [line('azure', 'http://h/v1'), false],
  ] as const)
    assert.equal(await isSameAccount(one, other), isSame)
  const azure = line('azure', 'http://h')
  assert.equal(await isSameAccount(azure, line('azure', 'http://h', 'sk-one', '2024-06-01')), true)
})
