import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import { Secret } from '../../core/secret.ts'
import { deploymentOf } from '../../providers/adapter.contract.ts'
import { openLine } from '../../providers/call.ts'
import type { Line } from '../../providers/call.ts'
import { allAdapters, resolveModel } from '../../providers/registry.ts'
import { createTransport } from '../../transport/transport.ts'
import { createDirectory } from '../choice/directory.ts'
import { deploymentKey, encodeObjectId } from './id.ts'
import { createOwners } from './owner.ts'
import type { OwnerHints } from './owner.ts'

await allAdapters()

interface Sketch {
  readonly group: string
  readonly model?: string
  readonly provider?: string
  readonly key?: string
  readonly mode?: Deployment['mode']
}

const transport = createTransport()

/** Owners of a config of these, each with the id `id-<group>` and a base by its provider. */
function ownersOf(...sketches: readonly Sketch[]) {
  return ownersWith(sketches, ({ authorize }) => authorize)
}

/** The same, authorized otherwise. */
function ownersWith(sketches: readonly Sketch[], authorizeOf: (line: Line) => Line['authorize']) {
  const deployments = sketches.map(({ group, provider = 'openai', key = 'sk-one', ...more }, index) =>
    deploymentOf(provider, {
      index,
      id: `id-${group}`,
      group,
      connection: { apiKey: new Secret(key), apiBase: `http://${provider}/v1`, headers: {} },
      ...more,
    }),
  )
  const lines = deployments.map((each) => {
    const opened = openLine(each, { transport, env: {}, redact: (text) => text })
    return 'line' in opened ? { line: { ...opened.line, authorize: authorizeOf(opened.line) } } : opened
  })
  return createOwners({
    deployments,
    directory: createDirectory(deployments, resolveModel),
    lines: (index) => lines[index] ?? { misconfigured: { message: 'not there' } },
    resolve: resolveModel,
  })
}

const hints = (more: Partial<OwnerHints>): OwnerHints => ({
  route: '/files',
  kind: 'file',
  model: undefined,
  provider: undefined,
  ...more,
})
const idAt = (deployment: string): Pick<OwnerHints, 'id'> => ({
  id: { kind: 'file', text: encodeObjectId('file', deploymentKey(deployment), 'file-1') },
})

/** The ids of who may be asked, the name it is asked by, and the provider's id; or the refusal's status. */
async function found(owners: ReturnType<typeof ownersOf>, asked: Partial<OwnerHints>): Promise<unknown> {
  try {
    const { candidates, model, upstreamId } = await owners.find(hints(asked))
    return [candidates.map(({ deployment }) => deployment.id).join(' '), model, upstreamId]
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return error.clientStatus
  }
}

const ALPHA: Sketch = { group: 'alpha', key: 'sk-one' }
const BETA: Sketch = { group: 'beta', key: 'sk-two' }

describe('where a thing lives', () => {
  test('is said by its id, whatever model is named beside it', async () => {
    const owners = ownersOf(ALPHA, BETA)
    assert.deepEqual(await found(owners, idAt('id-beta')), ['id-beta', undefined, 'file-1'])
    assert.deepEqual(await found(owners, { ...idAt('id-beta'), model: 'beta' }), [
      'id-beta',
      'beta',
      'file-1',
    ])
    assert.deepEqual(await found(owners, { ...idAt('id-beta'), model: 'alpha' }), [
      'id-beta',
      undefined,
      'file-1',
    ])
  })

  test('is nowhere once its deployment is gone, unless a model says whose account it is', async () => {
    const owners = ownersOf(ALPHA, BETA)
    assert.equal(await found(owners, idAt('id-gone')), 404)
    assert.equal(await found(ownersOf(ALPHA), idAt('id-gone')), 404)
    assert.deepEqual(await found(owners, { ...idAt('id-gone'), model: 'alpha' }), [
      'id-alpha',
      'alpha',
      'file-1',
    ])
  })

  test('is said by the model, where its provider keeps such things', async () => {
    const owners = ownersOf(
      ALPHA,
      BETA,
      { group: 'cohere', provider: 'cohere' },
      { group: 'any/*', model: 'openai/*' },
    )
    const id = { kind: 'file', text: 'file-abc' } as const
    assert.deepEqual(await found(owners, { model: 'alpha', id }), ['id-alpha', 'alpha', 'file-abc'])
    assert.deepEqual(await found(owners, { model: 'any/thing' }), ['id-any/*', 'any/thing', undefined])
    assert.equal(await found(owners, { model: 'cohere' }), 400)
    assert.equal(await found(owners, { model: 'nobody' }), 400)
  })

  test("is not at a wildcard for any provider where the name is another provider's", async () => {
    const owners = ownersOf({ group: '*', model: '*' })
    assert.deepEqual(await found(owners, { model: 'gpt-4o' }), ['id-*', 'gpt-4o', undefined])
    assert.equal(await found(owners, { model: 'azure/mine' }), 400)
  })

  test('is the only account, of a provider or of all, and those for batches settle it', async () => {
    const twin = { ...ALPHA, group: 'twin' }
    assert.deepEqual(await found(ownersOf(ALPHA, twin), {}), ['id-alpha id-twin', undefined, undefined])
    assert.equal(await found(ownersOf(ALPHA, BETA), {}), 400)
    const nightly = ownersOf(ALPHA, { ...BETA, mode: 'batch' })
    assert.deepEqual(await found(nightly, {}), ['id-beta', undefined, undefined])
    assert.equal(await found(ownersOf({ ...ALPHA, mode: 'batch' }, { ...BETA, mode: 'batch' }), {}), 400)
    const mixed = ownersOf(
      ALPHA,
      { group: 'azure', provider: 'azure' },
      { group: 'cohere', provider: 'cohere' },
    )
    assert.deepEqual(await found(mixed, { provider: 'azure' }), ['id-azure', undefined, undefined])
    assert.equal(await found(mixed, { provider: 'cohere' }), 400)
    assert.equal(await found(mixed, { provider: 'nobody' }), 400)
    assert.deepEqual(
      await Promise.all([undefined, 'openai', 'cohere', 'nobody'].map((each) => mixed.isClear(each))),
      [false, true, false, false],
    )
  })
})

test('an account that could not be found out about is looked at again', async () => {
  let isUp = false
  const owners = ownersWith([ALPHA, { ...ALPHA, group: 'alpha-too' }], ({ authorize }) => (wire) => {
    if (isUp) return authorize(wire)
    return Promise.reject(new GatewayError('unreachable', 'no token today'))
  })
  await assert.rejects(owners.isClear(undefined), /no token today/)
  isUp = true
  assert.equal(await owners.isClear(undefined), true)
})
