import type { Deployment } from '../../core/deployment.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { isSameModel, modelInPath } from '../../providers/pass-through.ts'
import type { Candidate, Directory } from '../choice/directory.ts'

/** A provider whose own API is passed on. */
export interface PassedProvider {
  /** In the path, and in sentences. */
  readonly name: string
  /** Ids of the adapters whose deployments serve it. */
  readonly ids: readonly string[]
  /** Other names in the path. */
  readonly aliases?: readonly string[]
}

/** Every provider that can be asked so. To add one, add a row. */
export const PASSED_PROVIDERS: readonly PassedProvider[] = [
  { name: 'anthropic', ids: ['anthropic'] },
  { name: 'openai', ids: ['openai', 'text-completion-openai'] },
  { name: 'bedrock', ids: ['bedrock', 'bedrock_converse'] },
  { name: 'gemini', ids: ['gemini'] },
  { name: 'vertex_ai', ids: ['vertex_ai', 'vertex_ai_beta'], aliases: ['vertex-ai'] },
  { name: 'cohere', ids: ['cohere', 'cohere_chat'] },
]

/** Whom a request may go to. */
export interface Owners {
  readonly candidates: readonly Candidate[]
  /** The model named is what the config calls these, and not what their provider does. */
  readonly isGroup: boolean
}

/** All deployments of a provider. */
export function ownOf(deployments: readonly Deployment[], { ids }: PassedProvider): readonly Deployment[] {
  return deployments.filter(({ provider }) => ids.includes(provider))
}

/**
 * Those of a provider's deployments that may be asked: those that the config calls by that name; else those of that very
 * model; else all. Of the latter two, those that are where the path is meant for, if any are.
 */
export function ownersOf(
  own: readonly Deployment[],
  directory: Directory,
  model: string | undefined,
  suits: (deployment: Deployment) => boolean,
): Owners {
  const named =
    model === undefined
      ? []
      : directory.candidates(model).filter(({ deployment }) => own.includes(deployment))
  if (named.length > 0) return { candidates: named, isGroup: true }
  const same = own.filter(
    ({ provider, upstreamModel }) => model !== undefined && isSameModel(provider, upstreamModel, model),
  )
  const able = same.length > 0 ? same : own
  const near = able.filter(suits)
  return {
    candidates: (near.length > 0 ? near : able).map((deployment) => ({ deployment })),
    isGroup: false,
  }
}

/** The model that a request names, in its path or as a member of its body. */
export function modelNamed(
  provider: string,
  path: string,
  contentType: string,
  body: Uint8Array | undefined,
): string | undefined {
  const inPath = modelInPath(provider, path)
  if (inPath !== undefined) return inPath
  if (body === undefined || !/\bjson\b/i.test(contentType)) return undefined
  // What is wrong with it is for the provider to say.
  const json = parseJson(Buffer.from(body).toString())
  const model = isJsonObject(json) ? json['model'] : undefined
  return typeof model === 'string' && model !== '' ? model : undefined
}
