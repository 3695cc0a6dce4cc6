import type { Clock } from '../core/clock.ts'
import type { ConfigStatus } from '../core/config-status.ts'
import type { Deployment } from '../core/deployment.ts'
import type { GatewayError } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Redact } from '../core/secret.ts'
import type { GeneralSettings } from '../config/config.ts'
import type { Board } from '../health/board.ts'
import type { HealthChecks } from '../health/checks.ts'
import type { History } from '../health/history/history.ts'
import type { TestConnection } from '../health/connection-test.ts'
import type { LineOrProblem } from '../health/subject.ts'
import type { Directory } from '../routing/choice/directory.ts'
import type { Objects } from '../routing/objects/objects.ts'
import type { PassThrough } from '../routing/pass-through/pass-through.ts'
import type { RealtimeCalls } from '../routing/realtime/calls.ts'
import type { RealtimeKeys } from '../routing/realtime/keys.ts'
import type { RealtimeRelay } from '../routing/realtime/realtime.ts'
import type { Relay } from '../routing/relay.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Steps } from './steps.ts'
import type { RequestReport } from './request-report.ts'
import type { SessionKeys } from '../routing/realtime/session-keys.ts'

/** The settings that the HTTP face acts on. */
export type GatewaySettings = Pick<
  GeneralSettings,
  | 'masterKey'
  | 'isMasterKeyUnset'
  | 'healthCheckDetails'
  | 'allowPublicReadinessDetails'
  | 'allowRequestsOnDbUnavailable'
  | 'drainTimeoutMs'
  | 'maxInFlight'
  | 'maxRequestBytes'
  | 'logSuccessSample'
  | 'moderationModel'
  | 'clientHeadersTimeoutMs'
  | 'clientRequestTimeoutMs'
>

/** The addresses that a name stands for here, in the system's order. Rejects with the system's error. */
export type AddressesOf = (host: string) => Promise<readonly string[]>

/** What the HTTP face is built from. */
export interface GatewayDeps {
  readonly deployments: readonly Deployment[]
  readonly directory: Directory
  readonly board: Pick<Board, 'health' | 'version' | 'isIsolated' | 'onChange'>
  readonly checks: Pick<HealthChecks, 'read' | 'views' | 'operator'>
  /** Tries deployments that stand in no config. */
  readonly connectionTest: {
    readonly resolve: ResolveModel
    /** To be over before a line of it is opened. */
    readonly prepare: (deployment: Deployment) => Promise<void>
    readonly test: TestConnection
    /** `isConfigured`: it goes where the config sends it, and may use what the environment holds for that. */
    readonly openLine: (deployment: Deployment, isConfigured: boolean) => LineOrProblem
  }
  readonly history: Pick<History, 'read' | 'status' | 'database'>
  /** What this gateway shares with its replicas, in LiteLLM's form; from memory. */
  readonly sharedStatus: () => JsonObject
  /** The models that are asked where a group, by any of these names, has failed; nearest first. */
  readonly fallbacksOf: (names: readonly string[]) => readonly string[]
  readonly relay: Relay
  readonly realtime: RealtimeRelay
  readonly metrics: Pick<Metrics, 'begun' | 'finished' | 'spent' | 'refused' | 'page'>
  /** Which config is served with; absent: nobody can say. */
  readonly config?: ConfigStatus
  /** `GET /metrics` asks for the key as other routes do. */
  readonly metricsNeedKey: boolean
  readonly realtimeKeys: RealtimeKeys
  readonly realtimeCalls: RealtimeCalls
  readonly sessionKeys: Pick<SessionKeys, 'read'>
  readonly objects: Objects
  readonly passThrough: PassThrough
  readonly settings: GatewaySettings
  readonly redact: Redact
  readonly log: Log
  readonly clock: Clock
  /** Our own version, `x-pulsegate-version`. */
  readonly version: string
  /** A new id for a request that brings none; random, never twice. */
  readonly newCallId: () => string
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Where `localhost` is; absent: as the system says. */
  readonly addressesOf?: AddressesOf
}

/** The HTTP face, running or ready to. */
export interface Gateway {
  /** @throws the system's error, with its `code` (EADDRINUSE, EACCES, …), where the address cannot be had */
  listen(host: string, port: number): Promise<{ readonly url: string }>
  /** Readiness is 503 from now on; everything else is served as before. */
  drain(): void
  /**
   * Refuses new requests with a 503 and resolves when the last of the earlier ones is over; until then the listener
   * stays, and liveness is answered. What still runs after the drain timeout is ended with an error of its own.
   */
  close(): Promise<void>
  /**
   * Gets ready to serve with another config's parts. What it gives swaps them in: requests that come from then on meet
   * these, earlier ones end as they began, and who follows the events is sent away, to come back to the new ones. The
   * listener and its connections stay as they are.
   */
  renew(deps: GatewayDeps): Promise<() => Earlier>
  /** Requests that are being answered now. */
  readonly inFlight: () => number
  /** Requests that have come in so far. */
  readonly begun: () => number
}

/** Requests that began under a config that is no longer served with. */
export interface Earlier {
  /** Settles when the last of them is over. */
  readonly over: Promise<void>
  inFlight(): number
  /** Ends those that still run with an error of their own. */
  end(reason: GatewayError): void
}

/** What routes ask of the server that they are part of. */
export interface RouteContext extends GatewayDeps {
  readonly isDraining: () => boolean
  readonly report: RequestReport
  readonly steps: Steps
}
