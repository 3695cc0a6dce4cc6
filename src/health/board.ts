import type { Cancel, Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Depth } from '../core/depth.ts'
import { failureRow } from '../core/failure.ts'
import type { FailureKind } from '../core/failure.ts'
import type { Health, Residence } from '../core/health.ts'
import type { UnhealthyVerdict, Verdict } from '../core/verdict.ts'
import type { Was } from '../core/was.ts'
import type { Standings, Transition } from './engine/standings.ts'
import type { SavedVerdict } from './saved-health.ts'

/** Told of every recorded verdict and every transition; the latter is where `before.state` and `after.state` differ. */
export type HealthListener = (deployment: Deployment, before: Health, after: Health) => void

/** The health of all deployments, now: where the engine says they stand, and what their newest probes found. */
export interface Board {
  readonly deployments: readonly Deployment[]
  /** By `Deployment.index`. */
  health(index: number): Health
  onChange(listener: HealthListener): Cancel
  /** Grows with every change, so that a reader can tell whether what it made of the board still holds. */
  version(): number
  /** Our own network fails, so that nobody is brought down. */
  isIsolated(): boolean
}

/** The side of the board that is written to. */
export interface WritableBoard extends Board {
  /**
   * A probe has ended. `isWhole`: it asked for an answer; `tell` hands it to the engine, so that listeners hear of both
   * at once.
   */
  record(index: number, verdict: Verdict, isWhole: boolean, tell: () => void): void
  /**
   * A free look went well down to this depth: what it disproves of the newest verdict no longer counts. `isThere`: it has
   * shown the model itself.
   */
  passed(index: number, depth: Depth, isThere: boolean): void
  /** What a free look saw of its model. */
  seen(index: number, residence: Residence | undefined): void
  /** Says that this deployment will never be checked; its reason becomes `checks_disabled`. */
  disable(index: number): void
  /** The engine has moved it to another state. */
  moved(index: number, transition: Transition): void
  /** What a client's request failed with there; redacted. */
  failed(index: number, error: string): void
  /** What its newest failed call said, a probe's or a client's. */
  latestError(index: number): string | undefined
  /** What is known besides the standing, for the next process or the next engine. */
  save(index: number): SavedVerdict
  /** Takes over what `save` gave; nobody is told. */
  restore(index: number, saved: SavedVerdict): void
  /** Why an operator takes it out; shown while it is. Undefined: nobody said. */
  note(index: number, text: string | undefined): void
  /** Takes over what the board of the config before knows of those that are called as they were. */
  inherit(from: WritableBoard, was: Was): void
  /** What is known of one besides its standing. */
  entry(index: number): Readonly<Entry> | undefined
}

/** What the board knows of one deployment besides its standing. Times are `Clock.elapsed`'s. */
interface Entry {
  /** The newest probe of any depth, and the newest that asked for an answer. */
  newest: Verdict | undefined
  newestAt: number
  whole: Verdict | undefined
  isDisabled: boolean
  /** A later look disproved the newest verdict. */
  isCleared: boolean
  error: string | undefined
  note: string | undefined
  residence: Residence | undefined
}

interface BoardDeps {
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly standings: Pick<Standings, 'standing' | 'isIsolated'>
}

/** Makes a board on which nobody has been checked yet. `deployments[i].index` is `i`. */
export function createBoard(deployments: readonly Deployment[], deps: BoardDeps): WritableBoard {
  const { clock, standings } = deps
  const entries = deployments.map((deployment) => blank(deployment))
  const listeners = new Set<HealthListener>()
  let version = 0
  let recording: number | undefined
  const health = (index: number): Health => healthOf(entries[index], index, deps)
  const notify = (index: number, before: Health): void => {
    const deployment = deployments[index]
    if (deployment === undefined) return
    const after = health(index)
    for (const listener of listeners) listener(deployment, before, after)
  }
  const change = (index: number, to: Partial<Entry>): void => {
    Object.assign(entries[index] ?? {}, to)
    version += 1
  }
  return {
    deployments,
    health,
    record: (index, verdict, isWhole, tell) => {
      const entry = entries[index]
      if (entry === undefined) return
      const before = health(index)
      const error = verdict.kind === 'unhealthy' ? verdict.error : entry.error
      const newest = isWhole ? verdict : shown(verdict, entry.whole)
      Object.assign(entry, { newest, newestAt: clock.elapsed(), isCleared: false, error })
      if (isWhole) entry.whole = verdict
      version += 1
      recording = index
      tell()
      recording = undefined
      notify(index, before)
    },
    passed: (index, depth, isThere) => {
      const entry = entries[index]
      if (entry?.newest?.kind !== 'unhealthy') return
      if (entry.newest !== entry.whole) entry.newest = entry.whole
      if (entry.newest?.kind === 'unhealthy' && clears(entry.newest, depth, isThere)) entry.isCleared = true
      version += 1
    },
    seen: (index, residence) => change(index, { residence }),
    disable: (index) => change(index, { isDisabled: true }),
    moved: (index, { from }) => {
      version += 1
      if (recording !== index) notify(index, { ...health(index), state: from })
    },
    failed: (index, error) => void Object.assign(entries[index] ?? {}, { error }),
    latestError: (index) => entries[index]?.error,
    ...keeping(entries, clock, (least = 0) => (version = Math.max(version, least) + 1)),
    note: (index, text) => change(index, { note: text }),
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    version: () => version,
    isIsolated: () => standings.isIsolated(clock.elapsed()),
  }
}

