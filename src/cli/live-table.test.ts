import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHandClock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import { makeDeployment } from '../health/fixtures.ts'
import { showLiveTable } from './live-table.ts'
import { createTerminal, painter, type Terminal } from './terminal.ts'

const ESCAPE = '\u001B'

/** Three deployments whose health the test sets, and a terminal that keeps what was written. */
function stage(
  options: { readonly rows?: number; readonly columns?: number; readonly isPiped?: boolean } = {},
) {
  const clock = createHandClock(Date.parse('2026-01-02T03:04:05Z'))
  const deployments = [
    makeDeployment({ index: 0, group: 'gpt-4o', model: 'openai/gpt-4o' }),
    makeDeployment({ index: 1, group: 'gpt-4o', model: 'azure/gpt-4o' }),
    makeDeployment({ index: 2, group: 'whisper' }),
  ]
  const now: Health[] = deployments.map(() => ({ state: 'HEALTHY', since: clock.now() }))
  const listeners = new Set<(deployment: Deployment, before: Health, after: Health) => void>()
  const health = (index: number): Health => now[index] ?? { state: 'UNKNOWN', since: 0 }
  const watched = {
    deployments,
    health,
    nextCheckAt: (index: number) => (index === 2 ? undefined : clock.now() + 90_000),
    onChange: (listener: (deployment: Deployment, before: Health, after: Health) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const set = (index: number, next: Omit<Health, 'since'>): void => {
    const before = health(index)
    const after = { ...next, since: before.state === next.state ? before.since : clock.now() }
    now[index] = after
    const deployment = deployments[index]
    if (deployment) for (const listener of listeners) listener(deployment, before, after)
  }
  const written: string[] = []
  const sink = {
    isTTY: options.isPiped !== true,
    columns: options.columns ?? 100,
    rows: options.rows ?? 24,
    write: (text: string) => void written.push(text),
  }
  const terminal: Terminal = createTerminal(sink, sink, { NO_COLOR: '1' })
  const stop = showLiveTable(watched, { terminal, clock }, { footer: () => 'demo traffic: none' })
  /** The lines of the newest picture, its codes taken out. */
  const picture = (): readonly string[] =>
    (written.at(-1) ?? '')
      .replaceAll(new RegExp(`${ESCAPE}\\[\\d*[AKJ]|\r`, 'g'), '')
      .trimEnd()
      .split('\n')
  return { clock, set, written, picture, stop, listeners }
}

describe('the live table', () => {
  test('shows state, since when, when next, and the reason in words', () => {
    const { clock, set, picture } = stage()
    clock.wind(5000)
    set(1, { state: 'SUSPECT', reason: 'server_error' })
    clock.wind(100)
    assert.deepEqual(picture(), [
      'MODEL                   STATE            FOR     NEXT    REASON',
      'gpt-4o (openai/gpt-4o)  ✓ HEALTHY        5 s     2 min',
      'gpt-4o (azure/gpt-4o)   ? SUSPECT        0 s     2 min   server_error: it answered with an error of…',
      'whisper                 ✓ HEALTHY        5 s',
      'demo traffic: none',
    ])
  })

  test('is drawn over itself, once for many transitions, and each second besides', () => {
    const { clock, set, written } = stage()
    assert.equal(written.length, 1)
    assert.ok(!written[0]?.includes(`${ESCAPE}[5A`))
    for (const state of ['SUSPECT', 'DOWN', 'RECOVERING'] as const) set(0, { state, reason: 'timeout' })
    assert.equal(written.length, 1)
    clock.wind(100)
    assert.equal(written.length, 2)
    assert.ok(written[1]?.startsWith(`${ESCAPE}[5A\r`))
    assert.ok(written[1]?.endsWith(`${ESCAPE}[J`))
    assert.match(written[1] ?? '', /RECOVERING.*after timeout: it did not answer in time/)
    clock.wind(3000)
    assert.equal(written.length, 5)
  })

  test('never has more lines than the terminal, nor longer ones', () => {
    const { picture } = stage({ rows: 6, columns: 40 })
    assert.equal(picture().length, 4)
    assert.match(picture().join('\n'), /… and 2 more/)
    for (const line of picture()) assert.ok(Array.from(line).length <= 40, line)
  })

  test('leaves the last picture and nothing behind when it is stopped', () => {
    const { clock, set, written, stop, listeners } = stage()
    stop()
    const count = written.length
    set(0, { state: 'DOWN', reason: 'timeout' })
    clock.wind(10_000)
    assert.deepEqual([written.length, listeners.size, clock.pending()], [count, 0, 0])
  })

  test('is one line for each transition where it cannot be drawn again', () => {
    const { clock, set, written, stop } = stage({ isPiped: true })
    set(1, { state: 'SUSPECT', reason: 'server_error' })
    set(1, { state: 'SUSPECT', reason: 'timeout' })
    set(2, { state: 'DOWN', reason: 'timeout' })
    set(2, { state: 'HEALTHY' })
    clock.wind(0)
    stop()
    assert.deepEqual(written, [
      '03:04:05  gpt-4o (azure/gpt-4o)  HEALTHY → SUSPECT  server_error: it answered with an error of its own (5xx); next look in 2 min\n',
      '03:04:05  whisper  HEALTHY → DOWN  timeout: it did not answer in time\n',
      '03:04:05  whisper  DOWN → HEALTHY\n',
      'demo traffic: none\n',
    ])
  })

  test('a dumb terminal is a pipe', () => {
    const sink = { isTTY: true, write: () => true }
    assert.equal(createTerminal(sink, sink, { TERM: 'dumb' }).screen, undefined)
    assert.equal(painter(false)('bad', 'x'), 'x')
  })
})
