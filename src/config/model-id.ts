import { createHash } from 'node:crypto'
import { scalarText, type ScalarNode, type YamlNode } from './node.ts'
import { pythonJson, pythonStr } from './python-text.ts'

/** One of a deployment's litellm_params after `os.environ/` was resolved; an unset variable is null. */
export interface Param {
  readonly key: ScalarNode
  readonly value: YamlNode
}

/**
 * LiteLLM's id of a deployment without `model_info.id`: SHA-256 of the group's name and, in file order, each
 * param's key and value as Python prints them. Rotating a key therefore changes the id, as it does there.
 */
export function modelId(group: string, params: Iterable<Param>): string {
  let text = group
  for (const { key, value } of params) {
    text += key.kind === 'text' ? key.value : keyText(key)
    text += value.kind === 'map' ? pythonJson(value) : pythonStr(value)
  }
  return createHash('sha256').update(text).digest('hex')
}

function keyText(key: ScalarNode): string {
  return key.kind === 'int' ? scalarText(key) : pythonStr(key)
}
