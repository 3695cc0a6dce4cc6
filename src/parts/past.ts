import { randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { HealthChecks } from '../health/checks.ts'
import { createHistory, type History } from '../health/history/history.ts'
import { identityOf } from '../health/identity.ts'
import type { LineOrProblem } from '../health/subject.ts'
import { createStores } from '../store/stores.ts'

/** What the past is kept with. */
export interface PastDeps {
  readonly log: Log
  readonly clock: Clock
  /** Where it is kept when no database is configured; absent: in memory. */
  readonly historyFile?: string
  readonly checks: HealthChecks
  readonly lines: (index: number) => LineOrProblem
}

/** What is remembered: in the database where one is configured, else in a file, else in memory. */
export function createPast({ general }: Config, deps: PastDeps): History {
  const { checks, lines } = deps
  return createHistory({
    ...deps,
    ...createStores({ ...deps, url: general.databaseUrl, path: deps.historyFile }),
    board: checks.board,
    saving: checks,
    identity: (deployment) => identityOf(deployment, lines(deployment.index)),
    writer: randomUUID(),
  })
}
