import type { Cancel, Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { DEPTH } from '../core/depth.ts'
import type { Depth } from '../core/depth.ts'
import { asGatewayError } from '../core/failure.ts'
import type { GatewayError } from '../core/failure.ts'
import type { Log } from '../core/log.ts'
import type { Verdict } from '../core/verdict.ts'
import type { WritableBoard } from './board.ts'
import type { Checker, CheckWish, Look } from './check.ts'
import { depthOf } from './engine/blame.ts'
import type { Engine, EngineDeps, Member } from './engine/engine.ts'
import type { Standing } from './engine/standing.ts'
import type { Lessons } from './lessons.ts'

/** What the engine's looks are made with. */
export interface LooksDeps {
  readonly deployments: readonly Deployment[]
  readonly members: readonly Member[]
  readonly engine: () => Pick<Engine, 'standings' | 'traffic' | 'rest'>
  readonly checker: Pick<Checker, 'look'>
  /** A whole check, shared with whoever else waits for one, and recorded by the time it resolves. */
  readonly check: (deployment: Deployment, signal: AbortSignal, wish: CheckWish) => Promise<Verdict>
  /** Records what a free look found, where it failed. */
  readonly record: (deployment: Deployment, verdict: Verdict, depth: Depth) => void
  readonly board: Pick<WritableBoard, 'passed' | 'seen'>
  /** Written on. */
  readonly lessons: Pick<Lessons, 'paidAt'>
  readonly clock: Clock
  readonly log: Log
  /** When a look that runs must be over, whatever it has come to; absent: when it is over. */
  readonly endsAt?: (index: number) => number
  /** A look that costs more is taken for nobody's doubt. */
  readonly priceCeiling: number
}

/** The looks of one gateway. */
export interface Looks {
  readonly probe: EngineDeps['probe']
  /** Cancels what runs; resolves when nothing is left. */
  stop(): Promise<void>
}

/** A look that came to nothing is made again after this at the earliest, milliseconds; one that was spared after that. */
const AGAIN_MS = 1_000
const RARE_AGAIN_MS = 60_000
/** Dollars; below it an answer is cheap. */
const CHEAP = 0.001
/** The longest that `probeMs` says: nothing is known of the usual. */
const UNKNOWN_MS = 15_000

/** Makes the looks: free ones first, and an answer only where they pass. */
export function createLooks(deps: LooksDeps): Looks {
  const stopping = new AbortController()
  const running = new Set<Promise<void>>()
  return {
    probe: (index, rung, report) => {
      const deployment = deps.deployments[index]
      if (deployment === undefined) return
      const before = evidenceAt(deps, index)
      const { signal, over } = limited(deps, index, stopping.signal)
      const look = climb(deps, deployment, rung, signal)
        .catch((error: unknown) => crashed(deps.log, deployment, asGatewayError(error)))
        .then((climbed) => {
          over()
          running.delete(look)
          if (stopping.signal.aborted) return
          // Evidence is applied as it comes; where none came (our own loop lagged), the same look is due at once.
          const finish = (): void => report({ evidence: undefined, isPaid: climbed === 'paid' })
          const againMs = climbed === 'spared' ? RARE_AGAIN_MS : AGAIN_MS
          if (evidenceAt(deps, index) === before) deps.clock.after(againMs, finish)
          else finish()
        })
      running.add(look)
    },
    stop: async () => {
      stopping.abort()
      await Promise.allSettled(running)
    },
  }
}

/** Ends a look whose claim is about to end: another gateway may begin then. */
function limited(
  { endsAt, clock }: LooksDeps,
  index: number,
  stopping: AbortSignal,
): { readonly signal: AbortSignal; readonly over: Cancel } {
  const at = endsAt?.(index) ?? Number.POSITIVE_INFINITY
  if (at === Number.POSITIVE_INFINITY) return { signal: stopping, over: () => {} }
  const late = new AbortController()
  const over = clock.after(at - clock.elapsed(), () => late.abort())
  return { signal: AbortSignal.any([stopping, late.signal]), over }
}

function evidenceAt({ engine, clock }: LooksDeps, index: number): Standing {
  return engine().standings.standing(index, clock.elapsed())
}

function crashed(log: Log, { id }: Deployment, error: GatewayError): Climbed {
  if (error.kind !== 'cancelled') log.error('check_crashed', { model_id: id, message: error.message })
  return 'free'
}

/** Whether an answer was asked for; `spared`: nothing was sent, for answers are to be rare and nothing is free. */
type Climbed = 'free' | 'paid' | 'spared'

async function climb(
  deps: LooksDeps,
  deployment: Deployment,
  rung: Depth,
  signal: AbortSignal,
): Promise<Climbed> {
  const { index } = deployment
  const { paidAt } = deps.lessons
  const { hasFree = false, price = 0, leastMs, isLoadedByAsking = false } = deps.members[index] ?? {}
  const standing = deps.engine().standings.standing(index, deps.clock.elapsed())
  const isTooSoon = leastMs !== undefined && deps.clock.elapsed() - (paidAt.get(index) ?? -Infinity) < leastMs
  const isFreeFirst = rung < DEPTH.answer || isTooSoon || isLoadedByAsking || isGated(standing, price)
  if (hasFree && isFreeFirst) {
    const startedAt = deps.clock.elapsed()
    const found = await deps.checker.look(deployment, signal, standing.reason)
    if (found.kind === 'failed') {
      if (isLoadedByAsking) deps.board.seen(index, undefined)
      deps.record(deployment, found.verdict, DEPTH.front)
      return 'free'
    }
    const isResting = isLoadedByAsking && rests(deps, index, found)
    const mustGoOn = isDoubted(standing) && !settles(found, standing) && price <= deps.priceCeiling
    if (isTooSoon || isResting || (rung < DEPTH.answer && !mustGoOn)) {
      passed(deps, index, found, standing, startedAt)
      return 'free'
    }
  }
  if (isTooSoon) return 'spared'
  if (leastMs !== undefined) paidAt.set(index, deps.clock.elapsed())
  const isGolden = rung >= DEPTH.right
  await deps.check(deployment, signal, { mostMs: deadlineOf(deps, index, standing), isGolden })
  return 'paid'
}

/** Is the model out of memory, as far as is known? Where its engine shows nothing, a question tells what is wrong there. */
function rests({ engine, board }: LooksDeps, index: number, { kind, residence }: Passed): boolean {
  const isResting = kind === 'passed' && residence?.isLoaded !== true
  engine().rest(index, isResting)
  board.seen(index, residence)
  return isResting
}

/** A look that has not failed. */
type Passed = Exclude<Look, { readonly kind: 'failed' }>

function isDoubted({ state }: Standing): boolean {
  return state === 'SUSPECT' || state === 'DOWN' || state === 'MISCONFIGURED'
}

/** Nothing is bought where the front may be shut, nor anything dear; a cheap answer is asked for at once. */
function isGated(standing: Standing, price: number): boolean {
  const { reason } = standing
  const isFront = reason !== undefined && depthOf(reason) <= DEPTH.front
  return isDoubted(standing) && (isFront || price >= CHEAP)
}

/** A key may open the door and not the model, and a listing says nothing of a model's absence: only an answer tells. */
function settles({ kind }: Look, { reason }: Standing): boolean {
  if (reason === 'auth' || reason === 'not_found') return false
  return kind === 'passed' || (kind === 'reached' && (reason === 'unreachable' || reason === 'tls'))
}

function passed(
  { engine, board, clock, members }: LooksDeps,
  index: number,
  { kind }: Look,
  { reason }: Standing,
  startedAt: number,
): void {
  // Such an engine has said that the model is there.
  const isThere = members[index]?.isLoadedByAsking === true
  const isFront = kind === 'passed' && (reason !== 'not_found' || isThere)
  const depth = isFront ? DEPTH.front : DEPTH.reach
  const at = clock.elapsed()
  board.passed(index, depth, isThere)
  engine().standings.apply(
    index,
    { kind: 'ok', source: 'probe', depth, startedAt, at, isAttributable: true },
    at,
  )
}

/** Where somebody waits for the verdict, no longer than the usual allows; else as long as is configured. */
function deadlineOf({ engine }: LooksDeps, index: number, { state }: Standing): number | undefined {
  const usualMs = engine().traffic.probeMs(index)
  if (state === 'SUSPECT') return usualMs
  const isOut = state === 'DOWN' || state === 'RECOVERING'
  return isOut && usualMs < UNKNOWN_MS ? usualMs : undefined
}
