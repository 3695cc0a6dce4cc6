import type { Block } from './known-keys.ts'
import { scalarText, type YamlNode } from './node.ts'
import { keepUrlPassword, looksSecret, PLAIN_HEADERS, type SecretBag } from './secrets.ts'

/**
 * Remembers every secret in a resolved tree: values of settings marked secret, values under unknown keys with
 * a secret-looking name, and passwords in addresses.
 */
export function keepSecrets(node: YamlNode, block: Block | undefined, bag: SecretBag): void {
  switch (node.kind) {
    case 'map':
      for (const [name, { key, value }] of node.entries) {
        keepSecret(value, block?.get(name)?.secret ?? looksSecret(scalarText(key)), bag)
      }
      return
    case 'list':
      for (const item of node.items) keepSecrets(item, block, bag)
      return
    case 'text':
      keepUrlPassword(node.value, bag)
      return
    case 'null':
    case 'bool':
    case 'int':
    case 'float':
    case 'date':
      return
  }
}

/** Remembers one value: all of it, or only what looks secret inside. */
export function keepSecret(value: YamlNode, isSecret: boolean, bag: SecretBag): void {
  if (isSecret) keepAll(value, bag)
  else keepSecrets(value, undefined, bag)
}

function keepAll(node: YamlNode, bag: SecretBag, plain: ReadonlySet<string> = PLAIN_HEADERS): void {
  if (node.kind === 'list') for (const item of node.items) keepAll(item, bag, plain)
  else if (node.kind === 'map') {
    const shown = isGoogles(node) ? PLAIN_OF_GOOGLES : plain
    for (const { key, value } of node.entries.values()) {
      if (!shown.has(scalarText(key).toLowerCase())) keepAll(value, bag, shown)
    }
  } else if (node.kind === 'text' || node.kind === 'int') {
    const text = scalarText(node)
    // A reference to a variable is not the secret itself.
    if (text !== '' && !text.startsWith('os.environ/') && !/^\$\{?\w/.test(text)) bag.keep(text)
    keepUrlPassword(text, bag)
  }
}

/** Is this one of Google's files of credentials, written as a map? */
function isGoogles({ entries }: Extract<YamlNode, { kind: 'map' }>): boolean {
  const type = entries.get('type')?.value
  return (
    type?.kind === 'text' &&
    /^(service_account|authorized_user|external_account|impersonated_service_account)$/.test(type.value)
  )
}

/** What such a file says to everybody: hidden, these words would be blotted out of every address of Google's. */
const PLAIN_OF_GOOGLES: ReadonlySet<string> = new Set([
  'type',
  'project_id',
  'quota_project_id',
  'client_email',
  'client_id',
  'universe_domain',
  'auth_uri',
  'token_uri',
  'token_url',
  'token_info_url',
  'auth_provider_x509_cert_url',
  'client_x509_cert_url',
  'service_account_impersonation_url',
  'audience',
  'subject_token_type',
  'file',
  'url',
  'format',
  'delegates',
])
