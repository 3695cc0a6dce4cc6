import type { Cancel, Clock } from '../../core/clock.ts'
import type { Deployment } from '../../core/deployment.ts'
import type { Health, HealthState } from '../../core/health.ts'
import { FOLD_WIDTHS } from '../../core/history.ts'
import type { KeptDeployment } from '../../core/history.ts'
import type { Verdict } from '../../core/verdict.ts'
import type { Was } from '../../core/was.ts'
import type { Board } from '../board.ts'
import { isUnhealthy } from '../engine/eligibility.ts'
import type { Saving } from '../saved-health.ts'
import { hasSameName } from './kept-names.ts'
import type { KeptNames } from './kept-names.ts'
import type { Pending } from './pending.ts'

/** Turns what happens to deployments into rows. */
export interface Recorder {
  /** To be called each second: adds up time, and saves some of the standings. */
  tick(): void
  /** Adds up and saves everything that is left. */
  finish(): void
  /** Nothing is listened to any more. */
  stop: Cancel
  /** The same, and what the recorder of the next config goes on with. */
  handOver(): Records
}

/** What a recorder knows of deployments. */
export interface Records {
  readonly deployments: readonly Deployment[]
  readonly entries: readonly Entry[]
  /** Whose standing is to be saved. */
  readonly dirty: ReadonlySet<number>
  readonly names: KeptNames
}

/** The records of the config before, and who of it is still there. */
export interface RecordsBefore {
  readonly records: Records
  readonly was: Was
}

/** What a recorder needs. */
export interface RecorderDeps {
  readonly board: Pick<Board, 'deployments' | 'health' | 'onChange'>
  readonly saving: Pick<Saving, 'save'>
  readonly names: KeptNames
  readonly pending: Pending
  readonly clock: Pick<Clock, 'now'>
}

const FOLD_MS = FOLD_WIDTHS[0].widthMs
/** Everybody's turn comes within a minute; of a large fleet so many standings a second at most are saved. */
const TURN_SECONDS = 60
const MOST_SAVED = 25
const MOST_ERROR_CHARS = 300

interface Entry {
  /** Until when its time has been added up, and what it was since then. */
  countedAt: number
  state: HealthState
}

/** Begins to listen. */
export function createRecorder(deps: RecorderDeps, before?: RecordsBefore): Recorder {
  const { board, clock, names } = deps
  const { deployments } = board
  const { entries, dirty } = begin(deps, before)
  let counted = 0
  let saved = 0
  const stop = board.onChange((deployment, before, after) => {
    const entry = entries[deployment.index]
    if (entry === undefined) return
    if (after.verdict !== undefined && after.verdict !== before.verdict)
      noteVerdict(deps, deployment, after.verdict)
    if (before.state === after.state) return
    addTime(deps, deployment, entry, clock.now())
    dirty.add(deployment.index)
    noteTransition(deps, deployment, entry, before, after)
  })
  const count = (index: number): void => {
    const [entry, deployment] = [entries[index], deployments[index]]
    if (entry === undefined || deployment === undefined) return
    addTime(deps, deployment, entry, clock.now())
    // It was restored, or time alone has moved it: nobody said so.
    entry.state = board.health(index).state
  }
  const save = (index: number): void => {
    const plain = deps.saving.save(index)
    if (plain === undefined) return
    const kept = names.of(index)
    deps.pending.stood(kept, { identity: kept.identity, at: clock.now(), plain: JSON.stringify(plain) })
  }
  return {
    tick: () => {
      const turns = Math.ceil(deployments.length / TURN_SECONDS)
      for (let turn = 0; turn < turns; turn += 1) count(counted++ % deployments.length)
      for (const index of dirty) save(index)
      dirty.clear()
      for (let turn = 0; turn < Math.min(turns, MOST_SAVED); turn += 1) save(saved++ % deployments.length)
    },
    finish: () => {
      for (let index = 0; index < deployments.length; index += 1) {
        count(index)
        save(index)
      }
    },
    stop,
    handOver: () => {
      stop()
      return { deployments, entries, dirty, names }
    },
  }
}

/** Those who were there before go on as they were; what could never be called is known before anybody listens. */
function begin(
  deps: RecorderDeps,
  before: RecordsBefore | undefined,
): { readonly entries: readonly Entry[]; readonly dirty: Set<number> } {
  const { board, clock } = deps
  const now = clock.now()
  const dirty = new Set<number>()
  const gone = new Set(before?.records.entries.keys())
  const entries = board.deployments.map((deployment): Entry => {
    const earlier = before && sameBefore(before, deployment)
    const entry = earlier === undefined ? undefined : before?.records.entries[earlier]
    if (earlier !== undefined && entry !== undefined) {
      gone.delete(earlier)
      if (before?.records.dirty.has(earlier) === true) dirty.add(deployment.index)
      return entry
    }
    const health = board.health(deployment.index)
    if (isDown(health.state)) noteOpening(deps, deployment.index, health, now)
    return { countedAt: now, state: health.state }
  })
  if (before !== undefined) end(deps, before.records, gone, now)
  return { entries, dirty }
}

