import type { JsonObject } from '../../../core/json.ts'
import { saidItem, saidPart, type Conversation, type Item } from './conversation.ts'
import type { Tray } from './tray.ts'

/** The items of one response, one after the other. */
export interface Output {
  /** Says something of an item that is being made. */
  say(type: string, itemId: string, more: JsonObject): void
  added(item: Item): void
  finished(item: Item): void
  /** How many there were. */
  count(): number
  items(): readonly Item[]
}

/** As many items of a response, and parts of a message, are repeated at its end; there are hardly ever two. */
const MAX_REPEATED = 128
/** How much of one part is held to be repeated at its end, characters. */
const MAX_WORDS_CHARS = 1024 * 1024

/** Makes it, without items. */
export function createOutput(tray: Tray, conversation: Conversation, responseId: string): Output {
  const items: Item[] = []
  let count = 0
  const tell = (type: string, item: Item): void =>
    tray.say({ type, response_id: responseId, output_index: count, item })
  return {
    say: (type, itemId, more) =>
      tray.say({ type, response_id: responseId, item_id: itemId, output_index: count, ...more }),
    added: (item) => {
      tell('response.output_item.added', item)
      conversation.add(item)
    },
    finished: (item) => {
      tell('response.output_item.done', item)
      conversation.done(item)
      count += 1
      if (items.length < MAX_REPEATED) items.push(item)
    },
    count: () => count,
    items: () => items,
  }
}

/** The message that is being said, in parts. */
export interface Message {
  isOpen(): boolean
  text(words: string): void
  /** Base64. */
  sound(data: string): void
  transcript(words: string): void
  /** The sound is over. */
  quiet(): void
  close(status: string): void
}

interface Part {
  readonly kind: 'audio' | 'text'
  readonly itemId: string
  readonly index: number
  words: string
  isQuiet: boolean
}

/** Makes it; an item begins with its first words, and with the first after each `close`. */
export function createMessage(tray: Tray, output: Output): Message {
  let itemId: string | undefined
  let content: JsonObject[] = []
  let parts = 0
  let part: Part | undefined
  const closePart = (): void => {
    if (part === undefined) return
    endPart(output, part)
    parts += 1
    if (content.length < MAX_REPEATED) content.push(saidPart(part.kind, part.words, tray.isBeta))
    part = undefined
  }
  const partOf = (kind: Part['kind']): Part => {
    if (part?.kind === kind) return part
    closePart()
    if (itemId === undefined) {
      itemId = tray.id('item')
      output.added(saidItem(itemId, 'in_progress', []))
    }
    part = { kind, itemId, index: parts, words: '', isQuiet: false }
    output.say('response.content_part.added', itemId, { content_index: parts, part: partView(part) })
    return part
  }
  return {
    isOpen: () => itemId !== undefined,
    text: (words) => sayWords(output, partOf('text'), 'response.output_text.delta', words),
    transcript: (words) => sayWords(output, partOf('audio'), 'response.output_audio_transcript.delta', words),
    sound: (data) => {
      const { itemId: id, index } = partOf('audio')
      output.say('response.output_audio.delta', id, { content_index: index, delta: data })
    },
    quiet: () => {
      if (part !== undefined) endSound(output, part)
    },
    close: (status) => {
      closePart()
      if (itemId !== undefined) output.finished(saidItem(itemId, status, content))
      itemId = undefined
      content = []
      parts = 0
    },
  }
}

function sayWords(output: Output, part: Part, type: string, words: string): void {
  if (part.words.length < MAX_WORDS_CHARS) part.words += words
  output.say(type, part.itemId, { content_index: part.index, delta: words })
}

function endSound(output: Output, part: Part): void {
  if (part.kind !== 'audio' || part.isQuiet) return
  part.isQuiet = true
  output.say('response.output_audio.done', part.itemId, { content_index: part.index })
}

function endPart(output: Output, part: Part): void {
  endSound(output, part)
  const { itemId, words } = part
  const at = { content_index: part.index }
  if (part.kind === 'audio')
    output.say('response.output_audio_transcript.done', itemId, { ...at, transcript: words })
  else output.say('response.output_text.done', itemId, { ...at, text: words })
  output.say('response.content_part.done', itemId, { ...at, part: partView(part) })
}

/** A part in an event of its own, where it is named alike in both forms. */
function partView({ kind, words }: Part): JsonObject {
  return kind === 'audio' ? { type: 'audio', transcript: words } : { type: 'text', text: words }
}
