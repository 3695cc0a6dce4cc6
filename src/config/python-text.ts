import { entryOf } from '../core/entry-of.ts'
import { scalarText, type ScalarNode, type YamlNode } from './node.ts'

/**
 * How Python prints what YAML holds. Model ids are hashes of such texts, so every character counts.
 * Sources: the Python 3 reference for `str`, `repr` and `json.dumps` with its defaults.
 */

/** `str(value)`: what a model id takes of anything that is neither a string nor a mapping. */
export function pythonStr(node: YamlNode): string {
  if (node.kind === 'text') return node.value
  if (node.kind === 'date') return node.printed
  return pythonRepr(node)
}

/** `repr(value)`. */
export function pythonRepr(node: YamlNode): string {
  switch (node.kind) {
    case 'null':
      return 'None'
    case 'bool':
      return node.value ? 'True' : 'False'
    case 'int':
      return intText(node)
    case 'float':
      return floatText(node.value)
    case 'text':
      return quoted(node.value)
    case 'date':
      return node.code
    case 'list':
      return `[${node.items.map(pythonRepr).join(', ')}]`
    case 'map': {
      const pairs = [...node.entries.values()].map(
        ({ key, value }) => `${pythonRepr(key)}: ${pythonRepr(value)}`,
      )
      return `{${pairs.join(', ')}}`
    }
  }
}

/** `json.dumps(value)`: `", "` and `": "` between parts, everything outside ASCII escaped. */
export function pythonJson(node: YamlNode): string {
  switch (node.kind) {
    case 'null':
      return 'null'
    case 'bool':
      return String(node.value)
    case 'int':
      return intText(node)
    case 'float':
      return jsonFloat(node.value)
    case 'text':
      return jsonText(node.value)
    case 'date':
      return jsonText(node.printed)
    case 'list':
      return `[${node.items.map(pythonJson).join(', ')}]`
    case 'map': {
      const pairs = [...node.entries.values()].map(
        ({ key, value }) => `${jsonKey(key)}: ${pythonJson(value)}`,
      )
      return `{${pairs.join(', ')}}`
    }
  }
}

/** json.dumps turns the keys it can into strings: 1 → "1", True → "true", None → "null". */
function jsonKey(key: ScalarNode): string {
  if (key.kind === 'text') return jsonText(key.value)
  if (key.kind === 'date') return jsonText(key.printed)
  return jsonText(pythonJson(key))
}

function intText(node: ScalarNode): string {
  return node.kind === 'int' && Object.is(node.value, -0) ? '0' : scalarText(node)
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return floatText(value)
  return value > 0 ? 'Infinity' : '-Infinity'
}

/** The shortest digits that read back as the same double; an exponent below 1e-4 and from 1e16 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const [mantissa = '0', power = '0'] = Math.abs(value).toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const width = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${width}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** Single quotes unless the text has some and no double ones; unprintable characters escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let result = quote
  for (const char of text) result += char === quote ? `\\${char}` : escaped(char)
  return result + quote
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escaped(char: string): string {
  const short = entryOf(SHORT_ESCAPES, char)
  if (short !== undefined) return short
  if (char === ' ' || !/[\p{C}\p{Z}]/u.test(char)) return char
  const hex = (char.codePointAt(0) ?? 0).toString(16)
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

function jsonText(text: string): string {
  // JSON.stringify differs only in what it leaves unescaped: DEL and everything beyond ASCII.
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
