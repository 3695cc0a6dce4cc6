import type { Depth } from '../../core/depth.ts'
import { isLook } from '../../core/evidence.ts'
import type { Evidence } from '../../core/evidence.ts'
import { failureRow } from '../../core/failure.ts'
import type { FailureKind } from '../../core/failure.ts'
import type { EvidenceRow } from '../../core/failure-row.ts'
import type { EngineRules } from './rules.ts'
import type { Blame, Standing } from './standing.ts'
import { rateOf, recent } from './tally.ts'

/** More failures than this in a row say nothing new. */
const MOST_BLAMES = 20
/** Traffic alone condemns where this share of the calls under way has failed in a row. */
const UNDER_WAY_SHARE = 0.5
/** So many different prompts that fail here and elsewhere are not all poison: it is an outage of both. */
const POISON_PROMPTS = 5

/** What a kind of failure says of health; undefined: nothing. */
export function evidenceRow(kind: Evidence['kind']): EvidenceRow | undefined {
  return kind === 'ok' ? undefined : failureRow(kind).evidence
}

/** The blame list with one more failure, bounded: the oldest of the traffic's are given up first. */
export function withBlame(
  blames: readonly Blame[],
  evidence: Evidence,
  kind: FailureKind,
  score: number,
): readonly Blame[] {
  const blame: Blame = {
    kind,
    source: evidence.source,
    score,
    startedAt: evidence.startedAt,
    request: evidence.request ?? 0,
    prompt: evidence.prompt ?? 0,
    isPoison: false,
    ...(isLook(evidence.source) && evidence.depth < depthOf(kind) && { acquits: evidence.depth }),
  }
  return [...(blames.length < MOST_BLAMES ? blames : blames.slice(1)), blame]
}

/** The suspicion that the failures add up to; those of one poisonous request count nothing. */
export function suspicion(blames: readonly Blame[]): number {
  const isOutage = promptsOf(blames.filter(({ isPoison }) => isPoison)) >= POISON_PROMPTS
  let sum = 0
  for (const { score, isPoison } of blames) if (!isPoison || isOutage) sum += score
  return sum
}

function promptsOf(blames: readonly Blame[]): number {
  return new Set(blames.map(({ prompt }) => prompt)).size
}

/** Are these failures enough to bring it down? */
export function isCondemned(standing: Standing, now: number, rules: EngineRules): boolean {
  const { blames } = standing
  const sum = suspicion(blames)
  const isProbed = blames.some(({ source }) => isLook(source))
  if (isProbed && sum >= rules.failures) return true
  const isDiverse = rules.leastPrompts === 0 || promptsOf(blames) >= rules.leastPrompts
  if (isDiverse && sum >= leastOfTraffic(standing, now, rules)) return true
  const { requests, failures } = recent(standing, now, rules)
  return requests >= rules.leastRequests && failures >= rules.ratio * requests
}

/** Where many slow calls are under way at once, a few that fail before the others end are no row of failures. */
function leastOfTraffic(standing: Standing, now: number, rules: EngineRules): number {
  const underWay = (rateOf(standing, now) * standing.tookMs) / 1000
  return Math.max(rules.failures, Math.min(underWay * UNDER_WAY_SHARE, MOST_BLAMES))
}

/** How deep a success must go to clear a kind of failure. */
export function depthOf(kind: FailureKind): Depth {
  return failureRow(kind).evidence?.acquits ?? 4
}

/** What a free look met, a free look clears. */
function neededBy({ acquits, kind }: Blame): Depth {
  return acquits ?? depthOf(kind)
}

/** How deep a success must go to clear everything that is held against it. */
export function depthToAcquit({ blames, reason, state }: Standing): Depth {
  const isVerdict = (state === 'DOWN' || state === 'MISCONFIGURED') && reason !== undefined
  let depth: Depth = isVerdict ? depthOf(reason) : 0
  for (const blame of blames) {
    const needed = neededBy(blame)
    if (needed > depth) depth = needed
  }
  return depth
}

/** Does this success speak of the time after what is held against it, and go as deep? */
export function acquits(standing: Standing, { depth, startedAt }: Evidence): boolean {
  const { blames, state, since } = standing
  if (depth < depthToAcquit(standing)) return false
  const isVerdict = state === 'DOWN' || state === 'MISCONFIGURED'
  return startedAt >= (isVerdict ? since : (blames.at(-1)?.startedAt ?? since))
}

/** The failures that a success leaves standing: those of calls that began after it, and those of a deeper kind. */
export function withoutCleared(blames: readonly Blame[], { depth, startedAt }: Evidence): readonly Blame[] {
  const left = blames.filter((blame) => blame.startedAt > startedAt || neededBy(blame) > depth)
  return left.length === blames.length ? blames : left
}

/** The failures of one request no longer count. */
export function withoutPoison(blames: readonly Blame[], request: number): readonly Blame[] {
  if (!blames.some((blame) => blame.request === request && !blame.isPoison)) return blames
  return blames.map((blame) => (blame.request === request ? { ...blame, isPoison: true } : blame))
}
