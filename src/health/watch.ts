import type { Cancel, Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { asGatewayError } from '../core/failure.ts'
import type { Log } from '../core/log.ts'
import type { Board } from './board.ts'
import { createDueQueue } from './due-queue.ts'
import type { Due } from './due-queue.ts'
import { firstDelayMs, nextDue } from './schedule.ts'
import type { HealthSettings } from './settings.ts'

/** What the loop needs. */
export interface WatchDeps {
  /** Those that the loop checks. */
  readonly deployments: readonly Deployment[]
  readonly board: Pick<Board, 'health'>
  /** One check, recorded on the board by the time it resolves. */
  readonly check: (deployment: Deployment, signal: AbortSignal) => Promise<unknown>
  readonly clock: Clock
  readonly log: Log
  readonly settings: HealthSettings
  readonly random: () => number
}

/** The background loop. */
export interface Watch {
  start(): void
  /** Ends the loop and its running checks; afterwards nothing is left of it. */
  stop(): Promise<void>
}

/** Makes the loop: one timer, set to whoever is due first. */
export function createWatch(deps: WatchDeps): Watch {
  const { clock } = deps
  const queue = createDueQueue()
  const byIndex = new Map(deps.deployments.map((deployment) => [deployment.index, deployment]))
  const replan = createPlanner(deps)
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let cancelTimer: Cancel | undefined
  let isStarted = false

  function arm(): void {
    cancelTimer?.()
    const next = queue.peek()
    cancelTimer = next === undefined ? undefined : clock.after(Math.max(next.at - clock.elapsed(), 0), tick)
  }

  function tick(): void {
    for (let due = queue.peek(); due !== undefined && due.at <= clock.elapsed(); due = queue.peek()) {
      queue.pop()
      const deployment = byIndex.get(due.index)
      if (deployment !== undefined) launch(deployment)
    }
    arm()
  }

  function launch(deployment: Deployment): void {
    const startedAt = clock.elapsed()
    const done = checkOnce(deps, deployment, stopping.signal).then(() => {
      running.delete(done)
      if (!stopping.signal.aborted) add({ index: deployment.index, at: replan(deployment, startedAt) })
    })
    running.add(done)
  }

  function add(due: Due): void {
    const isFirst = due.at < (queue.peek()?.at ?? Infinity)
    queue.push(due)
    if (isFirst) arm()
  }

  return {
    start: () => {
      if (isStarted) return
      isStarted = true
      const now = clock.elapsed()
      for (const { index, id } of deps.deployments) {
        queue.push({ index, at: now + firstDelayMs(id, deps.deployments.length, deps.settings) })
      }
      arm()
    },
    stop: async () => {
      isStarted = true
      stopping.abort()
      cancelTimer?.()
      await Promise.allSettled(running)
    },
  }
}

/** A crash is logged and the loop goes on: the deployment is simply due again later. */
async function checkOnce(deps: WatchDeps, deployment: Deployment, signal: AbortSignal): Promise<void> {
  try {
    await deps.check(deployment, signal)
  } catch (thrown) {
    const error = asGatewayError(thrown)
    if (error.kind === 'cancelled') return
    deps.log.error('check_crashed', { model_id: deployment.id, message: error.message })
  }
}

/** When a deployment is due again, and the memory of how long it has been well. */
function createPlanner({ board, clock, settings, random }: WatchDeps) {
  const healthyRuns = new Map<number, number>()
  return (deployment: Deployment, startedAt: number): number => {
    const { index } = deployment
    const { verdict, waitUntil } = board.health(index)
    const healthyRun = verdict?.kind === 'healthy' ? (healthyRuns.get(index) ?? 0) + 1 : 0
    healthyRuns.set(index, healthyRun)
    const past = {
      startedAt,
      endedAt: clock.elapsed(),
      healthyRun,
      ...(waitUntil === undefined ? {} : { waitUntil: clock.elapsed() + waitUntil - clock.now() }),
    }
    return nextDue(past, settings, random())
  }
}
