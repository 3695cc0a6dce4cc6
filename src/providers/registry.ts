import type { ResolveModel } from '../core/resolve.ts'
import type { ProviderAdapter } from './adapter.ts'
import { anthropic } from './anthropic/adapter.ts'
import { azure, azureText } from './azure/adapter.ts'
import { cohere, cohereChatProvider } from './cohere/adapter.ts'
import { gemini } from './gemini/adapter.ts'
import { jinaAi } from './jina-ai/adapter.ts'
import { nvidiaNim } from './nvidia-nim/adapter.ts'
import { huggingFace } from './huggingface/adapter.ts'
import { codestral, mistral, textCompletionCodestral } from './mistral/adapter.ts'
import { ollama, ollamaChatProvider } from './ollama/adapter.ts'
import { openAiCompatible } from './openai-compatible/adapter.ts'
import { COMPATIBLE_ROWS } from './openai-compatible/rows.ts'
import { openAi, textCompletionOpenAi } from './openai/adapter.ts'
import { createResolve } from './resolve.ts'
import { vertexAi, vertexAiBeta } from './vertex_ai/adapter.ts'
import { voyage } from './voyage/adapter.ts'

/** Every provider that is built. To add one, add its adapter here. */
export const ADAPTERS: readonly ProviderAdapter[] = [
  openAi,
  textCompletionOpenAi,
  azure,
  azureText,
  cohere,
  cohereChatProvider,
  anthropic,
  gemini,
  vertexAi,
  vertexAiBeta,
  voyage,
  jinaAi,
  nvidiaNim,
  mistral,
  codestral,
  textCompletionCodestral,
  ollama,
  ollamaChatProvider,
  huggingFace,
  ...COMPATIBLE_ROWS.map(openAiCompatible),
]

const BY_ID: ReadonlyMap<string, ProviderAdapter> = new Map(ADAPTERS.map((adapter) => [adapter.id, adapter]))

/** The adapter of a provider; undefined where it is unknown or not built. */
export function adapterFor(provider: string): ProviderAdapter | undefined {
  return BY_ID.get(provider)
}

/** `litellm_params.model` → provider, upstream model and known mode. */
export const resolveModel: ResolveModel = createResolve({
  isBuilt: (provider) => BY_ID.has(provider),
  ids: [...BY_ID.keys()],
  modeOf: (provider) => BY_ID.get(provider)?.onlyMode,
  // Of two names of one host the first one in the list is meant.
  hosts: new Map(
    ADAPTERS.flatMap(({ id, hosts = [] }) => hosts.map((host) => [host, id] as const)).toReversed(),
  ),
})
