import type { Dialect } from './reply.ts'

/** What a route does; one answer and one table of fields each. */
export type Operation =
  | 'chat'
  | 'completion'
  | 'embedding'
  | 'image'
  | 'image_edit'
  | 'transcription'
  | 'translation'
  | 'speech'
  | 'rerank'
  | 'rerank_v2'
  | 'batches'
  | 'models'
  | 'model'
  | 'realtime'
  | 'cohere_chat_v1'
  | 'cohere_chat_v2'
  | 'cohere_embed_v1'
  | 'cohere_embed_v2'
  | 'unknown'

/** One route of one provider. */
export interface Route {
  readonly operation: Operation
  readonly dialect: Dialect
  readonly method: 'GET' | 'POST'
  readonly accepts: 'json' | 'multipart' | 'either' | 'nothing'
  /**
   * Which credentials the provider takes: `bearer` always, `bearer_if_any` where servers without keys share the
   * path (vLLM, Infinity), `azure` api-key or an Entra token, `either` api-key or any bearer (Azure's v1 surface).
   */
  readonly auth: 'bearer' | 'bearer_if_any' | 'azure' | 'either'
  /** `dated` needs `?api-version=YYYY-MM-DD[-preview]`; `v1` refuses a dated one. */
  readonly version?: 'dated' | 'v1'
  /** True where the deployment stands in the path, so that the body needs no model. */
  readonly deploymentInPath: boolean
}

/** A path, understood. */
export interface Match {
  readonly route: Route
  /** The Azure deployment or the model id that stands in the path. */
  readonly named?: string
}

interface Row {
  readonly tail: string
  readonly operation: Operation
  readonly method?: 'GET'
  readonly accepts?: Route['accepts']
}

/** OpenAI's routes, by the end of their path. Azure deployments have the same, chat to speech. */
const OPENAI_ROWS: readonly Row[] = [
  { tail: 'chat/completions', operation: 'chat' },
  { tail: 'completions', operation: 'completion' },
  { tail: 'embeddings', operation: 'embedding' },
  { tail: 'images/generations', operation: 'image' },
  { tail: 'images/edits', operation: 'image_edit', accepts: 'either' },
  { tail: 'audio/transcriptions', operation: 'transcription', accepts: 'multipart' },
  { tail: 'audio/translations', operation: 'translation', accepts: 'multipart' },
  { tail: 'audio/speech', operation: 'speech' },
  { tail: 'batches', operation: 'batches', method: 'GET', accepts: 'nothing' },
  { tail: 'models', operation: 'models', method: 'GET', accepts: 'nothing' },
  { tail: 'realtime', operation: 'realtime', method: 'GET', accepts: 'nothing' },
]

/** On Azure these stand beside `deployments`, not under one. */
const AZURE_ROOT_OPERATIONS: ReadonlySet<Operation> = new Set<Operation>(['batches', 'models', 'realtime'])

/** Cohere's own routes; `rerank` is also what vLLM, Jina, Together and Infinity serve. */
const COHERE_ROWS: readonly (Row & { readonly auth: Route['auth'] })[] = [
  { tail: 'v1/chat', operation: 'cohere_chat_v1', auth: 'bearer' },
  { tail: 'v2/chat', operation: 'cohere_chat_v2', auth: 'bearer' },
  { tail: 'v1/embed', operation: 'cohere_embed_v1', auth: 'bearer' },
  { tail: 'v2/embed', operation: 'cohere_embed_v2', auth: 'bearer' },
  { tail: 'v2/rerank', operation: 'rerank_v2', auth: 'bearer' },
  { tail: 'rerank', operation: 'rerank', auth: 'bearer_if_any' },
]

/** A base path that holds one of these was joined with a route twice. */
const ROUTE_WORDS = new Set([
  'completions',
  'embeddings',
  'generations',
  'edits',
  'transcriptions',
  'translations',
  'speech',
  'rerank',
  'embed',
  'batches',
  'realtime',
  'models',
  'messages',
  'deployments',
])

