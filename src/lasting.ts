import { randomBytes } from 'node:crypto'
import type { Clock } from './core/clock.ts'
import type { ConfigBook } from './core/config-status.ts'
import type { Deployment } from './core/deployment.ts'
import { createSeal } from './core/seal.ts'
import { Secret } from './core/secret.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createRecentLag, type RecentLag } from './metrics/recent-lag.ts'
import { createModelBook, type ModelBook } from './providers/model-facts.ts'
import { createSessionKeys, type SessionKeys } from './routing/realtime/session-keys.ts'

/** What a gateway has whatever its config says, and keeps when another one is taken. */
export interface Lasting {
  readonly metrics: Metrics
  /** To be told of the event loop's lag. */
  readonly lag: RecentLag
  readonly book: ModelBook
  readonly nextRequest: () => number
  /** Keys that were given stay good for as long as the master key stays. */
  readonly sessionKeysFor: (masterKey: Secret | undefined) => SessionKeys
  /** Which config is served with, and what became of later ones. */
  readonly config: ConfigBook
  /** By `Clock.elapsed`. */
  readonly startedAt: number
}

/** Makes what lasts. */
export function createLasting(
  deployments: readonly Deployment[],
  deps: { readonly clock: Clock; readonly droppedLogLines?: () => number },
  config: ConfigBook,
): Lasting {
  let requests = 0
  // Without a master key nobody is kept out, and the keys are this process's own.
  const own = new Secret(randomBytes(32).toString('hex'))
  let given: { readonly masterKey: string | undefined; readonly keys: SessionKeys } | undefined
  return {
    metrics: createMetrics({
      deployments,
      memory: () => process.memoryUsage(),
      droppedLogLines: deps.droppedLogLines ?? (() => 0),
      config,
    }),
    lag: createRecentLag(),
    book: createModelBook(),
    nextRequest: () => (requests += 1),
    sessionKeysFor: (masterKey) => {
      if (given === undefined || given.masterKey !== masterKey?.reveal()) {
        const seal = createSeal(masterKey ?? own, 'realtime session', randomBytes)
        given = { masterKey: masterKey?.reveal(), keys: createSessionKeys(seal, deps.clock) }
      }
      return given.keys
    },
    config,
    startedAt: deps.clock.elapsed(),
  }
}
