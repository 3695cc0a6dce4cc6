import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { messagesComplaint } from './anthropic-messages.ts'
import { extra, word, type Complaint } from './anthropic-words.ts'

/** What a body may hold (https://platform.claude.com/docs/en/api/messages/create); a count takes less. */
const COUNTED: readonly string[] = [
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'cache_control',
  'speed',
]
const SAMPLING: readonly string[] = ['temperature', 'top_p', 'top_k']
const WHOLE: readonly string[] = [
  ...COUNTED,
  'max_tokens',
  'container',
  'diagnostics',
  'inference_geo',
  'metadata',
  'service_tier',
  'stop_sequences',
  'stream',
]

/** The first thing that Anthropic would complain of. */
export function complaintAbout(body: JsonObject, what: 'message' | 'count', version: string): Complaint {
  const allowed = what === 'count' ? COUNTED : version === '2026-10-21' ? WHOLE : [...WHOLE, ...SAMPLING]
  const required = what === 'count' ? ['model', 'messages'] : ['model', 'max_tokens', 'messages']
  const missing = required.find((name) => body[name] === undefined)
  return (
    (missing === undefined ? undefined : `${missing}: Field required`) ??
    extra('', body, allowed) ??
    messagesComplaint(body['messages'], version) ??
    systemComplaint(body['system']) ??
    (what === 'message' ? boundComplaint(body) : undefined) ??
    toolsComplaint(body) ??
    thinkingComplaint(body) ??
    outputComplaint(body['output_config']) ??
    smallComplaint(body)
  )
}

function systemComplaint(system: Json | undefined): Complaint {
  if (system === undefined || typeof system === 'string') return undefined
  if (!Array.isArray(system)) return 'system: Input should be a valid list'
  for (const [at, block] of system.entries()) {
    if (!isJsonObject(block) || block['type'] !== 'text') return `system.${at}.type: Input should be 'text'`
    const unknown = extra(`system.${at}.`, block, ['type', 'text', 'cache_control', 'citations'])
    if (unknown !== undefined) return unknown
    if (block['text'] === '') return 'system: text content blocks must be non-empty'
  }
  return undefined
}

function boundComplaint({ max_tokens: bound, temperature }: JsonObject): Complaint {
  if (typeof bound !== 'number' || !Number.isInteger(bound))
    return 'max_tokens: Input should be a valid integer'
  if (bound < 1) return 'max_tokens: Input should be greater than or equal to 1'
  if (typeof temperature === 'number' && temperature > 1)
    return 'temperature: Input should be less than or equal to 1'
  return undefined
}

const TOOL: readonly string[] = [
  'type',
  'name',
  'description',
  'input_schema',
  'strict',
  'cache_control',
  'input_examples',
  'defer_loading',
  'eager_input_streaming',
  'allowed_callers',
]
const CHOICE_TYPES: ReadonlySet<Json> = new Set(['auto', 'any', 'tool', 'none'])

function toolsComplaint({ tools, tool_choice: choice }: JsonObject): Complaint {
  if (tools !== undefined && !Array.isArray(tools)) return 'tools: Input should be a valid list'
  for (const [at, tool] of (tools ?? []).entries()) {
    const complaint = toolComplaint(tool, `tools.${at}.`)
    if (complaint !== undefined) return complaint
  }
  if (choice === undefined) return undefined
  if (tools === undefined || tools.length === 0)
    return 'tool_choice: tool_choice may only be specified while providing tools'
  if (!isJsonObject(choice) || !CHOICE_TYPES.has(choice['type'] ?? null))
    return "tool_choice: Input tag does not match any of the expected tags: 'auto', 'any', 'tool', 'none'"
  const names = choice['type'] === 'tool' ? ['name'] : []
  const single = choice['type'] === 'none' ? [] : ['disable_parallel_tool_use']
  return extra(`tool_choice.${word(choice['type'])}.`, choice, ['type', ...names, ...single])
}

