import { GatewayError } from '../../core/failure.ts'
import type { Line } from '../../providers/call.ts'
import { withSessionKey } from '../../providers/open-session.ts'
import { candidateLine } from '../choice/candidate-line.ts'
import type { LineDeps } from '../choice/candidate-line.ts'
import type { Candidate, Directory } from '../choice/directory.ts'
import type { SessionGrant } from './session-keys.ts'

/** Where a key for one session leads. */
export interface Granted {
  readonly chosen: Candidate
  /** With the provider's own key for the session in place of the deployment's credentials. */
  readonly line: Line
}

/**
 * What a key opens: what was settled when it was asked for holds, and the deployment's credentials open nothing. `model`
 * is what the request names.
 * @throws GatewayError auth (403) where it is for something else, none_available where its deployment cannot be called
 */
export function grantedLine(
  deps: LineDeps & { readonly directory: Directory },
  route: string,
  grant: SessionGrant,
  model: string | undefined,
): Granted {
  const chosen = deps.directory
    .candidates(grant.model)
    .find(({ deployment }) => deployment.id === grant.deploymentId)
  if (chosen === undefined)
    throw notGranted('its deployment is not in the config any more; ask for a new one')
  const own = candidateLine(deps, route, grant.model, chosen)
  if (model !== undefined && model !== grant.model && model !== own.target.model)
    throw notGranted(`it is for model=${grant.model}, not for model=${model.slice(0, 256)}`)
  const opened = deps.openLine(withSessionKey(own, grant.key))
  if ('misconfigured' in opened)
    throw new GatewayError('none_available', opened.misconfigured.message, { source: 'gateway' })
  return { chosen, line: { ...opened.line, target: own.target } }
}

function notGranted(why: string): GatewayError {
  const message = `Authentication Error, this realtime session key does not open that: ${why}.`
  return new GatewayError('auth', message, { status: 403, source: 'client' })
}
