import type { JsonObject } from '../core/json.ts'
import { textOf } from './kept-batches.ts'
import type { KeptFiles, Stamps } from './kept-files.ts'

/** A file that comes in parts, as it stands. */
export interface KeptUpload {
  readonly id: string
  readonly account: string
  readonly json: JsonObject
  readonly parts: ReadonlyMap<string, Buffer>
}

/** Uploads in parts, each account's by itself. */
export interface KeptUploads {
  find(account: string, id: string): KeptUpload | undefined
  add(account: string, asked: JsonObject): KeptUpload
  /** The part as it is described; undefined where no more may come. */
  addPart(upload: KeptUpload, bytes: Buffer): JsonObject | undefined
  /** The upload with its file, or why not: its parts in the order that the ids say. */
  complete(upload: KeptUpload, partIds: readonly string[]): JsonObject | string
  /** Undefined where it is over already. */
  cancel(upload: KeptUpload): JsonObject | undefined
}

/** The oldest go first. */
const MAX_UPLOADS = 1000
/** Of all parts of one upload; OpenAI's is 8 GB. */
const MAX_BYTES = 16 * 1024 * 1024
const LIFE_S = 3600

/** Starts with none; an upload that is complete leaves a file. */
export function createKeptUploads(stamps: Stamps, files: KeptFiles): KeptUploads {
  const uploads = new Map<string, KeptUpload>()
  const keep = (upload: KeptUpload): KeptUpload => {
    uploads.set(upload.id, upload)
    const [oldest] = uploads.keys()
    if (uploads.size > MAX_UPLOADS && oldest !== undefined) uploads.delete(oldest)
    return upload
  }
  const end = (upload: KeptUpload, change: JsonObject): JsonObject =>
    keep({ ...upload, parts: new Map(), json: { ...upload.json, ...change } }).json
  const isOpen = ({ json }: KeptUpload): boolean => json['status'] === 'pending'
  return {
    find: (account, id) => {
      const upload = uploads.get(id)
      return upload?.account === account ? upload : undefined
    },
    add: (account, { bytes, filename, purpose }) => {
      const id = stamps.nextId('upload_')
      const [created_at, expires_at] = [stamps.seconds(), stamps.seconds() + LIFE_S]
      const facts = { id, object: 'upload', bytes, created_at, filename, purpose, status: 'pending' }
      return keep({ id, account, parts: new Map(), json: { ...facts, expires_at } })
    },
    addPart: (upload, bytes) => {
      const { id, parts } = upload
      const size = [...parts.values()].reduce((sum, part) => sum + part.length, bytes.length)
      if (!isOpen(upload) || size > MAX_BYTES) return undefined
      const part = stamps.nextId('part_')
      keep({ ...upload, parts: new Map([...parts, [part, bytes]]) })
      return { id: part, object: 'upload.part', created_at: stamps.seconds(), upload_id: id }
    },
    complete: (upload, partIds) => {
      if (!isOpen(upload)) return `The upload is ${textOf(upload.json['status'])}.`
      const parts = partIds.map((id) => upload.parts.get(id))
      const missing = partIds.find((id) => !upload.parts.has(id))
      if (missing !== undefined) return `No such part: '${missing}'.`
      const bytes = Buffer.concat(parts.filter((part) => part !== undefined))
      const { filename, purpose } = upload.json
      const promised = Number(upload.json['bytes'])
      if (bytes.length !== promised)
        return `The parts have ${bytes.length} bytes together, and ${promised} were announced.`
      const file = { name: textOf(filename), purpose: textOf(purpose), bytes }
      return end(upload, { status: 'completed', file: files.add(upload.account, file).json })
    },
    cancel: (upload) => (isOpen(upload) ? end(upload, { status: 'cancelled' }) : undefined),
  }
}
