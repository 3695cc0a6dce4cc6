import type { Dialect } from './reply.ts'

type Method = 'GET' | 'POST' | 'DELETE'

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
  | 'new_batch'
  | 'batch'
  | 'batch_cancel'
  | 'upload'
  | 'files'
  | 'file'
  | 'file_content'
  | 'file_removal'
  | 'new_upload'
  | 'upload_part'
  | 'upload_completion'
  | 'upload_cancel'
  | 'moderation'
  | 'session_key'
  | 'new_call'
  | 'call_step'
  | 'new_response'
  | 'response'
  | 'response_removal'
  | 'response_cancel'
  | 'response_items'
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
  readonly method: Method
  /** `offer`: a form, or a session description alone. */
  readonly accepts: 'json' | 'multipart' | 'either' | 'nothing' | 'offer'
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
  /** The file or batch that stands in the path. */
  readonly id?: string
}

interface Row {
  /** `*` stands for an id. */
  readonly tail: string
  readonly operation: Operation
  /** Default POST. */
  readonly method?: 'GET' | 'DELETE'
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
  { tail: 'moderations', operation: 'moderation' },
  { tail: 'batches', operation: 'batches', method: 'GET', accepts: 'nothing' },
  { tail: 'batches', operation: 'new_batch' },
  { tail: 'batches/*', operation: 'batch', method: 'GET', accepts: 'nothing' },
  { tail: 'batches/*/cancel', operation: 'batch_cancel', accepts: 'nothing' },
  { tail: 'files', operation: 'files', method: 'GET', accepts: 'nothing' },
  { tail: 'files', operation: 'upload', accepts: 'multipart' },
  { tail: 'files/*', operation: 'file', method: 'GET', accepts: 'nothing' },
  { tail: 'files/*', operation: 'file_removal', method: 'DELETE', accepts: 'nothing' },
  { tail: 'files/*/content', operation: 'file_content', method: 'GET', accepts: 'nothing' },
  { tail: 'uploads', operation: 'new_upload' },
  { tail: 'uploads/*/parts', operation: 'upload_part', accepts: 'multipart' },
  { tail: 'uploads/*/complete', operation: 'upload_completion' },
  { tail: 'uploads/*/cancel', operation: 'upload_cancel', accepts: 'nothing' },
  { tail: 'responses', operation: 'new_response' },
  { tail: 'responses/*', operation: 'response', method: 'GET', accepts: 'nothing' },
  { tail: 'responses/*', operation: 'response_removal', method: 'DELETE', accepts: 'nothing' },
  { tail: 'responses/*/cancel', operation: 'response_cancel', accepts: 'nothing' },
  { tail: 'responses/*/input_items', operation: 'response_items', method: 'GET', accepts: 'nothing' },
  { tail: 'realtime/client_secrets', operation: 'session_key' },
  { tail: 'realtime/sessions', operation: 'session_key' },
  { tail: 'realtime/transcription_sessions', operation: 'session_key' },
  { tail: 'realtime/calls', operation: 'new_call', accepts: 'offer' },
  ...['accept', 'hangup', 'refer', 'reject'].map((step): Row => ({
    tail: `realtime/calls/*/${step}`,
    operation: 'call_step',
    accepts: 'nothing',
  })),
  { tail: 'models', operation: 'models', method: 'GET', accepts: 'nothing' },
  { tail: 'realtime', operation: 'realtime', method: 'GET', accepts: 'nothing' },
]

/** On Azure these stand beside `deployments`, not under one. */
const AZURE_ROOT = /^(?:batches|files|uploads|models|moderations|realtime|responses)\b/

/** Keys of sessions under Azure's dated versions; OpenAI's paths for them are of its v1 surface. */
const AZURE_ROWS: readonly Row[] = [
  { tail: 'realtimeapi/sessions', operation: 'session_key' },
  { tail: 'realtimeapi/transcription_sessions', operation: 'session_key' },
]

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
  'files',
  'uploads',
  'moderations',
  'responses',
  'realtime',
  'models',
  'messages',
  'deployments',
])

