import { shortId } from '../core/deployment.ts'
import { failureRow, GatewayError } from '../core/failure.ts'
import type { Line } from '../providers/call.ts'

/**
 * Says which deployment failed and what to do about it. Everything that an upstream may have echoed is redacted
 * here. The client's own mistakes stay as they are: they already say what to do.
 */
export function explain(line: Line, error: GatewayError): GatewayError {
  if (error.source === 'client') return error
  const { group, id } = line.deployment
  const where = `deployment "${group}" (${shortId(id)}) at ${line.target.base}`
  const isOurTimeout = error.kind === 'timeout' && error.upstreamStatus === undefined
  // A refused request is the client's to mend; the table's advice is for whoever runs the health check.
  const advice = error.kind === 'bad_request' ? '' : `; ${failureRow(error.kind).fix}`
  const message = `${isOurTimeout ? 'Timeout exceeded: ' : ''}${where}: ${error.message}${advice}`
  const { upstreamStatus } = error
  return new GatewayError(error.kind, line.redact(message), {
    cause: error,
    source: error.source,
    // What the upstream said passes through, even a 408 that our table would call our own timeout.
    status: upstreamStatus !== undefined && upstreamStatus >= 400 ? upstreamStatus : error.clientStatus,
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(error.param !== undefined && { param: line.redact(error.param) }),
  })
}
