import { DEPTH } from '../../core/depth.ts'
import { isLook } from '../../core/evidence.ts'
import type { Evidence } from '../../core/evidence.ts'
import { acquits, withoutCleared } from './blame.ts'
import { forgotten, isFlapping, morePermits, recovering, settled, unsaturated } from './moves.ts'
import type { EngineRules } from './rules.ts'
import { NEVER } from './standing.ts'
import type { Standing } from './standing.ts'
import { counted, soft, tookMs, withSample } from './tally.ts'

/** What a success changes. */
export function afterOk(before: Standing, ok: Evidence, now: number, rules: EngineRules): Standing {
  const standing = learnt(before, ok, rules)
  const isWhole = ok.depth >= DEPTH.answer
  const isNews = ok.startedAt >= before.since
  switch (standing.state) {
    case 'UNKNOWN':
    case 'HEALTHY':
    case 'DEGRADED':
      return served(standing, ok, now, rules)
    case 'SUSPECT':
      if (acquits(before, ok)) return settled(standing, now)
      return { ...standing, blames: withoutCleared(standing.blames, ok) }
    case 'SATURATED':
      return isWhole && isNews ? unsaturated(standing, now) : standing
    case 'DOWN':
      return acquits(before, ok) ? recovering(standing, now) : standing
    case 'RECOVERING':
      return isWhole && isNews ? risen(standing, now, rules) : standing
    case 'MISCONFIGURED':
      if (!acquits(before, ok)) return standing
      return isWhole ? settled(standing, now) : forgotten(standing, now)
    case 'ISOLATED':
      return standing
  }
}

/** The later of two proofs stands, in whatever order they come. */
function learnt(standing: Standing, ok: Evidence, rules: EngineRules): Standing {
  const { depth, source, at, startedAt } = ok
  const lastEvidenceAt = Math.max(standing.lastEvidenceAt, at)
  const lastFrontAt = depth >= DEPTH.front ? Math.max(standing.lastFrontAt, at) : standing.lastFrontAt
  const lastProbeAt = isLook(source) ? Math.max(standing.lastProbeAt, at) : standing.lastProbeAt
  if (depth < DEPTH.answer) return { ...standing, lastEvidenceAt, lastFrontAt, lastProbeAt }
  const isTraffic = source === 'traffic'
  const counts = isTraffic ? counted(standing, at, 0, rules) : standing
  // One object, field by field: this runs at each answer, and a second spread is ten times as slow.
  return {
    ...standing,
    lastEvidenceAt,
    lastFrontAt,
    lastProbeAt,
    lastTrafficAt: counts.lastTrafficAt,
    gapMs: counts.gapMs,
    halfAt: counts.halfAt,
    requests: counts.requests,
    failures: counts.failures,
    requestsBefore: counts.requestsBefore,
    failuresBefore: counts.failuresBefore,
    tookMs: isTraffic ? tookMs(standing, at - startedAt) : standing.tookMs,
    lastOkAt: Math.max(standing.lastOkAt, at),
    lastOkStartedAt: Math.max(standing.lastOkStartedAt, startedAt),
    slowBits: isTraffic ? withSample(standing.slowBits, ok.isSlow === true) : standing.slowBits,
    degraded: standing.degraded === 'wrong_model' && !isTraffic ? 'no' : standing.degraded,
    strikes: standing.state === 'SATURATED' ? standing.strikes : 0,
    overloadedSince: NEVER,
    sightings: 0,
    idleLooks: isLook(source) ? standing.idleLooks + 1 : 0,
  }
}

/** One more success of a deployment that serves. */
function served(standing: Standing, ok: Evidence, now: number, rules: EngineRules): Standing {
  if (ok.depth < DEPTH.answer) return standing
  const { degraded, calmSince } = soft(standing, now, rules)
  const { state, blames } = standing
  const isSame = degraded === 'no' ? state === 'HEALTHY' : state === 'DEGRADED'
  const isTrusted = standing.permits === Number.POSITIVE_INFINITY
  if (isSame && isTrusted && blames.length === 0 && calmSince === standing.calmSince) return standing
  const permits = ok.source === 'traffic' ? morePermits(standing.permits) : standing.permits
  const next = { ...standing, degraded, calmSince, permits }
  const isClear = blames.length === 0 || acquits(standing, ok)
  return isSame && !isClear ? next : { ...settled(next, now), ...(isClear ? {} : { blames }) }
}

function risen(standing: Standing, now: number, rules: EngineRules): Standing {
  const isFrail = isFlapping(standing, now, rules)
  const rises = standing.rises + 1
  if (rises < (isFrail ? rules.riseFlapping : rules.rise))
    return { ...standing, rises, blames: [], permits: morePermits(standing.permits) }
  return { ...settled(standing, now), rises, waits: 0, permits: Number.POSITIVE_INFINITY }
}
