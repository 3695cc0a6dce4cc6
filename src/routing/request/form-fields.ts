import { baseName } from '../../core/client-form.ts'
import type { FormField } from '../../core/client-form.ts'
import type { Json } from '../../core/json.ts'
import { GATEWAY_FIELDS } from './fields.ts'

/**
 * A form's fields as the JSON object that a client would have sent, so that everything said of JSON bodies holds for
 * forms: `name[]` are lists, what only the gateway reads has its JSON type, and all else is text. Of files, and of
 * texts that are not known, only the name is there.
 */
export function fieldsAsJson(fields: readonly FormField[]): Buffer {
  const members = new Map<string, Json>()
  for (const { name, text } of fields) {
    const base = baseName(name)
    const value = text === undefined ? null : valueOf(base, text)
    const before = members.get(base)
    if (!name.endsWith('[]')) members.set(base, value)
    else members.set(base, Array.isArray(before) ? [...before, value] : [value])
  }
  const texts = [...members].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return Buffer.from(`{${texts.join(',')}}`)
}

function valueOf(name: string, text: string): Json {
  if (name === 'stream') return /^true$/i.test(text)
  if (!GATEWAY_FIELDS.has(name)) return text
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return text
  }
}
