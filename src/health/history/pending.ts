import type {
  Closing,
  Fold,
  HistoryBatch,
  KeptDeployment,
  KeptFailure,
  KeptStanding,
  KeptTransition,
  Opening,
} from '../../core/history.ts'

/** What a batch holds. */
export type BatchRows = Omit<HistoryBatch, 'writer' | 'number'>

/** What has happened and is not written yet. Folds and standings grow no longer than there are deployments and time. */
export interface Pending {
  fold(deployment: KeptDeployment, delta: Omit<Fold, 'identity'>): void
  failed(deployment: KeptDeployment, failure: KeptFailure): void
  moved(deployment: KeptDeployment, transition: KeptTransition): void
  opened(deployment: KeptDeployment, opening: Opening): void
  closed(deployment: KeptDeployment, closing: Closing): void
  stood(deployment: KeptDeployment, standing: KeptStanding): void
  /** Everything, as one batch; undefined: nothing. What is pending afterwards is nothing. */
  take(): BatchRows | undefined
  /** Takes in what another could not write, before what is here. */
  merge(batch: BatchRows): void
  /** Rows that wait, and rows that were thrown away because too many waited. */
  size(): number
  dropped(): number
}

/** Of each kind; what waits longer than the bound allows is thrown away, oldest first. */
const MOST_EVENTS = 20_000
const MOST_FOLDS = 50_000

interface Rows {
  readonly deployments: Map<string, KeptDeployment>
  readonly folds: Map<string, Fold>
  failures: KeptFailure[]
  transitions: KeptTransition[]
  openings: Opening[]
  closings: Closing[]
  readonly standings: Map<string, KeptStanding>
}

/** Nothing waits. */
export function createPending(bounds = { events: MOST_EVENTS, folds: MOST_FOLDS }): Pending {
  let rows = blank()
  let dropped = 0

  function add<Row>(list: Row[], row: Row): void {
    list.push(row)
    if (list.length <= bounds.events) return
    list.shift()
    dropped += 1
  }

  function fold(added: Fold): void {
    const key = `${added.identity} ${added.at}`
    const known = rows.folds.get(key)
    rows.folds.set(key, known === undefined ? added : sum(known, added))
    if (rows.folds.size <= bounds.folds) return
    const [oldest] = rows.folds.keys()
    if (oldest !== undefined) rows.folds.delete(oldest)
    dropped += 1
  }

  function event<Row>(deployment: KeptDeployment, list: Row[], row: Row): void {
    rows.deployments.set(deployment.identity, deployment)
    add(list, row)
  }

  return {
    fold: (deployment, delta) => {
      rows.deployments.set(deployment.identity, deployment)
      fold({ ...delta, identity: deployment.identity })
    },
    failed: (deployment, failure) => event(deployment, rows.failures, failure),
    moved: (deployment, transition) => event(deployment, rows.transitions, transition),
    opened: (deployment, opening) => event(deployment, rows.openings, opening),
    closed: (deployment, closing) => event(deployment, rows.closings, closing),
    stood: (deployment, standing) => {
      rows.deployments.set(deployment.identity, deployment)
      rows.standings.set(deployment.identity, standing)
    },
    take: () => {
      if (sizeOf(rows) === 0) return undefined
      const taken = rows
      rows = blank()
      return toBatch(taken)
    },
    merge: (batch) => {
      const later = toBatch(rows)
      rows = blank()
      for (const { deployments, folds, standings, ...events } of [batch, later]) {
        for (const each of deployments) rows.deployments.set(each.identity, each)
        for (const each of folds) fold(each)
        for (const each of standings) rows.standings.set(each.identity, each)
        for (const each of events.failures) add(rows.failures, each)
        for (const each of events.transitions) add(rows.transitions, each)
        for (const each of events.openings) add(rows.openings, each)
        for (const each of events.closings) add(rows.closings, each)
      }
    },
    size: () => sizeOf(rows),
    dropped: () => dropped,
  }
}

function blank(): Rows {
  return {
    deployments: new Map(),
    folds: new Map(),
    failures: [],
    transitions: [],
    openings: [],
    closings: [],
    standings: new Map(),
  }
}

function sizeOf({ folds, failures, transitions, openings, closings, standings }: Rows): number {
  const events = failures.length + transitions.length + openings.length + closings.length
  return folds.size + events + standings.size
}

function toBatch(rows: Rows): BatchRows {
  const { deployments, folds, standings, ...events } = rows
  return {
    ...events,
    deployments: [...deployments.values()],
    folds: [...folds.values()],
    standings: [...standings.values()],
  }
}

function sum(one: Fold, other: Fold): Fold {
  return {
    identity: one.identity,
    at: one.at,
    ok: one.ok + other.ok,
    failed: one.failed + other.failed,
    tookMs: one.tookMs + other.tookMs,
    lastAt: Math.max(one.lastAt, other.lastAt),
    upMs: one.upMs + other.upMs,
    downMs: one.downMs + other.downMs,
  }
}
