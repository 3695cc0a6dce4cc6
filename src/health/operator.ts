import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Verdict } from '../core/verdict.ts'
import type { WritableBoard } from './board.ts'
import type { Engine } from './engine/engine.ts'

/** What an operator may do to deployments by hand; the engine obeys at once. */
export interface Operator {
  /** Takes them out: no request and no probe of the plan goes there. `ttlMs` absent: until somebody restores them. */
  isolate(targets: readonly Deployment[], how: Isolation): void
  /** Forgets what was held against them: they get traffic again, and their next answer says how they are. */
  restore(targets: readonly Deployment[]): void
  /**
   * Checks each of them once, now, whatever is planned; also those that are taken out.
   * @throws GatewayError cancelled when `signal` aborts, or the gateway stops
   */
  probe(targets: readonly Deployment[], signal?: AbortSignal): Promise<readonly Verdict[]>
}

/** How long somebody is taken out, and why; the reason is shown. */
export interface Isolation {
  readonly reason?: string
  readonly ttlMs?: number
}

/** What an operator's hand reaches. */
export interface OperatorDeps {
  readonly engine: Pick<Engine, 'standings'>
  readonly board: Pick<WritableBoard, 'note'>
  readonly clock: Pick<Clock, 'elapsed'>
  readonly check: (deployment: Deployment, signal?: AbortSignal) => Promise<Verdict>
}

/** Makes the operator's hand. */
export function createOperator({ engine, board, clock, check }: OperatorDeps): Operator {
  const { standings } = engine
  return {
    isolate: (targets, { reason, ttlMs = Number.POSITIVE_INFINITY }) => {
      const now = clock.elapsed()
      for (const { index } of targets) {
        board.note(index, reason)
        standings.apply(index, { kind: 'isolate', until: now + ttlMs }, now)
      }
    },
    restore: (targets) => {
      const now = clock.elapsed()
      for (const { index } of targets) {
        board.note(index, undefined)
        standings.apply(index, { kind: 'restore' }, now)
      }
    },
    probe: (targets, signal) => Promise.all(targets.map((each) => check(each, signal))),
  }
}
