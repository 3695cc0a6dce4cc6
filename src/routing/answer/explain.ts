import { shortId } from '../../core/deployment.ts'
import { failureRow, GatewayError, isErrorStatus } from '../../core/failure.ts'
import type { Line } from '../../providers/call.ts'

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
  return reworded(
    error,
    line.redact(message),
    error.param === undefined ? undefined : line.redact(error.param),
  )
}

/** Who spoke other words than those of the chat that was made of them is told of a mistake in their own. */
export function inOwnWords(error: GatewayError, words: { own(path: string): string }): GatewayError {
  if (error.kind !== 'bad_request') return error
  const { message, param } = error
  const name = param === undefined ? undefined : words.own(param)
  // What the upstream says stays as it said it.
  if (error.source !== 'client')
    return name === undefined || name === param
      ? error
      : reworded(error, `${message} ('${param}' is what your '${name}' became)`, name)
  const told = message.replaceAll(
    PATH,
    (_, quote: string, path: string) => `${quote}${words.own(path)}${quote}`,
  )
  return name === param && told === message ? error : reworded(error, told, name)
}

/** What may be the name of a member, in quotes. */
const PATH = /(['"])([a-z_]+(?:\[\d*\]|\.[a-z_]+)*)\1/g

/** What a request has been through when all has failed. */
export interface Efforts {
  readonly tries: number
  readonly deployments: number
  /** Model groups asked, the first one included, in order. */
  readonly groups: readonly string[]
}

/** The first failure, with how much was tried after it. */
export function afterEfforts(error: GatewayError, { tries, deployments, groups }: Efforts): GatewayError {
  const [, ...others] = groups
  if (tries < 2 && others.length === 0) return error
  const where = deployments === 1 ? 'at one deployment' : `at ${deployments} deployments`
  const efforts = [
    ...(tries === 0 ? [] : [`tried ${tries === 1 ? 'once' : `${tries} times`} ${where}`]),
    ...(others.length === 0 ? [] : [`fallbacks ${others.join(', ')}`]),
  ]
  return reworded(error, `${error.message} (${efforts.join('; ')})`, error.param)
}

function reworded(error: GatewayError, message: string, param: string | undefined): GatewayError {
  const { upstreamStatus } = error
  return new GatewayError(error.kind, message, {
    cause: error,
    source: error.source,
    isUnsent: error.isUnsent,
    isRefused: error.isRefused,
    isKeyWide: error.isKeyWide,
    // What the upstream said passes through, even a 408 that our table would call our own timeout.
    status: isErrorStatus(upstreamStatus) ? upstreamStatus : error.clientStatus,
    ...(upstreamStatus !== undefined && { upstreamStatus }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(param !== undefined && { param }),
  })
}
