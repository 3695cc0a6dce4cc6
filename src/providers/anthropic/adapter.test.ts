import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../core/secret.ts'
import type { Connection } from '../../core/deployment.ts'
import { adapterContract, deploymentOf } from '../adapter.contract.ts'
import { anthropic } from './adapter.ts'
import { groundOn } from '../auth/ground.fixture.ts'

/** Written, not recorded, after https://platform.claude.com/docs/en/api/messages/create, read 2026-11-27. */
adapterContract(anthropic, {
  chat: {
    source: 'https://platform.claude.com/docs/en/api/messages/create',
    body: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5-20250929',
      content: [{ type: 'text', text: 'pong' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 5,
        cache_creation_input_tokens: 2,
        cache_read_input_tokens: 3,
        output_tokens: 1,
        service_tier: 'standard',
      },
    },
    value: {
      id: 'msg_1',
      object: 'chat.completion',
      created: 0,
      model: 'claude-sonnet-4-5-20250929',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'pong', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 1,
        total_tokens: 11,
        prompt_tokens_details: { cached_tokens: 3 },
        cache_read_input_tokens: 3,
        cache_creation_input_tokens: 2,
      },
    },
  },
  batch: {
    source: 'https://platform.claude.com/docs/en/api/messages/batches/list',
    body: { data: [], has_more: false, first_id: null, last_id: null },
    value: { batches: 0 },
  },
})

const GROUND = groundOn({ send: () => assert.fail('a token was fetched') })
type Env = Readonly<Record<string, string>>

async function authorized(connection: Connection, env: Env): Promise<Readonly<Record<string, string>>> {
  const connected = anthropic.connect(deploymentOf('anthropic', { connection }), env)
  assert.ok('authorize' in connected, JSON.stringify(connected))
  const wire = { method: 'GET', url: 'http://h/', headers: {} } as const
  return (await connected.authorize(wire, GROUND)).headers
}

const KEYS: readonly (readonly [string, Connection, Env, Readonly<Record<string, string>>])[] = [
  ['the key of the config', { apiKey: new Secret('sk-ant-1'), headers: {} }, {}, { 'x-api-key': 'sk-ant-1' }],
  [
    'the key of the environment',
    { headers: {} },
    { ANTHROPIC_API_KEY: 'sk-ant-2', ANTHROPIC_AUTH_TOKEN: 'tok' },
    { 'x-api-key': 'sk-ant-2' },
  ],
  ['a token', { headers: {} }, { ANTHROPIC_AUTH_TOKEN: 'tok' }, { authorization: 'Bearer tok' }],
  [
    'a header of its own',
    { headers: { authorization: new Secret('Bearer mine') } },
    {},
    { authorization: 'Bearer mine' },
  ],
]

for (const [name, connection, env, credential] of KEYS) {
  test(`${name} goes into its own header, beside the version`, async () => {
    assert.deepEqual(await authorized(connection, env), {
      ...credential,
      'anthropic-version': '2023-06-01',
    })
  })
}

test('the version is that of api_version, or of a header, and the codec hears of it', async () => {
  const key = { apiKey: new Secret('sk-ant-1') }
  const beta = { 'anthropic-beta': new Secret('files-api-2025-04-14') }
  assert.deepEqual(await authorized({ ...key, apiVersion: '2026-10-21', headers: beta }, {}), {
    'x-api-key': 'sk-ant-1',
    'anthropic-version': '2026-10-21',
    'anthropic-beta': 'files-api-2025-04-14',
  })
  const headers = { 'anthropic-version': new Secret('2026-10-21') }
  const connected = anthropic.connect(deploymentOf('anthropic', { connection: { ...key, headers } }), {})
  assert.ok('target' in connected)
  assert.equal(connected.target.apiVersion, '2026-10-21')
})

test('without a key it says where one may stand', () => {
  assert.deepEqual(anthropic.connect(deploymentOf('anthropic', { connection: { headers: {} } }), {}), {
    message:
      'no API key: set api_key in litellm_params, or ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN in the environment',
  })
})

const BASES: readonly (readonly [Connection, Env, string])[] = [
  [{ headers: {} }, {}, 'https://api.anthropic.com/v1'],
  [{ headers: {} }, { ANTHROPIC_BASE_URL: 'http://h/x' }, 'http://h/x/v1'],
  [{ headers: {}, apiBase: 'http://h/v1/' }, {}, 'http://h/v1'],
  [{ headers: {}, apiBase: 'http://h/ok/v1/messages' }, {}, 'http://h/ok/v1'],
]

for (const [connection, env, url] of BASES) {
  test(`${connection.apiBase ?? JSON.stringify(env)} leads to ${url}`, () => {
    const apiKey = new Secret('sk-ant-1')
    const connected = anthropic.connect(
      deploymentOf('anthropic', { connection: { ...connection, apiKey } }),
      env,
    )
    assert.ok('target' in connected)
    const counting = anthropic.freeRequest?.(connected.target)
    assert.equal(counting?.url, `${url}/messages/count_tokens`)
    assert.match(String(counting?.body), /^\{"model":"[^"]+","messages":\[/)
    // A wildcard names no model that could be counted for.
    assert.equal(anthropic.freeRequest?.({ ...connected.target, model: 'claude-*' }), undefined)
    assert.equal(anthropic.freeUrl?.(connected.target), `${url}/models?limit=1`)
  })
}
