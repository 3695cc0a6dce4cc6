import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { extra, word, type Complaint } from './anthropic-words.ts'

const PICTURES: ReadonlySet<Json> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])
const ID = /^[a-zA-Z0-9_-]+$/

/** The members of each block that a client may send. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'citations'],
  image: ['source'],
  document: ['source', 'title', 'context', 'citations'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
  tool_use: ['id', 'name', 'input', 'caller'],
  tool_result: ['tool_use_id', 'content', 'is_error'],
  server_tool_use: ['id', 'name', 'input'],
  web_search_tool_result: ['tool_use_id', 'content'],
  search_result: ['source', 'title', 'content', 'citations'],
}

/** What Anthropic would complain of in a conversation. Neighbours of one role count as one turn. */
export function messagesComplaint(messages: Json | undefined, version: string): Complaint {
  if (!Array.isArray(messages)) return 'messages: Input should be a valid list'
  if (messages.length === 0) return 'messages: at least one message is required'
  for (const [at, message] of messages.entries()) {
    const complaint = messageComplaint(message, `messages.${at}.`, version)
    if (complaint !== undefined) return complaint
  }
  const turns = messages.filter(isJsonObject)
  if (turns[0]?.['role'] !== 'user') return 'messages: first message must use the "user" role'
  return callsComplaint(turns)
}

function messageComplaint(message: Json, path: string, version: string): Complaint {
  if (!isJsonObject(message)) return `${path}: Input should be a valid dictionary`
  const { role, content } = message
  if (role !== 'user' && role !== 'assistant') return `${path}role: Input should be 'user' or 'assistant'`
  const unknown = extra(path, message, ['role', 'content'])
  if (unknown !== undefined) return unknown
  if (typeof content === 'string')
    return content === '' ? 'messages: text content blocks must be non-empty' : undefined
  if (!Array.isArray(content)) return `${path}content: Field required`
  for (const [at, block] of content.entries()) {
    const complaint = blockComplaint(block, `${path}content.${at}.`, role, version)
    if (complaint !== undefined) return complaint
  }
  return undefined
}

function blockComplaint(block: Json, path: string, role: string, version: string): Complaint {
  if (!isJsonObject(block)) return `${path}: Input should be a valid dictionary`
  const type = word(block['type'])
  const known = BLOCKS[type]
  if (known === undefined)
    return `${path}type: Input tag '${type}' found using 'type' does not match any of the expected tags`
  const unknown = extra(`${path}${type}.`, block, ['type', 'cache_control', ...known])
  if (unknown !== undefined) return unknown
  if (version === '2026-10-21' && type === 'document' && role === 'assistant')
    return `${path}: document blocks are not permitted in assistant messages`
  switch (type) {
    case 'text':
      return block['text'] === '' ? 'messages: text content blocks must be non-empty' : undefined
    case 'image':
      return pictureComplaint(block['source'], `${path}image.source.`)
    case 'document':
      return documentComplaint(block['source'], `${path}document.source.`)
    case 'thinking':
      return typeof block['signature'] === 'string' && block['signature'] !== ''
        ? undefined
        : `${path}thinking.signature: Field required`
    case 'tool_use':
      if (!isJsonObject(block['input'])) return `${path}tool_use.input: Input should be a valid dictionary`
      return ID.test(word(block['id']))
        ? undefined
        : `${path}tool_use.id: String should match pattern '${ID.source}'`
    default:
      return undefined
  }
}

function pictureComplaint(source: Json | undefined, path: string): Complaint {
  if (!isJsonObject(source)) return `${path}: Field required`
  if (source['type'] === 'url')
    return word(source['url']).startsWith('https:')
      ? undefined
      : `${path}url.url: Only HTTPS URLs are supported.`
  if (source['type'] !== 'base64')
    return source['type'] === 'file' ? undefined : `${path}type: Input tag is not known`
  if (!PICTURES.has(source['media_type'] ?? null))
    return `${path}base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`
  return isBase64(source['data']) ? undefined : `${path}base64: invalid base64 data`
}

function documentComplaint(source: Json | undefined, path: string): Complaint {
  if (!isJsonObject(source)) return `${path}: Field required`
  if (source['type'] !== 'base64') return undefined
  if (source['media_type'] !== 'application/pdf')
    return `${path}base64.media_type: Input should be 'application/pdf'`
  return isBase64(source['data']) ? undefined : `${path}base64: invalid base64 data`
}

function isBase64(data: Json | undefined): boolean {
  return typeof data === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(data)
}

/** Every call is answered in the turn after it, and nothing else is. */
function callsComplaint(turns: readonly JsonObject[]): Complaint {
  let called: readonly string[] = []
  for (const [at, turn] of merged(turns).entries()) {
    const answered = idsOf(turn, 'tool_result', 'tool_use_id')
    const open = called.find((id) => !answered.includes(id))
    if (open !== undefined)
      return `messages.${at - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    const foreign = answered.find((id) => !called.includes(id))
    if (foreign !== undefined)
      return `messages.${at}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${foreign}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
    called = idsOf(turn, 'tool_use', 'id')
  }
  return called.length === 0
    ? undefined
    : `messages: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${called.join(', ')}`
}

function merged(turns: readonly JsonObject[]): readonly (readonly JsonObject[])[] {
  const all: { readonly role: Json | undefined; readonly blocks: JsonObject[] }[] = []
  for (const { role, content } of turns) {
    const blocks = Array.isArray(content) ? content.filter(isJsonObject) : []
    if (all.at(-1)?.role === role) all.at(-1)?.blocks.push(...blocks)
    else all.push({ role, blocks: [...blocks] })
  }
  return all.map(({ blocks }) => blocks)
}

function idsOf(blocks: readonly JsonObject[], type: string, name: string): readonly string[] {
  return blocks.filter((block) => block['type'] === type).map((block) => word(block[name]))
}
