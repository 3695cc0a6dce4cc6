import assert from 'node:assert/strict'
import { GatewayError } from '../core/failure.ts'
import { test } from 'node:test'
import { startFakeProvider } from '../fake-provider/server.ts'
import { createTransport } from '../transport/transport.ts'
import { deploymentOf } from './adapter.contract.ts'
import { openLine } from './call.ts'
import { freeRequest, look } from './look.ts'
import { allAdapters } from './registry.ts'

await allAdapters()

const LIMITS = { timeoutMs: 5_000, maxBytes: 100_000 }

/** A free look at the fake, and what it asked for; undefined where it went well, else the kind of failure. */
async function looked(provider: string, model: string, base: string) {
  const fake = await startFakeProvider()
  const transport = createTransport()
  try {
    const deployment = deploymentOf(provider, { upstreamModel: model })
    const connection = { ...deployment.connection, apiBase: fake.url + base }
    const opened = openLine({ ...deployment, connection }, { transport, env: {}, redact: (text) => text })
    assert.ok('line' in opened)
    const wire = freeRequest(opened.line)
    assert.ok(wire !== undefined)
    const failure = await look(opened.line, wire, LIMITS).then(
      () => undefined,
      (error: unknown) => error,
    )
    return { failure, asked: fake.journal().map(({ method, url }) => `${method} ${url}`) }
  } finally {
    await transport.close()
    await fake.stop()
  }
}

for (const [provider, model, base, asked] of [
  ['ollama', 'llama3.2', '/ok/as-ollama', 'GET /ok/as-ollama/api/tags'],
  ['ollama_chat', 'qwen3:8b', '/ok/as-ollama/api/chat', 'GET /ok/as-ollama/api/tags'],
  ['mistral', 'mistral-small-latest', '/ok/as-mistral/v1', 'GET /ok/as-mistral/v1/models'],
  ['huggingface', 'a/b', '/ok/as-huggingface', 'GET /ok/as-huggingface/v1/models'],
  ['cohere', 'command-a-03-2025', '/ok/v2', 'GET /ok/v1/models'],
] as const)
  test(`a free look at ${provider} asks for a list and loads nothing`, async () => {
    assert.deepEqual(await looked(provider, model, base), { failure: undefined, asked: [asked] })
  })

test('a model that was not pulled is missed by a free look', async () => {
  const { failure, asked } = await looked('ollama', 'never-pulled', '/ok/as-ollama')
  assert.deepEqual(asked, ['GET /ok/as-ollama/api/tags'])
  assert.ok(failure instanceof GatewayError)
  assert.equal(failure.kind, 'not_found')
  assert.match(String(failure), /has no model "never-pulled": it is to be pulled there first/)
})
