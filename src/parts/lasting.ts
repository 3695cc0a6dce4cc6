import { randomBytes, randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { MeetingPlace } from '../core/meeting-place.ts'
import type { ConfigBook } from '../core/config-status.ts'
import { createSeal } from '../core/seal.ts'
import { Secret } from '../core/secret.ts'
import type { History } from '../health/history/history.ts'
import { createMetrics, type Metrics } from '../metrics/metrics.ts'
import { createRecentLag, type RecentLag } from '../metrics/recent-lag.ts'
import { createModelBook, type ModelBook } from '../providers/model-facts.ts'
import { createSessionKeys, type SessionKeys } from '../routing/realtime/session-keys.ts'
import { openMeeting, type Meeting } from '../sharing/open.ts'
import { createPast, type PastDeps } from './past.ts'

/** What a gateway has whatever its config says, and keeps when another one is taken. */
export interface Lasting {
  readonly metrics: Metrics
  /** To be told of the event loop's lag. */
  readonly lag: RecentLag
  readonly book: ModelBook
  readonly nextRequest: () => number
  /** Keys that were given stay good for as long as the master key stays. */
  readonly sessionKeysFor: (masterKey: Secret | undefined) => SessionKeys
  /** What is remembered, of the deployments of one config after the other. */
  readonly history: History
  /** Where other gateways that look at the same deployments are met; undefined: nowhere. */
  readonly meeting: Meeting | undefined
  /** The same as it was configured. */
  readonly place: MeetingPlace | undefined
  /** Which config is served with, and what became of later ones. */
  readonly config: ConfigBook
  /** By `Clock.elapsed`. */
  readonly startedAt: number
}

/** What lasts is made with. */
type LastingDeps = PastDeps & { readonly random: () => number; readonly droppedLogLines?: () => number }

/** Makes what lasts, with what the first config says of it. */
export function createLasting(
  { deployments, general, sharing }: Pick<Config, 'deployments' | 'general' | 'sharing'>,
  deps: LastingDeps,
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
    history: createPast(general.databaseUrl, deps),
    meeting: openMeeting({ place: sharing, clock: deps.clock, random: deps.random, newId: randomUUID }),
    place: sharing,
    config,
    startedAt: deps.clock.elapsed(),
  }
}
