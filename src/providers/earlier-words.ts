import { GatewayError } from '../core/failure.ts'
import { isJsonObject, type Json } from '../core/json.ts'
import type { ChatMessage } from '../core/mode.ts'
import { textOf } from './answer.ts'

/**
 * What an earlier message of an assistant says, for who knows nothing but content: where there is none, why it refused,
 * or the transcript of what it spoke.
 * @throws GatewayError bad_request for sound that is named by its id alone: only its maker has it; for a call in the form
 * that OpenAI had before tools
 */
export function earlierWords(message: ChatMessage): Json | undefined {
  const { content } = message
  if (isJsonObject(message['function_call']))
    throw unsayable("an assistant's earlier 'function_call' is OpenAI's old form: send it as 'tool_calls'")
  if (Array.isArray(content)) return content.map(asText)
  if (content !== undefined && content !== null && content !== '') return content
  const refusal = textOf(message['refusal']) ?? ''
  if (refusal !== '') return refusal
  const sound = message['audio']
  if (!isJsonObject(sound)) return content
  const transcript = textOf(sound['transcript']) ?? ''
  if (transcript !== '') return transcript
  throw unsayable(
    "an assistant's earlier 'audio' is known to its maker alone: send its transcript as the content",
  )
}

function unsayable(why: string): GatewayError {
  return new GatewayError('bad_request', why, { param: 'messages', source: 'client' })
}

/** Why it refused may be a part as well. */
function asText(part: Json): Json {
  if (!isJsonObject(part) || part['type'] !== 'refusal') return part
  return { type: 'text', text: part['refusal'] }
}
