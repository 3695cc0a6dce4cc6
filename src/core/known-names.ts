/**
 * Names of members that requests and answers in OpenAI's words have at their top level. To know one again by its bytes
 * costs a tenth of making text of it.
 */
export const NAMES = [
  'choices',
  'created',
  'data',
  'dimensions',
  'encoding_format',
  'error',
  'frequency_penalty',
  'id',
  'input',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'metadata',
  'model',
  'n',
  'object',
  'output',
  'parallel_tool_calls',
  'presence_penalty',
  'prompt',
  'reasoning_effort',
  'response_format',
  'seed',
  'service_tier',
  'stop',
  'stream',
  'stream_options',
  'system',
  'system_fingerprint',
  'temperature',
  'tool_choice',
  'tools',
  'top_p',
  'type',
  'usage',
  'user',
] as const

const SLOTS = 512
const LONGEST = Math.max(...NAMES.map((name) => name.length))

/** By their hash, which no two of them share. */
const TABLE: readonly (string | undefined)[] = tableOf(NAMES)

/** The name that stands between these offsets, where it is one of them. */
export function knownName(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  if (length === 0 || length > LONGEST) return undefined
  let hash = length
  for (let at = start; at < end; at++) hash = next(hash, bytes[at] ?? 0)
  const name = TABLE[hash % SLOTS]
  if (name === undefined || name.length !== length) return undefined
  for (let at = 0; at < length; at++) if (name.charCodeAt(at) !== bytes[start + at]) return undefined
  return name
}

function next(hash: number, byte: number): number {
  return ((hash << 5) + hash + byte) & 0xff_ff_ff
}

function tableOf(names: readonly string[]): readonly (string | undefined)[] {
  const table: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  for (const name of names) {
    let hash = name.length
    for (let at = 0; at < name.length; at++) hash = next(hash, name.charCodeAt(at))
    table[hash % SLOTS] ??= name
  }
  return table
}
