import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../core/json.ts'

/** One request, or one WebSocket message (`method` is `WS` for an upgrade, `WSMSG` for a message). */
export interface JournalEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly method: string
  /** With the order segment and the query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON; the text where it does not parse; part names and texts of a multipart form; sizes of all else. */
  readonly body: Json
}

/** A bounded record of what arrived, oldest first. */
export interface Journal {
  add(entry: JournalEntry, bodyBytes: number): void
  entries(): readonly JournalEntry[]
  clear(): void
}

/** Larger bodies are kept as their size only. */
const MAX_KEPT_BODY_BYTES = 256 * 1024

/** Above this the oldest entries go, however few they are. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024

/** Keeps the newest `limit` entries. */
export function createJournal(limit: number): Journal {
  let kept: { readonly entry: JournalEntry; readonly bytes: number }[] = []
  let first = 0
  let bytes = 0
  return {
    add: (entry, bodyBytes) => {
      const isLarge = bodyBytes > MAX_KEPT_BODY_BYTES
      kept.push({
        entry: isLarge ? { ...entry, body: { bytes: bodyBytes } } : entry,
        bytes: isLarge ? 0 : bodyBytes,
      })
      bytes += isLarge ? 0 : bodyBytes
      while (kept.length - first > limit || bytes > MAX_KEPT_BYTES) {
        bytes -= kept[first]?.bytes ?? 0
        first += 1
      }
      // Compacting only when half is gone keeps each addition cheap.
      if (first > 64 && first * 2 > kept.length) {
        kept = kept.slice(first)
        first = 0
      }
    },
    entries: () => kept.slice(first).map((one) => one.entry),
    clear: () => {
      kept = []
      first = 0
      bytes = 0
    },
  }
}

/** The headers that the HTTP journal shows. */
const SHOWN_HEADERS = [
  'content-type',
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'anthropic-version',
  'openai-beta',
  'openai-organization',
  'accept',
  'user-agent',
  'x-canary',
] as const

/** Entries as `GET /__journal` shows them. */
export function journalText(entries: readonly JournalEntry[]): string {
  return JSON.stringify(
    entries.map((entry) => ({
      ...entry,
      headers: Object.fromEntries(
        SHOWN_HEADERS.filter((name) => entry.headers[name] !== undefined).map((name) => [
          name,
          entry.headers[name],
        ]),
      ),
    })),
  )
}
