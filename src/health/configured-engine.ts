import type { HealthChecksDeps } from './checks.ts'
import { createEngine } from './engine/engine.ts'
import type { Engine } from './engine/engine.ts'
import { createPurse } from './engine/purse.ts'
import type { Members } from './members.ts'

/** First looks of a small fleet come at once, those of a large one within this, milliseconds. */
const LONGEST_SPREAD_MS = 5_000
const SPREAD_EACH_MS = 5
const LEAST_BURST = 20

/** The engine with what the config says of it. */
export function createConfiguredEngine(
  { deployments, clock, log, engineRules, random, lagMs, purseStart, replica }: HealthChecksDeps,
  { members, slowHosts, mostOfOneKey, keys }: Members,
  { probe, onTransition }: Pick<Parameters<typeof createEngine>[0], 'probe' | 'onTransition'>,
): Engine {
  const { rules, look, purse, admission, hasLastResort } = engineRules
  return createEngine({
    members,
    rules,
    look,
    purse: createPurse(purse, keys, purseStart ?? clock.elapsed()),
    admission: {
      total: admission.total,
      perHost: (host) => (slowHosts.has(host) ? 1 : admission.perHost),
      perCredential: admission.perCredential,
      burst: Math.max(LEAST_BURST, mostOfOneKey),
    },
    spreadMs: Math.min(LONGEST_SPREAD_MS, look.intervalMs / 2, deployments.length * SPREAD_EACH_MS),
    hasLastResort,
    ...(replica && { claims: replica.claims }),
    clock,
    random,
    lagMs,
    probe,
    onTransition,
    onPoison: (request, indexes) =>
      log.warn('poison_request', {
        request,
        model_ids: indexes.map((index) => deployments[index]?.id ?? '').join(' '),
      }),
  })
}
