import { addressParts, basicAuthorization } from '../../core/address.ts'
import type { Deployment, Misconfiguration } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { Connected, Target } from '../adapter.ts'
import { cleanBase, isHttpUrl } from '../route.ts'
import { authorizedBy, BEARER, type SecretHeader } from './authorize.ts'
import { baseMissing, findKey, fromEnv, keyMissing, type Env } from './key.ts'

/** Where a provider's base and key come from. */
export interface KeySource {
  /** Its public base; absent where every user has another. `{NAME}` stands for that variable's value. */
  readonly base?: string
  /** An ending of written bases that stands for another one. */
  readonly baseEnding?: { readonly written: string; readonly meant: string }
  /** Variables that name the base, in order. */
  readonly baseEnv: readonly string[]
  /** Variables that hold the key, in order. */
  readonly keyEnv: readonly string[]
  /** Sent where no key is set anywhere; `none`: nothing is sent. Absent: a key is required. */
  readonly keyless?: { readonly send: string } | 'none'
  /** The header that carries the key. Default: `authorization: Bearer …`. */
  readonly header?: { readonly name: string; readonly prefix: string }
}

/** Resolves base and key of a provider that is reached with one secret in one header. */
export function connectByKey(
  source: KeySource,
  written: Deployment,
  env: Env,
  more: readonly SecretHeader[] = [],
): Connected | Misconfiguration {
  const deployment = withAddress(written, env, source.baseEnv)
  const own = publicBase(source, env)
  const resolved = resolveBase(deployment, [...source.baseEnv, ...own.variables], own.base)
  if (typeof resolved !== 'string') return resolved
  const base = withEnding(resolved, source)
  const header = source.header ?? BEARER
  const key = findKey(deployment, env, source.keyEnv)
  const named = deployment.connection.headers[header.name] !== undefined
  const credential = key ?? keylessSecret(source)
  if (credential === undefined && source.keyless === undefined && !named) return keyMissing(source.keyEnv)
  const credentials =
    credential === undefined ? [] : [{ ...header, secret: credential, isPlaceholder: key === undefined }]
  return authorizedBy([...credentials, ...more], deployment, targetOf(deployment, base))
}

const VARIABLE = /\{(\w+)\}/g

/** The public base with its variables filled in, absent where one is not set; and their names. */
function publicBase(
  { base }: KeySource,
  env: Env,
): { readonly base?: string; readonly variables: readonly string[] } {
  if (base === undefined) return { variables: [] }
  const variables = [...base.matchAll(VARIABLE)].map(([, name = '']) => name)
  if (variables.some((name) => fromEnv(env, [name]) === undefined)) return { variables }
  const filled = base.replaceAll(VARIABLE, (_, name: string) => encodeURIComponent(env[name] ?? ''))
  return { base: filled, variables }
}

function withEnding(base: string, { baseEnding }: KeySource): string {
  return baseEnding !== undefined && base.endsWith(baseEnding.written)
    ? base.slice(0, -baseEnding.written.length) + baseEnding.meant
    : base
}

function keylessSecret(source: KeySource): Secret | undefined {
  return source.keyless === undefined || source.keyless === 'none'
    ? undefined
    : new Secret(source.keyless.send)
}

/**
 * The deployment with the address that the environment names, where it has none of its own. A user, a password
 * and a query in it become what they are in `api_base`: a header and secrets.
 */
export function withAddress(deployment: Deployment, env: Env, names: readonly string[]): Deployment {
  const { connection } = deployment
  const named = connection.apiBase === undefined ? fromEnv(env, names) : undefined
  if (named === undefined) return deployment
  const { base, userInfo = '', query = '' } = addressParts(named)
  const authorization = basicAuthorization(userInfo)
  const headers = {
    ...(authorization !== undefined && { authorization: new Secret(authorization) }),
    ...connection.headers,
  }
  return {
    ...deployment,
    connection: {
      ...connection,
      apiBase: base,
      headers,
      ...(query !== '' && { apiBaseQuery: new Secret(query) }),
    },
  }
}

/** `api_base`, else the provider's own. */
export function resolveBase(
  deployment: Deployment,
  names: readonly string[],
  own?: string,
): string | Misconfiguration {
  const written = deployment.connection.apiBase ?? own
  if (written === undefined || written === '') return baseMissing(names)
  const base = cleanBase(written)
  if (isHttpUrl(base)) return base
  return {
    message: `"${written}" is no address that can be called: api_base needs http:// or https://, a host, and no spaces`,
  }
}

/** The deployment as the provider's codecs see it. */
export function targetOf(deployment: Deployment, base: string, apiVersion?: string): Target {
  return {
    provider: deployment.provider,
    model: deployment.upstreamModel,
    base,
    bodyDefaults: deployment.bodyDefaults,
    ...(apiVersion === undefined ? {} : { apiVersion }),
  }
}
