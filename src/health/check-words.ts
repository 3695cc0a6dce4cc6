import type { Deployment } from '../core/deployment.ts'
import { failureRow } from '../core/failure.ts'
import type { GatewayError } from '../core/failure.ts'
import type { UnhealthyVerdict } from '../core/verdict.ts'

/** `exchange` says which deployment, what was tried and what came back; here comes what to do. */
export function explain(error: GatewayError, deployment: Deployment, isOwnTimeout: boolean): string {
  const isNamed = error.message.includes(deployment.group)
  const named = isNamed ? error.message : `${deployment.group} (${deployment.model}): ${error.message}`
  const told = isOwnTimeout && !named.startsWith('Timeout exceeded') ? `Timeout exceeded: ${named}` : named
  return `${sentence(told)} What to do: ${failureRow(error.kind).fix}.`
}

/** With a full stop, where it has none. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** Response headers that /health shows (LiteLLM's allow list). */
const SHOWN_HEADERS = ['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-tokens', 'x-ms-region']

/** Those of an answer's headers that may be shown. */
export function shownHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {}
  for (const name of SHOWN_HEADERS) {
    const value = headers[name]
    if (value !== undefined) shown[name] = value
  }
  return shown
}

/** Who was met where no connection held: somebody who took it, or who refused it. */
export function metBy(error: GatewayError): Pick<UnhealthyVerdict, 'isReached' | 'isRefused'> {
  if (error.isRefused) return { isRefused: true }
  return error.kind === 'unreachable' && !error.isUnsent ? { isReached: true } : {}
}
