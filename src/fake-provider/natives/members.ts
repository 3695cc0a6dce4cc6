import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** What a body may and must hold. */
export interface Members {
  readonly required: readonly string[]
  readonly allowed: readonly string[]
}

/** What is wrong with the members of a body. */
export type Fault =
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'missing'; readonly name: string }

/** The first fault of a body; undefined where it has none. */
export function faultIn(body: JsonObject, { required, allowed }: Members): Fault | undefined {
  const unknown = Object.keys(body).find((name) => !allowed.includes(name) && !required.includes(name))
  if (unknown !== undefined) return { kind: 'unknown', name: unknown }
  const missing = required.find((name) => isNothing(body[name]))
  return missing === undefined ? undefined : { kind: 'missing', name: missing }
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

/** Where a conversation is not one: a role that is none, or content of the wrong kind. */
export function messageFault(
  messages: Json | undefined,
  takesParts: (role: string) => boolean,
): string | undefined {
  if (!Array.isArray(messages)) return 'messages'
  for (const [index, message] of messages.entries()) {
    const here = `messages[${index}]`
    if (!isJsonObject(message)) return here
    const { role, content } = message
    if (typeof role !== 'string' || !['system', 'user', 'assistant', 'tool'].includes(role))
      return `${here}.role`
    const isList = Array.isArray(content)
    if (isList && !takesParts(role)) return `${here}.content`
    if (
      !isList &&
      typeof content !== 'string' &&
      !(role === 'assistant' && message['tool_calls'] !== undefined)
    )
      return `${here}.content`
  }
  return undefined
}
