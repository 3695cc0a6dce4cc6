import assert from 'node:assert/strict'
import { GatewayError } from '../core/failure.ts'
import type { ChatRequest } from '../core/mode.ts'
import type { Encoded } from './adapter.ts'
import { adapterFor, allAdapters } from './registry.ts'

/** A model behind words that are not OpenAI's. */
export interface Stranger {
  readonly name: string
  readonly model: string
  readonly encode: (request: ChatRequest) => Encoded
  /** Are bodies in OpenAI's words passed on? */
  readonly isRelayed: boolean
  readonly readsThinking: boolean
}

const BASE = 'https://provider.test/v1'

/** Every family of words, and those of its models that are told something else. */
const MODELS: readonly (readonly [provider: string, model: string, base?: string])[] = [
  ['anthropic', 'claude-opus-4-8'],
  ['anthropic', 'claude-3-5-sonnet-20241022'],
  ['azure_ai', 'claude-sonnet-4-5', 'https://provider.test/anthropic'],
  ['bedrock', 'anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['bedrock', 'anthropic.claude-3-sonnet-20240229-v1:0'],
  ['bedrock', 'amazon.nova-pro-v1:0'],
  ['bedrock', 'meta.llama3-3-70b-instruct-v1:0'],
  ['bedrock', 'invoke/anthropic.claude-sonnet-4-5-20250929-v1:0'],
  ['gemini', 'gemini-2.5-flash'],
  ['gemini', 'gemini-3-pro-preview'],
  ['vertex_ai', 'gemini-2.5-flash'],
  ['vertex_ai', 'claude-sonnet-4-5@20250929'],
  ['vertex_ai', 'mistral-large-2411@001'],
  ['vertex_ai', 'jamba-1.5-large@001'],
  ['cohere', 'command-a-03-2025', 'https://provider.test/v2'],
  ['cohere', 'command-r', 'https://provider.test/v1'],
  ['mistral', 'mistral-small-latest'],
  ['mistral', 'magistral-medium-latest'],
  ['ollama', 'llama3.2'],
  ['replicate', 'meta/meta-llama-3-8b-instruct'],
  ['replicate', 'openai/gpt-5'],
  ['watsonx', 'ibm/granite-3-8b-instruct'],
  ['databricks', 'databricks-claude-sonnet-4'],
  ['databricks', 'databricks-meta-llama-3-3-70b-instruct'],
]

/** All of them, each to be told a chat. */
export async function strangers(): Promise<readonly Stranger[]> {
  const listed = new Set<unknown>()
  const adapters = await allAdapters()
  for (const [provider] of MODELS) listed.add(adapterFor(provider)?.codecs.chat)
  const left = adapters.filter(
    ({ codecs: { chat } }) => chat !== 'unsupported' && chat.openStream !== undefined && !listed.has(chat),
  )
  assert.deepEqual(left, [], 'all whose answers are translated are here')
  return MODELS.map(([provider, model, base = BASE]) => {
    const codec = adapterFor(provider)?.codecs.chat
    assert.ok(codec !== undefined && codec !== 'unsupported')
    const target = { provider, model, base, bodyDefaults: {} }
    return {
      name: `${provider}/${model}`,
      model,
      encode: (request) => codec.encode(request, target),
      isRelayed: codec.relay !== undefined && codec.isRelayed?.(target) !== false,
      readsThinking: codec.readsThinking?.(target) === true,
    }
  })
}

/** What became of a request: what goes out, and what of it is named; or the refusal. */
export interface Fate {
  readonly wire: string
  readonly named: readonly string[]
  readonly refused?: GatewayError
}

/** Tells a stranger something. */
export function fateOf({ encode }: Pick<Stranger, 'encode'>, request: () => ChatRequest): Fate {
  try {
    const { url, body, dropped = [] } = encode(request())
    return { wire: `${url} ${String(body)}`, named: dropped }
  } catch (error) {
    if (!(error instanceof GatewayError) || error.kind !== 'bad_request') throw error
    return { wire: '', named: [], refused: error }
  }
}

/**
 * Did a member change what goes out, or was its loss told? A name stands for what is inside, and a refusal must speak of
 * the member, or of what it stands in.
 */
export function isAccountedFor(path: string, without: Fate, withIt: Fate): boolean {
  if (without.refused !== undefined) return true
  if (withIt.refused !== undefined) {
    const { message, param = '' } = withIt.refused
    const last = path.split(/[.[\]]+/).findLast((word) => word !== '') ?? path
    return message.includes(last) || path.startsWith(param.replaceAll(/\[\d+\]/g, '[]'))
  }
  return withIt.wire !== without.wire || withIt.named.some((name) => path === name || path.startsWith(name))
}