function blank({ unprobedMode }: Deployment): Entry {
  const isDisabled = unprobedMode !== undefined
  return {
    newest: undefined,
    newestAt: 0,
    whole: undefined,
    isDisabled,
    isCleared: false,
    error: undefined,
    note: undefined,
    residence: undefined,
  }
}

/**
 * Saves and restores entries; `changed` is told that a reader's view of the board no longer holds, and which version it
 * was of at least.
 */
function keeping(
  entries: readonly Entry[],
  clock: BoardDeps['clock'],
  changed: (least?: number) => void,
): Pick<WritableBoard, 'save' | 'restore' | 'entry' | 'inherit'> {
  return {
    entry: (index) => entries[index],
    inherit: (from, was) => {
      entries.forEach((entry, index) => {
        const known = from.entry(was(index) ?? -1)
        if (known !== undefined) Object.assign(entry, known, { isDisabled: entry.isDisabled })
      })
      changed(from.version())
    },
    save: (index) => {
      const { newest, whole, isCleared = false, error } = entries[index] ?? {}
      return {
        isWhole: newest !== undefined && newest === whole,
        isCleared,
        ...(newest !== undefined && { verdict: newest }),
        ...(error !== undefined && { error }),
      }
    },
    restore: (index, { verdict, isWhole, isCleared, error }) => {
      const entry = entries[index]
      if (entry === undefined) return
      entry.newest = verdict
      entry.newestAt = verdict === undefined ? 0 : clock.elapsed() - (clock.now() - verdict.at)
      entry.whole = isWhole ? verdict : undefined
      entry.isCleared = isCleared
      entry.error = error
      changed()
    },
  }
}

/** A free look that only confirms what a whole one has found does not hide what that one was asked and told. */
function shown(look: Verdict, whole: Verdict | undefined): Verdict {
  const isSame = look.kind === 'unhealthy' && whole?.kind === 'unhealthy' && look.reason === whole.reason
  return isSame ? { ...whole, at: look.at } : look
}

/** A listing proves that the key and the server are good, and of most providers not that the model is there. */
function clears({ reason }: UnhealthyVerdict, depth: Depth, isThere: boolean): boolean {
  if (reason === 'not_found' && !isThere) return false
  return (failureRow(reason).evidence?.acquits ?? Number.POSITIVE_INFINITY) <= depth
}

function healthOf(entry: Entry | undefined, index: number, { clock, standings }: BoardDeps): Health {
  const now = clock.elapsed()
  const { state, since, reason, lastOkAt } = standings.standing(index, now)
  const toWall = (at: number): number => clock.now() - (now - at)
  const verdict = entry?.newest
  const isProven = entry !== undefined && (entry.isCleared || lastOkAt > entry.newestAt)
  const isHeld = isStillOdd(verdict, reason)
  const waitUntil = waitAfter(verdict)
  const isNeverChecked = entry?.isDisabled === true && state === 'UNKNOWN' && verdict === undefined
  const why = isNeverChecked ? 'checks_disabled' : reason
  const error = state === 'ISOLATED' ? takenOut(entry?.note) : entry?.error
  return {
    state,
    since: toWall(since),
    ...(why !== undefined && state !== 'HEALTHY' && { reason: why }),
    ...(verdict !== undefined && { verdict }),
    ...(isProven && !isHeld && verdict?.kind === 'unhealthy' && { isDisproved: true }),
    ...(waitUntil !== undefined && { waitUntil }),
    ...(entry?.residence !== undefined && { residence: entry.residence }),
    ...(error !== undefined && state !== 'HEALTHY' && { error }),
  }
}

/** Clients who are answered do not disprove that it is another model that answers them. */
function isStillOdd(verdict: Verdict | undefined, reason: FailureKind | undefined): boolean {
  if (verdict?.kind !== 'unhealthy' || verdict.reason !== reason) return false
  return failureRow(verdict.reason).evidence?.effect === 'degrades'
}

function takenOut(note: string | undefined): string {
  return `an operator has taken it out${note === undefined ? '' : `: ${note}`}`
}

/** A `Retry-After` beyond this is a mistake or a daily quota; look again after an hour at the latest. */
const LONGEST_WAIT_MS = 3_600_000

function waitAfter(verdict: Verdict | undefined): number | undefined {
  if (verdict?.kind !== 'unhealthy' || verdict.retryAfterMs === undefined) return undefined
  if (failureRow(verdict.reason).evidence?.effect !== 'saturates') return undefined
  return verdict.at + Math.min(verdict.retryAfterMs, LONGEST_WAIT_MS)
}
