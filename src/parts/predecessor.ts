import type { Deployment } from '../core/deployment.ts'
import { through, wasAt, type Was } from '../core/was.ts'
import type { LineOrProblem } from '../health/subject.ts'
import type { CredentialsByTransport } from '../providers/auth/credentials.ts'
import { isSameLine } from '../providers/call.ts'
import type { Elders, Ledger } from '../routing/choice/ledger.ts'
import type { Transports } from '../transport/transports.ts'

/** What the parts of one config go on with of those before. */
export interface PartsBefore {
  readonly transports: Transports
  readonly credentials: CredentialsByTransport
  readonly lines: (index: number) => LineOrProblem
  readonly ledger: Ledger
  readonly elders: Elders
}

/** The parts of the config before, and who of it is still there. */
export interface Predecessor {
  readonly parts: PartsBefore
  readonly was: Was
  /** Connections go the same way as before. */
  readonly isSameNetwork: boolean
  /** The environment says the same as before, so that what is written the same is the same. */
  readonly isSameEnv: boolean
}

/** So many lines are opened in one step. */
const LINES_A_STEP = 100

/**
 * Opens every line, and tells who is called as before: of those that the config says the same of, some may have got
 * another key or address from the environment.
 */
export function* openAll(
  deployments: readonly Deployment[],
  lines: (index: number) => LineOrProblem,
  { was, isSameEnv, parts }: Predecessor,
): Generator<undefined, Was> {
  const places = new Int32Array(deployments.length).fill(-1)
  for (const { index } of deployments) {
    const line = lines(index)
    const earlier = was(index)
    if (earlier !== undefined && (isSameEnv || isSameOpened(line, parts.lines(earlier))))
      places[index] = earlier
    if (index % LINES_A_STEP === LINES_A_STEP - 1) yield
  }
  return wasAt(places)
}

function isSameOpened(one: LineOrProblem, other: LineOrProblem): boolean {
  if ('line' in one && 'line' in other) return isSameLine(one.line, other.line)
  return !('line' in one || 'line' in other)
}

/** The ledgers before, by the places of now. */
export function eldersOf({ ledger, elders }: PartsBefore, was: Was): Elders {
  return [{ ledger, was }, ...elders.map((elder) => ({ ledger: elder.ledger, was: through(was, elder.was) }))]
}
