import type { FaultDomain } from '../../core/depth.ts'
import { isLook } from '../../core/evidence.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { FailureKind } from '../../core/failure.ts'
import type { EvidenceRow } from '../../core/failure-row.ts'
import { afterOk } from './after-ok.ts'
import { evidenceRow, isCondemned, suspicion, withBlame } from './blame.ts'
import { doubted, fallen, misconfigured, MOST_WAITS, saturated, settled } from './moves.ts'
import type { EngineRules } from './rules.ts'
import { NEVER } from './standing.ts'
import type { Standing } from './standing.ts'
import { allowedOf, counted, isOverAllowed, soft, withAllowed, withSample } from './tally.ts'

/** A failure, with what its kind means. */
interface Blow {
  readonly evidence: Evidence
  readonly kind: FailureKind
  readonly row: EvidenceRow
  readonly now: number
  readonly rules: EngineRules
}

/** What a failure changes. */
export function afterFailure(
  before: Standing,
  evidence: Evidence,
  kind: FailureKind,
  now: number,
  rules: EngineRules,
): Standing {
  const row = evidenceRow(kind)
  if (row === undefined) return before
  const blow: Blow = { evidence, kind, row, now, rules }
  const standing = learnt(before, blow)
  if (isIgnored(blow)) return standing
  switch (row.effect) {
    case 'none':
      return standing
    case 'saturates':
      return full(standing, blow)
    case 'misconfigures':
      return sighted(standing, blow)
    case 'degrades':
      return odd(standing, blow)
    case 'suspects':
      return suspected(standing, blow)
  }
}

/** A refused request has passed the door; a failed one counts in the numbers. */
function learnt(before: Standing, { evidence, row, now, rules }: Blow): Standing {
  const { source, at } = evidence
  if (row.proves !== undefined)
    return afterOk(before, { ...evidence, kind: 'ok', depth: row.proves }, now, rules)
  // What our own network does wrong is no share of theirs.
  const isCounted = !rules.isFrozen && source === 'traffic' && row.score > 0 && row.effect !== 'saturates'
  return {
    ...before,
    ...(isCounted && counted(before, at, row.score === 1 ? 1 : 0, rules)),
    lastEvidenceAt: Math.max(before.lastEvidenceAt, at),
    lastProbeAt: isLook(source) ? Math.max(before.lastProbeAt, at) : before.lastProbeAt,
  }
}

function isIgnored({ evidence: { source }, kind, rules }: Blow): boolean {
  if (source === 'traffic') return !rules.isTrafficHeeded
  if (isLook(source) && !rules.isProbeHeeded) return true
  return isLook(source) && rules.ignoreTransientErrors && (kind === 'rate_limited' || kind === 'timeout')
}

/** A success that began later shows that this failure was its own request's. */
function scoreOf({ lastOkStartedAt }: Standing, { evidence, row, rules }: Blow): number {
  if (evidence.startedAt < lastOkStartedAt) return 0
  const score = row.score === 0 ? 1 : row.score
  return isLook(evidence.source) ? score * rules.probeScore : score
}

function suspected(standing: Standing, blow: Blow): Standing {
  const { evidence, kind, row, now, rules } = blow
  const score = scoreOf(standing, blow)
  switch (standing.state) {
    case 'UNKNOWN':
    case 'HEALTHY':
    case 'DEGRADED':
    case 'SUSPECT':
      return weighed(standing, blow, score)
    case 'SATURATED':
      return { ...standing, blames: withBlame(standing.blames, evidence, kind, score) }
    case 'RECOVERING': {
      if (evidence.startedAt < standing.since) return standing
      const blames = withBlame(standing.blames, evidence, kind, score)
      const next = { ...standing, blames }
      return suspicion(blames) >= 1 ? fallen(next, kind, row.domain, now, rules) : next
    }
    case 'DOWN':
      return stillDown(standing, blow)
    case 'MISCONFIGURED':
      return longer(standing, blow)
    case 'ISOLATED':
      return standing
  }
}

/** One more failure of a deployment that serves. */
function weighed(standing: Standing, blow: Blow, score: number): Standing {
  const { evidence, kind, row, now, rules } = blow
  const isWritten = allowedOf(kind, rules) !== undefined
  const known = {
    ...standing,
    ...(isWritten && withAllowed(standing, kind, evidence.at)),
    blames: score === 0 ? standing.blames : withBlame(standing.blames, evidence, kind, score),
  }
  const next = { ...known, ...soft(known, now, rules, kind) }
  if (isOverAllowed(next, kind, rules) || (!isWritten && isCondemned(next, now, rules)))
    return fallen(next, kind, row.domain, now, rules)
  if (isWritten && isProbed(next) && isCondemned(next, now, ownRules(kind, rules)))
    return fallen(next, kind, row.domain, now, rules)
  if (suspicion(next.blames) >= 1) return doubted(next, kind, now)
  if (standing.state === 'UNKNOWN' || standing.state === 'SUSPECT' || next.degraded === standing.degraded)
    return next
  return { ...settled(next, now), blames: next.blames }
}

