import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { BedrockRuntimeClient, InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import type { JsonObject } from '../../core/json.ts'
import { startFakeProvider } from '../server.ts'
import { plainHttp } from './plain-http.fixture.ts'

const fake = await startFakeProvider()
const client = new BedrockRuntimeClient({
  endpoint: `${fake.url}/ok/as-bedrock`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret-of-AKIAEXAMPLE' },
  maxAttempts: 1,
  requestHandler: plainHttp(),
})
after(async () => {
  client.destroy()
  await fake.stop()
})

const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const ASKED = { max_tokens: 2_000, messages: [{ role: 'user', content: 'ping' }] }

interface Told {
  readonly status: number
  readonly text: string
}

type Tell = (words: JsonObject, headers?: Readonly<Record<string, string>>) => Promise<Told>

async function post(
  path: string,
  body: JsonObject,
  headers: Readonly<Record<string, string>>,
): Promise<Told> {
  const response = await fetch(`${fake.url}/ok${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}

const CLOUDS: Readonly<Record<string, Tell>> = {
  bedrock: (words) =>
    post(
      `/as-bedrock/model/${encodeURIComponent(SONNET)}/invoke`,
      { anthropic_version: 'bedrock-2023-05-31', ...ASKED, ...words },
      { authorization: 'Bearer bedrock-api-key-0123456789' },
    ),
  vertex_ai: (words, headers = {}) =>
    post(
      '/as-vertex_ai/v1/projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
      { anthropic_version: 'vertex-2023-10-16', ...ASKED, ...words },
      { authorization: 'Bearer ya29.a-token', ...headers },
    ),
}

/** What no cloud takes, and what it says of it. */
const REFUSED: readonly (readonly [words: JsonObject, complaint: RegExp])[] = [
  [{ model: 'claude-sonnet-4-5' }, /model: Extra inputs are not permitted/],
  [{ anthropic_version: '2023-06-01' }, /anthropic_version/],
  [{ service_tier: 'auto' }, /service_tier: Extra inputs/],
  [{ cache_control: { type: 'ephemeral' } }, /cache_control: Extra inputs/],
  [{ mcp_servers: [] }, /mcp_servers: Extra inputs/],
  [{ of_tomorrow: 1 }, /of_tomorrow: Extra inputs/],
  [{ context_management: { edits: [] } }, /context_management: Extra inputs/],
  [{ thinking: { type: 'adaptive' } }, /adaptive thinking is not supported/],
  [{ thinking: { type: 'enabled', budget_tokens: 9 } }, /greater than or equal to 1024/],
  [{ messages: [] }, /at least one message/],
  [
    {
      messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://a.test/a.png' } }] },
      ],
    },
    /URL sources are not supported/,
  ],
]

for (const [cloud, tell] of Object.entries(CLOUDS)) {
  test(`Claude on ${cloud} refuses what its documentation does not allow`, async () => {
    assert.equal((await tell({})).status, 200)
    for (const [words, complaint] of REFUSED) {
      const { status, text } = await tell(words)
      assert.equal(status, 400, JSON.stringify(words))
      assert.match(text, complaint)
    }
  })
}

test('what is in beta is asked for in the body there, and by a header here', async () => {
  const { bedrock, vertex_ai: vertex } = CLOUDS
  assert.ok(bedrock !== undefined && vertex !== undefined)
  const managed = { context_management: { edits: [] } }
  const betas = ['context-management-2025-06-27']
  assert.equal((await bedrock({ ...managed, anthropic_beta: betas })).status, 200)
  assert.equal((await vertex(managed, { 'anthropic-beta': betas.join(',') })).status, 200)
  assert.match((await vertex({ anthropic_beta: betas })).text, /anthropic_beta: Extra inputs/)
  assert.match((await bedrock({ anthropic_beta: ['oauth-2025-04-20'] })).text, /invalid beta flag/)
  assert.match((await bedrock({ anthropic_beta: 'oauth-2025-04-20' })).text, /valid list/)
  assert.match((await bedrock({ stream: true })).text, /stream: Extra inputs/)
  const { text } = await vertex({}, { 'anthropic-beta': 'oauth-2025-04-20' })
  assert.match(text, /Unexpected value\(s\) `oauth-2025-04-20` for the `anthropic-beta` header/)
})

test("AWS's own client reads its streams", async () => {
  const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...ASKED })
  const { body: frames } = await client.send(
    new InvokeModelWithResponseStreamCommand({ modelId: SONNET, contentType: 'application/json', body }),
  )
  assert.ok(frames !== undefined)
  const types: unknown[] = []
  for await (const { chunk } of frames)
    types.push(JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()).type)
  assert.deepEqual([types[0], types[1], types.at(-1)], ['message_start', 'ping', 'message_stop'])
})
