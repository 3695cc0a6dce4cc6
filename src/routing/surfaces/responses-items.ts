import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { placed } from './placed.ts'
import { objectsOf, present, textOf } from './read-json.ts'
import type { WordsGround } from './surface.ts'

/** Told where what is made came from. */
type Ground = Pick<WordsGround, 'places'>

/**
 * The items of a conversation as a chat's messages. Calls that follow each other are one message's, as a chat wants it.
 * What a model thought is encrypted for its own provider, and left out.
 */
export function messagesOfItems(
  instructions: Json | undefined,
  input: Json | undefined,
  ground: Ground,
): readonly JsonObject[] {
  const first =
    typeof instructions === 'string' && instructions !== ''
      ? [placed(ground, 'instructions', system(instructions))]
      : []
  if (typeof input === 'string') return [...first, placed(ground, 'input', { role: 'user', content: input })]
  const messages: JsonObject[] = [...first]
  // Pictures in results of tools are the user's to show, once all results are told.
  let shown: readonly JsonObject[] = []
  const show = (): void => {
    if (shown.length > 0) messages.push(placed(ground, 'input', { role: 'user', content: shown }))
    shown = []
  }
  for (const [index, item] of objectsOf(input, 'input').entries()) {
    const { type = 'message' } = item
    const path = `input[${index}]`
    if (type !== 'function_call_output') show()
    switch (type) {
      case 'message':
        messages.push(placed(ground, path, messageOf(item, path, ground)))
        break
      case 'function_call':
        addCall(messages, item, path, ground)
        break
      case 'function_call_output':
        {
          const { text, others } = outputOf(item, path, ground)
          const result = { role: 'tool', tool_call_id: item['call_id'], content: text }
          messages.push(placed(ground, path, result))
          shown = [...shown, ...others]
        }
        break
      case 'reasoning':
        break
      default:
        throw refuse(
          `'${path}': an item of type '${textOf(type)?.slice(0, 64) ?? 'none'}' cannot be said to this deployment's provider.`,
          'input',
        )
    }
  }
  show()
  return messages
}

function system(content: Json): JsonObject {
  return { role: 'system', content }
}

function messageOf({ role, content }: JsonObject, path: string, ground: Ground): JsonObject {
  switch (role) {
    case 'user':
      return { role, content: contentOf(content, path, ground) }
    case 'assistant':
      return { role, content: spokenOf(content, path) }
    case 'system':
    case 'developer':
      // OpenAI's newer word for the same, which few others know.
      return system(contentOf(content, path, ground))
    default:
      throw refuse(`'${path}.role' must be one of user, assistant, system, developer.`, 'input')
  }
}

function contentOf(content: Json | undefined, path: string, ground: Ground): Json {
  if (typeof content === 'string') return content
  const list = `${path}.content`
  return objectsOf(content, list).map((part, at) => partOf(part, `${list}[${at}]`, ground))
}

/** What an assistant said is plain text to every chat. */
function spokenOf(content: Json | undefined, path: string): string {
  if (typeof content === 'string') return content
  return objectsOf(content, `${path}.content`)
    .map(({ text, refusal }) => textOf(text) ?? textOf(refusal) ?? '')
    .join('')
}

function partOf(part: JsonObject, path: string, ground: Ground): JsonObject {
  return placed(ground, path, saidPart(part, path))
}

function saidPart(part: JsonObject, path: string): JsonObject {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', text: textOf(part['text']) ?? '' }
    case 'input_image': {
      const url = textOf(part['image_url'])
      if (url === undefined) throw keptFile(path)
      return { type: 'image_url', image_url: present({ url, detail: part['detail'] ?? undefined }) }
    }
    case 'input_file': {
      const data = textOf(part['file_data']) ?? textOf(part['file_url'])
      if (data === undefined) throw keptFile(path)
      return { type: 'file', file: present({ filename: part['filename'] ?? 'file', file_data: data }) }
    }
    case 'input_audio':
      return { type: 'input_audio', input_audio: part['input_audio'] }
    default:
      throw refuse(
        `'${path}': a part of type '${textOf(part['type'])?.slice(0, 64) ?? 'none'}' cannot be said to this deployment's provider.`,
        'input',
      )
  }
}

function keptFile(path: string): ReturnType<typeof refuse> {
  return refuse(
    `'${path}': a file that is named by its id lives at OpenAI; this deployment's provider needs its data or a URL.`,
    'input',
  )
}

function addCall(messages: JsonObject[], item: JsonObject, path: string, ground: Ground): void {
  const { call_id, name, arguments: text } = item
  const call = placed(ground, path, { id: call_id, type: 'function', function: { name, arguments: text } })
  const last = messages.at(-1)
  if (last?.['role'] !== 'assistant') {
    messages.push(placed(ground, path, { role: 'assistant', content: null, tool_calls: [call] }))
    return
  }
  const others = Array.isArray(last['tool_calls']) ? last['tool_calls'] : []
  messages[messages.length - 1] = placed(ground, ground.places?.get(last) ?? path, {
    ...last,
    tool_calls: [...others, call],
  })
}

/** A tool's result: a chat's tool messages hold text alone. */
function outputOf(
  { output }: JsonObject,
  path: string,
  ground: Ground,
): { readonly text: string; readonly others: readonly JsonObject[] } {
  if (!Array.isArray(output)) return { text: textOf(output) ?? '', others: [] }
  const list = `${path}.output`
  const parts = objectsOf(output, list).map((part, at) => partOf(part, `${list}[${at}]`, ground))
  const texts = parts.flatMap(({ type, text }) => (type === 'text' ? [textOf(text) ?? ''] : []))
  return { text: texts.join('\n'), others: parts.filter(({ type }) => type !== 'text') }
}
