import type { ConfigStatus } from '../core/config-status.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { LITELLM_VERSION } from '../core/version.ts'

/** What readiness is told; each fact is looked up by its owner. */
export interface ReadinessFacts {
  /** `serving` once the config is loaded and the listener bound, until we drain. */
  readonly phase: 'starting' | 'serving' | 'draining'
  readonly database: DatabaseFact
  /** The kind of cache that works now; null while none does. */
  readonly cache: string | null
  /** Names of the callbacks that are really active. */
  readonly successCallbacks: readonly string[]
  /** `allow_public_health_readiness_details`: only a written `false` hides the details. */
  readonly publicDetails?: boolean
  /** `allow_requests_on_db_unavailable`: only a written `false` makes an unreachable database fatal. */
  readonly serveWithoutDatabase?: boolean
}

/** How the configured database is. */
export type DatabaseFact =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreachable' }
  /** `checkedAt`: when it last answered, milliseconds since 1970. */
  | { readonly kind: 'connected'; readonly checkedAt: number }

/** A status and its JSON body. */
export interface ReadinessAnswer {
  readonly status: 200 | 503
  readonly body: Readonly<Record<string, Json>>
}

/** GET /health/readiness: open to everybody, so it names no host and no deployment. */
export function readinessBody(facts: ReadinessFacts): ReadinessAnswer {
  if (facts.phase !== 'serving') return notServing(facts.phase)
  if (facts.publicDetails === false)
    return { status: statusOf(facts), body: { status: 'healthy', db: databaseWord(facts) } }
  return { status: statusOf(facts), body: detailsOf(facts) }
}

/** GET /health/readiness/details: behind a key, whatever the open answer hides; and which config is served with. */
export function readinessDetails(
  facts: ReadinessFacts,
  version: string,
  config?: ConfigStatus,
): ReadinessAnswer {
  if (facts.phase !== 'serving') return notServing(facts.phase)
  return {
    status: statusOf(facts),
    body: {
      ...detailsOf(facts),
      pulsegate_version: version,
      ...(config !== undefined && { config: configFacts(config) }),
    },
  }
}

function configFacts(config: ConfigStatus): JsonObject {
  const last = config.lastReload()
  const time = (at: number): string => new Date(at).toISOString()
  return {
    version: config.version() ?? null,
    taken_at: time(config.takenAt()),
    last_reload:
      last === undefined
        ? null
        : {
            at: time(last.at),
            result: last.result,
            ...(last.problem !== undefined && { problem: last.problem }),
          },
  }
}

function notServing(phase: 'starting' | 'draining'): ReadinessAnswer {
  return { status: 503, body: { status: phase === 'starting' ? 'starting' : 'shutting_down' } }
}

function statusOf(facts: ReadinessFacts): 200 | 503 {
  return facts.database.kind === 'unreachable' && facts.serveWithoutDatabase === false ? 503 : 200
}

function detailsOf(facts: ReadinessFacts): ReadinessAnswer['body'] {
  const { database } = facts
  return {
    status: 'connected',
    db: databaseWord(facts),
    cache: facts.cache,
    litellm_version: LITELLM_VERSION,
    success_callbacks: facts.successCallbacks,
    ...(database.kind === 'connected' ? { last_updated: pythonTime(database.checkedAt) } : {}),
  }
}

function databaseWord({ database }: ReadinessFacts): 'connected' | 'Not connected' {
  return database.kind === 'connected' ? 'connected' : 'Not connected'
}

/** UTC as Python's isoformat writes it: six decimals, no zone. */
function pythonTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000')
}
