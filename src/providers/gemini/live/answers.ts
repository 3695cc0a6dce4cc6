import type { Json, JsonObject } from '../../../core/json.ts'
import { createOwed } from './owed.ts'
import type { Ending, Response } from './response.ts'

/** Which of the model's turns is which response of the client's. */
export interface Answers {
  /** `whole`: all of it is said, and the upstream waits until it is heard. */
  state(): 'none' | 'running' | 'whole'
  /** The response under way; undefined while there is none. */
  id(): string | undefined
  /** The client asks for one. */
  ask(metadata: Json): void
  /** Where what the model says now belongs; undefined: to one that the client cancelled. */
  open(): Response | undefined
  /** What its sound says: this comes whenever it likes, before the sound or after the end, and begins nothing. */
  transcript(words: string): void
  /** The model has said all of it. */
  whole(): void
  /** The model was interrupted; `bySpeech` is called first where it was somebody's voice, and no word of the client's. */
  interrupted(bySpeech: () => void): void
  /** The upstream's turn is over. */
  turnComplete(ending: Ending): void
  /** It is the client's turn in the middle of the upstream's: calls wait for their outputs. */
  handOver(): void
  /** The client does not want it any more. Live has no word for that: what still comes of it is left out. */
  cancel(): void
  /** There will be no more of it. */
  fail(error: JsonObject): void
  /** What the turn has cost. */
  used(usage: JsonObject | null): void
}

/**
 * Makes it. A turn of Live's ends with `turnComplete`, also where it was interrupted before; a response of OpenAI's ends
 * at once. Ends that are still to come are therefore counted, so that none of them is taken for the next response's.
 */
export function createAnswers(deps: {
  readonly begin: (metadata: Json) => Response
  /** Called before the model answers unasked: it has heard somebody. */
  readonly unasked: () => void
  /** Told once of what each of the upstream's turns has cost: also where the response was over before. */
  readonly spent: (usage: JsonObject) => void
}): Answers {
  const owed = createOwed()
  const current = createCurrent(deps.begin, deps.spent)
  const isOfEarlier = (): boolean => owed.any() && current.get()?.hasOutput() !== true
  return {
    state: () => {
      const now = current.get()
      return now === undefined ? 'none' : now.isWhole() ? 'whole' : 'running'
    },
    id: () => current.get()?.id,
    ask: (metadata) => {
      if (current.get() !== undefined) owed.add(false)
      current.end({ status: 'completed' })
      current.begin(metadata)
    },
    open: () => {
      if (owed.isMuted()) return undefined
      if (current.get() === undefined) deps.unasked()
      return current.get() ?? current.beginHeard()
    },
    transcript: (words) => {
      if (!owed.isMuted() && !isOfEarlier()) current.transcript(words)
    },
    whole: () => {
      if (!owed.isMuted() && !isOfEarlier()) current.get()?.quiet()
    },
    interrupted: (bySpeech) => {
      const wasMuted = owed.unmute()
      const now = current.get()
      if (isOfEarlier() && now !== undefined) return
      bySpeech()
      if (wasMuted || now === undefined) return
      owed.add(false)
      current.end(now.isWhole() ? { status: 'completed' } : { status: 'cancelled', reason: 'turn_detected' })
    },
    turnComplete: (ending) => {
      if (owed.isMuted() || isOfEarlier()) {
        owed.paid()
        current.forget()
      } else {
        owed.clear()
        current.end(ending)
      }
    },
    handOver: () => current.end({ status: 'completed' }),
    cancel: () => {
      owed.add(current.get()?.isWhole() === false)
      current.end({ status: 'cancelled', reason: 'client_cancelled' })
    },
    fail: (error) => current.end({ status: 'failed', error }),
    used: (spent) => current.used(spent),
  }
}

/** The response under way, and what is known before it ends or begins. */
interface Current {
  get(): Response | undefined
  begin(metadata: Json): void
  /** One that nobody asked for, with the words that came before it. */
  beginHeard(): Response
  transcript(words: string): void
  used(usage: JsonObject | null): void
  /** Ends it, where there is one. */
  end(ending: Ending): void
  forget(): void
}

/** Words that wait for their sound, characters; any more are lost. */
const MAX_EARLY_CHARS = 64 * 1024

function createCurrent(begin: (metadata: Json) => Response, spent: (usage: JsonObject) => void): Current {
  let now: Response | undefined
  let usage: JsonObject | null = null
  let early = ''
  const settle = (): void => {
    if (usage !== null) spent(usage)
    usage = null
  }
  const forget = (): void => {
    settle()
    early = ''
  }
  return {
    get: () => now,
    begin: (metadata) => {
      // It was of a turn that was over.
      settle()
      now = begin(metadata)
    },
    beginHeard: () => {
      const begun = begin(null)
      now = begun
      if (early !== '') begun.transcript(early)
      early = ''
      return begun
    },
    transcript: (words) => {
      if (now !== undefined) now.transcript(words)
      else if (early.length < MAX_EARLY_CHARS) early += words
    },
    used: (said) => {
      if (now === undefined) settle()
      usage = said
    },
    end: (ending) => {
      const ended = now
      now = undefined
      ended?.end(ending, usage)
      forget()
    },
    forget,
  }
}
