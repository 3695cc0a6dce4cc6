import type { FaultDomain } from '../../core/depth.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { isUnhealthy } from './eligibility.ts'
import type { FaultDomains } from './fault-domains.ts'
import { fromPlain, toPlain } from './plain-standing.ts'
import type { EngineRules } from './rules.ts'
import { NEVER } from './standing.ts'
import type { Standing } from './standing.ts'

/** What was saved of one deployment, and how long ago. */
export interface SavedStanding {
  /** What `saveStanding` wrote; anything else is passed over. */
  readonly plain: unknown
  /** Milliseconds; 0 where one engine hands over to the next in the same process. */
  readonly ageMs: number
}

/** What restoring needs of the book. */
export interface RestoreDeps {
  readonly domains: FaultDomains
  readonly rules: EngineRules
  /** Good news older than this is none, milliseconds. */
  readonly freshMs: number
  readonly get: (index: number) => Standing
  readonly adopt: (index: number, standing: Standing) => void
  /** Carries the verdict of one to all that share its host or key. */
  readonly lead: (index: number, before: Standing, after: Standing) => void
}

const SHARED: ReadonlySet<FaultDomain> = new Set(['host', 'credential'])

/** A standing as plain JSON, for the next process or the next engine; undefined where nothing is known. */
export function saveStanding(standing: Standing, now: number): JsonObject | undefined {
  if (standing.state === 'UNKNOWN' && standing.lastEvidenceAt === NEVER) return undefined
  const { isFollower, isReleased } = standing
  if (!isFollower || isReleased) return toPlain(standing, now)
  return { ...toPlain({ ...standing, isFollower: false }, now), follows: true }
}

/**
 * Takes over what was saved, wherever nothing has been learned since; gives the indexes. Those that found a host or a
 * key to be dead come first: whoever follows a verdict keeps it only where its finder is here too.
 */
export function restoreStandings(
  deps: RestoreDeps,
  saved: ReadonlyMap<number, SavedStanding>,
  now: number,
): readonly number[] {
  const { domains, get, adopt } = deps
  const restored: number[] = []
  const leads: { readonly index: number; readonly before: Standing; readonly after: Standing }[] = []
  const followers: { readonly index: number; readonly standing: Standing }[] = []
  for (const [index, { plain, ageMs }] of saved) {
    const before = get(index)
    const standing = fromPlain(plain, now - Math.max(ageMs, 0))
    if (!isBlank(before) || isBlank(standing) || !isFresh(standing, now, deps)) continue
    if (isJsonObject(plain) && plain['follows'] === true) {
      followers.push({ index, standing: { ...standing, isFollower: true } })
      continue
    }
    adopt(index, standing)
    restored.push(index)
    const { domain, state } = standing
    if (!isUnhealthy(state) || !SHARED.has(domain)) continue
    domains.appoint(domain, index)
    leads.push({ index, before, after: standing })
  }
  for (const { index, standing } of followers) {
    const finder = domains.representative(standing.domain, index)
    if (finder === undefined || get(finder).state !== standing.state) continue
    adopt(index, standing)
    restored.push(index)
  }
  for (const { index, before, after } of leads) deps.lead(index, before, after)
  return restored
}

function isBlank({ state, lastEvidenceAt }: Standing): boolean {
  return state === 'UNKNOWN' && lastEvidenceAt === NEVER
}

/** A bad verdict lives as long as it would have lived without a restart. */
function isFresh({ state, since, lastEvidenceAt, until }: Standing, now: number, deps: RestoreDeps): boolean {
  switch (state) {
    case 'SATURATED':
    case 'ISOLATED':
      return until > now
    case 'DOWN':
    case 'SUSPECT':
    case 'MISCONFIGURED':
      return now - Math.max(since, lastEvidenceAt) < deps.rules.forgetMs
    case 'HEALTHY':
    case 'DEGRADED':
    case 'RECOVERING':
    case 'UNKNOWN':
      return now - lastEvidenceAt < deps.freshMs
  }
}
