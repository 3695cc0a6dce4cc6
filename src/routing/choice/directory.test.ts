import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../core/deployment.ts'
import type { ResolveModel } from '../../core/resolve.ts'
import { createDirectory, fillWildcards } from './directory.ts'

const resolve: ResolveModel = (model) =>
  model.startsWith('gpt-')
    ? { provider: 'openai', upstreamModel: model }
    : { provider: model, upstreamModel: model, problem: 'unknown' }

function deployment(index: number, group: string, model: string, id = `id-${index}`): Deployment {
  return {
    index,
    id,
    group,
    model,
    provider: 'openai',
    upstreamModel: model.replace(/^openai\//, ''),
    mode: 'chat',
    modeSource: 'default',
    connection: { headers: {} },
    bodyDefaults: {},
    timeouts: {},
    probe: { params: {}, backgroundDisabled: false },
    shown: {},
    clientConnectionFields: [],
    shownParams: {},
    info: {},
  }
}

const directory = createDirectory(
  [
    deployment(0, 'a', 'openai/gpt-4o'),
    deployment(1, 'a', 'openai/gpt-4o-mini'),
    deployment(2, 'id-0', 'openai/other'),
    deployment(3, 'openai/*', 'openai/*'),
    deployment(4, 'openai/gpt-5*', 'openai/five-*'),
    deployment(5, 'x-*-y-*', 'openai/*/of/*'),
    deployment(6, 'twin', 'openai/t', 'same'),
    deployment(7, 'twin', 'openai/t', 'same'),
    deployment(8, 'b', 'mistral/large'),
    deployment(9, 'openai/exact', 'openai/e'),
  ],
  resolve,
)

test('a model name finds its deployments in order: id, model_name, wildcard, upstream model', () => {
  type Case = readonly [name: string, indexes: readonly number[], captures?: readonly string[]]
  const cases: readonly Case[] = [
    ['id-0', [0]],
    ['a', [0, 1]],
    ['same', [6, 7]],
    ['openai/exact', [9]],
    ['openai/gpt-5-pro', [4], ['-pro']],
    ['openai/gpt-4o', [3], ['gpt-4o']],
    ['openai/a/b', [3], ['a/b']],
    ['gpt-9', [3], ['gpt-9']],
    ['gpt-5', [4], ['']],
    ['x-1-y-2', [5], ['1', '2']],
    ['mistral/large', [8]],
    ['mistral/small', []],
    ['A', []],
    ['', []],
    ['constructor', []],
    [`openai/${'x'.repeat(600)}`, []],
  ]
  for (const [name, indexes, captures] of cases) {
    const found = directory.candidates(name)
    assert.deepEqual(
      found.map((each) => each.deployment.index),
      indexes,
      name,
    )
    assert.deepEqual(found[0]?.captures, captures, name)
  }
})

test('what a wildcard stood for fills the upstream model, star by star', () => {
  assert.equal(fillWildcards('five-*', ['-pro']), 'five--pro')
  assert.equal(fillWildcards('*/of/*', ['1', '2']), '1/of/2')
  assert.equal(fillWildcards('fixed', ['1']), 'fixed')
  assert.equal(fillWildcards('*', ['$&']), '$&')
})

test('every model_name is listed once, in the order of the config', () => {
  assert.deepEqual(directory.listed, [
    'a',
    'id-0',
    'openai/*',
    'openai/gpt-5*',
    'x-*-y-*',
    'twin',
    'b',
    'openai/exact',
  ])
})
