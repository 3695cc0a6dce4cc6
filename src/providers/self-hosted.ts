import { isIP } from 'node:net'
import type { Deployment } from '../core/deployment.ts'
import { adapterFor } from './registry.ts'

/** IPv4 networks that are not of the internet (RFC 1918, 3927, 6598), and IPv6's (RFC 4193, 4291). */
const PRIVATE_V4 =
  /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/
const PRIVATE_V6 = /^\[(?:::1\]|f[cd]|fe[89ab])/i
/** Names that only exist within a house: one word (a container, a service), or a suffix that nobody can register. */
const HOUSE_NAME = /^[^.]+$|\.(?:local|localhost|internal|lan|home\.arpa|svc)$/i

/**
 * Whether an answer of this deployment costs its owner no money: it runs on a machine of theirs, as its provider or
 * its address says.
 */
export function isSelfHosted(
  deployment: Deployment,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const adapter = adapterFor(deployment.provider)
  if (adapter?.isSelfHosted !== undefined) return adapter.isSelfHosted
  const connected = deployment.misconfigured === undefined ? adapter?.connect(deployment, env) : undefined
  const base = connected !== undefined && 'target' in connected ? connected.target.base : undefined
  return isPrivateAddress(base ?? deployment.connection.apiBase ?? '')
}

function isPrivateAddress(base: string): boolean {
  if (!URL.canParse(base)) return false
  const { hostname } = new URL(base)
  if (isIP(hostname) === 4) return PRIVATE_V4.test(hostname)
  return hostname.startsWith('[') ? PRIVATE_V6.test(hostname) : HOUSE_NAME.test(hostname)
}
