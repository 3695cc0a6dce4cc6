import { isJsonObject } from '../core/json.ts'
import type { JsonObject } from '../core/json.ts'
import { header, wantsStream } from './call.ts'
import type { Call } from './call.ts'
import { textOf } from './kept-batches.ts'
import { responseEvents } from './kept-responses.ts'
import { newCall } from './kept-calls.ts'
import type { Kept } from './kept.ts'
import { formField } from './multipart.ts'
import { jsonReply, openaiError, SUCCESS_HEADERS } from './reply.ts'
import type { Reply } from './reply.ts'

/** The answer of the routes that remember something: files, batches, uploads, keys of sessions; undefined for all others. */
export function keptReply(call: Call, kept: Kept): Reply | undefined {
  const account = accountOf(call)
  const { id = '' } = call
  switch (call.route.operation) {
    case 'upload':
      return good(kept.files.add(account, uploadIn(call)).json)
    case 'files':
      return page(call, kept.files.list(account).filter(isOfPurpose(call)))
    case 'file':
      return good(kept.files.find(account, id)?.json ?? noFile(id))
    case 'file_content': {
      const file = kept.files.find(account, id)
      if (file === undefined) return noFile(id)
      const headers = { 'content-type': 'application/octet-stream', ...SUCCESS_HEADERS }
      return { status: 200, headers, chunks: [file.bytes] }
    }
    case 'file_removal':
      if (kept.files.find(account, id) === undefined) return noFile(id)
      kept.files.remove(id)
      return good({ id, object: 'file', deleted: true })
    case 'new_batch':
      return newBatch(call, kept, account)
    case 'batches':
      return page(call, kept.batches.list(account))
    case 'batch':
      return good(kept.batches.look(account, id)?.json ?? noBatch(id))
    case 'batch_cancel':
      return cancelled(id, kept, account)
    case 'new_upload':
      return good(kept.uploads.add(account, call.json ?? {}).json)
    case 'upload_part':
    case 'upload_completion':
    case 'upload_cancel':
      return uploadStep(call, kept, account)
    case 'new_response':
      return newResponse(call, kept, account)
    case 'response':
      return good(kept.responses.find(account, id)?.json ?? noResponse(id))
    case 'response_items':
      return responseItems(id, kept, account)
    case 'response_cancel':
      return kept.responses.find(account, id) === undefined
        ? noResponse(id)
        : openaiError(400, { message: 'Cannot cancel a synchronous response.' })
    case 'response_removal':
      if (kept.responses.find(account, id) === undefined) return noResponse(id)
      kept.responses.remove(id)
      return good({ id, object: 'response', deleted: true })
    case 'new_call':
      return newCall(call, kept, account)
    case 'call_step':
      return kept.calls.has(account, id)
        ? { status: 200, headers: SUCCESS_HEADERS, chunks: [] }
        : openaiError(404, { message: `No active call with id '${id}'.` })
    case 'session_key':
      return good(session(call, kept))
    default:
      return undefined
  }
}

/** A refusal stays what it is. */
function good(found: JsonObject | Reply): Reply {
  return isReply(found) ? found : jsonReply(200, found, SUCCESS_HEADERS)
}

function isReply(found: JsonObject | Reply): found is Reply {
  return 'chunks' in found
}

function noFile(id: string): Reply {
  return openaiError(404, { message: `No such File object: ${id}`, param: 'id' })
}

function noBatch(id: string): Reply {
  return openaiError(404, { message: `No batch found with id '${id}'.` })
}

function noResponse(id: string): Reply {
  return openaiError(404, { message: `Response with id '${id}' not found.` })
}

function newResponse(call: Call, kept: Kept, account: string): Reply {
  const previous = textOf(call.json?.['previous_response_id'])
  if (previous !== '' && kept.responses.find(account, previous) === undefined)
    return openaiError(400, {
      message: `Previous response with id '${previous}' not found.`,
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    })
  const made = kept.responses.add(account, call)
  if (!wantsStream(call)) return good(made.json)
  const headers = { 'content-type': 'text/event-stream', ...SUCCESS_HEADERS }
  return { status: 200, headers, chunks: responseEvents(made) }
}

