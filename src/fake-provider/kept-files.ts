import type { JsonObject } from '../core/json.ts'

/** A file that was uploaded, or that a batch left. */
export interface KeptFile {
  readonly id: string
  readonly account: string
  readonly json: JsonObject
  readonly bytes: Buffer
}

/** Files, each account's by itself. */
export interface KeptFiles {
  /** Newest first. */
  list(account: string): readonly KeptFile[]
  find(account: string, id: string): KeptFile | undefined
  add(
    account: string,
    file: { readonly name: string; readonly purpose: string; readonly bytes: Buffer },
  ): KeptFile
  remove(id: string): void
}

/** What names and dates new things. */
export interface Stamps {
  nextId(prefix: string): string
  /** Seconds since 1970. */
  seconds(): number
}

/** All files together; the oldest go first. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_FILES = 10_000

/** Starts with none. */
export function createKeptFiles(stamps: Stamps): KeptFiles {
  const files = new Map<string, KeptFile>()
  let bytesKept = 0
  const remove = (id: string): void => {
    bytesKept -= files.get(id)?.bytes.length ?? 0
    files.delete(id)
  }
  const makeRoom = (): void => {
    for (const id of files.keys()) {
      if (bytesKept <= MAX_BYTES && files.size <= MAX_FILES) return
      remove(id)
    }
  }
  return {
    list: (account) => [...files.values()].filter((file) => file.account === account).reverse(),
    find: (account, id) => {
      const file = files.get(id)
      return file?.account === account ? file : undefined
    },
    add: (account, { name, purpose, bytes }) => {
      const id = stamps.nextId('file-')
      const facts = { id, object: 'file', bytes: bytes.length, created_at: stamps.seconds() }
      const json = { ...facts, filename: name, purpose, status: 'processed', expires_at: null }
      const file = { id, account, bytes, json }
      files.set(id, file)
      bytesKept += bytes.length
      makeRoom()
      return file
    },
    remove,
  }
}
