import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage, ChatRequest } from '../../core/mode.ts'
import type { Target } from '../adapter.ts'
import { textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { earlierWords } from '../earlier-words.ts'
import { CHANGES_NOTHING, missed } from '../unsaid.ts'
import { untold } from '../untold.ts'

/** A prediction's input, and what could not be said in it. */
export interface Input {
  readonly input: JsonObject
  readonly dropped: readonly string[]
}

/** What no model here takes. */
const LACKS: readonly string[] = [
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'modalities',
  'moderation',
  'n',
  'response_format',
  'thinking',
  'tool_choice',
  'tools',
  'top_logprobs',
  'web_search_options',
]

/** What OpenAI's models alone take (https://replicate.com/openai/gpt-5/api/schema). */
const OTHERS_LACK: readonly string[] = [...LACKS, 'verbosity']

/** Told in other words, or nothing that would change an answer. */
const NOT_CARRIED: ReadonlySet<string> = new Set([
  ...CHANGES_NOTHING,
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  // Without tools there is nothing to call at once.
  'parallel_tool_calls',
  'stop',
  'stream',
])

/** Nothing is told below the top level. */
const TOLD: ReadonlySet<string> = new Set()

/** How the models of one maker want what differs. */
interface Maker {
  readonly model: RegExp
  readonly budget: string
  /** The input for pictures, one or a list. */
  readonly images?: { readonly name: string; readonly isList: boolean }
  /** False: they take no stop words. */
  readonly stops?: false
  /** Default: what all but OpenAI's lack. */
  readonly lacks?: readonly string[]
}

/** From the models' own pages (https://replicate.com/{owner}/{name}/api/schema, read 2026-11-27); the first that fits. */
const MAKERS: readonly Maker[] = [
  {
    model: /^openai\/(?!gpt-oss)/,
    budget: 'max_completion_tokens',
    images: { name: 'image_input', isList: true },
    stops: false,
    lacks: LACKS,
  },
  { model: /^anthropic\//, budget: 'max_tokens', images: { name: 'image', isList: false }, stops: false },
  { model: /^google\//, budget: 'max_output_tokens', images: { name: 'images', isList: true }, stops: false },
  {
    model:
      /^(?:meta\/(?:meta-)?llama-[34]|deepseek-ai\/|ibm-granite\/|qwen\/|xai\/|openai\/gpt-oss|moonshotai\/)/,
    budget: 'max_tokens',
  },
  { model: /vicuna|flan/, budget: 'max_length' },
]
/** Llama 2's, and so that of most older models. */
const OTHERS: Maker = { model: /^/, budget: 'max_new_tokens' }

/**
 * A chat as a prediction's input: the system's words, and a prompt, which is the one message of the user, or the
 * conversation written down.
 * @throws GatewayError bad_request (the client's doing) for parts that the model has no input for
 */
export function toInput(request: ChatRequest, target: Target): Input {
  const asked = withDefaults('chat', request, target.bodyDefaults)
  const maker = MAKERS.find(({ model }) => model.test(target.model)) ?? OTHERS
  const { lacks = OTHERS_LACK } = maker
  const stop = stopOf(asked['stop'], maker)
  const budget = asked['max_completion_tokens'] ?? asked['max_tokens']
  const entries = Object.entries(asked).filter(([, value]) => value !== undefined && value !== null)
  return {
    input: {
      ...Object.fromEntries(entries.filter(([name]) => !NOT_CARRIED.has(name) && !lacks.includes(name))),
      ...saidBy(request.messages, maker),
      ...(typeof budget === 'number' && { [maker.budget]: budget }),
      ...(typeof stop === 'string' && { stop_sequences: stop }),
    },
    dropped: [
      ...missed(asked, lacks),
      ...(stop === false ? ['stop'] : []),
      ...untold({ messages: request.messages }, TOLD),
    ],
  }
}

/** Stop words are one text with commas between them: one that holds a comma cannot be said, which is `false`. */
function stopOf(asked: Json | undefined, { stops }: Maker): string | false | undefined {
  const words = [asked ?? []].flat().filter((word: Json): word is string => typeof word === 'string')
  if (words.length === 0) return undefined
  return stops === false || words.some((word) => word.includes(',')) ? false : words.join(',')
}

function saidBy(messages: readonly ChatMessage[], maker: Maker): JsonObject {
  const system = messages.filter(isSystem).map(wordsOf).join('\n\n')
  const rest = messages.filter((message) => !isSystem(message))
  const images = messages.flatMap(imagesOf)
  const { images: place } = maker
  if (images.length > 0 && (place === undefined || (!place.isList && images.length > 1)))
    throw unsaid(place === undefined ? 'pictures' : 'more than one picture')
  return {
    // Without a word of anybody's else the system's are what is to be answered.
    prompt: rest.length === 0 ? system : promptOf(rest),
    ...(system !== '' && rest.length > 0 && { system_prompt: system }),
    ...(place !== undefined &&
      images.length > 0 && { [place.name]: place.isList ? images : (images[0] ?? '') }),
  }
}

function isSystem({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer'
}

function promptOf(messages: readonly ChatMessage[]): string {
  const [only] = messages
  if (messages.length === 1 && only?.role === 'user') return wordsOf(only)
  const lines = messages.map(
    (message) => `${entryOf(SPEAKERS, message.role) ?? speakerOf(message)}: ${wordsOf(message)}`,
  )
  return [...lines, 'Assistant:'].join('\n\n')
}

const SPEAKERS: Readonly<Record<string, string>> = { user: 'User', assistant: 'Assistant' }

function speakerOf({ role }: ChatMessage): never {
  throw unsaid(`messages of the role "${role.slice(0, 32)}"`)
}

function wordsOf(message: ChatMessage): string {
  const content = earlierWords(message)
  const calls = message['tool_calls']
  if (Array.isArray(calls) && calls.length > 0) throw unsaid('tool calls')
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.flatMap((part: Json) => textIn(part)).join('\n')
}

function textIn(part: Json): readonly string[] {
  if (!isJsonObject(part)) return []
  const { type } = part
  if (type === 'image_url') return []
  if (type !== 'text') throw unsaid(`parts of the type ${JSON.stringify(type ?? null).slice(0, 32)}`)
  return [textOf(part['text']) ?? '']
}

/** Replicate fetches them itself, and takes `data:` URLs as well. */
function imagesOf({ content }: ChatMessage): readonly string[] {
  if (!Array.isArray(content)) return []
  return content.flatMap((part: Json) => {
    const image = isJsonObject(part) ? part['image_url'] : undefined
    const url = isJsonObject(image) ? image['url'] : image
    return typeof url === 'string' ? [url] : []
  })
}

function unsaid(what: string): GatewayError {
  return new GatewayError('bad_request', `this model of Replicate's cannot be told of ${what}`, {
    status: 400,
    source: 'client',
    param: 'messages',
  })
}
