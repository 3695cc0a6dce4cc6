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

function keepAll(node: YamlNode, bag: SecretBag): void {
  if (node.kind === 'list') for (const item of node.items) keepAll(item, bag)
  else if (node.kind === 'map') {
    for (const { key, value } of node.entries.values()) {
      if (!PLAIN_HEADERS.has(scalarText(key).toLowerCase())) keepAll(value, bag)
    }
  } else if (node.kind === 'text' || node.kind === 'int') {
    const text = scalarText(node)
    // A reference to a variable is not the secret itself.
    if (text !== '' && !text.startsWith('os.environ/') && !/^\$\{?\w/.test(text)) bag.keep(text)
    keepUrlPassword(text, bag)
  }
}
