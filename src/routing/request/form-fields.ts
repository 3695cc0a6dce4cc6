import { baseName } from '../../core/client-form.ts'
import type { FormField } from '../../core/client-form.ts'
import { GATEWAY_FIELDS } from './fields.ts'

/**
 * A form's fields as the JSON object that a client would have sent, so that everything said of JSON bodies holds for
 * forms: `name[]` are lists, what only the gateway reads has its JSON type, and all else is text. Of files, and of
 * texts that are not known, only the name is there.
 */
export function fieldsAsJson(fields: readonly FormField[]): Buffer {
  const members = new Map<string, string | string[]>()
  for (const { name, text } of fields) {
    const base = baseName(name)
    const value = text === undefined ? 'null' : jsonOf(base, text)
    const before = members.get(base)
    if (!name.endsWith('[]')) members.set(base, value)
    else if (Array.isArray(before)) before.push(value)
    else members.set(base, [value])
  }
  const texts = [...members].map(
    ([name, value]) => `${JSON.stringify(name)}:${Array.isArray(value) ? `[${value.join(',')}]` : value}`,
  )
  return Buffer.from(`{${texts.join(',')}}`)
}

/** JSON stays as it came, however deep it is: whoever reads the object bounds that. */
function jsonOf(name: string, text: string): string {
  if (name === 'stream') return String(/^true$/i.test(text))
  return GATEWAY_FIELDS.has(name) && isJson(text) ? text : JSON.stringify(text)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return false
  }
}
