import { randomUUID } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import type { Secret } from '../core/secret.ts'
import type { HealthChecks } from '../health/checks.ts'
import { createHistory, type History, type Subjects } from '../health/history/history.ts'
import { identityOf } from '../health/identity.ts'
import type { LineOrProblem } from '../health/subject.ts'
import { createStores } from '../store/stores.ts'

/** What the past is kept with. */
export interface PastDeps {
  readonly log: Log
  readonly clock: Clock
  /** Where it is kept when no database is configured; absent: in memory. */
  readonly historyFile?: string
}

/** What is remembered: in the database where one is configured, else in a file, else in memory. */
export function createPast(databaseUrl: Secret | undefined, deps: PastDeps): History {
  const stores = createStores({ ...deps, url: databaseUrl, path: deps.historyFile })
  return createHistory({ clock: deps.clock, log: deps.log, ...stores, writer: randomUUID() })
}

/** The deployments of one config, as the past knows them. */
export function subjectsOf(checks: HealthChecks, lines: (index: number) => LineOrProblem): Subjects {
  const identity: Subjects['identity'] = (deployment) => identityOf(deployment, lines(deployment.index))
  return { board: checks.board, saving: checks, identity }
}
