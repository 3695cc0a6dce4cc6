import { DEPTH } from '../../core/depth.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { JsonObject } from '../../core/json.ts'
import { evidenceRow, suspicion } from './blame.ts'
import { createDomainRollUp } from './domain-roll-up.ts'
import type { DomainRollUp } from './domain-roll-up.ts'
import type { FaultDomains } from './fault-domains.ts'
import { wakeAt } from './pass-time.ts'
import { createPoison } from './poison.ts'
import type { Poison } from './poison.ts'
import { createRecentEvidence } from './recent-evidence.ts'
import type { EvidenceRun, RecentEvidence } from './recent-evidence.ts'
import { reduce } from './reduce.ts'
import type { EngineRules } from './rules.ts'
import { restoreStandings, saveStanding } from './saved-standings.ts'
import type { RestoreDeps, SavedStanding } from './saved-standings.ts'
import { createSelfIsolation } from './self-isolation.ts'
import type { SelfIsolation } from './self-isolation.ts'
import { createStanding } from './standing.ts'
import type { Command, Effect, Standing } from './standing.ts'

/** A change of state, to be logged, kept and told to others. */
export type Transition = Extract<Effect, { kind: 'transition' }>

/** What the book tells of. */
export interface StandingsListener {
  transition(index: number, transition: Transition): void
  /** Its next look may be due earlier than was planned. */
  replan(index: number): void
  /** A look there, free and now, tells whether it is our own network that fails. */
  reference(index: number, now: number): void
  /** An answer there, now, tells whether the key that it shares is to blame. */
  witness(index: number, now: number): void
  /** It is on probation from now on: calls that began before do not count. */
  probation(index: number): void
  /** One request has failed at all of these; its failures no longer count. */
  poison(request: number, indexes: readonly number[]): void
}

/** What the book is made of. */
export interface StandingsDeps {
  readonly count: number
  /** The number of the host of each deployment. */
  readonly hosts: readonly number[]
  readonly domains: FaultDomains
  /** Can a free look be made there, to tell whether our own network fails? */
  readonly canRefer: (index: number) => boolean
  readonly rules: EngineRules
  /**
   * How a suspicion of this deployment can be confirmed now: by looking, or not at all (then as many failed requests
   * bring it down as the number says).
   */
  readonly confirms: (index: number) => 'looks' | number
  readonly listener: StandingsListener
  /** So long after the last evidence a restart forgets who was well, milliseconds; absent: an hour. */
  readonly freshMs?: number
  readonly now: number
}

/** Where every deployment stands: the one writer of it. Synchronous, in memory; times are `Clock.elapsed`'s. */
export interface Standings {
  readonly count: number
  readonly rules: EngineRules
  /** Where it stands now, by the passage of time too. */
  standing(index: number, now: number): Standing
  /** Takes a piece of evidence or a command in. */
  apply(index: number, input: Evidence | Command, now: number): void
  /** When time alone changes something. */
  wakeAt(index: number): number
  /** What was last heard of it, newest first. */
  recent(index: number): readonly EvidenceRun[]
  /** Our own network fails: nobody is brought down. */
  isIsolated(now: number): boolean
  /** May a failure of this kind there, since then, be our own network's? */
  mayBeOurs(index: number, kind: Evidence['kind'], since: number, now: number): boolean
  /** Takes over what was known before a restart, or what another replica knows. */
  adopt(index: number, standing: Standing): void
  /** Where it stands as plain JSON, for the next process or the next engine; undefined: nothing is known. */
  save(index: number, now: number): JsonObject | undefined
  /**
   * Takes over what `save` gave, by the index it has here, wherever nothing has been learned since; nobody is told of
   * a transition. Gives the indexes that were taken over.
   */
  restore(saved: ReadonlyMap<number, SavedStanding>, now: number): readonly number[]
  /** Takes over where a deployment stood in the book of the config before, and what was last heard of it. */
  inherit(index: number, standing: Standing, from: Standings, earlier: number): void
  /** What was heard of it lately, for the book of the next config. */
  readonly heard: RecentEvidence
}