function isProbed({ blames }: Standing): boolean {
  return blames.some(({ source }) => isLook(source))
}

/** Where the config writes a number of failures, ours is never the smaller one. */
function ownRules(kind: FailureKind, rules: EngineRules): EngineRules {
  const allowed = allowedOf(kind, rules) ?? 0
  return {
    ...rules,
    failures: Math.max(rules.failures, allowed + 1),
    leastRequests: Number.POSITIVE_INFINITY,
  }
}

/** It was looked at and is as bad as before: the next look waits longer. */
function stillDown(standing: Standing, blow: Blow): Standing {
  const { evidence, kind, row } = blow
  if (!isLook(evidence.source) || evidence.startedAt < standing.since) return standing
  const isKnown = standing.blames.some((blame) => blame.kind === kind)
  return {
    ...longer(standing, blow),
    reason: kind,
    domain: row.domain,
    blames: isKnown ? standing.blames : withBlame(standing.blames, evidence, kind, scoreOf(standing, blow)),
  }
}

function longer(standing: Standing, { evidence }: Blow): Standing {
  if (!isLook(evidence.source) || evidence.startedAt < standing.since) return standing
  return { ...standing, waits: Math.min(standing.waits + 1, MOST_WAITS) }
}

/** The key, where it is known to concern all that the key is used for. */
function domainOf({ evidence, row }: Blow): FaultDomain {
  return evidence.isKeyWide === true ? 'credential' : row.domain
}

/** It asks us to wait. What is down and says so has passed the door only. */
function full(standing: Standing, blow: Blow): Standing {
  const { evidence, kind, row, now, rules } = blow
  switch (standing.state) {
    case 'DOWN':
      return stillDown(standing, blow)
    case 'MISCONFIGURED':
      return longer(standing, blow)
    case 'ISOLATED':
      return standing
    case 'UNKNOWN':
    case 'HEALTHY':
    case 'DEGRADED':
    case 'SUSPECT':
    case 'SATURATED':
    case 'RECOVERING': {
      // What was refused before a success that began later is old news.
      if (evidence.startedAt < standing.lastOkStartedAt && evidence.retryAfterMs === undefined)
        return standing
      const domain = domainOf(blow)
      if (row.score === 0) return saturated(standing, kind, domain, evidence.retryAfterMs, now, rules)
      const overloadedSince = standing.overloadedSince === NEVER ? now : standing.overloadedSince
      const blames = withBlame(standing.blames, evidence, kind, scoreOf(standing, blow))
      const next = { ...standing, overloadedSince, blames }
      if (now - overloadedSince >= rules.overloadedMs) return fallen(next, kind, row.domain, now, rules)
      return saturated(next, kind, domain, evidence.retryAfterMs, now, rules)
    }
  }
}

/** Key, credit, model or certificate: confirmed by as many sightings as the kind asks for. */
function sighted(standing: Standing, blow: Blow): Standing {
  const { evidence, kind, row, now, rules } = blow
  const { state, since, sightings } = standing
  if (state === 'ISOLATED') return standing
  if (state === 'MISCONFIGURED') return longer(standing, blow)
  if ((state === 'RECOVERING' || state === 'DOWN') && evidence.startedAt < since) return standing
  if (evidence.startedAt < standing.lastOkStartedAt) return standing
  const needed = row.sightings ?? 1
  const next = { ...standing, sightings: sightings + 1 }
  const isConfirmed = next.sightings >= needed || state === 'RECOVERING'
  if (isConfirmed && !rules.isFrozen) {
    // Where the door opens and only the model refuses, the key is good for the others.
    const isAtDoor = evidence.depth <= row.acquits || needed === 1
    return misconfigured(next, kind, isAtDoor ? domainOf(blow) : 'deployment', now)
  }
  if (state === 'DOWN') return stillDown(next, blow)
  const blames = withBlame(next.blames, evidence, kind, scoreOf(standing, blow))
  if (state === 'SATURATED' || state === 'RECOVERING') return { ...next, blames }
  return doubted({ ...next, blames }, kind, now)
}

/** It works, but slowly, under another name, or with wrong answers. */
function odd(standing: Standing, { evidence, kind, row, now, rules }: Blow): Standing {
  const { state, misses } = standing
  // One wrong answer may be chance.
  if (row.sightings !== undefined && misses + 1 < row.sightings) return { ...standing, misses: misses + 1 }
  const isSlow = kind === 'slow'
  const next = isSlow
    ? { ...standing, slowBits: withSample(standing.slowBits, true) }
    : { ...standing, degraded: kind }
  if (evidence.source === 'peer' || (state !== 'HEALTHY' && state !== 'DEGRADED')) return next
  const judged = isSlow ? { ...next, ...soft(next, now, rules) } : next
  return { ...settled(judged, now), blames: standing.blames }
}
