import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** Reads as a text whatever stands around it; all others are quoted. */
const PLAIN = /^\p{L}(?:[\p{L}\p{N} _.,;()/+-]*[\p{L}\p{N}_.;()/+-])?$/u
/** Words that mean no text to who reads YAML 1.1. */
const MEANT = /^(?:true|false|yes|no|on|off|null|y|n)$/i

/** An object as YAML, in blocks and in the order of its members, as `yaml.dump(…, sort_keys=False)` writes it. */
export function yamlText(object: JsonObject): string {
  return membersText(object, '')
}

function membersText(object: JsonObject, indent: string): string {
  return Object.entries(object)
    .map(([name, value]) => `${indent}${scalar(name)}:${valueText(value ?? null, indent)}`)
    .join('')
}

function valueText(value: Json, indent: string): string {
  if (Array.isArray(value) && value.length > 0)
    return `\n${value.map((one: Json) => `${indent}-${itemText(one, indent)}`).join('')}`
  if (isJsonObject(value) && Object.keys(value).length > 0) return `\n${membersText(value, `${indent}  `)}`
  return ` ${scalar(value)}\n`
}

/** What follows the dash: members of an object begin beside it. */
function itemText(value: Json, indent: string): string {
  const within = `${indent}  `
  if (isJsonObject(value) && Object.keys(value).length > 0)
    return ` ${membersText(value, within).slice(within.length)}`
  return valueText(value, within)
}

function scalar(value: Json): string {
  return typeof value === 'string' && PLAIN.test(value) && !MEANT.test(value) ? value : JSON.stringify(value)
}
