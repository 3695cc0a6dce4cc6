import type { FailureKind } from '../../src/core/failure.ts'
import type { Member } from '../../src/health/engine/engine.ts'
import type { Dice } from './dice.ts'

/** What is wrong with a deployment during its outage. */
export type Sickness = 'errors' | 'hang' | 'refused' | 'host_gone' | 'limited' | 'overloaded' | 'key_refused'

/** When a deployment is sick, and how. */
export interface Outage {
  readonly from: number
  readonly to: number
  readonly sickness: Sickness
}

/** One deployment of the simulated fleet. */
export interface Model extends Member {
  /** Requests a second. */
  readonly rate: number
  /** Median of its first byte, milliseconds. */
  readonly firstByteMs: number
  readonly outage: Outage | undefined
}

/** A day's script. */
export interface Script {
  readonly requestsPerSecond: number
  /** Share of requests that fail for no reason. */
  readonly blips: number
  readonly hasOutages: boolean
}

export const DAY_MS = 86_400_000
/** Dear modes are not paid for more often than every six hours while they are well. */
const DEAR = 0.01
const HOSTS = 20
const ZIPF = 1.1
const OUTAGE_MEDIAN_MS = 300_000
const OUTAGE_SIGMA = 1
/** The mix of 100 models and what one whole answer of each costs, in dollars. */
const MIX: readonly { readonly count: number; readonly price: number; readonly firstByteMs: number }[] = [
  { count: 40, price: 1.2e-5, firstByteMs: 400 },
  { count: 25, price: 2.9e-4, firstByteMs: 700 },
  { count: 10, price: 4.8e-4, firstByteMs: 1200 },
  { count: 5, price: 2e-3, firstByteMs: 6000 },
  { count: 8, price: 3e-7, firstByteMs: 80 },
  { count: 4, price: 2e-3, firstByteMs: 200 },
  { count: 3, price: 4e-2, firstByteMs: 8000 },
  { count: 5, price: 6e-5, firstByteMs: 600 },
]

/** What a sick deployment answers, and how soon; a hang does not. */
export const SYMPTOMS: Readonly<
  Record<Exclude<Sickness, 'hang'>, { readonly kind: FailureKind; readonly afterMs: number }>
> = {
  errors: { kind: 'server_error', afterMs: 50 },
  refused: { kind: 'unreachable', afterMs: 5 },
  host_gone: { kind: 'unreachable', afterMs: 3000 },
  limited: { kind: 'rate_limited', afterMs: 30 },
  overloaded: { kind: 'overloaded', afterMs: 100 },
  key_refused: { kind: 'auth', afterMs: 30 },
}

/** Draws a fleet of 100 models on 20 hosts, two keys a host, and an outage for each. */
export function drawFleet(script: Script, dice: Dice): readonly Model[] {
  const kinds = shuffled(
    MIX.flatMap(({ count, ...kind }) => Array.from({ length: count }, () => kind)),
    dice,
  )
  const ranks = shuffled(
    kinds.map((_, rank) => (rank + 1) ** -ZIPF),
    dice,
  )
  const total = ranks.reduce((sum, share) => sum + share, 0)
  const outages = drawOutages(kinds.length, dice)
  return kinds.map(({ price, firstByteMs }, index) => {
    const model: Model = {
      host: index % HOSTS,
      credential: credentialOf(index),
      group: index,
      price,
      hasFree: true,
      firstByteMs,
      rate: (script.requestsPerSecond * (ranks[index] ?? 0)) / total,
      outage: script.hasOutages ? outages[index] : undefined,
    }
    return price >= DEAR ? Object.assign(model, { leastMs: DAY_MS / 4 }) : model
  })
}

function credentialOf(index: number): number {
  return (index % HOSTS) * 2 + (Math.floor(index / HOSTS) % 2)
}

/** Two hosts refuse, two are gone, four keys are refused, and everybody else is sick in a way of its own. */
function drawOutages(count: number, dice: Dice): readonly Outage[] {
  const hosts = shuffled(
    Array.from({ length: HOSTS }, (_, host) => host),
    dice,
  )
  const shared = new Map<string, Outage>()
  const of = (key: string, sickness: Sickness): Outage => {
    const known = shared.get(key) ?? drawOutage(sickness, dice)
    shared.set(key, known)
    return known
  }
  return Array.from({ length: count }, (_, index) => {
    const place = hosts.indexOf(index % HOSTS)
    if (place < 2) return of(`host ${place}`, 'refused')
    if (place < 4) return of(`host ${place}`, 'host_gone')
    const credential = credentialOf(index)
    if (place < 8 && credential % 2 === 0) return of(`key ${credential}`, 'key_refused')
    return drawOutage(ownSickness(dice.next()), dice)
  })
}

function ownSickness(roll: number): Sickness {
  if (roll < 0.5) return 'errors'
  if (roll < 0.75) return 'hang'
  return roll < 0.9 ? 'limited' : 'overloaded'
}

function drawOutage(sickness: Sickness, dice: Dice): Outage {
  const lengthMs = Math.min(dice.logNormal(OUTAGE_MEDIAN_MS, OUTAGE_SIGMA), DAY_MS / 4)
  const from = dice.next() * (DAY_MS * 0.98 - lengthMs)
  return { from, to: from + lengthMs, sickness }
}

function shuffled<Item>(items: readonly Item[], dice: Dice): readonly Item[] {
  return items
    .map((item) => ({ item, at: dice.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
