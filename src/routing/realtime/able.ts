import type { LineOrProblem } from '../../health/subject.ts'
import type { Line } from '../../providers/call.ts'
import type { Candidate, Directory } from '../choice/directory.ts'
import { refuse, unknownModel } from '../request/request.ts'

/** What is asked for, and who can do it. */
export interface Ability {
  /** What error sentences start with. */
  readonly route: string
  readonly isAble: (line: Line) => boolean
  /** Why those who cannot cannot. */
  readonly lack: string
}

/**
 * Who answers to the name, without those whose provider cannot do it.
 * @throws GatewayError bad_request (the client's doing) where nobody is left
 */
export function ableCandidates(
  { directory, lines }: { readonly directory: Directory; readonly lines: (index: number) => LineOrProblem },
  model: string,
  { route, isAble, lack }: Ability,
): readonly Candidate[] {
  const known = directory.candidates(model)
  if (known.length === 0) throw unknownModel({ route }, model)
  const able = known.filter(({ deployment }) => {
    const opened = lines(deployment.index)
    // One that cannot be called at all lacks nothing: why it cannot is for `pick` to say.
    return 'misconfigured' in opened || isAble(opened.line)
  })
  if (able.length > 0) return able
  throw refuse(`${route}: model=${model.slice(0, 256)} cannot do this: its provider ${lack}.`, 'model')
}