/** Where it stood before, if the history knows it as it did then. */
function sameBefore({ records, was }: RecordsBefore, deployment: Deployment): number | undefined {
  const earlier = was(deployment.index)
  const known = earlier === undefined ? undefined : records.deployments[earlier]
  return known !== undefined && hasSameName(known, deployment) ? earlier : undefined
}

/** Adds up the time of those that are gone; nobody will say any more that they are well again. */
function end(
  { board, names, pending }: RecorderDeps,
  before: Records,
  gone: ReadonlySet<number>,
  now: number,
): void {
  const down = new Map<string, KeptDeployment>()
  for (const index of gone) {
    const [entry, deployment] = [before.entries[index], before.deployments[index]]
    if (entry === undefined || deployment === undefined) continue
    addTime({ names: before.names, pending }, deployment, entry, now)
    const kept = before.names.of(index)
    if (isDown(entry.state)) down.set(kept.identity, kept)
  }
  const ids = new Set(Array.from(down.values(), ({ id }) => id))
  // It may be there still and be asked otherwise: then its first answer ends the incident, or it goes on.
  for (const { id, index } of board.deployments) if (ids.has(id)) down.delete(names.of(index).identity)
  for (const [identity, kept] of down) pending.closed(kept, { identity, at: now })
}

function noteVerdict(
  { pending, names }: Pick<RecorderDeps, 'pending' | 'names'>,
  { index }: Deployment,
  verdict: Verdict,
): void {
  if (verdict.kind === 'unhealthy' && verdict.reason === 'checks_disabled') return
  const { at, latencyMs } = verdict
  const deployment = names.of(index)
  const isOk = verdict.kind === 'healthy'
  pending.fold(deployment, {
    at: at - (at % FOLD_MS),
    ok: isOk ? 1 : 0,
    failed: isOk ? 0 : 1,
    tookMs: isOk ? latencyMs : 0,
    lastAt: isOk ? at : 0,
    upMs: 0,
    downMs: 0,
  })
  if (isOk) return
  pending.failed(deployment, {
    identity: deployment.identity,
    at,
    reason: verdict.reason,
    status: verdict.exceptionStatus,
    error: shortened(verdict.error),
    tookMs: latencyMs,
  })
}

function noteTransition(
  { pending, names, clock }: RecorderDeps,
  { index }: Deployment,
  entry: Entry,
  { state: from }: Health,
  after: Health,
): void {
  const { state: to, reason, error = '' } = after
  const [at, deployment] = [clock.now(), names.of(index)]
  const { identity } = deployment
  const isWhy = to !== 'HEALTHY' && to !== 'UNKNOWN' && to !== 'RECOVERING'
  pending.moved(deployment, {
    identity,
    at,
    from,
    to,
    ...(isWhy && reason !== undefined && { reason }),
    ...(isWhy && error !== '' && { error: shortened(error) }),
  })
  entry.state = to
  if (isDown(to)) noteOpening({ pending, names }, index, after, at)
  else if (to !== 'RECOVERING' && to !== 'SUSPECT') pending.closed(deployment, { identity, at })
}

function noteOpening(
  { pending, names }: Pick<RecorderDeps, 'pending' | 'names'>,
  index: number,
  { reason, error = '' }: Health,
  at: number,
): void {
  const deployment = names.of(index)
  const { identity } = deployment
  pending.opened(deployment, { identity, at, cause: reason ?? 'internal', evidence: shortened(error) })
}

/** An operator's isolation is no incident. */
function isDown(state: HealthState): boolean {
  return isUnhealthy(state) && state !== 'ISOLATED'
}

/** What lies between two looks at the clock is known to have been as it was, each five minutes for themselves. */
function addTime(
  { pending, names }: Pick<RecorderDeps, 'pending' | 'names'>,
  { index }: Deployment,
  entry: Entry,
  now: number,
): void {
  const { state } = entry
  let from = entry.countedAt
  entry.countedAt = now
  // Nobody knows, or the clock was set.
  if (state === 'UNKNOWN' || state === 'ISOLATED' || now - from > MOST_COUNTED_MS) return
  const deployment = names.of(index)
  while (from < now) {
    const at = from - (from % FOLD_MS)
    const to = Math.min(now, at + FOLD_MS)
    const ms = to - from
    const [upMs, downMs] = isDown(state) ? [0, ms] : [ms, 0]
    pending.fold(deployment, { at, ok: 0, failed: 0, tookMs: 0, lastAt: 0, upMs, downMs })
    from = to
  }
}

/** Everybody's turn comes more often; a longer gap is a machine that slept. */
const MOST_COUNTED_MS = 3 * FOLD_MS

function shortened(error: string): string {
  return error.replaceAll(/\s+/g, ' ').slice(0, MOST_ERROR_CHARS)
}
