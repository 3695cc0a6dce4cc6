import type { Json, JsonObject } from '../core/json.ts'
import { splitAddress } from './connection.ts'
import { PARAMS, paramKind } from './known-keys.ts'
import { entriesOf, scalarText, toJson, type YamlNode } from './node.ts'
import type { Params } from './params.ts'
import { createSecretBag, isSurelySecret, looksSecret, masked } from './secrets.ts'

/** What /health shows as it is, besides the model and its address. */
const SHOWN: readonly string[] = [
  'aws_bedrock_runtime_endpoint',
  'custom_llm_provider',
  'base_model',
  'aws_region_name',
  'region_name',
  'watsonx_region_name',
  'vertex_project',
  'vertex_location',
  'tpm',
  'rpm',
]

/** Removed altogether from /model/info. */
const REMOVED: ReadonlySet<string> = new Set([
  'api_key',
  'client_secret',
  'vertex_credentials',
  'aws_access_key_id',
  'aws_secret_access_key',
])

/** Fields of LiteLLM's allow list for /health. `limits`: rpm and tpm from outside litellm_params. */
export function shownOf(params: Params, limits: Readonly<Record<string, YamlNode | undefined>>): JsonObject {
  const shown: Record<string, Json> = {}
  for (const name of SHOWN) {
    const node = params.get(name) ?? limits[name]
    if (node !== undefined) shown[name] = publicValue(name, node, isSecretParam)
  }
  return shown
}

/** litellm_params for /model/info: file order, no nulls, no secret in full. */
export function shownParamsOf(params: Params, organization: YamlNode | undefined): JsonObject {
  const shown: [string, Json][] = []
  for (const { key, value } of params.own) {
    const name = scalarText(key)
    if (value.kind === 'null' || REMOVED.has(name)) continue
    const node = name === 'organization' ? (organization ?? value) : value
    shown.push([name, publicValue(name, node, isSecretParam)])
  }
  return Object.fromEntries(shown)
}

/** model_info as written, without `id`; texts under secret-looking names are masked. */
export function infoOf(node: YamlNode | undefined): JsonObject {
  const info: [string, Json][] = []
  for (const { key, value } of entriesOf(node).values()) {
    const name = scalarText(key)
    if (name !== 'id' && value.kind !== 'null') info.push([name, publicValue(name, value, isSurelySecret)])
  }
  return Object.fromEntries(info)
}

function isSecretParam(name: string): boolean {
  return PARAMS.get(name)?.secret ?? looksSecret(name)
}

/** A value with what is secret in it masked: by its name, and inside of maps by the names there. */
function publicValue(name: string, node: YamlNode, isSecret: (name: string) => boolean): Json {
  if (isSecret(name)) return maskedValue(node, name === 'headers' || name === 'extra_headers')
  if (node.kind === 'map') {
    const pairs = [...node.entries.values()].map(({ key, value }): [string, Json] => [
      scalarText(key),
      publicValue(scalarText(key), value, isSecret),
    ])
    return Object.fromEntries(pairs)
  }
  if (node.kind === 'list') return node.items.map((item) => publicValue('', item, isSecret))
  // The address is shown; a password or a query in it is not.
  if (node.kind === 'text' && /^[a-z][a-z0-9+.-]*:\/\//i.test(node.value)) {
    return splitAddress(node.value, createSecretBag()).base
  }
  return toJson(node)
}

function maskedValue(node: YamlNode, hideAll: boolean): Json {
  switch (node.kind) {
    case 'list':
      return node.items.map((item) => maskedValue(item, hideAll))
    case 'map':
      return Object.fromEntries(
        [...node.entries.values()].map(({ key, value }): [string, Json] => [
          scalarText(key),
          maskedValue(value, hideAll),
        ]),
      )
    case 'text':
    case 'int':
      return hideAll ? '[secret]' : masked(scalarText(node))
    case 'null':
    case 'bool':
    case 'float':
    case 'date':
      return toJson(node)
  }
}

/** What goes into JSON bodies where the request has no such field. */
export function bodyDefaultsOf(params: Params): JsonObject {
  const body: Record<string, Json> = {}
  for (const name of params.names) {
    const node = params.get(name)
    const { kind } = paramKind(name)
    if (node !== undefined && (kind === 'request' || kind === 'unknown')) body[name] = toJson(node)
  }
  for (const { key, value } of entriesOf(params.get('extra_body')).values())
    body[scalarText(key)] = toJson(value)
  return body
}
