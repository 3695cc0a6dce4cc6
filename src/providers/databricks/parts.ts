import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ChatMessage } from '../../core/mode.ts'
import { textOf } from '../answer.ts'
import { earlierWords } from '../earlier-words.ts'

/**
 * A message of an answer, or a piece of one. What models think stands as `{type: 'reasoning', summary: [{type:
 * 'summary_text', text, signature?}]}` beside `{type: 'text', text}`
 * (https://docs.databricks.com/machine-learning/model-serving/query-reason-models, read 2026-11-27).
 */
export function fromParts(message: JsonObject): JsonObject {
  const { content, ...rest } = message
  if (!Array.isArray(content)) return message
  const parts = content.filter(isJsonObject)
  const thoughts = parts.filter((part) => part['type'] === 'reasoning').flatMap(summariesOf)
  const thought = thoughts.map((one) => textOf(one['text']) ?? '').join('')
  const said = parts.flatMap((part) => textOf(part['text']) ?? [])
  return {
    ...rest,
    content: said.length === 0 && thoughts.length > 0 && rest['role'] === undefined ? null : said.join(''),
    ...(thought !== '' && { reasoning_content: thought }),
    ...(thoughts.some((one) => typeof one['signature'] === 'string') && {
      thinking_blocks: thoughts.map(toThinkingBlock),
    }),
  }
}

function summariesOf(part: JsonObject): readonly JsonObject[] {
  const { summary } = part
  return Array.isArray(summary) ? summary.filter(isJsonObject) : []
}

/** LiteLLM's name for a thought that the model wants back unchanged. */
function toThinkingBlock(summary: JsonObject): JsonObject {
  const { text, signature } = summary
  return {
    type: 'thinking',
    thinking: textOf(text) ?? '',
    ...(typeof signature === 'string' && { signature }),
  }
}

/** A message of a request: plain text where it is nothing else, thoughts as the model gave them. */
export function toParts(message: ChatMessage): JsonObject {
  const { reasoning_content: _, thinking_blocks: blocks, role, ...others } = message
  const { name: __, refusal: ___, audio: ____, content: _____, ...rest } = others
  const content = earlierWords(message)
  const plain = plainText(content)
  const thoughts = Array.isArray(blocks) ? blocks.flatMap(toReasoning) : []
  const common = { ...rest, role: role === 'developer' ? 'system' : role }
  if (thoughts.length === 0) return { ...common, ...(content !== undefined && { content: plain }) }
  const said = typeof plain === 'string' ? (plain === '' ? [] : [{ type: 'text', text: plain }]) : plain
  return { ...common, content: [...thoughts, ...(Array.isArray(said) ? said : [])] }
}

function toReasoning(block: Json): readonly JsonObject[] {
  if (!isJsonObject(block) || block['type'] !== 'thinking') return []
  const { thinking, signature } = block
  const summary = {
    type: 'summary_text',
    text: textOf(thinking) ?? '',
    ...(typeof signature === 'string' && { signature }),
  }
  return [{ type: 'reasoning', summary: [summary] }]
}

/** Most of its models take no lists; one of nothing but texts says the same without. */
function plainText(content: Json | undefined): Json | undefined {
  if (!Array.isArray(content) || content.length === 0) return content
  const texts = content.flatMap((part: Json) => (isPlainText(part) ? [part.text] : []))
  return texts.length === content.length ? texts.join('') : content
}

function isPlainText(part: Json): part is { readonly type: 'text'; readonly text: string } {
  return (
    isJsonObject(part) &&
    part['type'] === 'text' &&
    typeof part['text'] === 'string' &&
    Object.keys(part).length === 2
  )
}
