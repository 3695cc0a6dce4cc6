import type { Environment } from './config.ts'
import type { ScalarNode, YamlNode } from './node.ts'

const PREFIX = 'os.environ/'

/** A node after `os.environ/NAME` was resolved. */
export interface Resolved {
  /** Null where the variable is not set, as in Python. */
  readonly node: YamlNode
  /** The variable that is not set. */
  readonly unset?: string
}

/** The variable that a value names, if it is of the form `os.environ/NAME`. */
export function variableOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'text' && node.value.startsWith(PREFIX)
    ? node.value.slice(PREFIX.length).trim()
    : undefined
}

/**
 * Resolves `os.environ/NAME`; anything else stays as it is. `true` and `false` in any case become booleans,
 * as LiteLLM reads them. An empty variable counts as set.
 */
export function resolveVariable(node: YamlNode, env: Environment): Resolved {
  const name = variableOf(node)
  if (name === undefined) return { node }
  const { source, at } = node
  const value = env[name]
  if (value === undefined) return { node: { kind: 'null', source, at }, unset: name }
  return { node: fromVariable(value, node) }
}

function fromVariable(value: string, { source, at }: YamlNode): ScalarNode {
  const word = value.trim().toLowerCase()
  if (word === 'true' || word === 'false') return { kind: 'bool', value: word === 'true', source, at }
  return { kind: 'text', value, source, at }
}

/** A value that looks like shell expansion, which LiteLLM keeps literally. */
export function shellVariable(text: string): { readonly name?: string } | undefined {
  const braced = /\$\{([A-Za-z_]\w*)(?::?[-=?+][^}]*)?\}/.exec(text)?.[1]
  if (braced !== undefined) return { name: braced }
  if (!/^\$[A-Z_][A-Z0-9_]*$/.test(text)) return undefined
  // `$NAME` without an underscore could be a password that starts with a dollar sign: do not repeat it.
  return text.includes('_') ? { name: text.slice(1) } : {}
}

/** Reads a `.env` file: `NAME=value`, `export NAME=value`, quotes, comments. Lines it cannot read are skipped. */
export function parseDotEnv(text: string): Environment {
  const line =
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\r\n]*?))[ \t]*(?:[ \t]#[^\r\n]*)?\r?$/gm
  const values: Record<string, string> = {}
  for (const [, name = '', double, single, bare = ''] of text.matchAll(line)) {
    values[name] = double === undefined ? (single ?? (bare.startsWith('#') ? '' : bare)) : unescaped(double)
  }
  return values
}

function unescaped(text: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
  return text.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char)
}