/**
 * The path after the order segment → its route, `unknown` where no provider has such a path. Any base may
 * stand in front (providers differ), but not an empty segment, one twice in a row (`/v1/v1`), or a route.
 */
export function matchRoute(path: string, hasApiVersion: boolean, method = 'GET'): Match {
  return matchAzure(path, hasApiVersion, method) ?? matchPlain(path, method) ?? { route: unknownRoute(path) }
}

/** What a row's tail matches in the end of a path, in front of it and for its `*`. */
interface TailMatch {
  readonly row: Row
  readonly base: string
  readonly id?: string
}

/** Of the rows for one path the one of that method, else any, whose method is then refused. */
function findRow(rows: readonly Ending[], path: string, method: string): TailMatch | undefined {
  const found = rows.flatMap((row) => tailMatch(row, path) ?? [])
  return found.find(({ row }) => (row.method ?? 'POST') === method) ?? found[0]
}

/** A row, and what paths with its tail look like. */
interface Ending {
  readonly row: Row
  readonly pattern: RegExp
}

function endings(rows: readonly Row[], before = ''): readonly Ending[] {
  return rows.map((row) => ({
    row,
    pattern: new RegExp(`^(.*)/${before}${row.tail.replace('*', '([^/]+)')}$`),
  }))
}

const OPENAI_ENDINGS = endings(OPENAI_ROWS)
const AZURE_ENDINGS = endings(
  [...OPENAI_ROWS.filter((row) => AZURE_ROOT.test(row.tail)), ...AZURE_ROWS],
  'openai/',
)

function tailMatch({ row, pattern }: Ending, path: string): TailMatch | undefined {
  const match = pattern.exec(path)
  const [, base = '', id] = match ?? []
  if (match === null || !isBase(base)) return undefined
  return id === undefined ? { row, base } : { row, base, id: decode(id) }
}

/** Whoever lacks the path says so in their own words. */
function unknownRoute(path: string): Route {
  const isAzure = /\/openai\/(?!v1\/)/.test(path)
  const dialect = isAzure ? 'azure' : path.startsWith('/v2/') ? 'cohere' : 'openai'
  const row: Row = { tail: '', operation: 'unknown', accepts: 'nothing' }
  return toRoute(row, dialect, 'bearer_if_any', undefined, false)
}

function matchAzure(path: string, hasApiVersion: boolean, method: string): Match | undefined {
  const dated = /^(.*)\/openai\/deployments\/([^/]+)\/(.+)$/.exec(path)
  if (dated !== null) {
    const row = OPENAI_ROWS.find((row) => row.tail === dated[3] && !AZURE_ROOT.test(row.tail))
    if (row === undefined || !isBase(dated[1] ?? '')) return undefined
    return { route: toRoute(row, 'azure', 'azure', 'dated', true), named: decode(dated[2] ?? '') }
  }
  const found = findRow(AZURE_ENDINGS, path, method)
  // `/v1/openai/…` is a base of others (DeepInfra); theirs carry no api-version.
  if (found === undefined || (!hasApiVersion && found.base.endsWith('/v1'))) return undefined
  return { route: toRoute(found.row, 'azure', 'azure', 'dated', false), ...idOf(found) }
}

function idOf({ id }: TailMatch): Pick<Match, 'id'> {
  return id === undefined ? {} : { id }
}

function matchPlain(path: string, method: string): Match | undefined {
  for (const row of COHERE_ROWS) {
    const base = baseOf(path, row.tail)
    if (base !== undefined) return { route: toRoute(row, 'cohere', row.auth, undefined, false) }
  }
  const found = findRow(OPENAI_ENDINGS, path, method)
  if (found !== undefined) {
    // Groq's base is `/openai/v1` too; both take a bearer.
    const isV1 = found.base.endsWith('/openai/v1')
    const route = toRoute(
      found.row,
      'openai',
      isV1 ? 'either' : 'bearer_if_any',
      isV1 ? 'v1' : undefined,
      false,
    )
    return { route, ...idOf(found) }
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
