import type { Clock } from '../core/clock.ts'
import { createKeptBatches } from './kept-batches.ts'
import type { KeptBatches } from './kept-batches.ts'
import { createKeptCalls } from './kept-calls.ts'
import type { KeptCalls } from './kept-calls.ts'
import { createKeptResponses } from './kept-responses.ts'
import type { KeptResponses } from './kept-responses.ts'
import { createKeptFiles } from './kept-files.ts'
import type { KeptFiles } from './kept-files.ts'
import { createKeptUploads } from './kept-uploads.ts'
import type { KeptUploads } from './kept-uploads.ts'

/** What clients have left here. */
export interface Kept {
  readonly files: KeptFiles
  readonly batches: KeptBatches
  readonly uploads: KeptUploads
  readonly responses: KeptResponses
  readonly calls: KeptCalls
  /** A key for one realtime session; `expires_at` in seconds since 1970. */
  issueKey(): { readonly value: string; readonly expires_at: number }
  isIssued(key: string): boolean
}

const KEY_LIFE_S = 600
/** The oldest go first. */
const MAX_KEYS = 10_000

/** Starts with nothing. */
export function createKept(clock: Pick<Clock, 'now'>): Kept {
  const keys = new Set<string>()
  let count = 0
  const nextId = (prefix: string): string => `${prefix}${String((count += 1)).padStart(24, '0')}`
  const seconds = (): number => Math.floor(clock.now() / 1000)
  const files = createKeptFiles({ nextId, seconds })
  return {
    files,
    batches: createKeptBatches({ nextId, seconds }, files),
    uploads: createKeptUploads({ nextId, seconds }, files),
    responses: createKeptResponses({ nextId, seconds }),
    calls: createKeptCalls(nextId),
    issueKey: () => {
      const value = nextId('ek_')
      keys.add(value)
      const [oldest] = keys
      if (keys.size > MAX_KEYS && oldest !== undefined) keys.delete(oldest)
      return { value, expires_at: seconds() + KEY_LIFE_S }
    },
    isIssued: (key) => keys.has(key),
  }
}
