import { DEPTH } from '../core/depth.ts'
import type { Evidence } from '../core/evidence.ts'
import type { EngineRuleSet } from './engine-rules.ts'
import { createDueHeap } from './engine/due-heap.ts'
import type { DueHeap } from './engine/due-heap.ts'
import type { Member } from './engine/engine.ts'
import { nextProbe } from './engine/next-probe.ts'
import type { Plan, Prices } from './engine/next-probe.ts'
import { createPurse } from './engine/purse.ts'
import type { Purse } from './engine/purse.ts'
import { reduce } from './engine/reduce.ts'
import { createStanding } from './engine/standing.ts'
import type { Standing } from './engine/standing.ts'

/** What looking at one deployment comes to in a day. */
export interface DayCount {
  /** Whole checks, and dollars for them. */
  readonly probes: number
  readonly usd: number
  /** Looks that cost nothing. */
  readonly free: number
}

/** One that is simulated, and how many of its kind it stands for. */
export interface DaySubject {
  readonly member: Member
  readonly weight: number
}

/** The day that is simulated. */
export interface DayScript {
  /** Requests that each deployment gets in a minute, at random times; all of them are answered. */
  readonly callsPerMinute: number
  /** In [0, 1). */
  readonly random: () => number
}

export const DAY_MS = 86_400_000
const SPREAD_MS = 60_000
const TOOK_MS = 500

/** A subject while its day runs. */
interface Runner extends DaySubject {
  /** What the purse gives decides which of the two holds. Nobody is sick, so only `idle` is ever asked for. */
  readonly withMoney: Prices
  readonly without: Prices
  readonly count: { probes: number; usd: number; free: number }
  standing: Standing
  plan: Plan | undefined
  roll: number
  /** Until when its traffic is drawn. */
  drawnTo: number
}

interface Day {
  readonly runners: readonly Runner[]
  readonly set: EngineRuleSet
  readonly script: DayScript
  readonly heap: DueHeap
  readonly purse: Purse
  isShort: boolean
}

/** How a simulated day went. */
export interface PlannedDay {
  /** Of each subject, not multiplied by its weight. */
  readonly counts: readonly DayCount[]
  /** There would have been more looks with more money. */
  readonly isShort: boolean
}

/**
 * The first day of a gateway whose deployments are all well, on a wound clock: the engine's own `nextProbe`, `reduce`
 * and purse decide each look. Pure but for the dice.
 */
export function planDay(subjects: readonly DaySubject[], set: EngineRuleSet, script: DayScript): PlannedDay {
  const credentials = subjects.reduce((most, { member }) => Math.max(most, member.credential + 1), 0)
  const day: Day = {
    runners: subjects.map((subject) => createRunner(subject, script)),
    set,
    script,
    heap: createDueHeap(subjects.length),
    purse: createPurse(set.purse, credentials, 0),
    isShort: false,
  }
  day.runners.forEach((runner, index) => arm(day, runner, index, 0))
  for (let index = day.heap.first(); index !== undefined; index = day.heap.first()) {
    const now = day.heap.at(index)
    const runner = day.runners[index]
    if (now >= DAY_MS || runner === undefined) break
    look(day, runner, index, now)
  }
  return { counts: day.runners.map(({ count }) => count), isShort: day.isShort }
}

function createRunner({ member, weight }: DaySubject, { random }: DayScript): Runner {
  const prices = { ...member, spreadMs: SPREAD_MS }
  const { goldenPrice: usd } = prices
  const golden = (isGiven: boolean) => usd !== undefined && { golden: { price: usd, isGiven } }
  return {
    member,
    weight,
    withMoney: { ...prices, ...golden(true), may: { idle: true, confirm: true, recover: true } },
    without: { ...prices, ...golden(false), may: { idle: false, confirm: false, recover: false } },
    count: { probes: 0, usd: 0, free: 0 },
    standing: createStanding(0),
    plan: undefined,
    roll: random(),
    drawnTo: 0,
  }
}

/** Where nothing is planned there is no money, or never a look, and today that does not change. */
function arm(day: Day, runner: Runner, index: number, now: number): void {
  const prices = maySpend(day, runner, now) ? runner.withMoney : runner.without
  const plan = nextProbe(runner.standing, now, prices, runner.roll, day.set.look)
  runner.plan = plan
  if (plan === undefined || plan.rung === 'trial') day.heap.remove(index)
  else day.heap.set(index, Math.max(plan.at, now))
}

function maySpend(day: Day, { withMoney: { price }, member, weight }: Runner, now: number): boolean {
  const isGiven = day.purse.may('idle', price * weight, member.credential, now)
  if (!isGiven && price !== Number.POSITIVE_INFINITY) day.isShort = true
  return isGiven
}

function look(day: Day, runner: Runner, index: number, now: number): void {
  const { plan, member, weight, count } = runner
  const isPaid = plan !== undefined && plan.rung !== 'trial' && plan.rung >= DEPTH.answer
  // What was planned stands, unless traffic has answered meanwhile, or others have spent the money.
  if (hearTraffic(day, runner, now) || (isPaid && !maySpend(day, runner, now))) {
    arm(day, runner, index, now)
    if ((runner.plan?.at ?? Number.POSITIVE_INFINITY) > now) return
  }
  const rung = runner.plan?.rung
  if (rung === undefined || rung === 'trial') return
  if (rung >= DEPTH.answer) {
    const { price, goldenPrice = price } = member
    const usd = rung >= DEPTH.right ? goldenPrice : price
    day.purse.spend(usd * weight, member.credential, now)
    count.probes += 1
    count.usd += usd
  } else count.free += 1
  learn(day, runner, {
    kind: 'ok',
    depth: rung,
    source: 'probe',
    startedAt: now,
    at: now,
    isAttributable: true,
  })
  runner.roll = day.script.random()
  arm(day, runner, index, now)
}

/**
 * Has traffic answered since the last time? Of requests at random times only the latest matters: seen from now, its
 * distance is drawn as that to the next one would be.
 */
function hearTraffic(day: Day, runner: Runner, now: number): boolean {
  const { callsPerMinute, random } = day.script
  if (callsPerMinute === 0) return false
  const at = now + (Math.log(1 - random()) * 60_000) / callsPerMinute
  const isNew = at > runner.drawnTo
  runner.drawnTo = now
  if (!isNew) return false
  const startedAt = at - TOOK_MS
  learn(day, runner, {
    kind: 'ok',
    depth: DEPTH.answer,
    source: 'traffic',
    startedAt,
    at,
    isAttributable: true,
  })
  return true
}

function learn({ set }: Day, runner: Runner, evidence: Evidence): void {
  runner.standing = reduce(runner.standing, evidence, evidence.at, set.rules).standing
}
