import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import type { EventJson } from '../request/operation.ts'

/** How many members a chunk that only adds text has, and its choice. */
const CHUNK_MEMBERS = 5
const CHOICE_MEMBERS = 3

/**
 * Writes the chunks of one stream as JSON. Nearly all of them add some text and say nothing else: what such chunks have
 * in common is written once.
 */
export function createChunkWriter(): EventJson<ChatChunk> {
  let head = ''
  let latest: Pick<ChatChunk, 'id' | 'model' | 'created'> | undefined
  const headOf = ({ id, object, created, model }: ChatChunk): string => {
    if (latest?.id !== id || latest.model !== model || latest.created !== created) {
      latest = { id, model, created }
      head = `${JSON.stringify({ id, object, created, model }).slice(0, -1)},"choices":[{"index":0,"delta":{"content":`
    }
    return head
  }
  return {
    json: (chunk) => {
      const text = textIn(chunk)
      if (text === undefined) return JSON.stringify(chunk)
      return `${headOf(chunk)}${JSON.stringify(text)}},"finish_reason":null}]}`
    },
    text: textIn,
  }
}

/** The text that a chunk adds, where it says nothing else. */
function textIn(chunk: ChatChunk): string | undefined {
  const [choice] = chunk.choices
  if (chunk.choices.length !== 1 || Object.keys(chunk).length !== CHUNK_MEMBERS) return undefined
  return textOf(choice)
}

/** The text that the first choice adds, where it says nothing else. */
function textOf(choice: JsonObject | undefined): string | undefined {
  if (choice === undefined || Object.keys(choice).length !== CHOICE_MEMBERS) return undefined
  const { index, delta, finish_reason: finish } = choice
  if (index !== 0 || finish !== null || !isJsonObject(delta)) return undefined
  const { content } = delta
  return typeof content === 'string' && Object.keys(delta).length === 1 ? content : undefined
}
