import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { eventFrame } from './event-frames.ts'

const USAGE = { inputTokens: 5, outputTokens: 1, totalTokens: 6 }

/** What a model says to a request that is in order: `pong`; what it thought, where it is to think; or the calls that it is offered. */
export function conversation(
  json: JsonObject,
  isStream: boolean,
  headers: Readonly<Record<string, string>>,
): Reply {
  const content = [...thought(json), ...said(json)]
  const isCall = content.some((block) => block['toolUse'] !== undefined)
  const stopReason = isCall ? 'tool_use' : 'end_turn'
  if (!isStream) {
    const output = { message: { role: 'assistant', content } }
    return jsonReply(200, { output, stopReason, usage: USAGE, metrics: { latencyMs: 7 } }, headers)
  }
  const frames = [
    eventFrame('messageStart', { role: 'assistant', p: 'abcd' }),
    ...content.flatMap((block, contentBlockIndex) => blockFrames(block, contentBlockIndex)),
    eventFrame('messageStop', { stopReason }),
    eventFrame('metadata', { usage: USAGE, metrics: { latencyMs: 7 } }),
  ]
  return {
    status: 200,
    headers: { 'content-type': 'application/vnd.amazon.eventstream', ...headers },
    chunks: frames,
  }
}

function thought({ additionalModelRequestFields: fields, outputConfig }: JsonObject): readonly JsonObject[] {
  const isAsked =
    isJsonObject(fields) && (isJsonObject(fields['thinking']) || isJsonObject(fields['reasoningConfig']))
  const isEager = isJsonObject(outputConfig) && outputConfig['effort'] !== undefined
  if (!isAsked && !isEager) return []
  return [{ reasoningContent: { reasoningText: { text: 'hm', signature: 'c2lnbmVk' } } }]
}

function said(json: JsonObject): readonly JsonObject[] {
  const calls = callsFor(json)
  if (calls.length > 0) return calls
  const output = json['outputConfig']
  const isJson = isJsonObject(output) && output['textFormat'] !== undefined
  return [{ text: isJson ? '{"answer":"pong"}' : 'pong' }]
}

/** The tools that may be called, unless their results are what was just said: all of them at once, or the one that must be. */
function callsFor({ toolConfig, messages }: JsonObject): readonly JsonObject[] {
  if (!isJsonObject(toolConfig) || answersTools(messages)) return []
  const { tools, toolChoice } = toolConfig
  const named =
    isJsonObject(toolChoice) && isJsonObject(toolChoice['tool']) ? toolChoice['tool']['name'] : undefined
  const names = (Array.isArray(tools) ? tools : []).flatMap((tool: Json) => {
    const spec = isJsonObject(tool) ? tool['toolSpec'] : undefined
    return isJsonObject(spec) && typeof spec['name'] === 'string' ? [spec['name']] : []
  })
  return names
    .filter((name) => named === undefined || name === named)
    .map((name, at) => ({ toolUse: { toolUseId: `tooluse_${at + 1}`, name, input: { answer: 'pong' } } }))
}

function answersTools(messages: Json | undefined): boolean {
  const last: Json | undefined = Array.isArray(messages) ? messages.at(-1) : undefined
  const content = isJsonObject(last) ? last['content'] : undefined
  return (
    Array.isArray(content) &&
    content.some((block: Json) => isJsonObject(block) && isJsonObject(block['toolResult']))
  )
}

/** A block in pieces: two of a text, a thought and its signature, a call and two of its input. */
function blockFrames(block: JsonObject, contentBlockIndex: number): readonly Buffer[] {
  const delta = (part: JsonObject): Buffer =>
    eventFrame('contentBlockDelta', { contentBlockIndex, delta: part })
  const stop = eventFrame('contentBlockStop', { contentBlockIndex })
  const { text, toolUse, reasoningContent } = block
  if (isJsonObject(toolUse)) {
    const { input, ...start } = toolUse
    const written = JSON.stringify(input)
    return [
      eventFrame('contentBlockStart', { contentBlockIndex, start: { toolUse: start } }),
      delta({ toolUse: { input: written.slice(0, 5) } }),
      delta({ toolUse: { input: written.slice(5) } }),
      stop,
    ]
  }
  const told = isJsonObject(reasoningContent) ? reasoningContent['reasoningText'] : undefined
  if (isJsonObject(told)) {
    const { text: thought, signature } = told
    return [delta({ reasoningContent: { text: thought } }), delta({ reasoningContent: { signature } }), stop]
  }
  const whole = typeof text === 'string' ? text : ''
  return [delta({ text: whole.slice(0, 2) }), delta({ text: whole.slice(2) }), stop]
}
