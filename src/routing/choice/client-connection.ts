import type { Deployment } from '../../core/deployment.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { createRedact, Secret } from '../../core/secret.ts'
import type { Redact } from '../../core/secret.ts'
import type { Candidate } from './directory.ts'
import { isSettable } from '../request/fields.ts'
import type { SettableConnectionField } from '../request/fields.ts'
import { refuse } from '../request/request.ts'

/** The connection that a client brings along for one request. */
export type ClientConnection = Readonly<Partial<Record<SettableConnectionField, string>>>

/**
 * The candidates that let a client set these fields.
 * @throws GatewayError bad_request naming the first field that none of them allows
 */
export function allowing(fields: readonly string[], candidates: readonly Candidate[]): readonly Candidate[] {
  if (fields.length === 0) return candidates
  let left = candidates
  for (const field of fields) {
    left = left.filter(({ deployment }) => deployment.clientConnectionFields.includes(field))
    if (left.length > 0 && isSettable(field)) continue
    throw refuse(
      `'${field}' cannot be set by a client: this deployment's own connection is used. ` +
        `Remove it, or have the operator list it in configurable_clientside_auth_params${isSettable(field) ? '' : ' (not supported for this field)'}.`,
      field,
    )
  }
  return left
}

/**
 * Reads the fields that `allowing` let through.
 * @throws GatewayError bad_request for a value that is no text, or a URL that is none
 */
export function clientConnection(
  body: Buffer,
  spans: JsonSpans,
  fields: readonly string[],
): ClientConnection {
  const connection: Partial<Record<SettableConnectionField, string>> = {}
  for (const field of fields) {
    const value = memberValue(body, spans, field)
    if (value === null || !isSettable(field)) continue
    if (typeof value !== 'string' || !PLAIN.test(value))
      throw refuse(`'${field}' must be a text of plain characters that is not empty.`, field)
    connection[field] = value
  }
  const base = connection.api_base ?? connection.base_url
  if (base === undefined) return connection
  if (!isPlainHttpUrl(base))
    throw refuse("'api_base' must be an http(s) URL without user and query.", 'api_base')
  if (connection.api_key === undefined) {
    throw refuse(
      "'api_base' needs an 'api_key' of your own: the configured key is not sent to other hosts.",
      'api_base',
    )
  }
  return connection
}

/** What may stand in a URL and in a header: ASCII, without line ends. */
const PLAIN = /^[ -~]+$/

/** Empty, and so not the one of the environment either. */
const NO_ORGANIZATION = new Secret('')

/** The deployment as this one request sees it. To a host of the client's nothing of the operator's is sent. */
export function withClientConnection(deployment: Deployment, client: ClientConnection): Deployment {
  const base = client.api_base ?? client.base_url
  const { azureAdToken, secrets, ...configured } = deployment.connection
  const { apiVersion } = configured
  const elsewhere = base !== undefined && {
    apiBase: base.replace(/\/+$/, ''),
    headers: {},
    organization: NO_ORGANIZATION,
    ...(apiVersion !== undefined && { apiVersion }),
  }
  // A token, or what gets one, beside the client's key could win over it.
  const here =
    client.api_key !== undefined
      ? configured
      : { ...configured, ...(azureAdToken && { azureAdToken }), ...(secrets && { secrets }) }
  return {
    ...deployment,
    connection: {
      ...(elsewhere === false ? here : elsewhere),
      ...(client.api_key !== undefined && { apiKey: new Secret(client.api_key) }),
      ...(client.api_version !== undefined && { apiVersion: client.api_version }),
      ...(client.organization !== undefined && { organization: new Secret(client.organization) }),
    },
  }
}

/** Hides the client's own key as well: errors are logged. */
export function redactWith(redact: Redact, client: ClientConnection): Redact {
  const own = [client.api_key, client.organization].flatMap((text) =>
    text === undefined ? [] : new Secret(text),
  )
  let redactOwn: Redact | undefined
  return (text) => {
    // Most requests go well, and nothing of theirs is ever redacted.
    redactOwn ??= createRedact(own)
    return redact(redactOwn(text))
  }
}

function isPlainHttpUrl(text: string): boolean {
  // Blanks, which URLs are read without, would reach the request's path.
  if (text.includes(' ') || !URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && `${username}${password}${search}${hash}` === ''
}