function responseItems(id: string, kept: Kept, account: string): Reply {
  const found = kept.responses.find(account, id)
  if (found === undefined) return noResponse(id)
  const ids = { first_id: 'msg_in', last_id: 'msg_in' }
  return good({ object: 'list', data: found.input, ...ids, has_more: false })
}

function newBatch(call: Call, kept: Kept, account: string): Reply {
  const asked = call.json ?? {}
  const id = textOf(asked['input_file_id'])
  const file = kept.files.find(account, id)
  if (file === undefined)
    return openaiError(400, {
      message: `Invalid 'input_file_id': no such file: '${id}'.`,
      param: 'input_file_id',
      code: 'invalid_value',
    })
  if (file.json['purpose'] === 'batch') return good(kept.batches.add(account, asked).json)
  const message = `Invalid purpose of the input file: expected 'batch', got '${textOf(file.json['purpose'])}'.`
  return openaiError(400, { message, param: 'input_file_id' })
}

function cancelled(id: string, kept: Kept, account: string): Reply {
  const batch = kept.batches.list(account).find((each) => each.id === id)
  if (batch === undefined) return noBatch(id)
  const status = textOf(batch.json['status'])
  if (status === 'validating' || status === 'in_progress') return good(kept.batches.cancel(batch).json)
  return openaiError(409, { message: `Cannot cancel a batch with status '${status}'.` })
}

/** What is done to an upload that has begun. */
function uploadStep({ id = '', route, form, json = {} }: Call, { uploads }: Kept, account: string): Reply {
  const upload = uploads.find(account, id)
  if (upload === undefined) return openaiError(404, { message: `No such Upload: ${id}`, param: 'id' })
  const over = openaiError(400, { message: `The upload takes no more: ${textOf(upload.json['status'])}.` })
  if (route.operation === 'upload_cancel') return good(uploads.cancel(upload) ?? over)
  if (route.operation === 'upload_part') {
    const bytes = form?.parts.find((part) => part.name === 'data')?.bytes ?? Buffer.alloc(0)
    return good(uploads.addPart(upload, bytes) ?? over)
  }
  const ids = json['part_ids']
  const done = uploads.complete(upload, Array.isArray(ids) ? ids.map(textOf) : [])
  return typeof done === 'string' ? openaiError(400, { message: done, param: 'part_ids' }) : good(done)
}

function isOfPurpose(call: Call): (row: { readonly json: JsonObject }) => boolean {
  const purpose = call.query.get('purpose')
  return ({ json }) => purpose === null || json['purpose'] === purpose
}

/** Newest first; `after` is the last id of the page before. */
function page(call: Call, rows: readonly { readonly id: string; readonly json: JsonObject }[]): Reply {
  const after = call.query.get('after')
  const limit = Number(call.query.get('limit') ?? 20)
  const from = after === null ? 0 : rows.findIndex((row) => row.id === after) + 1
  if (after !== null && from === 0)
    return openaiError(400, { message: `Invalid 'after': no such id: '${after}'.`, param: 'after' })
  const data = rows.slice(from, from + limit)
  return good({
    object: 'list',
    data: data.map(({ json }) => json),
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + data.length < rows.length,
  })
}

/** Today's form carries the key at its top; the beta's, and Azure's of the dated versions, inside. */
function session({ json = {}, path }: Call, kept: Kept): JsonObject {
  const key = kept.issueKey()
  const head = { id: 'sess_1', object: 'realtime.session' }
  if (!path.endsWith('/client_secrets')) return { ...head, ...json, client_secret: key }
  const asked = json['session']
  const described = isJsonObject(asked) ? asked : {}
  return { ...key, session: { ...head, ...described, client_secret: key } }
}

/** Whose things a call may see: those left under the same key. */
function accountOf(call: Call): string {
  return header(call, 'api-key') || header(call, 'authorization')
}

function uploadIn({ form }: Call): {
  readonly name: string
  readonly purpose: string
  readonly bytes: Buffer
} {
  const file = form?.parts.find((part) => part.name === 'file')
  const purpose = (form && formField(form, 'purpose')) ?? ''
  return { name: file?.filename ?? 'file', purpose, bytes: file?.bytes ?? Buffer.alloc(0) }
}
