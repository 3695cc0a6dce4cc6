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
  const id = /^\/predictions\/([\w-]+)$/.exec(path)?.[1]
  if (method === 'GET' && id !== undefined) return look(id)
  return failure(404, undefined, 'The requested resource could not be found.')
}

const BODY_NAMES = nameSet('input version stream webhook webhook_events_filter')
/** Of the models that the tests ask for. */
const INPUT_NAMES = nameSet(
  `frequency_penalty image_input length_penalty max_completion_tokens max_new_tokens max_tokens min_tokens
  presence_penalty prompt prompt_template reasoning_effort seed stop_sequences system_prompt temperature top_k top_p`,
)

function create({ json = {}, headers }: NativeCall, needsVersion: boolean): Reply {
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
  const kind = /fail/.test(prompt) ? 'fail' : 'pong'
  const isSlow = !waits || prompt.includes('slow')
  const id = `${kind}-${isSlow ? Date.now() + WORK_MS : 0}`
  return jsonReply(201, isSlow ? prediction(id, 'starting') : done(id, kind))
}

function look(id: string): Reply {
  const [, kind = '', readyMs = ''] = /^(pong|fail)-(\d+)$/.exec(id) ?? []
  if (kind === '') return failure(404, undefined, 'The requested resource could not be found.')
  return jsonReply(200, Date.now() < Number(readyMs) ? prediction(id, 'processing') : done(id, kind))
}

function done(id: string, kind: string): JsonObject {
  if (kind === 'fail') return { ...prediction(id, 'failed'), error: 'CUDA out of memory' }
  return {
    ...prediction(id, 'succeeded'),
    output: ['po', 'ng'],
    metrics: { input_token_count: 5, output_token_count: 1, predict_time: 0.1 },
  }
}

/** Its addresses lead astray, as those of a man in the middle would. */
function prediction(id: string, status: string): JsonObject {
  return {
    id,
    status,
    output: null,
    error: null,
    created_at: '2026-11-27T07:00:00.000Z',
    urls: {
      get: `https://elsewhere.invalid/v1/predictions/${id}`,
      cancel: `https://elsewhere.invalid/v1/predictions/${id}/cancel`,
      stream: `https://stream.replicate.com/v1/files/${id}`,
    },
  }
}