/**
 * The path after the order segment → its route, `unknown` where no provider has such a path. Any base may
 * stand in front (providers differ), but not an empty segment, one twice in a row (`/v1/v1`), or a route.
 */
export function matchRoute(path: string, hasApiVersion: boolean): Match {
  return matchAzure(path, hasApiVersion) ?? matchPlain(path) ?? { route: unknownRoute(path) }
}

/** Whoever lacks the path says so in their own words. */
function unknownRoute(path: string): Route {
  const isAzure = /\/openai\/(?!v1\/)/.test(path)
  const dialect = isAzure ? 'azure' : path.startsWith('/v2/') ? 'cohere' : 'openai'
  const row: Row = { tail: '', operation: 'unknown', accepts: 'nothing' }
  return toRoute(row, dialect, 'bearer_if_any', undefined, false)
}

function matchAzure(path: string, hasApiVersion: boolean): Match | undefined {
  const dated = /^(.*)\/openai\/deployments\/([^/]+)\/(.+)$/.exec(path)
  if (dated !== null) {
    const row = OPENAI_ROWS.find((row) => row.tail === dated[3] && !AZURE_ROOT_OPERATIONS.has(row.operation))
    if (row === undefined || !isBase(dated[1] ?? '')) return undefined
    return { route: toRoute(row, 'azure', 'azure', 'dated', true), named: decode(dated[2] ?? '') }
  }
  const root = /^(.*)\/openai\/([^/]+)$/.exec(path)
  const row =
    root && OPENAI_ROWS.find((row) => row.tail === root[2] && AZURE_ROOT_OPERATIONS.has(row.operation))
  // `/v1/openai/…` is a base of others (DeepInfra); theirs carry no api-version.
  if (!root || !row || !isBase(root[1] ?? '') || (!hasApiVersion && root[1]?.endsWith('/v1')))
    return undefined
  return { route: toRoute(row, 'azure', 'azure', 'dated', false) }
}

function matchPlain(path: string): Match | undefined {
  for (const row of COHERE_ROWS) {
    const base = baseOf(path, row.tail)
    if (base !== undefined) return { route: toRoute(row, 'cohere', row.auth, undefined, false) }
  }
  for (const row of OPENAI_ROWS) {
    const base = baseOf(path, row.tail)
    if (base === undefined) continue
    // Groq's base is `/openai/v1` too; both take a bearer.
    const isV1 = base.endsWith('/openai/v1')
    return {
      route: toRoute(row, 'openai', isV1 ? 'either' : 'bearer_if_any', isV1 ? 'v1' : undefined, false),
    }
  }
  const model = /^(.*)\/models\/(.+)$/.exec(path)
  if (model === null || !isBase(model[1] ?? '')) return undefined
  const row: Row = { tail: '', operation: 'model', method: 'GET', accepts: 'nothing' }
  return { route: toRoute(row, 'openai', 'bearer_if_any', undefined, false), named: decode(model[2] ?? '') }
}

function toRoute(
  row: Row,
  dialect: Dialect,
  auth: Route['auth'],
  version: Route['version'],
  deploymentInPath: boolean,
): Route {
  const { operation, method = 'POST', accepts = 'json' } = row
  const route: Route = { operation, dialect, method, accepts, auth, deploymentInPath }
  return version === undefined ? route : { ...route, version }
}

function baseOf(path: string, tail: string): string | undefined {
  if (!path.endsWith(`/${tail}`)) return undefined
  const base = path.slice(0, -tail.length - 1)
  return isBase(base) ? base : undefined
}

function isBase(base: string): boolean {
  if (base === '') return true
  const segments = base.split('/').slice(1)
  return segments.every(
    (segment, at) => segment !== '' && segment !== segments[at - 1] && !ROUTE_WORDS.has(segment),
  )
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment // A lone `%`: the provider would look the name up as it stands.
  }
}
