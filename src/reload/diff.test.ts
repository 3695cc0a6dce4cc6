import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Deployment } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'
import { readConfigText } from '../read-config.ts'
import { diffOf, type ConfigDiff } from './diff.ts'
import { printed, type Printed } from './prints.ts'

async function printsOf(entries: string): Promise<readonly Printed[]> {
  const { config } = await readConfigText('c.yaml', `model_list:\n${entries}`)
  assert.ok(config !== undefined)
  return config.deployments.map(printed)
}

const entry = (group: string, { id = group, key = 'sk-000001', more = '' } = {}): string =>
  `  - model_name: ${group}\n    litellm_params: { model: openai/gpt-4o, api_key: ${key}${more} }\n    model_info: { id: ${id} }\n`

async function diff(before: string, after: string): Promise<readonly unknown[]> {
  const { added, removed, changed, unchanged, was } = diffOf(await printsOf(before), await printsOf(after))
  return [added, removed, changed, unchanged, ...was]
}

const AB = entry('a') + entry('b')

for (const [name, after, expected] of [
  ['the same config changes nothing', AB, [0, 0, 0, 2, 0, 1]],
  ['another order changes nothing', entry('b') + entry('a'), [0, 0, 0, 2, 1, 0]],
  ['one more is added, wherever it stands', entry('c') + AB, [1, 0, 0, 2, -1, 0, 1]],
  ['one less is removed', entry('b'), [0, 1, 0, 1, 1]],
  [
    'another key is a change after which nothing holds',
    entry('a', { key: 'sk-000002' }) + entry('b'),
    [0, 0, 1, 1, -1, 1],
  ],
  [
    'another limit is a change after which all holds',
    entry('a', { more: ', rpm: 9' }) + entry('b'),
    [0, 0, 1, 1, 0, 1],
  ],
  [
    'another id alone is a change after which all holds',
    entry('a', { id: 'z' }) + entry('b'),
    [0, 0, 1, 1, 0, 1],
  ],
  [
    'another group is a change after which nothing holds',
    entry('c', { id: 'a' }) + entry('b'),
    [0, 0, 1, 1, -1, 1],
  ],
  [
    'another address and another id within a group is a change',
    entry('a', { id: 'z', more: ", api_base: 'http://x'" }) + entry('b'),
    [0, 0, 1, 1, -1, 1],
  ],
  ['everything else is one removed and one added', entry('c') + entry('b'), [1, 1, 0, 1, -1, 1]],
  ['a second one that is equal is added', AB + entry('b'), [1, 0, 0, 2, 0, 1, -1]],
] as const)
  test(name, async () => assert.deepEqual(await diff(AB, after), expected))

test('another pattern for what must answer is a change after which nothing holds', async () => {
  const expecting = (model: string): string =>
    entry('a').replace('{ id: a }', `{ id: a, health_check_expect: { model: '${model}' } }`)
  assert.deepEqual(await diff(expecting('gpt-4o'), expecting('gpt-5')), [0, 0, 1, 0, -1])
  assert.deepEqual(await diff(expecting('gpt-4o'), expecting('gpt-4o')), [0, 0, 0, 1, 0])
})

test('every deployment of both configs is counted once, and no two were the same one', () => {
  const one = fc.record({
    id: fc.constantFrom('1', '2', '3'),
    group: fc.constantFrom('a', 'b'),
    call: fc.constantFrom('x', 'y', 'z'),
    whole: fc.constantFrom('X', 'Y', 'Z', 'W'),
  })
  fc.assert(
    fc.property(fc.array(one), fc.array(one), (before, after) => {
      const found: ConfigDiff = diffOf(before, after)
      assert.equal(found.unchanged + found.changed + found.removed, before.length)
      assert.equal(found.unchanged + found.changed + found.added, after.length)
      const kept = [...found.was].filter((place) => place !== -1)
      assert.equal(new Set(kept).size, kept.length)
    }),
  )
})

test('a secret that is another one makes another print, wherever it stands, and is in none', async () => {
  const [first] = await configured()
  assert.ok(first !== undefined)
  const withHeader = (value: string): Deployment => ({
    ...first,
    connection: { ...first.connection, headers: { 'x-key': new Secret(value) } },
  })
  const [one, other] = [printed(withHeader('sk-header-1')), printed(withHeader('sk-header-2'))]
  assert.notEqual(one.call, other.call)
  assert.doesNotMatch(JSON.stringify([one, other]), /sk-/)
})

async function configured(): Promise<readonly Deployment[]> {
  const { config } = await readConfigText('c.yaml', `model_list:\n${AB}`)
  return config?.deployments ?? []
}
