import type { JsonObject } from '../core/json.ts'
import type { Redact } from '../core/secret.ts'
import type { DialRequest } from '../transport/wire.ts'
import type { Target } from './adapter.ts'

/** How a provider opens a realtime session. */
export interface RealtimeFace {
  dial(target: Target): DialRequest
  /** Sent first where the provider waits for the client to speak. */
  readonly opening?: (target: Target) => string
  /** True when this first message proves the session. @throws GatewayError when it is an error */
  proves(message: string): boolean
  /** Present where its sessions are of other words than OpenAI's. Absent: what both sides say is passed on as bytes. */
  readonly translate?: (target: Target, ground: SessionGround) => SessionTranslator
}

/** What a translator knows of its session beside the deployment. */
export interface SessionGround {
  /** The stem of every id that it gives out. */
  readonly sessionId: string
  /** True: the client speaks the events of the beta, of before 2025-08. */
  readonly isBeta: boolean
  /** `drop_params`: what a client settles of its session and this upstream lacks is left out instead of refused. */
  readonly mayDrop: boolean
  /** For what an upstream says of itself. */
  readonly redact: Redact
}

/** What one message comes to, for either side, in order. */
export interface Translated {
  readonly toUpstream: readonly string[]
  readonly toClient: readonly string[]
  /** What something has cost, as OpenAI's `usage` says it, whether or not the client is told. */
  readonly spent?: readonly JsonObject[]
}

/** One session between a client of OpenAI's and an upstream of other words. Does no I/O, never throws, holds no more than it says. */
export interface SessionTranslator {
  /** What the client hears before it has said anything. */
  greeting(): readonly string[]
  fromClient(message: string): Translated
  fromUpstream(message: string): Translated
  /** True while the upstream has not said that it is ready: the client is not to be read then. */
  isWaiting(): boolean
  /** The upstream is over: the last that the client hears. Codes as RFC 6455 has them; a redacted reason. */
  ended(code: number, reason: string): readonly string[]
}
