import type { ObjectKind } from './id.ts'

/** One thing that a client can do with files and batches: everything in which it differs from the others. */
export interface ObjectOperation {
  readonly kind: ObjectKind
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** What error sentences start with. */
  readonly route: string
  /** Below a provider's base; `id` is percent-encoded, and empty where the call is about none. */
  path(id: string): string
  /** `content` passes byte by byte and is never parsed. */
  readonly answer: 'object' | 'content'
  /** It leaves something behind: only what was surely not done is tried again. */
  readonly isCostly: boolean
}

const FILE = { kind: 'file', route: '/files' } as const
const BATCH = { kind: 'batch', route: '/batches' } as const
const READ = { method: 'GET', answer: 'object', isCostly: false } as const
const WRITE = { method: 'POST', answer: 'object', isCostly: true } as const

/** OpenAI's routes for files and batches. */
export const OBJECT_OPERATIONS = {
  createFile: { ...FILE, ...WRITE, path: () => '/files' },
  listFiles: { ...FILE, ...READ, path: () => '/files' },
  retrieveFile: { ...FILE, ...READ, path: (id) => `/files/${id}` },
  fileContent: { ...FILE, ...READ, path: (id) => `/files/${id}/content`, answer: 'content' },
  deleteFile: { ...FILE, ...WRITE, method: 'DELETE', path: (id) => `/files/${id}` },
  createBatch: { ...BATCH, ...WRITE, path: () => '/batches' },
  listBatches: { ...BATCH, ...READ, path: () => '/batches' },
  retrieveBatch: { ...BATCH, ...READ, path: (id) => `/batches/${id}` },
  cancelBatch: { ...BATCH, ...WRITE, path: (id) => `/batches/${id}/cancel` },
} as const satisfies Readonly<Record<string, ObjectOperation>>
