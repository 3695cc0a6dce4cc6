import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { Health } from '../core/health.ts'
import type { GroupHealth } from './engine/choices.ts'
import type { Engine } from './engine/engine.ts'
import type { Plan } from './engine/next-probe.ts'
import { NEVER } from './engine/standing.ts'
import { groupView } from './group-view.ts'
import type { GroupFacts, GroupView } from './group-view.ts'
import type { Freshness } from './report.ts'
import { bareView, lookAt, shortView, standingView } from './standing-view.ts'
import type { BareView, ShortView, StandingFacts, StandingView } from './standing-view.ts'
import { wallTime } from './wall-time.ts'
import type { WallTime } from './wall-time.ts'

/** A group's name, and who is in it. */
export interface NamedMembers {
  readonly name: string
  readonly members: readonly Deployment[]
}

/** The engine in words and numbers for people; every view is of one moment, and costs nobody a request. */
export interface StandingViews {
  /** Everything about one deployment; without details, its state. */
  view(deployment: Deployment, options: ViewOptions): StandingView | BareView
  /** One deployment in brief. */
  short(deployment: Deployment): ShortView
  /** What a group amounts to, by its members. */
  sum(members: readonly Deployment[]): GroupHealth
  /** How old what is known of it is. */
  freshness(index: number): Freshness
  /** A group, its members, and the groups behind it, nearest first. */
  group(group: NamedMembers, fallbacks: readonly NamedMembers[], options: ViewOptions): GroupView
}

/** `health_check_details`. */
export interface ViewOptions {
  readonly details: boolean
}

/** What views are made from. */
export interface StandingViewsDeps {
  readonly engine: Pick<Engine, 'standings' | 'choices' | 'plan' | 'sparedUntil' | 'scheduler'>
  readonly clock: Pick<Clock, 'elapsed' | 'now'>
  /** What the board knows besides: that nobody ever looks, and what the newest failed call said. */
  readonly health: (index: number) => Pick<Health, 'reason' | 'error' | 'residence'>
  /** Dollars for one answer to a probe of this depth; infinite where none is ever bought. */
  readonly price: (index: number, rung: Plan['rung'] | undefined) => number
  /** After so long without evidence, what is known is stale, milliseconds. */
  readonly staleMs: number
}

/** More members of a group than these are listed only where they are not healthy, and so many at most. */
const MOST_LISTED = 200

/** Makes the views of one engine. */
export function createStandingViews(deps: StandingViewsDeps): StandingViews {
  const { engine, clock, price } = deps
  return {
    view: (deployment, { details }) => {
      const facts = factsOf(deps, deployment, wallTime(clock))
      if (!details) return bareView(facts)
      const { index } = deployment
      const plan = engine.plan(index)
      return standingView({
        ...facts,
        error: deps.health(index).error,
        evidence: engine.standings.recent(index),
        plan,
        nextAt: engine.scheduler.nextAt(index),
        sparedUntil: engine.sparedUntil(index),
        price: price(index, plan?.rung),
      })
    },
    short: (deployment) => shortView(factsOf(deps, deployment, wallTime(clock))),
    sum: (members) => {
      const indexes = members.map(({ index }) => index)
      return engine.choices.health(indexes, clock.elapsed())
    },
    freshness: (index) => freshnessOf(deps, index),
    group: (group, fallbacks, { details }) => {
      const time = wallTime(clock)
      const behind = details ? fallbacks.map((each) => groupFacts(deps, each, time)) : []
      const { fallbacks: shown, ...view } = groupView(groupFacts(deps, group, time), behind, time)
      const listed = listedOf(deps, group.members, time)
      const left = group.members.length - listed.length
      return {
        ...view,
        deployments: listed.map((facts) => (details ? shortView(facts) : bareView(facts))),
        ...(left > 0 && { not_listed: left }),
        ...(details && { fallbacks: shown }),
      }
    },
  }
}

function freshnessOf({ engine, clock, staleMs }: StandingViewsDeps, index: number): Freshness {
  const now = clock.elapsed()
  const { lastEvidenceAt, state, reason } = engine.standings.standing(index, now)
  // What cannot be called at all stays so until the config is mended.
  const isRenewed = state !== 'UNKNOWN' && reason !== 'misconfigured'
  const plan = engine.plan(index)
  return {
    isStale: isRenewed && now - lastEvidenceAt > staleMs,
    nextCheckAt: plan && clock.now() - now + lookAt(plan, engine.scheduler.nextAt(index), now),
  }
}

function factsOf(
  { engine, health }: StandingViewsDeps,
  deployment: Deployment,
  time: WallTime,
): StandingFacts {
  const { standings, choices } = engine
  const { index } = deployment
  const now = time.elapsed
  const standing = standings.standing(index, now)
  const { reason, error, residence } = health(index)
  return {
    deployment,
    ...(standing.state === 'ISOLATED' && error !== undefined && { note: error }),
    ...(residence !== undefined && { residence }),
    standing: reason === 'checks_disabled' ? { ...standing, reason } : standing,
    eligibility: choices.eligibility(index, now),
    rules: standings.rules,
    time,
    isSelfIsolated: standings.isIsolated(now),
  }
}

function groupFacts(
  { engine }: StandingViewsDeps,
  { name, members }: NamedMembers,
  time: WallTime,
): GroupFacts {
  const { standings, choices } = engine
  const indexes = members.map(({ index }) => index)
  let lastOkAt = NEVER
  for (const index of indexes) lastOkAt = Math.max(lastOkAt, standings.standing(index, time.elapsed).lastOkAt)
  return { name, health: choices.health(indexes, time.elapsed), lastOkAt }
}

function listedOf(
  deps: StandingViewsDeps,
  members: readonly Deployment[],
  time: WallTime,
): readonly StandingFacts[] {
  const { standings } = deps.engine
  const isLarge = members.length > MOST_LISTED
  const wanted = isLarge
    ? members.filter(({ index }) => standings.standing(index, time.elapsed).state !== 'HEALTHY')
    : members
  return wanted.slice(0, MOST_LISTED).map((deployment) => factsOf(deps, deployment, time))
}
