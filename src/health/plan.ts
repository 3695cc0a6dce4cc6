import type { Deployment } from '../core/deployment.ts'
import type { EngineRuleSet } from './engine-rules.ts'
import type { Member } from './engine/engine.ts'
import { DAY_MS, planDay } from './plan-day.ts'
import type { DayCount, DaySubject, PlannedDay } from './plan-day.ts'
import { neverProbed } from './subject.ts'

/** What checks will cost a day. */
export interface HealthPlan {
  readonly rows: readonly PlanRow[]
  readonly idle: DayCount
  /** With two requests a minute at each deployment; with more it is less. */
  readonly busy: DayCount
  /** What LiteLLM would spend: an answer of each at each interval. */
  readonly liteLlm: DayCount
  readonly budget: {
    /** Dollars a day; infinite where none is set. */
    readonly usdPerDay: number
    /** What an idle day would be besides, if money were no object. */
    readonly cut: DayCount
  }
  /** `health_check_interval`, milliseconds. */
  readonly intervalMs: number
}

/** What checks of one deployment will cost a day. */
export interface PlanRow {
  readonly index: number
  /** Dollars for one whole check. */
  readonly price: number
  readonly idle: DayCount
  readonly busy: DayCount
  readonly liteLlm: DayCount
  /** Why it is never checked in the background; undefined where it is. */
  readonly unchecked: string | undefined
}

/** What a plan is made from. */
export interface PlanInputs {
  readonly deployments: readonly Deployment[]
  /** The engine's picture of each deployment, in their order. */
  readonly members: readonly Member[]
  readonly priceOf: (deployment: Deployment) => number
  readonly set: EngineRuleSet
  /** `background_health_check_model_groups`; absent: all. */
  readonly groups?: readonly string[]
  /** No more deployments than this are simulated; of more, each kind by a share of its own. */
  readonly most: number
}

const CALLS_PER_MINUTE = 2
const NOTHING: DayCount = { probes: 0, usd: 0, free: 0 }
const SEED = 0x9e3779b9

/** Simulates an idle and a busy day of these deployments. The same inputs give the same plan. */
export function planHealth(inputs: PlanInputs): HealthPlan {
  const { deployments, members, set, priceOf } = inputs
  const sample = sampleOf(members, set, inputs.most)
  const daysOf = (used: EngineRuleSet, callsPerMinute: number): PlannedDay => {
    const { counts, isShort } = planDay(sample.subjects, used, { callsPerMinute, random: createDice(SEED) })
    return { counts: sample.spread(counts), isShort }
  }
  const { counts: idle, isShort } = daysOf(set, 0)
  const purse = { usdPerDay: Number.POSITIVE_INFINITY, usdPerDayEach: Number.POSITIVE_INFINITY }
  const wanted = isShort ? daysOf({ ...set, purse }, 0).counts : idle
  const { counts: busy } = daysOf(set, CALLS_PER_MINUTE)
  const rows = deployments.map((deployment, at): PlanRow => {
    return {
      index: deployment.index,
      price: priceOf(deployment),
      idle: idle[at] ?? NOTHING,
      busy: busy[at] ?? NOTHING,
      liteLlm: liteLlmDay(deployment, priceOf(deployment), inputs),
      unchecked: whyUnchecked(deployment, inputs.groups),
    }
  })
  return {
    rows,
    idle: sumOf(idle),
    busy: sumOf(busy),
    liteLlm: sumOf(rows.map(({ liteLlm }) => liteLlm)),
    budget: {
      usdPerDay: set.purse.usdPerDay,
      cut: differenceOf(sumOf(wanted), sumOf(idle)),
    },
    intervalMs: set.look.intervalMs,
  }
}

function whyUnchecked(deployment: Deployment, groups: readonly string[] | undefined): string | undefined {
  if (deployment.misconfigured !== undefined) return 'misconfigured'
  if (neverProbed(deployment) !== undefined) return 'this mode is not checked'
  if (deployment.probe.backgroundDisabled) return 'disable_background_health_check'
  if (groups?.includes(deployment.group) === false) return 'not in background_health_check_model_groups'
  return undefined
}

/** It buys an answer of each at each interval, whatever the mode; those that are switched off it leaves alone, too. */
function liteLlmDay(
  deployment: Deployment,
  price: number,
  { set, groups }: Pick<PlanInputs, 'set' | 'groups'>,
): DayCount {
  const isOff = deployment.probe.backgroundDisabled || groups?.includes(deployment.group) === false
  if (isOff || deployment.misconfigured !== undefined) return NOTHING
  const checks = Math.floor(DAY_MS / set.look.intervalMs)
  return { probes: checks, usd: checks * price, free: 0 }
}

function sumOf(counts: readonly DayCount[]): DayCount {
  const sum = { probes: 0, usd: 0, free: 0 }
  for (const { probes, usd, free } of counts) {
    sum.probes += probes
    sum.usd += usd
    sum.free += free
  }
  return sum
}

function differenceOf(more: DayCount, less: DayCount): DayCount {
  return {
    probes: Math.max(more.probes - less.probes, 0),
    usd: Math.max(more.usd - less.usd, 0),
    free: Math.max(more.free - less.free, 0),
  }
}

/** Who is simulated, and how their counts become those of all. */
interface Sample {
  readonly subjects: readonly DaySubject[]
  spread(counts: readonly DayCount[]): readonly DayCount[]
}

/** Deployments that cost the same and may be looked at in the same ways have the same days. */
function sampleOf(members: readonly Member[], { purse }: EngineRuleSet, most: number): Sample {
  if (members.length <= most)
    return { subjects: members.map((member) => ({ member, weight: 1 })), spread: (counts) => counts }
  const kinds = new Map<string, Member[]>()
  const hasOwnLimit = purse.usdPerDayEach !== Number.POSITIVE_INFINITY
  const names = members.map((member) =>
    JSON.stringify({ ...member, host: 0, group: 0, credential: hasOwnLimit ? member.credential : 0 }),
  )
  names.forEach((name, index) => {
    const kind = kinds.get(name) ?? []
    kinds.set(name, kind)
    kind.push(...members.slice(index, index + 1))
  })
  const subjects: DaySubject[] = []
  const places = new Map<string, { readonly from: number; readonly to: number }>()
  for (const [name, kind] of kinds) {
    const count = Math.max(1, Math.floor((most * kind.length) / members.length))
    const from = subjects.length
    for (const member of kind.slice(0, count)) subjects.push({ member, weight: kind.length / count })
    places.set(name, { from, to: subjects.length })
  }
  return {
    subjects,
    spread: (counts) => {
      const means = new Map([...places].map(([name, { from, to }]) => [name, meanOf(counts.slice(from, to))]))
      return names.map((name) => means.get(name) ?? NOTHING)
    },
  }
}

function meanOf(counts: readonly DayCount[]): DayCount {
  const { probes, usd, free } = sumOf(counts)
  return { probes: probes / counts.length, usd: usd / counts.length, free: free / counts.length }
}

/** The same throws for each plan (mulberry32), so that two plans differ only by what they are of. */
function createDice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}
