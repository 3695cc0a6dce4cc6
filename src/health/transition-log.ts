import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { HealthState } from '../core/health.ts'
import type { Log } from '../core/log.ts'
import type { Transition } from './engine/standings.ts'

/** States that somebody should hear of. */
const NEWS: ReadonlySet<HealthState> = new Set(['DOWN', 'MISCONFIGURED', 'SATURATED', 'DEGRADED'])

/** One line for each transition; a first good answer is no news. `error`: what the newest failed call said. */
export function logTransition(
  { log, clock }: { readonly log: Log; readonly clock: Pick<Clock, 'now'> },
  deployment: Deployment,
  { from, to, reason }: Transition,
  error: string | undefined,
): void {
  const isWell = to === 'HEALTHY' || to === 'UNKNOWN' || to === 'RECOVERING'
  const fields = {
    model_id: deployment.id,
    group: deployment.group,
    from,
    to,
    ...(reason !== undefined && !isWell && { reason }),
    ...(error !== undefined && !isWell && { error }),
    since: new Date(clock.now()).toISOString(),
  }
  if (NEWS.has(to)) log.warn('health_changed', fields)
  else if (from === 'UNKNOWN' && to === 'HEALTHY') log.debug('health_changed', fields)
  else log.info('health_changed', fields)
}

/** Says, when it is called, whether our own network has begun to fail or is back: one line for each change. */
export function createIsolationLog(log: Log, isIsolated: () => boolean): () => void {
  let was = false
  return () => {
    const is = isIsolated()
    if (is === was) return
    was = is
    if (is)
      log.warn('self_isolated', {
        message: 'nobody can be reached: our own network fails, and nobody is called down',
      })
    else log.info('self_isolation_over')
  }
}
