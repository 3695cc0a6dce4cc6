import { APIError as AnthropicError } from '@anthropic-ai/sdk'
import { CohereError } from 'cohere-ai'
import { APIError } from 'openai'
import type { Call, Place } from './place.ts'

/** What a call comes to, free of anything that is nobody's to promise. */
export async function outcomeOf({ run }: Call, place: Place): Promise<unknown> {
  try {
    return { answer: JSON.parse(JSON.stringify(await run(place), withoutIds) ?? 'null') }
  } catch (error) {
    return { raised: raisedAs(error) }
  }
}

/** Who keeps a thing names it, and says since when: nobody can promise the same of two things. */
function withoutIds(key: string, value: unknown): unknown {
  if (/(?:^|_)id$/.test(key) && typeof value === 'string') return 'an id'
  return /(?:^created|_at)$/.test(key) && typeof value === 'number' ? 'a time' : value
}

/** The class, the status and how long to wait; the words are the gateway's own. */
function raisedAs(error: unknown): string {
  if (error instanceof APIError) {
    const wait = error.headers?.get('retry-after')
    return `${named(error, error.status)}${typeof wait === 'string' ? `, wait ${wait}` : ''}`
  }
  if (error instanceof AnthropicError) return named(error, Number(error.status))
  if (error instanceof CohereError) return named(error, error.statusCode)
  return String(error)
}

function named(error: Error, status: number | undefined): string {
  return status === undefined ? error.constructor.name : `${error.constructor.name} ${status}`
}
