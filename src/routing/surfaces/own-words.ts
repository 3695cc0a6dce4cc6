import { entryOf } from '../../core/entry-of.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Places } from './placed.ts'

/** How a surface calls what a chat has; what is not in it is called the same. */
export interface Dictionary {
  /** Members of the chat, and paths of what stands below them. */
  readonly names: Readonly<Record<string, string>>
  /** Lists, as they begin a path: `messages[].content[]`. */
  readonly lists: Readonly<Record<string, string>>
  /** What stands in the things of those lists, from the dot on, the longer before the shorter. */
  readonly inside: readonly (readonly [chat: string, own: string])[]
}

/** A chat, and where its parts were said. */
interface Translated {
  readonly chat: JsonObject
  readonly places: Places
}

/** `messages[2].content[0].image_url`, with or without numbers, in its parts. */
const IN_LIST = /^((?:messages|tools)\[([\d*]*)\](?:\.(content|tool_calls)\[([\d*]*)\])?)(.*)$/

/**
 * What a client calls what stands at a path of the chat that its request became. `translated` is asked for where the path
 * leads to one of several things.
 */
export function ownName(dictionary: Dictionary, path: string, translated: () => Translated): string {
  const [, list, at = '', inner, innerAt = '', rest = ''] = IN_LIST.exec(path) ?? []
  if (list === undefined) return memberName(dictionary, path)
  const general = list.replaceAll(/\[\*?\d*\]/g, '[]')
  const byKind = entryOf(dictionary.names, general + rest)
  if (byKind !== undefined) return byKind
  const inside = insideOf(dictionary, rest)
  if (!/^\d+$/.test(at)) return (entryOf(dictionary.lists, general) ?? list) + inside
  return exactly(dictionary, translated(), { general, at, inner, innerAt, inside }) ?? path
}

/** The longest beginning that has a name, under that, and the rest as it is. */
function memberName({ names }: Dictionary, path: string): string {
  for (
    let end = path.length;
    end > 0;
    end = Math.max(path.lastIndexOf('.', end - 1), path.lastIndexOf('[', end - 1))
  ) {
    const named = entryOf(names, path.slice(0, end))
    if (named !== undefined) return named + path.slice(end)
  }
  return path
}

interface Sought {
  readonly general: string
  readonly at: string
  readonly inner: string | undefined
  readonly innerAt: string
  readonly inside: string
}

function exactly(
  { lists }: Dictionary,
  { chat, places }: Translated,
  { general, at, inner, innerAt, inside }: Sought,
): string | undefined {
  const outer = itemAt(chat[general.startsWith('messages') ? 'messages' : 'tools'], at)
  const holder = outer && places.get(outer)
  if (outer === undefined || holder === undefined) return undefined
  // What stands outside of the list is its own content.
  if (inner === undefined)
    return holder + (holder.endsWith(']') ? inside : inside.replace(/^\.(?:content|parts)\b/, ''))
  const part = itemAt(outer[inner], innerAt)
  const place = part && places.get(part)
  if (place !== undefined) return place + inside
  const own = entryOf(lists, general)?.split('.').at(-1)?.replace('[]', `[${innerAt}]`)
  return own === undefined ? undefined : `${holder}.${own}${inside}`
}

function itemAt(list: Json | undefined, at: string): JsonObject | undefined {
  const item: Json | undefined = Array.isArray(list) ? list[Number(at)] : undefined
  return isJsonObject(item) ? item : undefined
}

function insideOf({ inside }: Dictionary, rest: string): string {
  const [chat, own] =
    inside.find(
      ([chat]) => rest === chat || (/^[.[]/.test(rest.slice(chat.length)) && rest.startsWith(chat)),
    ) ?? []
  return chat === undefined || own === undefined ? rest : own + rest.slice(chat.length)
}
