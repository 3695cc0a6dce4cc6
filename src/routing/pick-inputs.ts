import type { Clock } from '../core/clock.ts'
import type { LineOrProblem } from '../health/subject.ts'
import type { HealthLink } from './evidence.ts'
import type { LimitWait } from './limits.ts'
import type { PickInputs } from './pick.ts'
import type { Strategy } from './strategy.ts'

/** Where what a choice looks at comes from. */
export interface PickDeps {
  readonly lines: (index: number) => LineOrProblem
  readonly health: HealthLink
  readonly clock: Pick<Clock, 'elapsed'>
  readonly limitMs?: LimitWait
  readonly strategy?: Strategy | undefined
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** What a choice among the candidates is made from. */
export function pickInputs({ lines, health, clock, limitMs, strategy, random }: PickDeps): PickInputs {
  return {
    choices: health.engine.choices,
    now: () => clock.elapsed(),
    problem: (index) => {
      const opened = lines(index)
      return 'misconfigured' in opened ? opened.misconfigured : undefined
    },
    ...(limitMs !== undefined && { limitMs }),
    strategy,
    random,
  }
}

/** The same for a client that brings its own connection: its health and its limits nobody here knows. */
export function ownPickInputs(deps: PickDeps): PickInputs {
  const { limitMs: _, ...rest } = pickInputs(deps)
  return { ...rest, choices: undefined }
}
