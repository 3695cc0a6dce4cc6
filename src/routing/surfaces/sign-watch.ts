import type { Usage } from '../../core/answer-facts.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { signOf } from '../answer/event-watch.ts'
import type { EventWatch } from '../answer/event-watch.ts'
import type { StreamSigns } from './surface.ts'

const DATA = 'data:'

/** Watches a surface's own stream; only events that tell something are parsed. */
export function createSignWatch(signs: StreamSigns): EventWatch {
  const { telling, last } = signs
  let counted: Partial<Usage> = {}
  let isFinished = last === undefined
  let error: Buffer | undefined
  const look = (event: JsonObject): void => {
    counted = { ...counted, ...signs.usage(event) }
    const found = error === undefined ? signs.error(event) : undefined
    if (found !== undefined) error = Buffer.from(JSON.stringify(found))
  }
  return {
    see: (lines, isPlain) => {
      const sign = signOf(lines)
      if (isPlain || sign !== 'event') return sign
      for (const line of lines.toString().split('\n')) {
        if (!telling.test(line)) continue
        isFinished ||= last?.test(line) === true
        const event = line.startsWith(DATA) ? parsed(line.slice(DATA.length)) : undefined
        if (event !== undefined) look(event)
      }
      return sign
    },
    usage: () => whole(counted),
    isFinished: () => isFinished,
    error: () => error,
  }
}

function whole({ promptTokens = 0, completionTokens = 0, ...more }: Partial<Usage>): Usage | undefined {
  const total = promptTokens + completionTokens
  return total === 0 ? undefined : { promptTokens, completionTokens, totalTokens: total, ...more }
}

function parsed(text: string): JsonObject | undefined {
  // A line that was too long to be held whole comes in pieces.
  const event = parseJson(text)
  return isJsonObject(event) ? event : undefined
}
