import { isJsonObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { calledTools, TOOL_ARGUMENTS } from './called-tools.ts'
import type { Call } from './call.ts'
import type { Stamps } from './kept-files.ts'

/** A response, as it stands. */
export interface KeptResponse {
  readonly id: string
  readonly account: string
  readonly json: JsonObject
  /** What was asked, item by item. */
  readonly input: readonly JsonObject[]
}

/** Responses, each account's by itself. */
export interface KeptResponses {
  find(account: string, id: string): KeptResponse | undefined
  /** Answered at once, and kept unless the client wants it forgotten. */
  add(account: string, call: Call): KeptResponse
  remove(id: string): void
}

/** The oldest go first. */
const MAX_RESPONSES = 10_000

/** Starts with none. */
export function createKeptResponses(stamps: Stamps): KeptResponses {
  const responses = new Map<string, KeptResponse>()
  return {
    find: (account, id) => {
      const found = responses.get(id)
      return found?.account === account ? found : undefined
    },
    add: (account, call) => {
      const id = stamps.nextId('resp_')
      const made = {
        id,
        account,
        json: fresh(id, call, stamps.seconds()),
        input: itemsOf(call.json?.['input']),
      }
      if (call.json?.['store'] !== false) responses.set(id, made)
      const [oldest] = responses.keys()
      if (responses.size > MAX_RESPONSES && oldest !== undefined) responses.delete(oldest)
      return made
    },
    remove: (id) => {
      responses.delete(id)
    },
  }
}

function itemsOf(input: Json | undefined): readonly JsonObject[] {
  const content = [{ type: 'input_text', text: typeof input === 'string' ? input : '…' }]
  return [{ id: 'msg_in', type: 'message', role: 'user', status: 'completed', content }]
}

function fresh(id: string, call: Call, now: number): JsonObject {
  const { json = {}, model } = call
  return {
    id,
    object: 'response',
    created_at: now,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: json['instructions'] ?? null,
    max_output_tokens: json['max_output_tokens'] ?? null,
    model,
    output: outputOf(call),
    parallel_tool_calls: true,
    previous_response_id: json['previous_response_id'] ?? null,
    store: json['store'] !== false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: json['tool_choice'] ?? 'auto',
    tools: json['tools'] ?? [],
    top_p: 1,
    usage: {
      input_tokens: 5,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 1,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 6,
    },
    metadata: {},
  }
}

function outputOf(call: Call): readonly JsonObject[] {
  const names = calledTools(call)
  if (names.length > 0)
    return names.map((name, at) => ({
      id: `fc_${at}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_${at}`,
      name,
      arguments: TOOL_ARGUMENTS,
    }))
  const content = [{ type: 'output_text', text: 'pong', annotations: [], logprobs: [] }]
  return [{ id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content }]
}

/** The events of a response that is streamed (OpenAI, streaming events of responses). */
export function responseEvents({ json }: KeptResponse): readonly string[] {
  let sequence = 0
  const event = (type: string, members: JsonObject): string => {
    const text = `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...members })}\n\n`
    sequence += 1
    return text
  }
  const begun = { ...json, status: 'in_progress', output: [], usage: null }
  const output: readonly Json[] = Array.isArray(json['output']) ? json['output'] : []
  return [
    event('response.created', { response: begun }),
    event('response.in_progress', { response: begun }),
    ...output.flatMap((item, at) => itemEvents(item, at, event)),
    event('response.completed', { response: json }),
  ]
}

function itemEvents(
  item: Json,
  index: number,
  event: (type: string, members: JsonObject) => string,
): readonly string[] {
  const isCall = JSON.stringify(item).includes('"function_call"')
  const place = { output_index: index, item_id: isCall ? `fc_${index}` : 'msg_1' }
  const pieces = isCall ? [TOOL_ARGUMENTS.slice(0, 8), TOOL_ARGUMENTS.slice(8)] : ['po', 'ng']
  const delta = isCall ? 'response.function_call_arguments.delta' : 'response.output_text.delta'
  const part = { ...place, content_index: 0 }
  const last = isCall
    ? event('response.function_call_arguments.done', { ...place, arguments: TOOL_ARGUMENTS })
    : event('response.output_text.done', { ...part, text: 'pong', logprobs: [] })
  return [
    event('response.output_item.added', { output_index: index, item: shell(item, isCall) }),
    ...(isCall
      ? []
      : [
          event('response.content_part.added', {
            ...part,
            part: { type: 'output_text', text: '', annotations: [] },
          }),
        ]),
    ...pieces.map((text) =>
      event(delta, { ...(isCall ? place : part), delta: text, ...(!isCall && { logprobs: [] }) }),
    ),
    last,
    event('response.output_item.done', { output_index: index, item }),
  ]
}

function shell(item: Json, isCall: boolean): Json {
  if (!isJsonObject(item)) return item
  return { ...item, status: 'in_progress', ...(isCall ? { arguments: '' } : { content: [] }) }
}
