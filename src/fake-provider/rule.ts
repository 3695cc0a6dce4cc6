import type { JsonObject } from '../core/json.ts'
import type { Mode } from '../core/mode.ts'
import type { Call } from './call.ts'
import type { Step } from './realtime-step.ts'
import type { Reply } from './reply.ts'

/**
 * One habit of a real provider that looks like a fault and is none. Whoever has it is alive: a health check
 * must say so after two requests at most.
 */
export interface Rule {
  /** Ordered as `rule-<name>`. */
  readonly name: string
  /** Whose habit it is. */
  readonly source: string
  /** The deployment that meets this habit: its mode, and `provider/model` as a config writes it. */
  readonly mode: Mode
  readonly model: string
  /** Refuses a call, in the provider's words. */
  readonly refuse?: (call: Call) => Reply | undefined
  /** Changes a JSON success. */
  readonly alter?: (json: JsonObject, call: Call) => JsonObject
  /** Changes how a success is put on the wire. */
  readonly dress?: (reply: Reply) => Reply
  /** Realtime: what comes before `session.created`. */
  readonly before?: readonly Step[]
}
