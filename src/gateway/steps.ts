import { atTurnEnd } from '../core/turn-end.ts'

/** Puts off what is to be done for one request to the end of this turn of the event loop. */
export type Step = (act: () => void) => void

/**
 * What is done for all requests of one turn of the event loop together, one step after the other: what it takes of the
 * program is then in the caches but for the first of them.
 */
export interface Steps {
  /** A request that was read is sent on its way. */
  readonly begin: Step
  /** An answer that is whole is sent to its client. */
  readonly finish: Step
}

/** Steps of their own for one gateway. */
export function createSteps(): Steps {
  return { begin: atTurnEnd(), finish: atTurnEnd() }
}
