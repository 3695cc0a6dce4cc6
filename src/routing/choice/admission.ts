import type { GatewayError } from '../../core/failure.ts'
import { tooLong, withRoom } from './context-window.ts'
import type { MaxInputTokens } from './context-window.ts'
import type { Candidate } from './directory.ts'
import type { Need } from '../request/need.ts'
import { choose, noneAvailable } from './pick.ts'
import type { PickInputs } from './pick.ts'
import type { Group } from './plan.ts'

/** Who of a group may be asked at all, and who first; or why nobody. */
export interface Admission {
  readonly group: Group
  readonly first: Candidate | GatewayError
}

/** Takes a request into a group. `maxInputTokens` is there where too long ones are not to be sent. */
export function admit(
  known: Group,
  need: Need,
  inputs: PickInputs,
  maxInputTokens: MaxInputTokens | undefined,
): Admission {
  const { model, candidates } = known
  const fitting = maxInputTokens === undefined ? candidates : withRoom(candidates, need, maxInputTokens)
  if (maxInputTokens !== undefined && fitting.length === 0)
    return { group: known, first: tooLong(model, candidates, need, maxInputTokens) }
  const group = fitting === candidates ? known : { ...known, candidates: fitting }
  return { group, first: choose(fitting, inputs, need) ?? noneAvailable(model, fitting, inputs, need) }
}
