import type { ObjectKind } from './id.ts'

/** One thing that a client can do with files, batches, uploads and responses: everything in which it differs from the others. */
export interface ObjectOperation {
  readonly kind: ObjectKind
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** What it answers with, where that is of another kind. */
  readonly answers?: ObjectKind
  /** What error sentences start with. */
  readonly route: string
  /** Below a provider's base; `id` is percent-encoded, and empty where the call is about none. */
  path(id: string): string
  /** `content` passes byte by byte and is never parsed; in `foreign` ids are others' than the kind's, and stay. */
  readonly answer: 'object' | 'foreign' | 'content'
  /** It leaves something behind: only what was surely not done is tried again. */
  readonly isCostly: boolean
  /** The member of its body that holds an id, or several, and of what. Without an id in the path it says where to go. */
  readonly names?: { readonly member: string; readonly kind: ObjectKind; readonly isList?: boolean }
  /** Parts that a form must have. */
  readonly parts?: readonly string[]
}

const FILE = { kind: 'file', route: '/files' } as const
const BATCH = { kind: 'batch', route: '/batches' } as const
const UPLOAD = { kind: 'upload', route: '/uploads' } as const
const RESPONSE = { kind: 'response', route: '/v1/responses' } as const
const READ = { method: 'GET', answer: 'object', isCostly: false } as const
const WRITE = { method: 'POST', answer: 'object', isCostly: true } as const

/** OpenAI's routes for files, batches, files that come in parts, and the responses that it has given. */
export const OBJECT_OPERATIONS = {
  createFile: { ...FILE, ...WRITE, path: () => '/files', parts: ['file', 'purpose'] },
  listFiles: { ...FILE, ...READ, path: () => '/files' },
  retrieveFile: { ...FILE, ...READ, path: (id) => `/files/${id}` },
  fileContent: { ...FILE, ...READ, path: (id) => `/files/${id}/content`, answer: 'content' },
  deleteFile: { ...FILE, ...WRITE, method: 'DELETE', path: (id) => `/files/${id}` },
  createBatch: {
    ...BATCH,
    ...WRITE,
    path: () => '/batches',
    names: { member: 'input_file_id', kind: 'file' },
  },
  listBatches: { ...BATCH, ...READ, path: () => '/batches' },
  retrieveBatch: { ...BATCH, ...READ, path: (id) => `/batches/${id}` },
  cancelBatch: { ...BATCH, ...WRITE, path: (id) => `/batches/${id}/cancel` },
  createUpload: { ...UPLOAD, ...WRITE, path: () => '/uploads' },
  addPart: { ...UPLOAD, ...WRITE, answers: 'part', path: (id) => `/uploads/${id}/parts`, parts: ['data'] },
  completeUpload: {
    ...UPLOAD,
    ...WRITE,
    path: (id) => `/uploads/${id}/complete`,
    names: { member: 'part_ids', kind: 'part', isList: true },
  },
  cancelUpload: { ...UPLOAD, ...WRITE, path: (id) => `/uploads/${id}/cancel` },
  retrieveResponse: { ...RESPONSE, ...READ, path: (id) => `/responses/${id}` },
  deleteResponse: { ...RESPONSE, ...WRITE, method: 'DELETE', path: (id) => `/responses/${id}` },
  cancelResponse: { ...RESPONSE, ...WRITE, path: (id) => `/responses/${id}/cancel` },
  responseItems: { ...RESPONSE, ...READ, path: (id) => `/responses/${id}/input_items`, answer: 'foreign' },
} as const satisfies Readonly<Record<string, ObjectOperation>>
