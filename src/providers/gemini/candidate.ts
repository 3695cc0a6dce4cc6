import { createHash } from 'node:crypto'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { textOf } from '../answer.ts'

/** What some parts say, sorted by what OpenAI has a place for. */
export interface Words {
  readonly text: string
  readonly reasoning: string
  /** OpenAI's `tool_calls`. */
  readonly calls: readonly JsonObject[]
  /** Images as `data:` URLs, as OpenRouter and LiteLLM show them. */
  readonly images: readonly JsonObject[]
  /** A signature of what is no call: it has to come back with the message. */
  readonly signature?: string
}

/** How the ids of calls that come without one are made. */
export interface CallIds {
  /** The answer's own id; empty where it has none. */
  readonly responseId: string
  /** The candidate's place. */
  readonly candidate: number
  /** How many calls and images there were before. */
  readonly calls: number
  readonly images: number
}

/** Reads parts (https://ai.google.dev/api/caching#Part). */
export function wordsOf(parts: Json | undefined, ids: CallIds): Words {
  const listed: readonly Json[] = Array.isArray(parts) ? parts : []
  let text = ''
  let reasoning = ''
  let signature: string | undefined
  const calls: JsonObject[] = []
  const images: JsonObject[] = []
  for (const part of listed.filter(isJsonObject)) {
    const call = part['functionCall']
    if (isJsonObject(call)) {
      calls.push(toolCall(call, part, ids, ids.calls + calls.length))
      continue
    }
    signature = textOf(part['thoughtSignature']) ?? signature
    const words = textOf(part['text']) ?? codeOf(part)
    if (part['thought'] === true) reasoning += words
    else text += words
    const url = dataUrl(part['inlineData'])
    if (url !== undefined && part['thought'] !== true)
      images.push({ type: 'image_url', image_url: { url }, index: ids.images + images.length })
  }
  return { text, reasoning, calls, images, ...(signature !== undefined && { signature }) }
}

/** Where a signature stands in OpenAI's words (https://ai.google.dev/gemini-api/docs/openai). */
export function signatureField(signature: string | undefined): JsonObject {
  return signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }
}

function toolCall(call: JsonObject, part: JsonObject, ids: CallIds, at: number): JsonObject {
  const name = textOf(call['name']) ?? ''
  const args = JSON.stringify(call['args'] ?? {})
  return {
    id: textOf(call['id']) ?? madeId(ids, at, name + args),
    type: 'function',
    function: { name, arguments: args },
    ...signatureField(textOf(part['thoughtSignature'])),
  }
}

/** The same whenever the same answer is read, and another one for each call of a conversation. */
function madeId({ responseId, candidate }: CallIds, at: number, words: string): string {
  const seed = JSON.stringify([responseId, candidate, at, words])
  return `call_${createHash('sha256').update(seed).digest('base64url').slice(0, 24)}`
}

/** Code that was run on Google's side, and what came of it: text to everybody else. */
function codeOf(part: JsonObject): string {
  const code = part['executableCode']
  if (isJsonObject(code)) return fenced((textOf(code['language']) ?? '').toLowerCase(), textOf(code['code']))
  const result = part['codeExecutionResult']
  return isJsonObject(result) ? fenced('', textOf(result['output'])) : ''
}

function fenced(language: string, text = ''): string {
  return `\n\`\`\`${language}\n${text.replace(/\n$/, '')}\n\`\`\`\n`
}

function dataUrl(inline: Json | undefined): string | undefined {
  const data = isJsonObject(inline) ? textOf(inline['data']) : undefined
  if (!isJsonObject(inline) || data === undefined) return undefined
  return `data:${textOf(inline['mimeType']) ?? 'image/png'};base64,${data}`
}
