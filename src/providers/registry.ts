import type { Deployment } from '../core/deployment.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { ProviderAdapter } from './adapter.ts'
import { azure, azureText } from './azure/adapter.ts'
import { nvidiaNim } from './nvidia-nim/adapter.ts'
import { openAiCompatible } from './openai-compatible/adapter.ts'
import { COMPATIBLE_ROWS } from './openai-compatible/rows.ts'
import { openAi, textCompletionOpenAi } from './openai/adapter.ts'
import { createResolve } from './resolve.ts'

/** What tells models of a provider apart, before anything else of it is needed. */
type Names = Pick<ProviderAdapter, 'id' | 'onlyMode' | 'usualMode' | 'hosts'>

/** A provider whose adapter is loaded when a config has a model of it. All its names stand here and nowhere else. */
interface Later extends Names {
  readonly load: () => Promise<ProviderAdapter>
}

/** OpenAI's own words: nearly every config has some of these, and they are small. */
const AT_ONCE: readonly ProviderAdapter[] = [
  openAi,
  textCompletionOpenAi,
  azure,
  azureText,
  nvidiaNim,
  ...COMPATIBLE_ROWS.map(openAiCompatible),
]

/** Words of their own: together 5 MB that most processes need not hold. To add one, add a line here. */
const LATER: readonly Later[] = [
  { id: 'anthropic', load: async () => (await import('./anthropic/adapter.ts')).anthropic },
  { id: 'bedrock', load: async () => (await import('./bedrock/adapter.ts')).bedrock },
  { id: 'bedrock_converse', load: async () => (await import('./bedrock/adapter.ts')).bedrockConverse },
  { id: 'gemini', load: async () => (await import('./gemini/adapter.ts')).gemini },
  { id: 'vertex_ai', load: async () => (await import('./vertex_ai/adapter.ts')).vertexAi },
  { id: 'vertex_ai_beta', load: async () => (await import('./vertex_ai/adapter.ts')).vertexAiBeta },
  { id: 'azure_ai', load: async () => (await import('./azure-ai/adapter.ts')).azureAi },
  {
    id: 'cohere',
    hosts: ['api.cohere.com'],
    load: async () => (await import('./cohere/adapter.ts')).cohere,
  },
  { id: 'cohere_chat', load: async () => (await import('./cohere/adapter.ts')).cohereChatProvider },
  {
    id: 'mistral',
    hosts: ['api.mistral.ai'],
    load: async () => (await import('./mistral/adapter.ts')).mistral,
  },
  {
    id: 'codestral',
    hosts: ['codestral.mistral.ai'],
    load: async () => (await import('./mistral/adapter.ts')).codestral,
  },
  {
    id: 'text-completion-codestral',
    onlyMode: 'completion',
    load: async () => (await import('./mistral/adapter.ts')).textCompletionCodestral,
  },
  { id: 'ollama', load: async () => (await import('./ollama/adapter.ts')).ollama },
  { id: 'ollama_chat', load: async () => (await import('./ollama/adapter.ts')).ollamaChatProvider },
  { id: 'huggingface', load: async () => (await import('./huggingface/adapter.ts')).huggingFace },
  { id: 'replicate', load: async () => (await import('./replicate/adapter.ts')).replicate },
  { id: 'databricks', load: async () => (await import('./databricks/adapter.ts')).databricks },
  { id: 'watsonx', load: async () => (await import('./watsonx/adapter.ts')).watsonx },
  {
    id: 'watsonx_text',
    onlyMode: 'completion',
    load: async () => (await import('./watsonx/adapter.ts')).watsonxText,
  },
  {
    id: 'voyage',
    hosts: ['api.voyageai.com', 'ai.mongodb.com'],
    load: async () => (await import('./voyage/adapter.ts')).voyage,
  },
  {
    id: 'jina_ai',
    hosts: ['api.jina.ai'],
    load: async () => (await import('./jina-ai/adapter.ts')).jinaAi,
  },
  {
    id: 'deepgram',
    // `base`, `enhanced`, `flux-general-en`.
    usualMode: 'audio_transcription',
    load: async () => (await import('./deepgram/adapter.ts')).deepgram,
  },
  { id: 'elevenlabs', load: async () => (await import('./elevenlabs/adapter.ts')).elevenLabs },
  { id: 'assemblyai', load: async () => (await import('./assemblyai/adapter.ts')).assemblyAi },
]

const NAMES: readonly Names[] = [...AT_ONCE, ...LATER]
const BY_ID: ReadonlyMap<string, Names> = new Map(NAMES.map((names) => [names.id, names]))

/** What is loaded stays loaded, as in the runtime's own cache of modules, for all gateways of the process. */
const loaded = new Map(AT_ONCE.map((adapter) => [adapter.id, adapter]))

/** Loads every adapter that these deployments, and what is probed in their place, are called with. */
export async function loadAdaptersOf(deployments: readonly Deployment[]): Promise<void> {
  const wanted = new Set<string>()
  let isAny = false
  for (const { model, provider, probe } of deployments) {
    wanted.add(provider)
    if (probe.model !== undefined) wanted.add(probe.model.provider)
    // Whose model it is shows only in the name that a client asks for.
    isAny ||= model.startsWith('*')
  }
  await Promise.all(LATER.filter(({ id }) => isAny || wanted.has(id)).map(loadOne))
}

/** Every provider that is built. */
export async function allAdapters(): Promise<readonly ProviderAdapter[]> {
  await Promise.all(LATER.map(loadOne))
  return NAMES.flatMap(({ id }) => loaded.get(id) ?? [])
}

async function loadOne({ load, ...names }: Later): Promise<void> {
  if (loaded.has(names.id)) return
  loaded.set(names.id, { ...(await load()), ...names })
}

/**
 * The adapter of a provider; undefined where it is unknown or not built.
 * @throws Error where nobody has loaded it
 */
export function adapterFor(provider: string): ProviderAdapter | undefined {
  const adapter = loaded.get(provider)
  if (adapter === undefined && BY_ID.has(provider))
    throw new Error(`the adapter of ${provider} is not loaded`)
  return adapter
}

/** Does connecting to this provider depend on more of a model's name than the name? */
export function isReadToConnect(provider: string, model: string): boolean {
  return adapterFor(provider)?.readsName?.(model) === true
}

/** `litellm_params.model` → provider, upstream model and known mode. */
export const resolveModel: ResolveModel = createResolve({
  isBuilt: (provider) => BY_ID.has(provider),
  ids: [...BY_ID.keys()],
  modeOf: (provider) => BY_ID.get(provider)?.onlyMode,
  usualModeOf: (provider) => BY_ID.get(provider)?.usualMode,
  // Of two names of one host the first one in the list is meant.
  hosts: new Map(
    NAMES.flatMap(({ id, hosts = [] }) => hosts.map((host) => [host, id] as const)).toReversed(),
  ),
})
