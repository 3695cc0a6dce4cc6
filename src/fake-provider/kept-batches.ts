import type { Json, JsonObject } from '../core/json.ts'
import type { KeptFiles, Stamps } from './kept-files.ts'

/** A batch, as it stands. */
export interface KeptBatch {
  readonly id: string
  readonly account: string
  readonly json: JsonObject
}

/** Batches, each account's by itself. */
export interface KeptBatches {
  /** Newest first. */
  list(account: string): readonly KeptBatch[]
  /** Each look at a batch brings it on by one step, to its end. */
  look(account: string, id: string): KeptBatch | undefined
  add(account: string, asked: JsonObject): KeptBatch
  cancel(batch: KeptBatch): KeptBatch
}

/** The oldest go first. */
const MAX_BATCHES = 10_000

const NEXT: Readonly<Record<string, string>> = {
  validating: 'in_progress',
  in_progress: 'completed',
  cancelling: 'cancelled',
}

/** Starts with none; a batch that is done leaves a file. */
export function createKeptBatches(stamps: Stamps, files: KeptFiles): KeptBatches {
  const batches = new Map<string, KeptBatch>()
  const keep = (batch: KeptBatch): KeptBatch => {
    batches.set(batch.id, batch)
    const [oldest] = batches.keys()
    if (batches.size > MAX_BATCHES && oldest !== undefined) batches.delete(oldest)
    return batch
  }
  return {
    list: (account) => [...batches.values()].filter((batch) => batch.account === account).reverse(),
    look: (account, id) => {
      const batch = batches.get(id)
      const status = NEXT[textOf(batch?.json['status'])]
      if (batch?.account !== account) return undefined
      if (status === undefined) return batch
      const ended = status === 'completed' ? output(batch, files, stamps.seconds()) : {}
      return keep({ ...batch, json: { ...batch.json, status, ...ended } })
    },
    add: (account, asked) => {
      const id = stamps.nextId('batch_')
      return keep({ id, account, json: fresh(id, asked, stamps.seconds()) })
    },
    cancel: (batch) =>
      keep({ ...batch, json: { ...batch.json, status: 'cancelling', cancelling_at: stamps.seconds() } }),
  }
}

function fresh(id: string, asked: JsonObject, now: number): JsonObject {
  const { input_file_id, endpoint, completion_window, metadata = null } = asked
  return {
    id,
    object: 'batch',
    endpoint,
    errors: null,
    input_file_id,
    completion_window,
    status: 'validating',
    output_file_id: null,
    error_file_id: null,
    created_at: now,
    expires_at: now + 24 * 3600,
    request_counts: { total: 0, completed: 0, failed: 0 },
    metadata,
  }
}

/** One answer for each line of the input. */
function output({ account, json }: KeptBatch, files: KeptFiles, now: number): JsonObject {
  const input = files.find(account, textOf(json['input_file_id']))?.bytes.toString() ?? ''
  const lines = input.split('\n').filter((line) => line.trim() !== '')
  const bytes = Buffer.from(lines.map(answerLine).join(''))
  return {
    completed_at: now,
    request_counts: { total: lines.length, completed: lines.length, failed: 0 },
    output_file_id: files.add(account, { name: 'output.jsonl', purpose: 'batch_output', bytes }).id,
  }
}

function answerLine(line: string, index: number): string {
  const id = /"custom_id"\s*:\s*"([^"]*)"/.exec(line)?.[1] ?? String(index)
  const response = { status_code: 200, request_id: `req-${index}`, body: { object: 'chat.completion' } }
  return `${JSON.stringify({ id: `batch_req_${index}`, custom_id: id, response, error: null })}\n`
}

/** A member's text; empty where it is none. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
