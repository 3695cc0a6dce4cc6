import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** What a JSON value must be like. */
export type Shape =
  | 'text'
  /** A text with something to see in it. */
  | 'words'
  | 'number'
  | 'flag'
  | 'base64'
  | 'object'
  | 'any'
  | { readonly words: readonly string[] }
  | { readonly list: Shape; readonly least?: number }
  /** These members and no others; those that end in `!` must be there. */
  | { readonly members: Readonly<Record<string, Shape>> }
  /** Exactly one of these members. */
  | { readonly union: Readonly<Record<string, Shape>> }

/** What is wrong with a value, and where; undefined where nothing is. */
export function flawIn(value: Json | undefined, shape: Shape, where = ''): string | undefined {
  if (typeof shape === 'string') return isOf(value, shape) ? undefined : `'${where}' must be of type ${shape}`
  if ('words' in shape) {
    return typeof value === 'string' && shape.words.includes(value)
      ? undefined
      : `Value at '${where}' failed to satisfy constraint: Member must satisfy enum value set: [${shape.words.join(', ')}]`
  }
  if ('list' in shape) return listFlaw(value, shape.list, shape.least ?? 0, where)
  if (!isJsonObject(value)) return `'${where}' must be of type object`
  return 'union' in shape ? unionFlaw(value, shape.union, where) : membersFlaw(value, shape.members, where)
}

function isOf(value: Json | undefined, kind: Extract<Shape, string>): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'words':
      return typeof value === 'string' && value.trim() !== ''
    case 'base64':
      return typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
    case 'number':
      return typeof value === 'number'
    case 'flag':
      return typeof value === 'boolean'
    case 'object':
      return isJsonObject(value)
    case 'any':
      return true
  }
}

function listFlaw(value: Json | undefined, shape: Shape, least: number, where: string): string | undefined {
  const listed: readonly Json[] | undefined = Array.isArray(value) ? value : undefined
  if (listed === undefined) return `'${where}' must be of type list`
  if (listed.length < least) return `'${where}' must have length greater than or equal to ${least}`
  return firstOf(listed.map((one, at) => () => flawIn(one, shape, `${where}.${at + 1}.member`)))
}

function membersFlaw(
  value: JsonObject,
  members: Readonly<Record<string, Shape>>,
  where: string,
): string | undefined {
  const shapes = new Map(Object.entries(members).map(([name, shape]) => [name.replace('!', ''), shape]))
  const odd = Object.keys(value).find((name) => !shapes.has(name))
  if (odd !== undefined) return `extraneous key [${joined(where, odd)}] is not permitted`
  const missing = Object.keys(members).find(
    (name) => name.endsWith('!') && value[name.slice(0, -1)] === undefined,
  )
  if (missing !== undefined) return `'${joined(where, missing.slice(0, -1))}' Member must not be null`
  return firstOf(
    [...shapes].map(([name, shape]) => () => {
      const member = value[name]
      return member === undefined ? undefined : flawIn(member, shape, joined(where, name))
    }),
  )
}

function unionFlaw(
  value: JsonObject,
  union: Readonly<Record<string, Shape>>,
  where: string,
): string | undefined {
  const names = Object.keys(value)
  const [only = ''] = names
  const shape = union[only]
  if (names.length !== 1 || shape === undefined)
    return `'${where}' must have exactly one of [${Object.keys(union).join(', ')}], not [${names.join(', ')}]`
  return flawIn(value[only], shape, joined(where, only))
}

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const flaw = check()
    if (flaw !== undefined) return flaw
  }
  return undefined
}

function joined(where: string, name: string): string {
  return where === '' ? name : `${where}.${name}`
}
