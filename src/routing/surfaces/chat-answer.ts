import { GatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { countOf, memberOf, textOf } from './read-json.ts'

/** A chat's first answer, as far as surfaces write it. */
export interface ChatAnswer {
  readonly id: string
  readonly model: string
  readonly message: JsonObject
  readonly finish: string | undefined
  readonly logprobs: Json
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

/** @throws GatewayError wrong_shape where no choice holds a message */
export function readAnswer(answer: JsonObject): ChatAnswer {
  const choice = firstChoice(answer)
  const message = memberOf(choice, 'message')
  if (!isJsonObject(message)) throw new GatewayError('wrong_shape', 'answered with no message in its choices')
  return {
    id: textOf(answer['id']) ?? '',
    model: textOf(answer['model']) ?? '',
    message,
    finish: textOf(memberOf(choice, 'finish_reason')),
    logprobs: memberOf(choice, 'logprobs') ?? null,
    usage: readUsage(answer['usage']),
  }
}

/** Reads an event; of those with several answers the first one's. */
export function readPiece(chunk: JsonObject): ChatPiece {
  const choice = firstChoice(chunk)
  const isFirst = countOf(memberOf(choice, 'index')) === 0
  const delta = memberOf(choice, 'delta')
  return {
    id: textOf(chunk['id']) ?? '',
    model: textOf(chunk['model']) ?? '',
    delta: isFirst && isJsonObject(delta) ? delta : {},
    finish: isFirst ? textOf(memberOf(choice, 'finish_reason')) : undefined,
    logprobs: memberOf(choice, 'logprobs') ?? null,
    usage: isJsonObject(chunk['usage']) ? readUsage(chunk['usage']) : undefined,
  }
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

function firstChoice({ choices }: JsonObject): Json | undefined {
  return Array.isArray(choices) ? choices[0] : undefined
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
