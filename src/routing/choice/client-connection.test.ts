import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../core/deployment.ts'
import { scanObject } from '../../core/json-spans.ts'
import { Secret } from '../../core/secret.ts'
import { deploymentOf } from '../../providers/adapter.contract.ts'
import { openLine } from '../../providers/call.ts'
import { createTransport } from '../../transport/transport.ts'
import { clientConnection, withClientConnection, type ClientConnection } from './client-connection.ts'
import { allAdapters } from '../../providers/registry.ts'

await allAdapters()

const ENV = { OPENAI_API_KEY: 'env-key', OPENAI_ORGANIZATION: 'env-org', AZURE_AD_TOKEN: 'env-token' }
const OWN: Connection = {
  apiKey: new Secret('own-key'),
  apiBase: 'http://own.test/v1',
  organization: new Secret('own-org'),
  headers: { 'x-own': new Secret('own-header') },
}

async function sentTo(provider: string, connection: Connection, client: ClientConnection): Promise<unknown> {
  const deployment = withClientConnection(deploymentOf(provider, { connection }), client)
  const opened = openLine(deployment, { transport: createTransport(), env: ENV, redact: (text) => text })
  assert.ok('line' in opened)
  const { headers } = await opened.line.authorize({ method: 'GET', url: 'http://h', headers: {} })
  return { base: opened.line.target.base, headers }
}

const ELSEWHERE = { api_base: 'http://client.test/v1/', api_key: 'client-key' }

test("to a client's host go the client's key and nothing of the operator's", async () =>
  assert.deepEqual(await sentTo('openai', OWN, ELSEWHERE), {
    base: 'http://client.test/v1',
    headers: { authorization: 'Bearer client-key' },
  }))

test("an organization of the client's goes with its key", async () =>
  assert.deepEqual(await sentTo('openai', OWN, { ...ELSEWHERE, organization: 'client-org' }), {
    base: 'http://client.test/v1',
    headers: { authorization: 'Bearer client-key', 'openai-organization': 'client-org' },
  }))

test("a client's key alone goes to the operator's host, with what else is configured", async () =>
  assert.deepEqual(await sentTo('openai', OWN, { api_key: 'client-key' }), {
    base: 'http://own.test/v1',
    headers: { authorization: 'Bearer client-key', 'openai-organization': 'own-org', 'x-own': 'own-header' },
  }))

test("a client's key is not sent beside the operator's token", async () =>
  assert.deepEqual(
    await sentTo(
      'azure',
      { apiBase: 'http://own.test', azureAdToken: new Secret('own-token'), headers: {} },
      { api_key: 'client-key' },
    ),
    { base: 'http://own.test', headers: { 'api-key': 'client-key' } },
  ))

test("a client's key is not sent beside what gets tokens for the operator", async () => {
  const settings = { tenant_id: 't', client_id: 'c', project_id: 'p' }
  const secrets = { client_secret: new Secret('own-secret'), token: new Secret('own-token') }
  const own = { apiBase: 'http://own.test', headers: {}, settings, secrets }
  const key = { api_key: 'client-key' }
  const header = { authorization: 'Bearer client-key' }
  const base = own.apiBase
  assert.deepEqual(await sentTo('azure', own, key), { base, headers: { 'api-key': 'client-key' } })
  assert.deepEqual(await sentTo('databricks', { ...own, apiBase: `${base}/x` }, key), {
    base: `${base}/x`,
    headers: header,
  })
  assert.deepEqual(await sentTo('azure_ai', own, { ...key, api_base: 'http://client.test/openai/v1' }), {
    base: 'http://client.test/openai/v1',
    headers: header,
  })
})

test('what could not be written into a URL or a header is refused as the client’s doing', () => {
  const key = { api_key: 'k' }
  for (const [field, own] of [
    ['api_key', { api_key: 'a\r\nx-more: b' }],
    ['api_key', { api_key: 'schlüssel' }],
    ['organization', { organization: 'a\nb' }],
    ['api_base', { ...key, api_base: 'http://client.test/ a' }],
    ['api_base', { ...key, api_base: 'http://client.test/\na' }],
    ['api_base', { ...key, api_base: 'http://client.test/ä' }],
  ] as const) {
    const body = Buffer.from(JSON.stringify(own))
    assert.throws(() => clientConnection(body, scanObject(body), Object.keys(own)), {
      kind: 'bad_request',
      source: 'client',
      param: field,
    })
  }
})
