import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Verdict } from '../core/verdict.ts'
import { makeBoard } from '../health/board.fixture.ts'
import { showFirstVerdicts, type TableSettings } from './first-verdicts.ts'
import { painter } from './terminal.ts'

function deployment(index: number, more: Partial<Deployment> = {}): Deployment {
  return {
    index,
    id: `id-${index}`,
    group: `model-${index}`,
    model: 'openai/gpt-4o',
    provider: 'openai',
    upstreamModel: 'gpt-4o',
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

const FACTS = { at: 0, latencyMs: 40, requests: 1, probedModel: 'openai/gpt-4o', headers: {} } as const
const GOOD: Verdict = { kind: 'healthy', ...FACTS }
const BAD: Verdict = { kind: 'unhealthy', ...FACTS, reason: 'timeout', error: 'x', exceptionStatus: 408 }

function table(deployments: readonly Deployment[], more: Partial<TableSettings> = {}) {
  const lines: string[] = []
  const clock = createHandClock()
  const board = makeBoard(deployments, clock)
  const terminal = {
    out: (text: string) => void lines.push(text),
    err: () => {},
    paint: painter(false),
    paintError: painter(false),
    width: 80,
  }
  const settings = { waitingAfterMs: 4000, mostRows: 60, ...more }
  const stop = showFirstVerdicts(board, { terminal, clock }, settings)
  return { lines, clock, board, stop }
}

const HEAD = 'MODEL    MODE  VERDICT      LATENCY  REASON'

describe('the first verdicts', () => {
  test('are printed as they arrive, and summed up when all are in', () => {
    const { lines, board, clock } = table([deployment(0), deployment(1)])
    board.record(1, GOOD)
    board.record(0, BAD)
    assert.deepEqual(lines, [
      HEAD,
      'model-1  chat  ✓ healthy      40 ms',
      'model-0  chat  ✗ unhealthy    40 ms  timeout (408): the upstream is slow or han…',
      '1 healthy, 1 unhealthy',
    ])
    assert.equal(clock.pending(), 0)
  })

  test('that take long are shown as waiting, and printed when they are decided', () => {
    const { lines, board, clock } = table([deployment(0), deployment(1)])
    board.record(0, GOOD)
    clock.wind(4000)
    board.record(1, BAD)
    assert.deepEqual(lines.slice(2), [
      'model-1  chat  … waiting             still waiting for an answer',
      'model-1  chat  ✗ unhealthy    40 ms  timeout (408): the upstream is slow or han…',
      '1 healthy, 1 unhealthy',
    ])
  })

  test('of a deployment are printed once, whatever comes after', () => {
    const { lines, board } = table([deployment(0), deployment(1)])
    board.record(0, GOOD)
    board.record(0, BAD)
    assert.deepEqual(lines, [HEAD, 'model-0  chat  ✓ healthy      40 ms'])
  })

  test('do not wait for what is never checked', () => {
    const { lines, board } = table([deployment(0, { unprobedMode: 'moderation' }), deployment(1)])
    board.record(1, GOOD)
    assert.deepEqual(lines, [
      'MODEL    MODE        VERDICT      LATENCY  REASON',
      'model-0  moderation  – unchecked           checks_disabled: this mode or deploy…',
      'model-1  chat        ✓ healthy      40 ms',
      '1 healthy, 0 unhealthy, 1 not checked',
    ])
  })

  test('of many deployments are told by exception, and the rows are bounded', () => {
    const { lines, board } = table(
      [0, 1, 2, 3].map((index) => deployment(index)),
      { mostRows: 1 },
    )
    for (const [index, verdict] of [GOOD, BAD, GOOD, BAD].entries()) board.record(index, verdict)
    assert.deepEqual(lines, [
      HEAD,
      'model-1  chat  ✗ unhealthy    40 ms  timeout (408): the upstream is slow or han…',
      '2 healthy, 2 unhealthy; the rest of the rows is in GET /health',
    ])
  })

  test('of an empty config are complete at once', () => {
    let isComplete = false
    const { lines } = table([], { onComplete: () => void (isComplete = true) })
    assert.deepEqual(lines, ['MODEL  MODE  VERDICT      LATENCY  REASON', '0 healthy, 0 unhealthy'])
    assert.ok(isComplete)
  })

  test('that come after the program was asked to end are not printed', () => {
    const { lines, board, clock, stop } = table([deployment(0)])
    stop()
    board.record(0, GOOD)
    clock.wind(5000)
    assert.deepEqual(lines, [HEAD])
  })
})
