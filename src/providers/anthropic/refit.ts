import { isJsonObject, type Json } from '../../core/json.ts'
import { memberValue, spliceBody, type JsonSpans } from '../../core/json-spans.ts'
import type { Target } from '../adapter.ts'
import type { Refitted } from '../refitted.ts'
import { claudeModel, type ClaudeModel } from './claude-model.ts'
import { toOutputConfig } from './messages-body.ts'
import { excludesThoughts, toSampling } from './sampling.ts'
import { toThinking } from './thinking.ts'
import { isForced } from './tools.ts'
import type { Turn } from './turns.ts'

/**
 * A request in Anthropic's words for a model that refuses its form of thinking: a budget for one that thinks as it sees
 * fit, or the other way round. Clients ask for what their usual model knows, and the gateway may ask another; LiteLLM
 * writes it anew as well. Where a budget is excluded, who may think as he sees fit does not think.
 */
export function refitted(target: Target, body: Buffer, spans: JsonSpans): Refitted | undefined {
  const own = memberValue(body, spans, 'thinking')
  const model = claudeModel(target.model)
  if (!isJsonObject(own) || !isForeign(own['type'], model)) return undefined
  const read = (name: string): Json | undefined => memberValue(body, spans, name)
  const config = read('output_config')
  const choice = read('tool_choice')
  const bound = read('max_tokens')
  const asked = { temperature: read('temperature'), top_p: read('top_p'), top_k: read('top_k') }
  const words = toThinking(
    { thinking: own, output_config: config },
    {
      model: target.model,
      ...(typeof bound === 'number' && { maxTokens: bound }),
      isSampled: excludesThoughts(asked),
      isForced: isJsonObject(choice) && isForced({ tool_choice: choice }),
      messages: turnsIn(read('messages')),
    },
  )
  const { told, lost } = toSampling(asked, model, words, undefined)
  // What says no more than the default is no loss, and is refused all the same.
  const untold = Object.keys(asked).filter((name) => told[name] === undefined)
  const said = { thinking: words.thinking, ...toOutputConfig(config, target.model, words) }
  const set = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, JSON.stringify(value)] as const],
  )
  const remove = ['thinking', 'output_config'].filter((name) => !set.some(([kept]) => kept === name))
  return {
    body: spliceBody(body, spans, { set: Object.fromEntries(set), remove: [...remove, ...untold] }),
    dropped: [...(words.lost === undefined ? [] : [words.lost]), ...lost],
  }
}

function isForeign(type: Json | undefined, { thinks, refusesBudgets }: ClaudeModel): boolean {
  return type === 'enabled' ? refusesBudgets : type === 'adaptive' && thinks === 'budget'
}

/** The client's own turns, as far as thoughts depend on them. */
export function turnsIn(messages: Json | undefined): readonly Turn[] {
  if (!Array.isArray(messages)) return []
  return messages.filter(isJsonObject).map(({ role, content }) => ({
    role: role === 'assistant' ? 'assistant' : 'user',
    content: Array.isArray(content) ? content.filter(isJsonObject) : [],
  }))
}
