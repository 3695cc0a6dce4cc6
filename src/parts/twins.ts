import type { MeetingPlace } from '../core/meeting-place.ts'
import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { JsonObject } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import type { HealthChecks } from '../health/checks.ts'
import type { EngineRuleSet } from '../health/engine-rules.ts'
import type { HealthSettings } from '../health/settings.ts'
import { addressOf, type LineOrProblem } from '../health/subject.ts'
import { openReplica, type Meeting } from '../sharing/open.ts'
import type { Replica } from '../sharing/replica.ts'
import { statusBody } from '../sharing/status-body.ts'

/** What a gateway brings to its replicas. */
export interface TwinsDeps {
  /** Where they are met; undefined: nowhere. */
  readonly meeting: Meeting | undefined
  readonly place: MeetingPlace | undefined
  readonly deployments: readonly Deployment[]
  readonly lines: (index: number) => LineOrProblem
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly settings: HealthSettings
  readonly engineRules: EngineRuleSet
  readonly engine: () => HealthChecks['engine']
}

/** A gateway among others of its kind, and what it says of that. */
export interface Twins {
  /** Undefined: there are no others. */
  readonly replica: Replica | undefined
  readonly sharedStatus: () => JsonObject
}

/** Joins a gateway to those that look at the same deployments, where there is a place to meet. */
export function createTwins(deps: TwinsDeps): Twins {
  const { intervalMs } = deps.engineRules.look
  const { probeTimeoutMs } = deps.settings
  const replica = openReplica({
    ...deps,
    probeTimeoutMs,
    intervalMs,
    baseOf: ({ index }) => addressOf(deps.lines(index)),
  })
  const about = { place: deps.place, probeTimeoutMs, intervalMs, replica }
  return { replica, sharedStatus: () => statusBody(about) }
}
