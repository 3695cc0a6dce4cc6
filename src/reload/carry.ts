import { Secret } from '../core/secret.ts'

/** Marks a secret on its way from one thread to the other, where only plain data can go. */
const SECRET = '\u0000secret'

/** A copy of plain data with its secrets opened, for another thread of this process and for nobody else. */
export function packed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value
  if (value instanceof Secret) return { [SECRET]: value.reveal() }
  if (Array.isArray(value)) return value.map(packed)
  if (value instanceof Map) return new Map(Array.from(value, ([key, each]) => [key, packed(each)] as const))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, packed(each)]))
}

/** The data that `packed` made, with its secrets closed again in place: it has just come, and nobody else has it. */
export function unpacked<Data extends object>(data: Data): Data {
  if (data instanceof RegExp) return data
  if (data instanceof Map) {
    for (const [key, each] of data) if (isObject(each)) data.set(key, closed(each))
    return data
  }
  for (const [name, each] of Object.entries(data)) {
    if (isObject(each)) Reflect.set(data, name, closed(each))
  }
  return data
}

function closed(value: object): object {
  const text = SECRET in value ? value[SECRET] : undefined
  return typeof text === 'string' ? new Secret(text) : unpacked(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
