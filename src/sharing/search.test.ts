import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { blankRow, claimed, committed, GUARDS } from './ledger.ts'
import type { Guards } from './ledger.ts'
import { maySend } from './lease.ts'
import type { SharedRow } from './sharing.ts'

/**
 * All that two or three replicas can do with one row in a short while, tried out: every order of claiming, sending,
 * answering, pausing and of the store's forgetting. Time goes in whole ticks. With the rules in use nothing bad is found;
 * with one of them taken away the search finds what it was good for.
 */

const LEASE = 3
const DEADLINE = 1
const LAST_TICK = 6
/** Clocks of the store are never near zero. */
const START = 1

/** One replica: idle, holding a claim, with a request on the wire, or with an answer not committed yet. */
type Prober =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'claimed' | 'sent' | 'answered'
      readonly nonce: string
      readonly epoch: number
      readonly at: number
      readonly sentAt: number
    }

interface World {
  readonly tick: number
  readonly row: SharedRow
  readonly probers: readonly Prober[]
  readonly claims: number
  readonly forgotten: number
  /** When the look began whose outcome stands in the row. */
  readonly lookAt: number
}

interface Rules {
  readonly guards: Guards
  readonly maySend: typeof maySend
  /** A replica may stop for any while between two of its steps. */
  readonly pauses: 'never' | 'before sending' | 'anywhere'
  readonly forgets: boolean
}

interface Findings {
  states: number
  /** Two requests on the wire at the same tick. */
  twoSent: boolean
  /** An older look replaced what a newer one had found. */
  overwritten: boolean
  /** Somebody committed while another held the claim. */
  stolen: boolean
}

const IN_USE: Rules = { guards: GUARDS, maySend, pauses: 'never', forgets: false }

function search(replicas: number, rules: Rules): Findings {
  const found: Findings = { states: 0, twoSent: false, overwritten: false, stolen: false }
  const first: World = {
    tick: START,
    row: blankRow('id'),
    probers: Array.from({ length: replicas }, () => ({ kind: 'idle' })),
    claims: 0,
    forgotten: 0,
    lookAt: 0,
  }
  const seen = new Set<string>()
  const open: World[] = [first]
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    const key = JSON.stringify(world)
    if (seen.has(key)) continue
    seen.add(key)
    found.twoSent ||= world.probers.filter(({ kind }) => kind === 'sent').length > 1
    open.push(...next(world, rules, found))
  }
  found.states = seen.size
  return found
}

function next(world: World, rules: Rules, found: Findings): readonly World[] {
  const worlds = world.probers.flatMap((prober, at) => acts(world, prober, at, rules, found))
  if (world.tick < LAST_TICK && mayWait(world, rules)) worlds.push({ ...world, tick: world.tick + 1 })
  if (rules.forgets && world.forgotten === 0)
    worlds.push({ ...world, row: blankRow('id'), forgotten: 1, lookAt: 0 })
  return worlds
}

/** Whoever is not paused sends and commits in time: its requests end with their deadline. */
function mayWait({ probers, tick }: World, { pauses }: Rules): boolean {
  return probers.every((prober) => {
    if (prober.kind === 'sent') return pauses === 'anywhere' || tick < prober.sentAt + DEADLINE
    if (prober.kind === 'answered') return pauses === 'anywhere'
    return true
  })
}

function acts(world: World, prober: Prober, at: number, rules: Rules, found: Findings): World[] {
  const { tick, row, claims } = world
  const become = (changed: Prober, more: Partial<World> = {}): World => ({
    ...world,
    ...more,
    probers: world.probers.map((each, index) => (index === at ? changed : each)),
  })
  switch (prober.kind) {
    case 'idle': {
      const nonce = `n${claims}`
      const claim = claimed(row, { by: `r${at}`, nonce, leaseMs: LEASE }, tick, rules.guards)
      if (claim.kind === 'refused' || claims >= 3) return []
      const holds: Prober = { kind: 'claimed', nonce, epoch: claim.row.epoch, at: tick, sentAt: 0 }
      return [become(holds, { row: claim.row, claims: claims + 1 })]
    }
    case 'claimed': {
      if (!rules.maySend(tick - prober.at, DEADLINE, LEASE)) return [become({ kind: 'idle' })]
      return [become({ ...prober, kind: 'sent', sentAt: tick })]
    }
    case 'sent':
      return tick > prober.sentAt ? [become({ ...prober, kind: 'answered' })] : []
    case 'answered': {
      const finding = { kind: 'ok', depth: 3, startedAt: prober.sentAt, at: tick } as const
      const request = { by: `r${at}`, ...prober, outcome: { finding }, dueAt: tick }
      const taken = committed(row, request, tick, rules.guards)
      if (taken === undefined) return [become({ kind: 'idle' })]
      found.stolen ||= row.claim !== prober.nonce
      found.overwritten ||= prober.sentAt < world.lookAt
      return [become({ kind: 'idle' }, { row: taken, lookAt: prober.sentAt })]
    }
  }
}

describe('every order of what two and three replicas can do', () => {
  for (const replicas of [2, 3]) {
    test(`${replicas} replicas that are not paused: one request at a time, nothing older over anything newer`, () => {
      const { states, twoSent, overwritten } = search(replicas, IN_USE)
      assert.ok(states > 100, `${states}`)
      assert.equal(twoSent, false)
      assert.equal(overwritten, false)
    })

    test(`${replicas} replicas: a request that may end in the very moment of its lease meets the next one`, () => {
      const atTheEdge: typeof maySend = (elapsedMs, deadlineMs, leaseMs) => elapsedMs + deadlineMs <= leaseMs
      assert.equal(search(replicas, { ...IN_USE, maySend: atTheEdge }).twoSent, true)
    })

    test(`${replicas} replicas: without a fence whoever was paused overwrites what is newer`, () => {
      const paused: Rules = { ...IN_USE, pauses: 'anywhere' }
      assert.equal(search(replicas, paused).overwritten, false)
      assert.equal(search(replicas, { ...paused, guards: { ...GUARDS, fence: 'none' } }).overwritten, true)
    })

    test(`${replicas} replicas: a counter alone is no fence once the store has forgotten everything`, () => {
      const lossy: Rules = { ...IN_USE, pauses: 'anywhere', forgets: true }
      assert.equal(search(replicas, lossy).stolen, false)
      const counted: Rules = { ...lossy, guards: { fence: 'epoch', isSeeded: false } }
      assert.equal(search(replicas, counted).stolen, true)
    })

    test(`${replicas} replicas: a pause with the request on the wire no lock prevents, only its commit is refused`, () => {
      const { twoSent, overwritten, stolen } = search(replicas, { ...IN_USE, pauses: 'anywhere' })
      assert.equal(stolen, false)
      assert.equal(twoSent, true)
      assert.equal(overwritten, false)
    })
  }
})
