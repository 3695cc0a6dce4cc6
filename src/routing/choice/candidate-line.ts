import { shortId, type Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { ResolveModel } from '../../core/resolve.ts'
import type { LineOrProblem } from '../../health/subject.ts'
import type { Line } from '../../providers/call.ts'
import { isReadToConnect } from '../../providers/registry.ts'
import { redactWith, withClientConnection } from './client-connection.ts'
import type { ClientConnection } from './client-connection.ts'
import { fillWildcards } from './directory.ts'
import type { Candidate } from './directory.ts'
import { refuse, unknownModel } from '../request/request.ts'

/** What lines are found with. */
export interface LineDeps {
  /** By `Deployment.index`, opened once. */
  readonly lines: (index: number) => LineOrProblem
  /** For a deployment derived for one request. */
  readonly openLine: (deployment: Deployment) => LineOrProblem
  /** For one whose model a client has named, as others may again: see `rememberedLines`. */
  readonly openNamed: (deployment: Deployment) => LineOrProblem
  readonly resolve: ResolveModel
}

/**
 * The line of a candidate, with a wildcard's model filled in. `route` and `asked` are for the words of a refusal;
 * `connection` is what a client brings along for this one request.
 * @throws GatewayError none_available where it cannot be called, bad_request where what a client has named is no model
 */
export function candidateLine(
  deps: LineDeps,
  route: string,
  asked: string,
  { deployment, captures }: Candidate,
  connection?: ClientConnection,
): Line {
  const named = captures === undefined ? deployment : filled(deps, route, deployment, captures, asked)
  const opened =
    connection !== undefined
      ? deps.openLine(withClientConnection(named, connection))
      : named === deployment
        ? deps.lines(deployment.index)
        : deps.openNamed(named)
  if ('misconfigured' in opened) {
    const message = `${deployment.group} (${shortId(deployment.id)}): ${opened.misconfigured.message}`
    // Where the deployment itself is in order, it is the name that is not.
    if (named !== deployment && 'line' in deps.lines(deployment.index)) throw refuse(message, 'model')
    throw new GatewayError('none_available', message, { source: 'gateway' })
  }
  const { line } = opened
  const model = fillWildcards(line.target.model, captures)
  if (connection !== undefined)
    return { ...line, target: { ...line.target, model }, redact: redactWith(line.redact, connection) }
  return model === line.target.model ? line : { ...line, target: { ...line.target, model } }
}

/**
 * A wildcard's deployment as it would be written for the model asked for, where that says more than the model: whose it is
 * (`model: "*"` takes any provider's), or what the provider reads before it knows where to send anything.
 */
function filled(
  { resolve }: LineDeps,
  route: string,
  deployment: Deployment,
  captures: readonly string[],
  asked: string,
): Deployment {
  const { mode } = deployment
  const model = fillWildcards(deployment.model, captures)
  if (deployment.model.startsWith('*')) {
    const { provider, upstreamModel, catalogueMode = mode, problem } = resolve(model, {})
    if (problem !== undefined) throw unknownModel({ route }, asked)
    return { ...deployment, model, provider, upstreamModel, mode: catalogueMode }
  }
  const { provider } = deployment
  const upstreamModel = fillWildcards(deployment.upstreamModel, captures)
  if (!isReadToConnect(provider, upstreamModel)) return deployment
  const { catalogueMode = mode } = resolve(model, { customProvider: provider })
  return { ...deployment, model, upstreamModel, mode: catalogueMode }
}

/** So many are remembered; the one that was needed longest ago goes first. */
const MOST_NAMED = 256

/** Opens lines of deployments whose model a client has named, each once while it is asked for. */
export function rememberedLines(open: LineDeps['openLine'], most = MOST_NAMED): LineDeps['openNamed'] {
  const known = new Map<string, LineOrProblem>()
  return (deployment) => {
    const key = `${deployment.index} ${deployment.model}`
    const opened = known.get(key) ?? open(deployment)
    known.delete(key)
    // What is wrong with it may be put right: a file that is not there yet.
    if ('line' in opened) known.set(key, opened)
    const [oldest] = known.keys()
    if (known.size > most && oldest !== undefined) known.delete(oldest)
    return opened
  }
}
