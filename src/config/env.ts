import { entryOf } from '../core/entry-of.ts'
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

/**
 * Reads a `.env` file as python-dotenv does: `NAME=value`, `export NAME=value`, quotes, comments, and `${NAME}` or
 * `${NAME:-default}` of `env`, else of a line above. Lines it cannot read are skipped.
 */
export function parseDotEnv(text: string, env: Environment): Environment {
  const line =
    /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\r\n]*?))[ \t]*(?:[ \t]#[^\r\n]*)?\r?$/gms
  const values: Record<string, string> = {}
  for (const [, name = '', double, single, bare = ''] of text.matchAll(line)) {
    const written =
      double === undefined
        ? (single?.replace(/\\([\\'])/g, '$1') ?? (bare.startsWith('#') ? '' : bare))
        : unescaped(double)
    values[name] = written.replace(
      /\$\{([^}:]*)(?::-([^}]*))?\}/g,
      (_, other: string, otherwise = '') => env[other] ?? values[other] ?? otherwise,
    )
  }
  return values
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** Python's escapes; a backslash before anything else is itself. */
function unescaped(text: string): string {
  return text.replace(/\\([\\'"abfnrtv])/g, (_, char: string) => entryOf(ESCAPES, char) ?? char)
}
