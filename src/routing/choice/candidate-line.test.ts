import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection, Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import type { LineOrProblem } from '../../health/subject.ts'
import { claudeOf } from '../../providers/bedrock/model-id.ts'
import { openLine, type Line } from '../../providers/call.ts'
import { allAdapters, resolveModel } from '../../providers/registry.ts'
import { createTransport } from '../../transport/transport.ts'
import type { WireRequest } from '../../transport/wire.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { candidateLine, rememberedLines, type LineDeps } from './candidate-line.ts'
import { createDirectory } from './directory.ts'

await allAdapters()

const transport = createTransport()
const SECRETS = {
  aws_access_key_id: new Secret('AKIA'),
  aws_secret_access_key: new Secret('secret-of-AKIA'),
  watsonx_token: new Secret('token-0123456789'),
}
const CONNECTION: Connection = {
  headers: {},
  apiKey: new Secret('sk-0123456789'),
  secrets: SECRETS,
  settings: { project_id: 'p', vertex_project: 'p' },
}
const HOSTED = { ...CONNECTION, apiBase: 'https://r.services.ai.azure.com' }
const { apiKey: _, ...SIGNED } = CONNECTION

function open(deployment: Deployment): LineOrProblem {
  return openLine(deployment, { transport, env: {}, redact: (text) => text })
}

function written(model: string, connection: Connection): Deployment {
  const { provider, upstreamModel, catalogueMode: mode = 'chat' } = resolveModel(model, {})
  return aDeployment(0, { group: model, model, provider, upstreamModel, mode, connection })
}

/** The line of who asks for this name, where the config has this model under its own name. */
function lineTo(asked: string, model: string, connection: Connection): Line {
  const deployment = written(model, connection)
  const [candidate] = createDirectory([deployment], resolveModel).candidates(asked)
  assert.ok(candidate, asked)
  const deps: LineDeps = {
    lines: () => open(deployment),
    openLine: open,
    openNamed: open,
    resolve: resolveModel,
  }
  return candidateLine(deps, '/chat/completions', asked, candidate)
}

const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const PROFILE = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3'

const FORMS: readonly (readonly [provider: string, names: readonly string[], connection?: Connection])[] = [
  [
    'bedrock',
    [
      SONNET,
      `us.${SONNET}`,
      `converse/us.${SONNET}`,
      `invoke/us.${SONNET}`,
      `us-west-1/${SONNET}`,
      `invoke/eu-west-1/${SONNET}`,
      `anthropic/${PROFILE}`,
      PROFILE,
      PROFILE.replaceAll(':', '%3A').replace('/', '%2F'),
      'nova/arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/x',
    ],
    SIGNED,
  ],
  ['bedrock', ['cohere.rerank-v3-5:0', 'us-west-1/amazon.rerank-v1:0'], SIGNED],
  ['bedrock_converse', [`us.${SONNET}`, `us-west-1/${SONNET}`]],
  [
    'vertex_ai',
    [
      'gemini-2.5-flash',
      'gemini-3-pro-preview',
      'claude-sonnet-4-5@20250929',
      'anthropic/claude-sonnet-4-5@20250929',
      'meta/llama-3.3-70b-instruct-maas',
      'qwen/qwen3-coder-480b-a35b-instruct-maas',
      'publishers/moonshotai/models/kimi-k2-thinking-maas',
      'openai/1234567890',
      'gemini/1234567890',
      '1234567890',
    ],
  ],
  ['vertex_ai_beta', ['1234567890', 'gemini-2.5-flash']],
  ['azure_ai', ['claude-sonnet-4-5', 'Llama-3.3-70B-Instruct', 'cohere-rerank-v3.5'], HOSTED],
  ['azure', ['gpt-4o', 'o_series/my-o3', 'gpt5_series/my-gpt'], HOSTED],
  ['watsonx', ['ibm/granite-3-8b-instruct', 'deployment/d-1'], HOSTED],
  ['huggingface', ['meta-llama/Llama-3.1-8B-Instruct', 'together/deepseek-ai/DeepSeek-R1']],
  ['replicate', ['meta/llama-3-8b', 'owner/name:v1', 'deployments/owner/name']],
]

for (const [provider, names, connection = CONNECTION] of FORMS)
  for (const name of names)
    test(`behind ${provider}/* ${name} leads where a deployment of that name leads`, async () => {
      const asked = `${provider}/${name}`
      const plain = open(written(asked, connection))
      assert.ok('line' in plain, JSON.stringify(plain))
      for (const [model, group] of [
        [`${provider}/*`, asked],
        ['*', asked],
      ] as const) {
        const line = lineTo(group, model, connection)
        assert.deepEqual(targetOf(line), targetOf(plain.line), model)
        const wire = { method: 'POST', url: line.target.base, headers: {}, body: '{}' } as const
        assert.deepEqual(await scope(line, wire), await scope(plain.line, wire))
      }
    })

/** What is known of a claude by its name need not be said besides. */
function targetOf({ target }: Line): unknown {
  return { ...target, claude: target.claude === false ? false : claudeOf(target) }
}

/** Who is asked as whom: of a signature what does not change by the second. */
async function scope(line: Line, wire: WireRequest): Promise<unknown> {
  const { headers } = await line.authorize(wire)
  const { 'x-amz-date': _date, authorization = '', ...rest } = headers
  return { ...rest, authorization: authorization.replace(/Signature=.*/, '') }
}

test('what stands before the star stays', () => {
  const deployment = written('bedrock/converse/*', CONNECTION)
  const own = { ...deployment, group: 'claude/*' }
  const [candidate] = createDirectory([own], resolveModel).candidates(`claude/us-west-1/${SONNET}`)
  assert.ok(candidate)
  const deps: LineDeps = { lines: () => open(own), openLine: open, openNamed: open, resolve: resolveModel }
  const { target } = candidateLine(deps, '/chat/completions', 'claude', candidate)
  assert.deepEqual(
    [target.claude, target.model, target.base],
    [false, SONNET, 'https://bedrock-runtime.us-west-1.amazonaws.com'],
  )
})

test('a name that clients may not ask for is theirs to put right', () => {
  assert.throws(
    () => lineTo('bedrock/agent/x', 'bedrock/*', CONNECTION),
    (error) =>
      error instanceof GatewayError &&
      error.kind === 'bad_request' &&
      /bedrock\/agent\/ is a service of AWS/.test(error.message),
  )
})

test('a name is read once while it is asked for, and again where it could not be called', () => {
  const opened: string[] = []
  const named = rememberedLines((each) => {
    opened.push(each.model)
    return each.model === 'bad' ? { misconfigured: { message: 'no' } } : open({ ...each, provider: 'openai' })
  }, 2)
  for (const model of ['a', 'b', 'a', 'c', 'a', 'b', 'bad', 'bad'])
    named(aDeployment(0, { model, connection: CONNECTION }))
  assert.deepEqual(opened, ['a', 'b', 'c', 'b', 'bad', 'bad'])
  named(aDeployment(1, { model: 'a', connection: CONNECTION }))
  assert.equal(opened.length, 7)
})
