import type { Depth } from '../../core/depth.ts'
import type { FailureKind } from '../../core/failure.ts'
import { FAILURE_KINDS } from '../../core/failure.ts'
import { HEALTH_STATES } from '../../core/health.ts'
import type { HealthState } from '../../core/health.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { createStanding } from './standing.ts'
import type { Blame, Standing } from './standing.ts'

/** Written for a number that JSON has no word for; `NEVER` is null. */
const FOREVER = 'forever'
/** These are moments; they are kept as ages, for the next process counts its time from another start. */
const MOMENTS = [
  'since',
  'until',
  'lastOkAt',
  'lastOkStartedAt',
  'lastFrontAt',
  'lastEvidenceAt',
  'lastProbeAt',
  'lastTrafficAt',
  'halfAt',
  'calmSince',
  'lastGoldenAt',
  'overloadedSince',
  'downSince',
  'slowStartAt',
  'penaltyAt',
] as const
const NUMBERS = [
  'waits',
  'idleLooks',
  'gapMs',
  'tookMs',
  'requests',
  'failures',
  'requestsBefore',
  'failuresBefore',
  'slowBits',
  'misses',
  'strikes',
  'sightings',
  'rises',
  'permits',
  'penalty',
] as const
const DOMAINS = ['host', 'credential', 'deployment'] as const
const SOURCES = ['traffic', 'probe', 'replica', 'peer'] as const

/**
 * A standing as plain JSON, its moments as ages at `now`. What follows another deployment's verdict is kept as unknown:
 * that one's verdict will be carried to it again.
 */
export function toPlain(standing: Standing, now: number): JsonObject {
  const plain: Record<string, Json> = {
    state: standing.isFollower ? 'UNKNOWN' : standing.state,
    reason: standing.isFollower ? 'not_checked_yet' : (standing.reason ?? null),
    previous: standing.previous,
    domain: standing.isFollower ? 'deployment' : standing.domain,
    degraded: standing.degraded,
    blames: standing.blames.map(({ startedAt, ...blame }) => ({
      ...blame,
      startedAt: written(now - startedAt),
    })),
  }
  for (const name of MOMENTS) plain[name] = written(now - standing[name])
  for (const name of NUMBERS) plain[name] = written(standing[name])
  return plain
}

function written(value: number): Json {
  if (value === Number.POSITIVE_INFINITY) return FOREVER
  return value === Number.NEGATIVE_INFINITY ? null : value
}

/** Reads what `toPlain` wrote; what is not of its form is a deployment of which nothing is known. */
export function fromPlain(plain: unknown, now: number): Standing {
  const fresh = createStanding(now)
  if (!isJsonObject(plain)) return fresh
  const state = oneOf(HEALTH_STATES, plain['state'])
  const blames = Array.isArray(plain['blames']) ? plain['blames'].map((blame) => readBlame(blame, now)) : []
  if (state === undefined || blames.includes(undefined)) return fresh
  const numbers: Partial<Record<(typeof MOMENTS)[number] | (typeof NUMBERS)[number], number>> = {}
  for (const name of MOMENTS) {
    const age = readNumber(plain[name])
    if (age === undefined) return fresh
    numbers[name] = now - age
  }
  for (const name of NUMBERS) {
    const value = readNumber(plain[name])
    if (value === undefined) return fresh
    numbers[name] = value
  }
  const { reason: _, ...unknown } = fresh
  const known = { ...unknown, ...numbers, ...words(plain, state) }
  return { ...known, blames: blames.filter((blame) => blame !== undefined) }
}

function words(plain: JsonObject, state: HealthState) {
  const reason = oneOf(FAILURE_KINDS, plain['reason'])
  return {
    state,
    previous: oneOf(HEALTH_STATES, plain['previous']) ?? 'UNKNOWN',
    domain: oneOf(DOMAINS, plain['domain']) ?? 'deployment',
    degraded: oneOf<FailureKind>(FAILURE_KINDS, plain['degraded']) ?? 'no',
    ...(reason !== undefined && { reason }),
  } as const
}

function readBlame(plain: unknown, now: number): Blame | undefined {
  if (!isJsonObject(plain)) return undefined
  const kind = oneOf(FAILURE_KINDS, plain['kind'])
  const source = oneOf(SOURCES, plain['source'])
  const score = readNumber(plain['score'])
  const age = readNumber(plain['startedAt'])
  const request = readNumber(plain['request'])
  const prompt = readNumber(plain['prompt'])
  if (kind === undefined || source === undefined || score === undefined || age === undefined) return undefined
  if (request === undefined || prompt === undefined) return undefined
  const acquits = oneOf<Depth>([0, 1, 2, 3, 4, 5], plain['acquits'])
  return {
    kind,
    source,
    score,
    startedAt: now - age,
    request,
    prompt,
    ...(acquits !== undefined && { acquits }),
    isPoison: plain['isPoison'] === true,
  }
}

function readNumber(value: unknown): number | undefined {
  if (value === FOREVER) return Number.POSITIVE_INFINITY
  if (value === null) return Number.NEGATIVE_INFINITY
  return typeof value === 'number' ? value : undefined
}

function oneOf<Word extends string | number>(words: readonly Word[], value: unknown): Word | undefined {
  return words.find((word) => word === value)
}
