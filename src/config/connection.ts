import { addressParts, basicAuthorization } from '../core/address.ts'
import type { Connection, Timeouts } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'
import { isSecretSetting } from './known-keys.ts'
import { entriesOf, scalarText, textOf, toJson, type YamlNode } from './node.ts'
import type { Params } from './params.ts'
import { keepUrlPassword, PLAIN_HEADERS, type SecretBag } from './secrets.ts'

/** How to reach a deployment; every secret in it goes into the bag. `organization`: one of a list, or the only one. */
export function connectionOf(params: Params, organization: YamlNode | undefined, bag: SecretBag): Connection {
  const keep = (node: YamlNode | undefined): Secret | undefined => {
    const text = plainText(node)
    return text === undefined || text === '' ? undefined : bag.keep(text)
  }
  const apiKey = keep(params.get('api_key'))
  const azureAdToken = keep(params.get('azure_ad_token'))
  const org = keep(organization)
  const apiVersion = plainText(params.get('api_version'))
  const base = textOf(params.get('api_base')) ?? textOf(params.get('base_url'))
  const address = base === undefined ? undefined : splitAddress(base, bag)
  const sslVerify = booleanOf(params.get('ssl_verify')) ?? plainText(params.get('ssl_verify'))
  return {
    ...(apiKey && { apiKey }),
    ...(address && { apiBase: address.base }),
    ...(address?.query && { apiBaseQuery: address.query }),
    ...(apiVersion !== undefined && { apiVersion }),
    ...(sslVerify !== undefined && sslVerify !== '' && { sslVerify }),
    ...(org && { organization: org }),
    ...(azureAdToken && { azureAdToken }),
    headers: {
      ...(address?.authorization && { authorization: address.authorization }),
      ...headersOf(params, bag),
    },
    ...providerSettings(params, bag),
  }
}

/** What only some providers have. */
const OF_PROVIDERS =
  /^(?:aws|vertex|azure|watsonx|databricks)_|^(?:tenant_id|client_id|client_secret|project_id|space_id|wx_\w+|zen_api_key|token)$/
/** Settings of their own. */
const NOT_OF_PROVIDERS: ReadonlySet<string> = new Set(['azure_ad_token', 'azure_ad_token_provider'])

function providerSettings(params: Params, bag: SecretBag): Pick<Connection, 'settings' | 'secrets'> {
  const settings: Record<string, string> = {}
  const secrets: Record<string, Secret> = {}
  for (const name of params.names) {
    const node = params.get(name)
    if (node === undefined || !OF_PROVIDERS.test(name) || NOT_OF_PROVIDERS.has(name)) continue
    const text = plainText(node) ?? JSON.stringify(toJson(node))
    if (text === '') continue
    if (isSecretSetting(name)) secrets[name] = bag.keep(text)
    else settings[name] = text
  }
  return {
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
  }
}

function headersOf(params: Params, bag: SecretBag): Record<string, Secret> {
  const headers: Record<string, Secret> = {}
  for (const param of ['headers', 'extra_headers']) {
    for (const { key, value } of entriesOf(params.get(param)).values()) {
      const name = scalarText(key).toLowerCase()
      const text = plainText(value)
      if (text === undefined) continue
      headers[name] = PLAIN_HEADERS.has(name) ? new Secret(text) : bag.keep(text)
    }
  }
  return headers
}

/** An address without what is secret in it. */
interface Address {
  readonly base: string
  readonly query?: Secret
  readonly authorization?: Secret
}

/** Takes `user:password@` and `?query` out of an address; the rest stays as it was written. */
export function splitAddress(text: string, bag: SecretBag): Address {
  const { base, userInfo = '', query } = addressParts(text)
  if (userInfo !== '') keepUrlPassword(text, bag)
  const credentials = basicAuthorization(userInfo)
  return {
    base,
    ...(query && { query: keepQuery(query, bag) }),
    ...(credentials !== undefined && { authorization: bag.keep(credentials) }),
  }
}

/** The whole query is a secret, and so is each value in it but the version. */
function keepQuery(query: string, bag: SecretBag): Secret {
  for (const [name, value] of new URLSearchParams(query)) {
    if (value !== '' && name !== 'api-version') bag.keep(value)
  }
  return bag.keep(query)
}

/** A scalar as text: an unquoted number or date may stand where text is meant. */
export function plainText(node: YamlNode | undefined): string | undefined {
  if (node === undefined || node.kind === 'list' || node.kind === 'map' || node.kind === 'null')
    return undefined
  return scalarText(node)
}

/** A number, quoted or not. */
export function numberOf(node: YamlNode | undefined): number | undefined {
  if (node?.kind === 'int' || node?.kind === 'float') return node.value
  if (node?.kind !== 'text' || node.value.trim() === '') return undefined
  const value = Number(node.value)
  return Number.isNaN(value) ? undefined : value
}

/** A boolean, quoted or not. */
export function booleanOf(node: YamlNode | undefined): boolean | undefined {
  if (node?.kind === 'bool') return node.value
  const word = textOf(node)?.trim().toLowerCase() ?? ''
  if (/^(?:true|yes|on)$/.test(word)) return true
  return /^(?:false|no|off)$/.test(word) ? false : undefined
}

/** Seconds in the config, milliseconds inside; 0 counts as not set. */
export function secondsToMs(node: YamlNode | undefined): number | undefined {
  const seconds = numberOf(node)
  return seconds === undefined || !(seconds > 0) || !Number.isFinite(seconds)
    ? undefined
    : Math.ceil(seconds * 1000)
}

/** `timeout` (or `request_timeout`), `stream_timeout`, `ttft_timeout` and `stream_idle_timeout`. */
export function timeoutsOf(params: Params): Timeouts {
  const timeoutMs = secondsToMs(params.get('timeout')) ?? secondsToMs(params.get('request_timeout'))
  const streamTimeoutMs = secondsToMs(params.get('stream_timeout'))
  const firstTokenMs = secondsToMs(params.get('ttft_timeout'))
  const streamIdleMs = secondsToMs(params.get('stream_idle_timeout'))
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(streamTimeoutMs !== undefined && { streamTimeoutMs }),
    ...(firstTokenMs !== undefined && { firstTokenMs }),
    ...(streamIdleMs !== undefined && { streamIdleMs }),
  }
}
