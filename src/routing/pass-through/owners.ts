import type { Deployment } from '../../core/deployment.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Candidate, Directory } from '../choice/directory.ts'

/** A provider whose own API is passed on. */
export interface PassedProvider {
  /** In the path, and in sentences. */
  readonly name: string
  /** Ids of the adapters whose deployments serve it. */
  readonly ids: readonly string[]
  /** Where in a path a model stands; the first group is it. */
  readonly modelInPath?: RegExp
}

/** Every provider that can be asked so. To add one, add a row. */
export const PASSED_PROVIDERS: readonly PassedProvider[] = [
  { name: 'anthropic', ids: ['anthropic'] },
  { name: 'openai', ids: ['openai', 'text-completion-openai'] },
  { name: 'bedrock', ids: ['bedrock', 'bedrock_converse'], modelInPath: /^\/model\/([^/]+)\// },
  { name: 'gemini', ids: ['gemini'], modelInPath: /\/models\/([^/:]+)/ },
  { name: 'vertex_ai', ids: ['vertex_ai', 'vertex_ai_beta'], modelInPath: /\/models\/([^/:]+)/ },
  { name: 'cohere', ids: ['cohere', 'cohere_chat'] },
]

/** The deployments of a provider that may be asked: those of the model that is named, by us or by it, else all. */
export function ownersOf(
  deployments: readonly Deployment[],
  directory: Directory,
  { ids }: PassedProvider,
  model: string | undefined,
): readonly Candidate[] {
  const isOf = ({ provider }: Deployment): boolean => ids.includes(provider)
  const own = deployments.filter(isOf).map((deployment) => ({ deployment }))
  if (model === undefined) return own
  const named = directory.candidates(model).filter(({ deployment }) => isOf(deployment))
  if (named.length > 0) return named
  const same = own.filter(({ deployment }) => deployment.upstreamModel === model)
  return same.length > 0 ? same : own
}

/** The model that a request names, in its path or as a member of its body. */
export function modelNamed(
  { modelInPath }: PassedProvider,
  path: string,
  contentType: string,
  body: Uint8Array | undefined,
): string | undefined {
  const inPath = modelInPath?.exec(path)?.[1]
  if (inPath !== undefined) return decoded(inPath)
  if (body === undefined || !/\bjson\b/i.test(contentType)) return undefined
  try {
    const json: unknown = JSON.parse(Buffer.from(body).toString())
    const model = isJsonObject(json) ? json['model'] : undefined
    return typeof model === 'string' && model !== '' ? model : undefined
  } catch (error) {
    // What is wrong with it is for the provider to say.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}
