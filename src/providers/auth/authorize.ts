import type { Deployment } from '../../core/deployment.ts'
import { Secret } from '../../core/secret.ts'
import type { WireRequest } from '../../transport/wire.ts'
import type { Connected, Target } from '../adapter.ts'
import { allBetas, BETA_HEADER } from '../betas.ts'
import type { Source } from './ground.ts'

/** A header that carries a secret: `prefix` + the secret. */
export interface SecretHeader {
  /** Lower case. */
  readonly name: string
  /** `Bearer `, or empty. */
  readonly prefix: string
  readonly secret: Secret
  /** A made-up key for servers without keys: public, and often an ordinary word. */
  readonly isPlaceholder?: boolean
}

/** What no HTTP header value may hold (RFC 9110 §5.5). */
const UNWRITABLE = /[^\t\u0020-\u007e\u0080-\u00ff]/
/** What every header name is (RFC 9110 §5.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
/** Headers that say how a request travels: that is found out as it is sent, and nobody can know it before. */
const FRAMING =
  /^(?:content-length|transfer-encoding|expect|upgrade|keep-alive):|^connection:(?!(?:close|keep-alive)$)/i

/**
 * A deployment that sends these headers with every request, then the deployment's own `extra_headers` (which
 * win, but for a list, to which it adds), then the query that its `api_base` was written with.
 */
export function authorizedBy(
  credentials: readonly SecretHeader[],
  deployment: Deployment,
  target: Target,
): Connected | { readonly message: string } {
  const { headers: own, apiBaseQuery } = deployment.connection
  const all: readonly SecretHeader[] = [
    ...credentials,
    ...Object.entries(own).map(([name, secret]) => ({
      name,
      prefix: '',
      secret,
      isPlaceholder: name === BETA_HEADER,
    })),
  ]
  const headers: Record<string, string> = {}
  for (const { name, prefix, secret } of all) {
    const value = prefix + secret.reveal()
    const message = problemOf(name, value)
    if (message !== undefined) return { message }
    headers[name] = value
  }
  const { [BETA_HEADER]: betas } = headers
  const also = (asked: string | undefined): Record<string, string> =>
    betas === undefined || asked === undefined
      ? headers
      : { ...headers, [BETA_HEADER]: allBetas(betas, asked).join(',') }
  const query = apiBaseQuery === undefined ? undefined : new URLSearchParams(apiBaseQuery.reveal())
  return {
    target,
    authorize: (request) => ({
      ...request,
      url: query === undefined ? request.url : mergeQuery(request.url, query),
      headers: { ...request.headers, ...also(request.headers[BETA_HEADER]) },
    }),
    secrets: [
      ...all.filter((header) => header.isPlaceholder !== true).map((header) => header.secret),
      ...querySecrets(apiBaseQuery),
    ],
  }
}

/** Why a header cannot be sent; undefined where it can. */
function problemOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return `"${name}" is no name of an HTTP header: see extra_headers`
  if (FRAMING.test(`${name}:${value}`))
    return `the header "${name}" is set for each request as it is sent: remove it from extra_headers`
  return UNWRITABLE.test(value)
    ? `the value for the header "${name}" holds a line break or a character that no HTTP header may carry`
    : undefined
}

/** Where a token stands: `prefix` + the token. */
export type TokenHeader = Pick<SecretHeader, 'name' | 'prefix'>

/** `authorization: Bearer …` */
export const BEARER: TokenHeader = { name: 'authorization', prefix: 'Bearer ' }

/**
 * A deployment that sends a token which it gets for itself; `secrets` are those it gets it with. Without a promise
 * while a good token is held.
 */
export function authorizedByToken(
  tokens: Source<string>,
  secrets: readonly Secret[],
  deployment: Deployment,
  target: Target,
  more: readonly SecretHeader[] = [],
): Connected | { readonly message: string } {
  const { name, prefix } = BEARER
  const connected = authorizedBy(more, deployment, target)
  if ('message' in connected) return connected
  return {
    target,
    authorize: (request, ground) => {
      const filled = (token: string): ReturnType<Connected['authorize']> =>
        connected.authorize({ ...request, headers: { ...request.headers, [name]: prefix + token } }, ground)
      const token = tokens.get(ground)
      return typeof token === 'string' ? filled(token) : token.then(filled)
    },
    secrets: [...connected.secrets, ...secrets],
    freshSecrets: () => tokens.freshSecrets(),
  }
}

/** The deployment's own parameters win over the route's: an `api-version` pasted with the URL is meant. */
function mergeQuery(url: WireRequest['url'], own: URLSearchParams): string {
  const [path = '', routeQuery = ''] = url.split('?')
  const merged = new URLSearchParams(routeQuery)
  for (const name of new Set(own.keys())) merged.delete(name)
  for (const [name, value] of own) merged.append(name, value)
  const text = merged.toString()
  return text === '' ? path : `${path}?${text}`
}

/** The query as it stands and each value of it, for an echo may quote either. A version is no secret. */
function querySecrets(query: Secret | undefined): readonly Secret[] {
  if (query === undefined) return []
  const values = [...new URLSearchParams(query.reveal())].filter(([name]) => name !== 'api-version')
  return values.length === 0 ? [] : [query, ...values.map(([, value]) => new Secret(value))]
}
