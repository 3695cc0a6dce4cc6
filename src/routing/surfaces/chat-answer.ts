import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { countOf, memberOf, textOf } from './read-json.ts'

/** One of a chat's answers. */
export interface ChatChoice {
  readonly index: number
  readonly message: JsonObject
  readonly finish: string | undefined
  readonly logprobs: Json
}

/** What one event of a streamed chat adds to one of its answers. */
export type ChatDelta = Omit<ChatChoice, 'message'> & Pick<ChatPiece, 'delta'>

/** A chat's first answer, as far as surfaces write it. */
export interface ChatAnswer extends ChatChoice {
  readonly id: string
  readonly model: string
  readonly usage: ChatUsage
}

/** One event of a streamed chat. */
export interface ChatPiece {
  readonly id: string
  readonly model: string
  readonly delta: JsonObject
  readonly finish: string | undefined
  readonly logprobs: Json
  /** Absent in all but the last. */
  readonly usage: ChatUsage | undefined
}

/** What a chat has cost, tokens. */
export interface ChatUsage {
  /** With those that were cached. */
  readonly prompt: number
  readonly completion: number
  readonly cached: number
  readonly written: number
  readonly reasoning: number
}

/** A tool that the model calls. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON text, or the next piece of it. */
  readonly arguments: string
  /** Of a streamed call: which one of several. */
  readonly index: number
}

/** @throws GatewayError wrong_shape where the first choice holds no message */
export function readAnswer(answer: JsonObject): ChatAnswer {
  const [first] = readChoices(answer)
  return { ...namesOf(answer), ...first, usage: readUsage(answer['usage']) }
}

/** @throws GatewayError wrong_shape where a choice holds no message, or there is none */
export function readChoices(answer: JsonObject): readonly [ChatChoice, ...ChatChoice[]] {
  const [first, ...others] = choicesOf(answer).map((choice, at) => {
    const message = memberOf(choice, 'message')
    if (!isJsonObject(message))
      throw new GatewayError('wrong_shape', 'answered with no message in its choices')
    return { index: indexOf(choice, at), message, finish: finishOf(choice), logprobs: logprobsOf(choice) }
  })
  if (first === undefined) throw new GatewayError('wrong_shape', 'answered with no message in its choices')
  return [first, ...others]
}

/** Reads an event; of those with several answers the first one's. */
export function readPiece(chunk: JsonObject): ChatPiece {
  const [first = NOTHING_NEW] = readDeltas(chunk)
  const { index, delta, finish, logprobs } = first
  return {
    ...namesOf(chunk),
    delta: index === 0 ? delta : {},
    finish: index === 0 ? finish : undefined,
    logprobs,
    usage: usageIn(chunk),
  }
}

const NOTHING_NEW: ChatDelta = { index: 0, delta: {}, finish: undefined, logprobs: null }

/** What an event adds to each of the answers that it is about. */
export function readDeltas(chunk: JsonObject): readonly ChatDelta[] {
  return choicesOf(chunk).map((choice) => {
    const delta = memberOf(choice, 'delta')
    return {
      index: indexOf(choice, 0),
      delta: isJsonObject(delta) ? delta : {},
      finish: finishOf(choice),
      logprobs: logprobsOf(choice),
    }
  })
}

/** What an answer or an event says that the chat has cost; undefined where it says nothing. */
export function usageIn({ usage }: JsonObject): ChatUsage | undefined {
  return isJsonObject(usage) ? readUsage(usage) : undefined
}

/** How an answer or an event names itself and its model. */
export function namesOf({ id, model }: JsonObject): Pick<ChatPiece, 'id' | 'model'> {
  return { id: textOf(id) ?? '', model: textOf(model) ?? '' }
}

function indexOf(choice: Json, otherwise: number): number {
  const index = memberOf(choice, 'index')
  return typeof index === 'number' ? countOf(index) : otherwise
}

function finishOf(choice: Json): string | undefined {
  return textOf(memberOf(choice, 'finish_reason'))
}

function logprobsOf(choice: Json): Json {
  return memberOf(choice, 'logprobs') ?? null
}

/** What the model thought aloud, by any of the names that providers give it. */
export function thoughtOf(message: JsonObject): string {
  return textOf(message['reasoning_content']) ?? textOf(message['reasoning']) ?? ''
}

/** The words of a message or a delta, which some write as parts. */
export function wordsOf({ content }: JsonObject): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: Json) => textOf(memberOf(part, 'text')) ?? '').join('')
}

/** The tools that a message or a delta calls. */
export function callsOf({ tool_calls: listed, function_call: old }: JsonObject): readonly ToolCall[] {
  if (Array.isArray(listed))
    return listed.flatMap((call: Json, at) => (isJsonObject(call) ? [readCall(call, at)] : []))
  return isJsonObject(old) ? [readCall({ function: old }, 0)] : []
}

/**
 * What a whole call is made with; undefined: the budget cut it off in the middle, and it cannot be made.
 * @throws GatewayError wrong_shape for what is no JSON object otherwise
 */
export function argumentsOf(
  { arguments: text }: Pick<ToolCall, 'arguments'>,
  mayBeCut: boolean,
): JsonObject | undefined {
  const input = text.trim() === '' ? {} : parseJson(text)
  if (isJsonObject(input)) return input
  if (mayBeCut) return undefined
  throw new GatewayError('wrong_shape', 'answered with a call of a tool whose arguments are no JSON object')
}

function readCall({ id, index, function: called }: JsonObject, at: number): ToolCall {
  const args = memberOf(called, 'arguments')
  return {
    id: textOf(id) ?? '',
    name: textOf(memberOf(called, 'name')) ?? '',
    // Some servers write the object itself.
    arguments: isJsonObject(args) ? JSON.stringify(args) : (textOf(args) ?? ''),
    index: typeof index === 'number' ? index : at,
  }
}

function choicesOf({ choices }: JsonObject): readonly Json[] {
  return Array.isArray(choices) ? choices : []
}

function readUsage(usage: Json | undefined): ChatUsage {
  const ofPrompt = memberOf(usage, 'prompt_tokens_details')
  const ofCompletion = memberOf(usage, 'completion_tokens_details')
  return {
    prompt: countOf(memberOf(usage, 'prompt_tokens')),
    completion: countOf(memberOf(usage, 'completion_tokens')),
    cached: countOf(memberOf(ofPrompt, 'cached_tokens')),
    written: countOf(memberOf(ofPrompt, 'cache_creation_tokens')),
    reasoning: countOf(memberOf(ofCompletion, 'reasoning_tokens')),
  }
}
