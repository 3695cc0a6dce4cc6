import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { answeredAt, finishReason, usageOf } from './finish.ts'
import { JSON_TOOL } from './tools.ts'

const EXPECTED = 'an "output" with a "message"'

/**
 * Converse's answer in OpenAI's words.
 * @throws GatewayError content_policy where a guardrail kept the request from the model
 */
export function decodeConverse(response: WireResponse, target: Target): ChatResponse {
  const body = readAnswer(response, EXPECTED)
  const output = isJsonObject(body['output']) ? body['output'] : undefined
  const content = isJsonObject(output?.['message']) ? output['message']['content'] : undefined
  if (!Array.isArray(content)) throw notAnAnswer(response, body, EXPECTED)
  const usage = body['usage']
  const said = readContent(content)
  if (body['stopReason'] === 'guardrail_intervened') throwIfKept(said, usage)
  const finish = finishReason(body['stopReason'])
  if (said.isSilent && (finish === null || finish === 'stop')) {
    throw new GatewayError('empty', `answered ${response.status} with a message that says nothing`)
  }
  const { message, isAnswerByTool } = said
  return {
    id: response.headers['x-amzn-requestid'] ?? '',
    object: 'chat.completion',
    created: answeredAt(response),
    model: target.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: null,
        finish_reason: finish === 'tool_calls' && isAnswerByTool ? 'stop' : finish,
      },
    ],
    ...usageOf(usage),
  }
}

/**
 * A guardrail that blocks what is asked answers in the model's place, and no token is counted; one that blocks or masks
 * what the model said is a finish reason.
 */
function throwIfKept({ message }: Said, usage: Json | undefined): void {
  const written = isJsonObject(usage) ? numberOf(usage['outputTokens']) : undefined
  if ((written ?? 0) > 0) return
  throw new GatewayError(
    'content_policy',
    `a guardrail kept the request from the model: ${textOf(message['content']) ?? 'it says nothing'}`,
    { upstreamStatus: 400 },
  )
}

interface Said {
  readonly message: JsonObject
  readonly isSilent: boolean
  /** It answered through the tool that was made for that, and called no other. */
  readonly isAnswerByTool: boolean
}

function readContent(content: readonly Json[]): Said {
  let text = ''
  let reasoning = ''
  const thoughts: JsonObject[] = []
  const calls: JsonObject[] = []
  const annotations: JsonObject[] = []
  let isAnswer = false
  for (const block of content) {
    if (!isJsonObject(block)) continue
    const { toolUse, reasoningContent, citationsContent } = block
    text += textOf(block['text']) ?? ''
    if (isJsonObject(toolUse) && toolUse['name'] === JSON_TOOL) {
      isAnswer = true
      text += JSON.stringify(toolUse['input'] ?? {})
    } else if (isJsonObject(toolUse)) calls.push(toolCall(toolUse))
    if (isJsonObject(reasoningContent)) {
      const thought = thinkingBlock(reasoningContent)
      thoughts.push(thought)
      reasoning += textOf(thought['thinking']) ?? ''
    }
    if (isJsonObject(citationsContent)) {
      const cited = citedText(citationsContent)
      annotations.push(...citations(citationsContent['citations'], text.length, cited.length))
      text += cited
    }
  }
  const isSilent = text === '' && reasoning === '' && calls.length === 0
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(thoughts.length > 0 && { thinking_blocks: thoughts }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(annotations.length > 0 && { annotations }),
  }
  return { message, isSilent, isAnswerByTool: isAnswer && calls.length === 0 }
}

function toolCall({ toolUseId, name, input }: JsonObject): JsonObject {
  return {
    id: textOf(toolUseId) ?? '',
    type: 'function',
    function: { name: textOf(name) ?? '', arguments: JSON.stringify(input ?? {}) },
  }
}

/** In Anthropic's form, which messages take back: the signature proves that the model thought it. */
function thinkingBlock({ reasoningText, redactedContent }: JsonObject): JsonObject {
  if (typeof redactedContent === 'string') return { type: 'redacted_thinking', data: redactedContent }
  const { text, signature } = isJsonObject(reasoningText) ? reasoningText : {}
  return { type: 'thinking', thinking: textOf(text) ?? '', ...(signature != null && { signature }) }
}

function citedText({ content }: JsonObject): string {
  if (!Array.isArray(content)) return ''
  return content.map((part: Json) => (isJsonObject(part) ? (textOf(part['text']) ?? '') : '')).join('')
}

/** OpenAI knows citations of pages; those of documents have no place in its form. */
function citations(listed: Json | undefined, from: number, length: number): readonly JsonObject[] {
  if (!Array.isArray(listed)) return []
  return listed.flatMap((citation: Json) => {
    const url = isJsonObject(citation) ? urlOf(citation) : undefined
    if (url === undefined || !isJsonObject(citation)) return []
    const title = textOf(citation['title']) ?? url
    return [
      { type: 'url_citation', url_citation: { url, title, start_index: from, end_index: from + length } },
    ]
  })
}

/** `location.web.url` */
export function urlOf(citation: JsonObject): string | undefined {
  const location = citation['location']
  const web = isJsonObject(location) ? location['web'] : undefined
  return isJsonObject(web) ? textOf(web['url']) : undefined
}
