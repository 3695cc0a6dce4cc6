import type { Counts } from './status.ts'
import type { Note, Sharing } from './sharing.ts'

/** What is to be told to the others: one note for each identity, the newest. */
export interface Outbox {
  /** Tells it at once, or when the store is there again. */
  tell(...notes: readonly Note[]): void
  /** Sends what waits; resolves when it has arrived, or stays here. */
  flush(): Promise<void>
  waiting(): number
}

/** Makes an outbox: one sending at a time, nothing twice at once. Bounded by the identities there are. */
export function createOutbox({
  sharing,
  isShared,
  counts,
}: {
  readonly sharing: Pick<Sharing, 'evidence'>
  readonly isShared: () => boolean
  readonly counts: Counts
}): Outbox {
  const notes = new Map<string, Note>()
  let sending: Promise<void> | undefined

  async function send(): Promise<void> {
    while (notes.size > 0 && isShared()) {
      const batch = [...notes.values()]
      notes.clear()
      try {
        await sharing.evidence(batch)
        counts.told += batch.length
      } catch {
        // The store is counted as failing where it was asked; what it did not take waits, unless there is newer.
        for (const note of batch) if (!notes.has(note.id)) notes.set(note.id, note)
        return
      }
    }
  }
  const flush = (): Promise<void> => {
    sending ??= send().finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    tell: (...told) => {
      for (const note of told) notes.set(note.id, { ...notes.get(note.id), ...note })
      void flush()
    },
    flush,
    waiting: () => notes.size,
  }
}
