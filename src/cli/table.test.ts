import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { headLine, layoutOf, modesOf, rowLine, rowNames, rowOf, type Row } from './table.ts'
import { createTerminal, oneLine, painter } from './terminal.ts'

const plain = painter(false)

function deployment(group: string, more: Partial<Deployment> = {}): Deployment {
  return {
    index: 0,
    id: `id-${group}`,
    group,
    model: `openai/${group}`,
    provider: 'openai',
    upstreamModel: group,
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
    ...more,
  }
}

const FACTS = { at: 0, latencyMs: 41.6, requests: 1, probedModel: 'openai/gpt-4o', headers: {} } as const
const HEALTHY: Health = { state: 'HEALTHY', since: 0, verdict: { kind: 'healthy', ...FACTS } }
const REFUSED: Health = {
  state: 'MISCONFIGURED',
  reason: 'auth',
  since: 0,
  verdict: { kind: 'unhealthy', ...FACTS, reason: 'auth', error: 'a long story', exceptionStatus: 401 },
}

describe('a row of the start-up table', () => {
  const cases: readonly (readonly [string, Deployment, Health, Row])[] = [
    [
      'a healthy model shows its latency and needs no reason',
      deployment('gpt-4o'),
      HEALTHY,
      { model: 'name', mode: 'chat', verdict: 'healthy', latencyMs: 41.6, reason: '' },
    ],
    [
      'a wildcard says which model stood for it',
      deployment('openai', { model: 'openai/*' }),
      HEALTHY,
      { model: 'name', mode: 'chat', verdict: 'healthy', latencyMs: 41.6, reason: 'probed as openai/gpt-4o' },
    ],
    [
      'a refused key shows the kind, the status and what to do',
      deployment('gpt-4o'),
      REFUSED,
      {
        model: 'name',
        mode: 'chat',
        verdict: 'unhealthy',
        latencyMs: 41.6,
        reason: 'auth (401): check the api_key and its permissions',
      },
    ],
    [
      'a deployment that nothing was sent for has no latency, and says what to mend',
      deployment('gpt-4o', { misconfigured: { message: 'OPENAI_API_KEY is not set' } }),
      {
        state: 'MISCONFIGURED',
        reason: 'misconfigured',
        since: 0,
        verdict: {
          kind: 'unhealthy',
          ...FACTS,
          requests: 0,
          reason: 'misconfigured',
          error: 'x',
          exceptionStatus: 500,
        },
      },
      {
        model: 'name',
        mode: 'chat',
        verdict: 'unhealthy',
        reason: 'misconfigured (500): OPENAI_API_KEY is not set',
      },
    ],
    [
      'a mode that is not probed is not painted green',
      deployment('omni', { unprobedMode: 'moderation' }),
      { state: 'UNKNOWN', reason: 'checks_disabled', since: 0 },
      {
        model: 'name',
        mode: 'moderation',
        verdict: 'not checked',
        reason: 'checks_disabled: this mode or deployment is not probed',
      },
    ],
  ]
  for (const [name, of, health, expected] of cases)
    test(name, () => assert.deepEqual(rowOf('name', of, health), expected))

  test('deployments of one group are told apart by their model', () => {
    const names = rowNames([
      deployment('fast', { model: 'openai/gpt-4o-mini' }),
      deployment('slow'),
      deployment('fast', { model: 'azure/mini' }),
    ])
    assert.deepEqual(names, ['fast (openai/gpt-4o-mini)', 'slow', 'fast (azure/mini)'])
  })
})

describe('the start-up table', () => {
  const layout = { model: 8, mode: 5, width: 72 }
  const row: Row = { model: 'gpt-4o', mode: 'chat', verdict: 'healthy', latencyMs: 41.6, reason: '' }

  const lines: readonly (readonly [string, string, string])[] = [
    [
      'the head stands over the columns',
      headLine(layout, plain),
      'MODEL     MODE   VERDICT      LATENCY  REASON',
    ],
    [
      'sign and word say the same as the colour',
      rowLine(row, layout, plain),
      'gpt-4o    chat   ✓ healthy      42 ms',
    ],
    [
      'a long reason is cut at the edge of the terminal',
      rowLine(
        { ...row, verdict: 'unhealthy', reason: 'auth (401): check the api_key and its permissions' },
        layout,
        plain,
      ),
      'gpt-4o    chat   ✗ unhealthy    42 ms  auth (401): check the api_key an…',
    ],
    [
      'a long name is cut in its column',
      rowLine({ ...row, model: 'text-embedding-3-large' }, layout, plain),
      'text-em…  chat   ✓ healthy      42 ms',
    ],
    [
      'a long wait is told in seconds',
      rowLine({ ...row, latencyMs: 12_345 }, layout, plain),
      'gpt-4o    chat   ✓ healthy     12.3 s',
    ],
    [
      'a row that waits has no latency yet',
      rowLine({ model: 'gpt-4o', mode: 'chat', verdict: 'waiting', reason: 'no answer yet' }, layout, plain),
      'gpt-4o    chat   … waiting             no answer yet',
    ],
    [
      'an upstream cannot drive the terminal',
      rowLine({ ...row, model: 'a\u001B[2J\nb' }, { ...layout, model: 10 }, plain),
      'a [2J b     chat   ✓ healthy      42 ms',
    ],
    [
      'colour goes round the verdict only',
      rowLine(row, layout, painter(true)),
      'gpt-4o    chat   \u001B[32m✓ healthy  \u001B[39m    42 ms',
    ],
  ]
  for (const [name, actual, expected] of lines) test(name, () => assert.equal(actual, expected))

  test('columns are as wide as their widest cell, and leave room for a reason', () => {
    const deployments = [deployment('a'.repeat(60)), deployment('b', { mode: 'image_generation' })]
    const names = rowNames(deployments)
    assert.deepEqual(layoutOf(names, modesOf(deployments), 132), { model: 40, mode: 16, width: 132 })
    assert.deepEqual(layoutOf(names, modesOf(deployments), 80), { model: 19, mode: 16, width: 80 })
    assert.deepEqual(layoutOf(names, modesOf(deployments), 40), { model: 12, mode: 16, width: 40 })
  })
})

describe('colour', () => {
  const cases: readonly (readonly [string, { isTTY?: boolean }, Record<string, string>, boolean])[] = [
    ['a terminal is coloured', { isTTY: true }, {}, true],
    ['a pipe is not', {}, {}, false],
    ['NO_COLOR turns it off', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['FORCE_COLOR turns it on in a pipe', {}, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0 turns it off', { isTTY: true }, { FORCE_COLOR: '0' }, false],
    ['NO_COLOR beats FORCE_COLOR', { isTTY: true }, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['a dumb terminal is not coloured', { isTTY: true }, { TERM: 'dumb' }, false],
  ]
  for (const [name, stream, env, isColoured] of cases)
    test(name, () => {
      const sink = { ...stream, write: () => true }
      const { paint } = createTerminal(sink, sink, env)
      assert.equal(paint('good', 'x'), isColoured ? '\u001B[32mx\u001B[39m' : 'x')
    })

  test('control characters become spaces', () => {
    assert.equal(oneLine('\u001B]0;title\u0007 a\r\nb\u009Bc '), ']0;title  a b c')
  })
})
