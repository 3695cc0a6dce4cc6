import { shortId, type Deployment } from '../core/deployment.ts'
import { GatewayError } from '../core/failure.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { LineOrProblem } from '../health/subject.ts'
import type { Line } from '../providers/call.ts'
import { clientConnection, redactWith, withClientConnection } from './client-connection.ts'
import { fillWildcards } from './directory.ts'
import type { Candidate } from './directory.ts'
import type { Operation } from './operation.ts'
import { refuse, unknownModel } from './request.ts'
import type { RequestRead } from './request.ts'

/** Where lines come from. */
export interface LineDeps {
  /** By `Deployment.index`, opened once. */
  readonly lines: (index: number) => LineOrProblem
  /** For a deployment derived for one request. */
  readonly openLine: (deployment: Deployment) => LineOrProblem
  readonly resolve: ResolveModel
}

/**
 * The candidates whose provider can do this at all: nearly always each of them.
 * @throws GatewayError bad_request where none can
 */
export function capable(
  deps: Pick<LineDeps, 'lines'>,
  operation: Operation,
  model: string,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const can = ({ deployment }: Candidate): boolean => !lacks(deps.lines(deployment.index), operation)
  if (candidates.every(can)) return candidates
  const left = candidates.filter(can)
  if (left.length > 0) return left
  throw incapable(
    operation,
    model,
    candidates.map(({ deployment }) => deployment.provider),
  )
}

/** A deployment that cannot be called lacks nothing: why it cannot is for `pick` to say. */
function lacks(opened: LineOrProblem, { mode }: Operation): boolean {
  return 'line' in opened && opened.line.adapter.codecs[mode] === 'unsupported'
}

function incapable(
  { route, mode }: Operation,
  model: string,
  providers: readonly string[],
): ReturnType<typeof refuse> {
  const names = [...new Set(providers)].slice(0, 8).join(', ')
  return refuse(
    `${route}: model=${model.slice(0, 256)} cannot do this: its provider (${names}) has no ${mode}.`,
    'model',
  )
}

/**
 * The line of the chosen deployment, with a wildcard's model and a client's connection filled in.
 * @throws GatewayError bad_request (the client's doing), none_available
 */
export function lineFor(
  deps: LineDeps,
  operation: Operation,
  { deployment, captures }: Candidate,
  body: Buffer,
  read: RequestRead,
  asked: string,
): Line {
  const isFree = captures !== undefined && deployment.model.startsWith('*')
  const filled = isFree
    ? resolved(deps.resolve, operation, deployment, fillWildcards(deployment.model, captures))
    : deployment
  const client = clientConnection(body, read.spans, read.connectionFields)
  const isOwn = Object.keys(client).length > 0
  const opened =
    isOwn || filled !== deployment
      ? deps.openLine(isOwn ? withClientConnection(filled, client) : filled)
      : deps.lines(deployment.index)
  if ('misconfigured' in opened) {
    const message = `${deployment.group} (${shortId(deployment.id)}): ${opened.misconfigured.message}`
    throw new GatewayError('none_available', message, { source: 'gateway' })
  }
  const { line } = opened
  if (lacks(opened, operation)) throw incapable(operation, asked, [deployment.provider])
  const model = fillWildcards(line.target.model, captures)
  if (model === line.target.model && !isOwn) return line
  return {
    ...line,
    target: { ...line.target, model },
    redact: isOwn ? redactWith(line.redact, client) : line.redact,
  }
}

/** `model: "*"` takes any provider's model: whose it is shows only in the name asked for. */
function resolved(
  resolve: ResolveModel,
  operation: Operation,
  deployment: Deployment,
  model: string,
): Deployment {
  const { provider, upstreamModel, problem } = resolve(model, {})
  if (problem !== undefined) throw unknownModel(operation, model)
  return { ...deployment, model, provider, upstreamModel }
}
