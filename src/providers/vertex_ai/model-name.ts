/** In whose words a model on Vertex AI is spoken to. */
export type Words = 'google' | 'anthropic' | 'mistral' | 'ai21' | 'openai'

/** What a model's name says. */
export interface VertexModel {
  readonly words: Words
  /** Below a location: `publishers/meta/models/…`, or `endpoints/…` for what somebody deployed. */
  readonly resource: string
  /** As bodies name it; empty where the endpoint says it. */
  readonly name: string
}

/** An endpoint that somebody deployed: `gemini/…` is a tuned Gemini, all others speak OpenAI's words. */
const ENDPOINT = /^(?:(gemini|openai|endpoints)\/)?(\d+)$/
const WHOLE_NAME = /^publishers\/([^/]+)\/models\/(.+)$/

/** Names without a publisher, and whose they are; Google's own are all others. */
const BARE: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, 'anthropic'],
  [/^(mistral|ministral|codestral|devstral|magistral|pixtral)/, 'mistralai'],
  [/^jamba/, 'ai21'],
  [/^llama.*-maas$/, 'meta'],
]

const OTHER_PUBLISHERS: ReadonlyMap<string, string> = new Map([
  ['gemini', 'google'],
  ['models', 'google'],
  ['mistral', 'mistralai'],
])

/**
 * Reads a model as LiteLLM's users write it: `gemini-2.5-flash`, `claude-sonnet-4-5@20250929`, `mistral-large-2411@001`,
 * `jamba-1.5-mini@001`, `meta/llama-3.3-70b-instruct-maas`, `openai/1234567890`
 * (https://docs.litellm.ai/docs/providers/vertex_partner, …/vertex_self_deployed, read 2026-11-27).
 */
export function vertexModel(model: string): VertexModel {
  const [, form, id] = ENDPOINT.exec(model) ?? []
  if (id !== undefined)
    return { words: form === 'gemini' ? 'google' : 'openai', resource: `endpoints/${id}`, name: '' }
  const { publisher, name } = published(model)
  const words = wordsOf(publisher, name)
  const resource = `publishers/${publisher}/models/${name}`
  // Mistral's own name has no version (https://docs.mistral.ai/deployment/cloud/vertex, read 2026-11-27).
  if (words === 'mistral') return { words, resource, name: name.replace(/@.*$/, '') }
  return { words, resource, name: words === 'openai' ? `${publisher}/${name}` : name }
}

/** Does it take Gemini's words? Google says so of open models too (…/docs/open-models/use-maas, read 2026-11-27). */
export function speaksGemini({ model }: { readonly model: string }): boolean {
  return vertexModel(model).words === 'google' || isOpenModel(model)
}

/** Is it asked at the endpoint that open models share? */
export function isOpenModel(model: string): boolean {
  const { words, name } = vertexModel(model)
  return words === 'openai' && name !== ''
}

function published(model: string): { readonly publisher: string; readonly name: string } {
  const [, publisher, name] = WHOLE_NAME.exec(model) ?? []
  if (publisher !== undefined && name !== undefined) return { publisher, name }
  const slash = model.indexOf('/')
  if (slash < 0) return { publisher: BARE.find(([form]) => form.test(model))?.[1] ?? 'google', name: model }
  const written = model.slice(0, slash)
  const rest = model.slice(slash + 1)
  const meant = OTHER_PUBLISHERS.get(written) ?? written
  // Claude is found below Google's name too.
  return meant === 'google' && rest.startsWith('claude-')
    ? { publisher: 'anthropic', name: rest }
    : { publisher: meant, name: rest }
}

function wordsOf(publisher: string, name: string): Words {
  switch (publisher) {
    case 'google':
      return name.endsWith('-maas') ? 'openai' : 'google'
    case 'anthropic':
      return 'anthropic'
    case 'mistralai':
      return 'mistral'
    case 'ai21':
      return 'ai21'
    default:
      return 'openai'
  }
}
