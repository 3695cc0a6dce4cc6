import type { Usage } from '../../core/answer-facts.ts'
import { createTail } from './tail.ts'
import { usageAtStart } from './usage.ts'
import { createUsageWithin } from './usage-within.ts'

/** Finds what a large answer says it cost, wherever it says so, while it passes: nothing of it is put together. */
export interface UsageSearch {
  push(chunk: Buffer): void
  /** Once it has ended. */
  usage(): Usage | undefined
}

/** Most say it at the end, some in the first lines, a few in between. The last word counts, as in any JSON object. */
export function createUsageSearch(start: Buffer): UsageSearch {
  const tail = createTail()
  const early = usageAtStart(start)
  const within = early === undefined ? createUsageWithin() : undefined
  return {
    push: (chunk) => {
      tail.push(chunk)
      within?.push(chunk)
    },
    usage: () => tail.usage() ?? within?.usage() ?? early,
  }
}
