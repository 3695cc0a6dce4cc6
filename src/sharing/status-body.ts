import type { JsonObject } from '../core/json.ts'
import { leaseOf } from './lease.ts'
import type { Replica } from './replica.ts'
import type { MeetingPlace } from '../core/meeting-place.ts'

/** What the page is made of. */
export interface StatusInputs {
  readonly place: MeetingPlace | undefined
  readonly replica: Pick<Replica, 'status'> | undefined
  readonly probeTimeoutMs: number
  readonly intervalMs: number
}

/** `GET /health/shared-status`: LiteLLM's members first, by its names and in its units, then ours. */
export function statusBody({ place, replica, probeTimeoutMs, intervalMs }: StatusInputs): JsonObject {
  if (place === undefined)
    return { shared_health_check_enabled: false, message: 'Shared health check is not enabled' }
  if (replica === undefined)
    return {
      shared_health_check_enabled: true,
      redis_available: false,
      message: 'Redis is not configured',
    }
  const { kind, self, phase, isUp, replicas, identities, looker, newest, counts } = replica.status()
  return {
    shared_health_check_enabled: true,
    status: {
      pod_id: self,
      redis_available: kind === 'redis' && isUp,
      lock_ttl: leaseOf(probeTimeoutMs).leaseMs / 1000,
      cache_ttl: intervalMs / 1000,
      lock_owner: looker ?? null,
      lock_in_progress: looker !== undefined,
      cache_available: newest !== undefined,
      ...(newest && { cache_age_seconds: newest.ageMs / 1000, last_checked_by: newest.by }),
      ...(phase === 'alone' && { error: `${kind} does not answer; checks go on without it` }),
      backend: kind,
      backend_available: isUp,
      phase,
      replicas: replicas.length,
      replica_ids: [...replicas],
      identities,
      claims_granted: counts.granted,
      claims_refused: counts.refused,
      claims_too_late: counts.late,
      commits: counts.committed,
      commits_refused: counts.superseded,
      notes_sent: counts.told,
      rows_taken_over: counts.taken,
      full_reads: counts.reads,
      failures: counts.failed,
    },
  }
}
