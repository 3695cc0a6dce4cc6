import type { Target } from '../adapter.ts'

/** Ollama's routes (https://docs.ollama.com/api). */
export type OllamaRoute = 'chat' | 'embed' | 'generate' | 'ps' | 'tags'

/** Where a route is served. People paste `…/api`, a whole endpoint, or the `/v1` of its OpenAI-compatible twin. */
export function ollamaUrl({ base }: Pick<Target, 'base'>, route: OllamaRoute): string {
  const root = base.replace(/\/(api(\/(chat|generate|embed|embeddings|ps|tags))?|v1)$/, '')
  return `${root}/api/${route}`
}
