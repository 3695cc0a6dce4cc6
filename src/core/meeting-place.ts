import type { Secret } from './secret.ts'

/** Where a Redis is. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: Secret
  readonly db: number
  readonly isTls: boolean
  /** Stands before every key: several fleets can use one Redis. */
  readonly namespace: string
}

/** Where replicas meet to share their checks. */
export type MeetingPlace =
  | ({ readonly kind: 'redis' } & RedisAddress)
  | { readonly kind: 'postgres'; readonly url: Secret }
  /** Asked for, and there is neither. */
  | { readonly kind: 'missing' }
