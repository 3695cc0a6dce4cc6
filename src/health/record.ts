import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { DEPTH } from '../core/depth.ts'
import type { Depth } from '../core/depth.ts'
import type { Verdict } from '../core/verdict.ts'
import type { WritableBoard } from './board.ts'
import type { Engine } from './engine/engine.ts'
import { toEvidence } from './engine/to-evidence.ts'

/** Hands a verdict to board and engine, and then says so. `depth` is that of the rung which decided. */
export function createRecord(
  { clock, lagMs }: { readonly clock: Pick<Clock, 'elapsed'>; readonly lagMs: () => number },
  { standings, spare }: Pick<Engine, 'standings' | 'spare'>,
  board: WritableBoard,
  recorded: () => void = () => undefined,
): (deployment: Deployment, verdict: Verdict, depth: Depth) => void {
  return ({ index }, verdict, depth) => {
    if (verdict.kind === 'unhealthy' && verdict.reason === 'checks_disabled') return
    const now = clock.elapsed()
    if (verdict.scarceMs !== undefined) spare(index, verdict.scarceMs)
    board.record(index, verdict, depth >= DEPTH.answer, () => {
      if (verdict.kind === 'unhealthy' && verdict.reason === 'misconfigured') {
        const { reason } = verdict
        const command = { kind: 'condemned', domain: 'deployment', state: 'MISCONFIGURED', reason } as const
        standings.apply(index, command, now)
        return
      }
      const times = { startedAt: now - verdict.latencyMs, at: now, lagMs: lagMs() }
      const evidence = toEvidence({ kind: 'probed', verdict, depth }, times)
      if (evidence !== undefined) standings.apply(index, evidence, now)
    })
    recorded()
  }
}
