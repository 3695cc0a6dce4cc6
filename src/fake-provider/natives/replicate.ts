import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { jsonReply, type Reply } from '../reply.ts'
import { misplacedCredential, nameSet, unknownName } from './misplaced.ts'
import type { Native, NativeCall } from './native.ts'

/** Replicate's words, after https://replicate.com/docs/reference/http (read 2026-11-27). */
export const replicate: Native = {
  id: 'replicate',
  answer: (call) => unauthorized(call) ?? routed(call),
  error: (status, message, headers) => failure(status, TITLES[status], message, headers),
}

const TITLES: Readonly<Record<number, string>> = {
  401: 'Unauthenticated',
  402: 'Insufficient credit',
  422: 'Input validation failed',
}

function failure(
  status: number,
  title: string | undefined,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { ...(title !== undefined && { title }), detail, status }, headers)
}

function unauthorized(call: NativeCall): Reply | undefined {
  const key = /^Bearer (\S+)$/.exec(call.headers.authorization ?? '')?.[1]
  const isForm = key !== undefined && misplacedCredential(call, 'authorization') === undefined
  if (isForm && (call.keys === undefined || call.keys.has(key))) return undefined
  return failure(401, 'Unauthenticated', 'You did not pass a valid authentication token')
}

/** How long a slow prediction takes. */
const WORK_MS = 200

function routed(call: NativeCall): Reply {
  const { method } = call
  const path = call.path.replace(/^\/v1/, '')
  if (method === 'GET' && path === '/account')
    return jsonReply(200, { type: 'organization', username: 'fake', name: 'Fake' })
  const made = /^\/(?:models|deployments)\/[\w.-]+\/[\w.-]+\/predictions$/.test(path)
  if (method === 'POST' && (made || path === '/predictions')) return create(call, !made)
  const [, id, more] = /^\/predictions\/([\w-]+)(\/cancel)?$/.exec(path) ?? []
  if (method === 'GET' && id !== undefined && more === undefined) return look(call, id)
  if (method === 'POST' && id !== undefined && more !== undefined)
    return jsonReply(200, prediction(call, id, 'canceled'))
  const streamed = /^\/stream\/([\w-]+)$/.exec(path)?.[1]
  if (method === 'GET' && streamed !== undefined) return stream(call, streamed)
  return failure(404, undefined, 'The requested resource could not be found.')
}

const BODY_NAMES = nameSet('input version stream webhook webhook_events_filter')
/** Of the models that the tests ask for. */
const INPUT_NAMES = nameSet(
  `frequency_penalty image_input length_penalty max_completion_tokens max_new_tokens max_tokens min_tokens
  presence_penalty prompt prompt_template reasoning_effort seed stop_sequences system_prompt temperature top_k top_p`,
)

function create(call: NativeCall, needsVersion: boolean): Reply {
  const { json = {}, headers } = call
  const unknown = unknownName(Object.keys(json), BODY_NAMES)
  if (unknown !== undefined || (typeof json['version'] === 'string') !== needsVersion)
    return failure(
      422,
      'Input validation failed',
      `- ${unknown ?? 'version'} is not expected here, or missing`,
    )
  const { input } = json
  if (!isJsonObject(input) || typeof input['prompt'] !== 'string')
    return failure(422, 'Input validation failed', '- input: prompt is required')
  const strange = unknownName(Object.keys(input), INPUT_NAMES)
  if (strange !== undefined)
    return failure(422, 'Input validation failed', `- input: Additional property ${strange} is not allowed`)
  const waits = /^wait(?:=\d+)?$/.test(String(headers['prefer'] ?? ''))
  const { prompt } = input
  const kind = /\b(fail|astray|gone|whole)\b/.exec(prompt)?.[1] ?? 'pong'
  const isSlow = !waits || prompt.includes('slow')
  const id = `${kind}-${isSlow ? Date.now() + WORK_MS : 0}`
  return jsonReply(201, isSlow ? prediction(call, id, 'starting') : done(call, id, kind))
}

/** What kind of prediction an id is of, and when it is done. */
const ID = /^([a-z]+)-(\d+)$/

function look(call: NativeCall, id: string): Reply {
  const [, kind = '', readyMs = ''] = ID.exec(id) ?? []
  if (kind === '') return failure(404, undefined, 'The requested resource could not be found.')
  return jsonReply(
    200,
    Date.now() < Number(readyMs) ? prediction(call, id, 'processing') : done(call, id, kind),
  )
}

/** https://replicate.com/docs/topics/predictions/streaming */
function stream({ headers }: NativeCall, id: string): Reply {
  const kind = ID.exec(id)?.[1]
  if (headers.accept !== 'text/event-stream') return failure(406, undefined, 'These are events.')
  if (kind === undefined || kind === 'gone') return failure(404, undefined, 'This stream is over.')
  const event = (name: string, data: string): string => `event: ${name}\nid: 1690212292:0\ndata: ${data}\n\n`
  const chunks =
    kind === 'fail'
      ? [event('error', '{"detail":"CUDA out of memory"}'), event('done', '{"reason":"error"}')]
      : [event('output', 'po'), event('logs', 'a word'), event('output', 'ng'), event('done', '{}')]
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, chunks }
}

function done(call: NativeCall, id: string, kind: string): JsonObject {
  if (kind === 'fail') return { ...prediction(call, id, 'failed'), error: 'CUDA out of memory' }
  return {
    ...prediction(call, id, 'succeeded'),
    output: ['po', 'ng'],
    metrics: { input_token_count: 5, output_token_count: 1, predict_time: 0.1 },
  }
}

/**
 * Its addresses lead astray, as those of a man in the middle would; that of its stream does where it is asked to, and
 * there is none of a model that answers whole.
 */
function prediction({ url, headers }: NativeCall, id: string, status: string): JsonObject {
  const here = `http://${headers.host ?? ''}${url.replace(/(\/as-replicate(?:\/v1)?).*$/, '$1')}`
  const stream = id.startsWith('astray') ? 'https://elsewhere.invalid/v1/stream' : `${here}/stream`
  return {
    id,
    status,
    output: null,
    error: null,
    created_at: '2026-11-27T07:00:00.000Z',
    urls: {
      get: `https://elsewhere.invalid/v1/predictions/${id}`,
      cancel: `https://elsewhere.invalid/v1/predictions/${id}/cancel`,
      ...(!id.startsWith('whole') && { stream: `${stream}/${id}` }),
    },
  }
}