/** Anthropic's own tools have a date in their type, and members of their own. */
function toolComplaint(tool: Json, path: string): Complaint {
  if (!isJsonObject(tool)) return `${path}: Input should be a valid dictionary`
  if (typeof tool['type'] === 'string' && /_\d{8}$/.test(tool['type'])) return undefined
  if (typeof tool['name'] !== 'string') return `${path}custom.name: Field required`
  if (!/^[\w-]{1,128}$/.test(tool['name']))
    return `${path}custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`
  const schema = tool['input_schema']
  if (!isJsonObject(schema)) return `${path}custom.input_schema: Field required`
  if (schema['type'] !== 'object') return `${path}custom.input_schema.type: Input should be 'object'`
  return extra(`${path}custom.`, tool, TOOL)
}

const THINKING_TYPES: ReadonlySet<Json> = new Set(['enabled', 'adaptive', 'disabled', 'between_tools'])

/** Claude 3 to 4.5, dated or not. */
const WITHIN_A_BUDGET = /claude-(3|(opus|sonnet|haiku)-4(-[0-5])?(-\d{8}|@|$))/

function thinkingComplaint(body: JsonObject): Complaint {
  const { thinking, model, max_tokens: bound, temperature, tool_choice: choice } = body
  if (thinking === undefined) return undefined
  const type = isJsonObject(thinking) ? thinking['type'] : undefined
  if (!isJsonObject(thinking) || !THINKING_TYPES.has(type ?? null))
    return 'thinking: Input tag does not match any of the expected tags'
  const budget = thinking['budget_tokens']
  if (type === 'enabled') {
    if (/claude-(\w+-)?(5|4-[789])/.test(word(model)))
      return '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    if (typeof budget !== 'number') return 'thinking.enabled.budget_tokens: Field required'
    if (budget < 1024) return 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024'
    if (typeof bound === 'number' && bound <= budget)
      return '`max_tokens` must be greater than `thinking.budget_tokens`.'
    if (temperature !== undefined && temperature !== 1)
      return '`temperature` may only be set to 1 when thinking is enabled.'
    if (isJsonObject(choice) && (choice['type'] === 'any' || choice['type'] === 'tool'))
      return 'Thinking may not be enabled when tool_choice forces tool use.'
  }
  if (type === 'adaptive' && WITHIN_A_BUDGET.test(word(model)))
    return 'adaptive thinking is not supported on this model'
  const known = type === 'enabled' ? ['budget_tokens', 'display'] : type === 'adaptive' ? ['display'] : []
  return extra(`thinking.${word(type)}.`, thinking, ['type', ...known])
}

const EFFORTS: ReadonlySet<Json> = new Set(['low', 'medium', 'high', 'xhigh', 'max'])

function outputComplaint(config: Json | undefined): Complaint {
  if (config === undefined) return undefined
  if (!isJsonObject(config)) return 'output_config: Input should be a valid dictionary'
  const { effort, format } = config
  if (effort !== undefined && !EFFORTS.has(effort))
    return "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"
  if (isJsonObject(format)) {
    if (format['type'] !== 'json_schema') return "output_config.format.type: Input should be 'json_schema'"
    if (isOpen(format['schema']))
      return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    const unknown = extra('output_config.format.', format, ['type', 'schema'])
    if (unknown !== undefined) return unknown
  }
  return extra('output_config.', config, ['effort', 'format'])
}

function isOpen(schema: Json | undefined): boolean {
  if (Array.isArray(schema)) return schema.some((one: Json) => isOpen(one))
  if (!isJsonObject(schema)) return false
  const isBare = schema['type'] === 'object' && schema['additionalProperties'] !== false
  return isBare || Object.values(schema).some((value) => isOpen(value))
}

function smallComplaint({
  stop_sequences: stops,
  metadata,
  service_tier: tier,
  stream,
}: JsonObject): Complaint {
  if (stops !== undefined && !Array.isArray(stops)) return 'stop_sequences: Input should be a valid list'
  for (const [at, stop] of (stops ?? []).entries()) {
    if (typeof stop !== 'string' || stop.trim() === '')
      return `stop_sequences.${at}: each stop sequence must contain non-whitespace`
  }
  if (tier !== undefined && tier !== 'auto' && tier !== 'standard_only')
    return "service_tier: Input should be 'auto' or 'standard_only'"
  if (stream !== undefined && typeof stream !== 'boolean') return 'stream: Input should be a valid boolean'
  return isJsonObject(metadata) ? extra('metadata.', metadata, ['user_id']) : undefined
}
