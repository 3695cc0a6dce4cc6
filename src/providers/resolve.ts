import { closest } from '../core/closest.ts'
import type { Mode } from '../core/mode.ts'
import type { Resolution, ResolveModel } from '../core/resolve.ts'
import { knownMode, providerOfBareName } from './catalogue.ts'
import { NOT_BUILT, OTHER_NAMES } from './not-built.ts'

/** What resolving needs to know of the registry. */
export interface Known {
  isBuilt(provider: string): boolean
  readonly ids: readonly string[]
  /** The mode of every model of a provider, where it has just one. */
  modeOf(provider: string): Mode | undefined
  /** That of its models whose name says nothing. */
  usualModeOf?(provider: string): Mode | undefined
  /** Hosts that give a provider away, and which. */
  readonly hosts: ReadonlyMap<string, string>
}

/**
 * Model string → provider, in LiteLLM's order: `custom_llm_provider`; a known prefix; a known host in
 * `api_base`; a bare name of the catalogue; `*`.
 */
export function createResolve(known: Known): ResolveModel {
  const isKnown = (name: string): boolean => known.isBuilt(name) || NOT_BUILT.has(name)
  return (model, hints) => {
    const { customProvider, apiBase } = hints
    const slash = model.indexOf('/')
    const prefix = slash < 0 ? undefined : model.slice(0, slash)
    const rest = model.slice(slash + 1)
    if (customProvider !== undefined && customProvider !== '') {
      return found(known, customProvider, prefix === customProvider ? rest : model)
    }
    if (prefix !== undefined && isKnown(prefix)) return found(known, prefix, rest)
    const provider = providerOfHost(known, apiBase) ?? providerOfBareName(model)
    if (provider !== undefined) return found(known, provider, model)
    return prefix === undefined ? nameless(model, apiBase) : found(known, prefix, rest)
  }
}

function providerOfHost({ hosts }: Known, apiBase: string | undefined): string | undefined {
  return apiBase === undefined || !URL.canParse(apiBase) ? undefined : hosts.get(new URL(apiBase).hostname)
}

function found(known: Known, provider: string, upstreamModel: string): Resolution {
  const mode = known.modeOf(provider) ?? knownMode(upstreamModel) ?? known.usualModeOf?.(provider)
  const problem = problemOf(known, provider)
  return {
    provider,
    upstreamModel,
    ...(mode === undefined ? {} : { catalogueMode: mode }),
    ...(problem === undefined ? {} : { problem }),
  }
}

function problemOf(known: Known, provider: string): string | undefined {
  if (known.isBuilt(provider)) return undefined
  if (NOT_BUILT.has(provider)) {
    return `provider "${provider}" is not built yet; the deployment is listed, but nothing is sent to it`
  }
  const near = OTHER_NAMES[provider.toLowerCase()] ?? closest(provider, [...known.ids, ...NOT_BUILT])
  const hint =
    near === undefined
      ? 'for an OpenAI-compatible server write openai/<model> with an api_base'
      : `did you mean "${near}"?`
  return `unknown provider "${provider}"; ${hint}`
}

function nameless(model: string, apiBase: string | undefined): Resolution {
  const mode = knownMode(model)
  const how =
    apiBase === undefined
      ? `write it as provider/model, such as openai/${model}`
      : `for an OpenAI-compatible server at api_base write openai/${model}`
  return {
    provider: 'unknown',
    upstreamModel: model,
    ...(mode === undefined ? {} : { catalogueMode: mode }),
    problem: `model "${model}" names no provider: ${how}`,
  }
}
