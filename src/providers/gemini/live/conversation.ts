import type { JsonObject } from '../../../core/json.ts'
import { textOf } from '../../answer.ts'
import type { Tray } from './tray.ts'

/** An item of a conversation: what was said, called or answered. */
export interface Item extends JsonObject {
  readonly id: string
}

/** What a client knows of the conversation. */
export interface Conversation {
  readonly id: string
  /** The newest item; null while there is none. */
  last(): string | null
  /** An item that is whole, or is going to be. */
  add(item: Item): void
  /** An item that is whole. Its sounds and pictures are not kept. */
  done(item: Item): void
  /** More of an item became known. */
  keep(item: Item): void
  /** One of the newest, small ones. */
  find(id: string): Item | undefined
}

/** Items that can be asked for again, and how large one of them may be. */
const KEPT_ITEMS = 64
const KEPT_ITEM_CHARS = 32 * 1024

/** Makes an empty conversation that tells the client of each item. */
export function createConversation(tray: Tray): Conversation {
  const kept = new Map<string, Item>()
  const places = new Map<string, string | null>()
  let last: string | null = null
  const keep = (item: Item): void => {
    if (JSON.stringify(item).length > KEPT_ITEM_CHARS) return
    kept.set(item.id, item)
    trim(kept)
  }
  return {
    id: tray.id('conv'),
    last: () => last,
    add: (item) => {
      tray.say({ type: 'conversation.item.added', previous_item_id: last, item })
      places.set(item.id, last)
      trim(places)
      last = item.id
    },
    done: (item) => {
      const previous = places.get(item.id) ?? null
      tray.say({ type: 'conversation.item.done', previous_item_id: previous, item })
      keep(item)
    },
    keep,
    find: (id) => kept.get(id),
  }
}

/** Forgets the oldest beyond the bound. */
function trim(map: Map<string, unknown>): void {
  const [oldest] = map.keys()
  if (map.size > KEPT_ITEMS && oldest !== undefined) map.delete(oldest)
}

/** What the user said aloud. */
export function heardItem(id: string, transcript: string | null): Item {
  return {
    id,
    object: 'realtime.item',
    type: 'message',
    status: 'completed',
    role: 'user',
    content: [{ type: 'input_audio', transcript }],
  }
}

/** What the model says; `content` in today's words. */
export function saidItem(id: string, status: string, content: readonly JsonObject[]): Item {
  return { id, object: 'realtime.item', type: 'message', status, role: 'assistant', content }
}

/** A part of what the model says, in an item. */
export function saidPart(kind: 'audio' | 'text', words: string, isBeta: boolean): JsonObject {
  const type = isBeta ? kind : `output_${kind}`
  return kind === 'audio' ? { type, transcript: words } : { type, text: words }
}

/** A call of a function. */
export function callItem(id: string, status: string, call: CalledFunction): Item {
  const { callId, name } = call
  return {
    id,
    object: 'realtime.item',
    type: 'function_call',
    status,
    name,
    call_id: callId,
    arguments: status === 'completed' ? call.args : '',
  }
}

/** What a call of the model's says. */
export interface CalledFunction {
  readonly callId: string
  readonly name: string
  /** JSON. */
  readonly args: string
}

/** The id that a client gave its item, where it may be one. */
export function givenId(item: JsonObject): string | undefined {
  const id = textOf(item['id'])
  return id !== undefined && /^[\w-]{1,64}$/.test(id) ? id : undefined
}