const MOST_REFERENCES = 3
const FRESH_MS = 3_600_000
const TICK: Command = { kind: 'tick' }

interface Book {
  readonly deps: StandingsDeps
  readonly standings: Standing[]
  readonly wakes: Float64Array
  readonly isolation: SelfIsolation
  readonly poison: Poison
  readonly recent: RecentEvidence
  readonly rollUp: DomainRollUp
  /** One deployment of each host that can be looked at for free. */
  readonly references: ReadonlyMap<number, number>
  readonly judged: (confirms: 'looks' | number) => EngineRules
}

/** Makes the book: nothing is known yet. */
export function createStandings(deps: StandingsDeps): Standings {
  const { count, domains } = deps
  const fresh = createStanding(deps.now)
  const book: Book = {
    deps,
    standings: Array.from({ length: count }, () => fresh),
    wakes: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    isolation: createSelfIsolation(domains.hosts),
    poison: createPoison(),
    recent: createRecentEvidence(count),
    rollUp: createDomainRollUp({
      domains,
      get: (index) => get(book, index),
      step: (index, input, now) => step(book, index, input, now),
      ask: (index, now) => deps.listener.witness(index, now),
    }),
    references: referencesOf(deps),
    judged: rulesByConfirmation(deps.rules),
  }
  const { isolation, rollUp, wakes } = book
  return {
    count,
    rules: deps.rules,
    standing: (index, now) => {
      if (now >= (wakes[index] ?? 0)) step(book, index, TICK, now)
      return get(book, index)
    },
    apply: (index, input, now) => {
      if (!('source' in input)) return step(book, index, input, now)
      if (!input.isAttributable) return
      book.recent.note(index, input)
      hear(book, index, input)
      const heard = input.kind === 'ok' ? input : rollUp.attested(index, input)
      step(book, rollUp.addressee(index, heard), heard, now)
      rollUp.share(index, heard, now)
      notePoison(book, index, input, now)
    },
    wakeAt: (index) => wakes[index] ?? Number.POSITIVE_INFINITY,
    recent: (index) => book.recent.of(index),
    isIsolated: (now) => deps.rules.noticesIsolation && isolation.isIsolated(now),
    mayBeOurs: (index, kind, since, now) => whoFails(book, index, kind, since, now) !== 'they',
    adopt: (index, standing) => adopt(book, index, standing),
    inherit: (index, standing, from, earlier) => {
      adopt(book, index, standing)
      book.recent.inherit(index, from.heard, earlier)
    },
    heard: book.recent,
    save: (index, now) => saveStanding(get(book, index), now),
    restore: (saved, now) => restoreStandings(restoring(book, now), saved, now),
  }
}

function adopt({ standings, wakes, deps }: Book, index: number, standing: Standing): void {
  standings[index] = standing
  wakes[index] = wakeAt(standing, deps.rules)
  deps.listener.replan(index)
}

function restoring(book: Book, now: number): RestoreDeps {
  const { deps, rollUp } = book
  return {
    ...deps,
    freshMs: deps.freshMs ?? FRESH_MS,
    get: (index) => get(book, index),
    adopt: (index, standing) => adopt(book, index, standing),
    lead: (index, before, after) => rollUp.changed(index, before, after, now),
  }
}

function get({ standings, deps }: Book, index: number): Standing {
  return standings[index] ?? createStanding(deps.now)
}

function step(book: Book, index: number, input: Evidence | Command, now: number): void {
  const { listener } = book.deps
  const before = get(book, index)
  const rules = rulesFor(book, index, before, input, now)
  const { standing, effects } = reduce(before, input, now, rules)
  if (standing === before) return
  book.standings[index] = standing
  book.wakes[index] = wakeAt(standing, rules)
  if (standing.permits !== Number.POSITIVE_INFINITY && isProbationStart(before, standing))
    listener.probation(index)
  if (effects.length === 0) return
  for (const effect of effects) if (effect.kind === 'transition') listener.transition(index, effect)
  book.rollUp.changed(index, before, standing, now)
  listener.replan(index)
}

