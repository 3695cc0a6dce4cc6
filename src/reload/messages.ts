import type { Config } from '../config/config.ts'
import type { Problem } from '../config/problem.ts'
import type { Deployment } from '../core/deployment.ts'
import type { FileSums } from '../read-config.ts'
import type { Printed } from './prints.ts'

/** What the thread that reads a config is started with. */
export interface ReadOrder {
  readonly path: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Sent to it when it has begun: what is known already need not be sent back. */
export interface KnownDeployments {
  /** `Printed.whole` of each. */
  readonly wholes: readonly string[]
}

/** A config without what is sent in pieces. Secrets in it are packed. */
export type ConfigHead = Omit<Config, 'deployments' | 'secrets'>

/** A deployment that is known at this index, or a packed one. */
export interface SentDeployment {
  readonly printed: Printed
  readonly known?: number
  readonly deployment?: Deployment
}

/** What the thread sends, in this order; a config that is refused has neither head nor deployments. */
export type ReadMessage =
  | {
      readonly kind: 'read'
      readonly problems: readonly Problem[]
      readonly files: FileSums
      readonly head?: ConfigHead
    }
  | { readonly kind: 'secrets'; readonly values: readonly string[] }
  | { readonly kind: 'deployments'; readonly sent: readonly SentDeployment[] }
  | { readonly kind: 'done' }
