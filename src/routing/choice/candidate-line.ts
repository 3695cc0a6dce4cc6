import { shortId, type Deployment } from '../../core/deployment.ts'
import { GatewayError } from '../../core/failure.ts'
import type { ResolveModel } from '../../core/resolve.ts'
import type { LineOrProblem } from '../../health/subject.ts'
import type { Line } from '../../providers/call.ts'
import { redactWith, withClientConnection } from './client-connection.ts'
import type { ClientConnection } from './client-connection.ts'
import { fillWildcards } from './directory.ts'
import type { Candidate } from './directory.ts'
import { unknownModel } from '../request/request.ts'

/** What lines are found with. */
export interface LineDeps {
  /** By `Deployment.index`, opened once. */
  readonly lines: (index: number) => LineOrProblem
  /** For a deployment derived for one request. */
  readonly openLine: (deployment: Deployment) => LineOrProblem
  readonly resolve: ResolveModel
}

/**
 * The line of a candidate, with a wildcard's model filled in. `route` and `asked` are for the words of a refusal;
 * `connection` is what a client brings along for this one request.
 * @throws GatewayError none_available where it cannot be called, bad_request where the name is no model's
 */
export function candidateLine(
  deps: LineDeps,
  route: string,
  asked: string,
  { deployment, captures }: Candidate,
  connection?: ClientConnection,
): Line {
  const isFree = captures !== undefined && deployment.model.startsWith('*')
  const named = isFree
    ? filled(deps.resolve, route, deployment, fillWildcards(deployment.model, captures), asked)
    : deployment
  const own = connection === undefined ? named : withClientConnection(named, connection)
  const opened = own === deployment ? deps.lines(deployment.index) : deps.openLine(own)
  if ('misconfigured' in opened) {
    const message = `${deployment.group} (${shortId(deployment.id)}): ${opened.misconfigured.message}`
    throw new GatewayError('none_available', message, { source: 'gateway' })
  }
  const { line } = opened
  const model = fillWildcards(line.target.model, captures)
  if (connection !== undefined)
    return { ...line, target: { ...line.target, model }, redact: redactWith(line.redact, connection) }
  return model === line.target.model ? line : { ...line, target: { ...line.target, model } }
}

/** `model: "*"` takes any provider's model: whose it is shows only in the name asked for. */
function filled(
  resolve: ResolveModel,
  route: string,
  deployment: Deployment,
  model: string,
  asked: string,
): Deployment {
  const { provider, upstreamModel, problem } = resolve(model, {})
  if (problem !== undefined) throw unknownModel({ route }, asked)
  return { ...deployment, model, provider, upstreamModel }
}
