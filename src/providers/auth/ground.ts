import type { Secret } from '../../core/secret.ts'
import type { Transport } from '../../transport/wire.ts'
import type { AwsKeys } from './sigv4.ts'

/** What an authorizer may ask the world. */
export interface AuthGround {
  /** For tokens; every call needs its deadline. */
  readonly transport: Pick<Transport, 'send'>
  /** Wall time, milliseconds. */
  readonly now: () => number
  /** Those of all deployments that share this transport and this environment. */
  readonly credentials: Credentials
}

/** What services hand out to those who prove who they are: by credential, whoever sends it. */
export interface Credentials {
  readonly tokens: Shares<string>
  readonly awsKeys: Shares<AwsKeys>
}

/** One source a credential, for all who have the same. */
export interface Shares<Value> {
  /** `id` stands for everything that makes the credential what it is, and shows nothing of it. */
  of(id: string, fetch: Fetch<Value>): Source<Value>
}

/** Asks whoever hands it out. @throws GatewayError as a rejection */
export type Fetch<Value> = (ground: AuthGround) => Promise<Granted<Value>>

/** What a service handed out. */
export interface Granted<Value> {
  readonly value: Value
  /** What of it must not be shown. */
  readonly secrets: readonly Secret[]
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  /** Infinity: it holds for good. */
  readonly expiresAt: number
}

/** Hands out one token after the other. */
export interface Source<Value> {
  /**
   * The token itself where a good one is held, else a promise of one.
   * @throws GatewayError (as a rejection) where none is to be had
   */
  get(ground: AuthGround): Value | Promise<Value>
  /** What may still be under way somewhere; another list whenever there are others. */
  freshSecrets(): readonly Secret[]
}