/** What a failure is judged by: how it can be confirmed, and whether it may be our own network's. */
function rulesFor(
  book: Book,
  index: number,
  before: Standing,
  input: Evidence | Command,
  now: number,
): EngineRules {
  const { deps } = book
  if (!('source' in input) || input.kind === 'ok') return deps.rules
  const rules = book.judged(deps.confirms(index))
  const since = before.blames[0]?.startedAt ?? input.startedAt
  const blamed = whoFails(book, index, input.kind, since, now)
  if (blamed === 'they') return rules
  if (blamed === 'perhaps we' && suspicion(before.blames) > 1) askOthers(book, deps.hosts[index] ?? 0, now)
  return { ...rules, isFrozen: true }
}

/** Whether a failure of this kind may be our own network's. */
function whoFails(
  { deps, isolation, references }: Book,
  index: number,
  kind: Evidence['kind'],
  since: number,
  now: number,
): 'they' | 'perhaps we' | 'we' {
  if (!deps.rules.noticesIsolation) return 'they'
  if (isolation.isIsolated(now)) return 'we'
  if (evidenceRow(kind)?.domain !== 'host') return 'they'
  const host = deps.hosts[index] ?? 0
  // Where nobody else can be asked, silence of one host is all that there is to know.
  return isolation.isAlone(host, since) && hasOthers({ references }, host) ? 'perhaps we' : 'they'
}

function referencesOf({ count, hosts, canRefer }: StandingsDeps): ReadonlyMap<number, number> {
  const references = new Map<number, number>()
  for (let index = 0; index < count; index += 1) if (canRefer(index)) references.set(hosts[index] ?? 0, index)
  return references
}

function hasOthers({ references }: Pick<Book, 'references'>, host: number): boolean {
  return references.size > (references.has(host) ? 1 : 0)
}

/** Before a host is called dead while nobody else was heard, a few others are asked. */
function askOthers({ deps, references }: Book, host: number, now: number): void {
  let asked = 0
  for (const [other, index] of references) {
    if (asked >= MOST_REFERENCES) return
    if (other === host) continue
    asked += 1
    deps.listener.reference(index, now)
  }
}

function hear({ deps, isolation }: Book, index: number, { kind, source, depth, at }: Evidence): void {
  if (source === 'peer' || source === 'replica') return
  const host = deps.hosts[index] ?? 0
  const row = evidenceRow(kind)
  const isAnswer = kind === 'ok' ? depth >= DEPTH.reach : row?.domain !== 'host' && kind !== 'timeout'
  if (isAnswer) isolation.heard(host, at)
  else if (row?.domain === 'host' && row.effect === 'suspects') isolation.gone(host, at)
}

function notePoison(book: Book, index: number, evidence: Evidence, now: number): void {
  const { kind, source, request = 0, at } = evidence
  const row = evidenceRow(kind)
  const isItsOwn = row?.effect === 'suspects' && row.domain === 'deployment' && row.score === 1
  if (source !== 'traffic' || !isItsOwn) return
  const failed = book.poison.note(request, index, at)
  for (const each of failed) step(book, each, { kind: 'withdraw', request }, now)
  if (failed.length > 0) book.deps.listener.poison(request, failed)
}

function isProbationStart(before: Standing, after: Standing): boolean {
  if (before.permits === Number.POSITIVE_INFINITY) return true
  return after.state === 'RECOVERING' && before.state !== 'RECOVERING'
}

/** The rules by how a suspicion can be confirmed, each made once. */
function rulesByConfirmation(rules: EngineRules): (confirms: 'looks' | number) => EngineRules {
  const made = new Map<number, EngineRules>()
  return (confirms) => {
    if (confirms === 'looks') return rules
    const known = made.get(confirms) ?? { ...rules, failures: confirms, leastPrompts: 0 }
    made.set(confirms, known)
    return known
  }
}
