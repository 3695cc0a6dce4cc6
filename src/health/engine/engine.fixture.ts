import { createHandClock } from '../../core/clock.ts'
import type { HandClock } from '../../core/clock.ts'
import type { Depth } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { FailureKind } from '../../core/failure.ts'
import { createEngine } from './engine.ts'
import type { Engine, EngineDeps, Member } from './engine.ts'
import type { Looked } from './look.ts'
import { createPurse } from './purse.ts'
import type { Purse } from './purse.ts'
import { reduce } from './reduce.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './rules.ts'
import type { EngineRules, LookRules } from './rules.ts'
import { createStanding } from './standing.ts'
import type { Command, Standing } from './standing.ts'
import type { Transition } from './standings.ts'
import type { CallFacts } from './traffic.ts'

/** A success of traffic at `at`, changed as told. */
export function makeOk(at: number, changes: Partial<Evidence> = {}): Evidence {
  return { kind: 'ok', depth: 4, source: 'traffic', startedAt: at, at, isAttributable: true, ...changes }
}

/** A failure of traffic at `at`, of its own prompt, changed as told. */
export function makeFailure(at: number, changes: Partial<Evidence> = {}): Evidence {
  return { ...makeOk(at), kind: 'server_error', prompt: at + 1, request: at + 1, ...changes }
}

/** A failed probe. */
export function makeFailedProbe(at: number, changes: Partial<Evidence> = {}): Evidence {
  return { ...makeOk(at), kind: 'server_error', source: 'probe', ...changes }
}

/** Runs pieces of evidence, each at its own time, or commands at a time of theirs. */
export function play(
  inputs: readonly (Evidence | { readonly at: number; readonly command: Command })[],
  rules: EngineRules = DEFAULT_RULES,
  from: Standing = createStanding(0),
): Standing {
  return inputs.reduce((standing, input) => {
    const told = 'command' in input ? input.command : input
    return reduce(standing, told, input.at, rules).standing
  }, from)
}

/** One member of a fleet: a cheap model with a host and a key of its own. */
export function makeMember(index: number, changes: Partial<Member> = {}): Member {
  return { host: index, credential: index, group: 0, price: 1e-5, hasFree: true, ...changes }
}

/** What the world answers to a look, `tookMs` later; undefined: never. */
export type Answer =
  | { readonly kind: Evidence['kind']; readonly depth?: Depth; readonly tookMs?: number }
  | undefined

/** An engine on a hand-wound clock, with a world that the test may change at any time. */
export interface Rig {
  readonly engine: Engine
  readonly clock: HandClock
  readonly purse: Purse
  /** What each look is answered with; `ok` at the depth that was asked for, where nothing is set. */
  answer: (index: number, rung: Depth) => Answer
  readonly looks: { readonly index: number; readonly rung: Depth; readonly at: number }[]
  readonly transitions: (Transition & { readonly index: number })[]
  readonly poison: (readonly number[])[]
  lagMs: number
  /** One call of traffic that ends at once. */
  call(index: number, kind?: Evidence['kind'], facts?: Partial<CallFacts>): void
}

/** Facts of a call of an ordinary client. */
export const FACTS: CallFacts = {
  promptBytes: 100,
  isStreamed: false,
  timeoutMs: 60_000,
  request: 0,
  prompt: 0,
  isTenantsOwn: false,
}

/** Makes an engine for tests; it does not look by itself before `engine.start()`. */
export function createRig(
  members: readonly Member[],
  changes: {
    readonly rules?: Partial<EngineRules>
    readonly look?: Partial<LookRules>
    readonly usdPerDay?: number
    readonly deps?: Partial<EngineDeps>
  } = {},
): Rig {
  const clock = createHandClock()
  const purse = createPurse({ usdPerDay: changes.usdPerDay ?? 5, usdPerDayEach: Infinity }, 1000, 0)
  let prompt = 0
  const rig: Rig = {
    clock,
    purse,
    answer: (_index, rung) => ({ kind: 'ok', depth: rung }),
    looks: [],
    transitions: [],
    poison: [],
    lagMs: 0,
    call: (index, kind = 'ok', facts = {}) => {
      prompt += 1
      const call = rig.engine.traffic.begin(index, { ...FACTS, request: prompt, prompt, ...facts })
      if (kind === 'ok') {
        rig.engine.traffic.answered(call)
        rig.engine.traffic.succeeded(call)
      } else rig.engine.traffic.failed(call, { kind, source: 'upstream' })
    },
    engine: createEngine({
      members,
      rules: { ...DEFAULT_RULES, ...changes.rules },
      look: { ...DEFAULT_LOOK_RULES, ...changes.look },
      purse,
      admission: { total: 64, perHost: () => 4, perCredential: 2 },
      hasLastResort: true,
      clock,
      random: () => 0.5,
      lagMs: () => rig.lagMs,
      probe: (index, rung, report) => probe(rig, index, rung, report),
      onTransition: (index, transition) => rig.transitions.push({ ...transition, index }),
      onPoison: (_request, indexes) => rig.poison.push(indexes),
      ...changes.deps,
    }),
  }
  return rig
}

function probe(rig: Rig, index: number, rung: Depth, report: (looked: Looked) => void): void {
  const { clock } = rig
  const startedAt = clock.elapsed()
  rig.looks.push({ index, rung, at: startedAt })
  const answer = rig.answer(index, rung)
  if (answer === undefined) return
  const { kind, depth = rung, tookMs = 10 } = answer
  clock.after(tookMs, () => {
    const at = clock.elapsed()
    const evidence: Evidence = { kind, depth, source: 'probe', startedAt, at, isAttributable: true }
    report({ evidence, isPaid: rung >= 4 && kind === 'ok' })
  })
}

/** A rig whose deployments have all just answered. */
export function wellRig(members: readonly Member[], changes: Parameters<typeof createRig>[1] = {}): Rig {
  const rig = createRig(members, changes)
  members.forEach((_, index) => rig.call(index))
  rig.engine.start()
  return rig
}

/** The state of one, now. */
export function stateOf(rig: Rig, index: number): string {
  return rig.engine.standings.standing(index, rig.clock.elapsed()).state
}

/** The states of all, now. */
export function statesOf(rig: Rig): readonly string[] {
  return Array.from({ length: rig.engine.standings.count }, (_, index) => stateOf(rig, index))
}

/** Fails at everything, or at everything from a depth on. */
export function sicken(rig: Rig, sick: (index: number) => boolean, kind: FailureKind, fromRung = 0): void {
  rig.answer = (index, rung) =>
    sick(index) && rung >= fromRung ? { kind, depth: fromRung >= 4 ? 4 : 3 } : { kind: 'ok', depth: rung }
}
