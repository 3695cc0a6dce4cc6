import type { Json, JsonObject } from '../../../core/json.ts'
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

/** Turns of the upstream's that are over for the client, and whose end is still to come. */
interface Owed {
  /** `isMuted`: what still comes of it is left out. */
  add(isMuted: boolean): void
  isMuted(): boolean
  /** Says whether anything was left out until now. */
  unmute(): boolean
  any(): boolean
  /** The end of one has come. */
  paid(): void
  clear(): void
}

function createOwed(): Owed {
  let turns = 0
  let isMuted = false
  const unmute = (): boolean => {
    const was = isMuted
    isMuted = false
    return was
  }
  return {
    add: (mutes) => {
      turns += 1
      isMuted = mutes
    },
    isMuted: () => isMuted,
    unmute,
    any: () => turns > 0,
    paid: () => {
      turns = Math.max(0, turns - 1)
      unmute()
    },
    clear: () => {
      turns = 0
    },
  }
}

/**
 * Makes it. A turn of Live's ends with `turnComplete`, also where it was interrupted before; a response of OpenAI's ends
 * at once. Ends that are still to come are therefore counted, so that none of them is taken for the next response's.
 */
export function createAnswers(deps: {
  readonly begin: (metadata: Json) => Response
  /** Called before the model answers unasked: it has heard somebody. */
  readonly unasked: () => void
}): Answers {
  const owed = createOwed()
  let now: Response | undefined
  let usage: JsonObject | null = null
  const end = (ending: Ending): void => {
    const ended = now
    now = undefined
    ended?.end(ending, usage)
    usage = null
  }
  const isOfEarlier = (): boolean => owed.any() && now?.hasOutput() !== true
  return {
    state: () => (now === undefined ? 'none' : now.isWhole() ? 'whole' : 'running'),
    id: () => now?.id,
    ask: (metadata) => {
      if (now !== undefined) {
        owed.add(false)
        end({ status: 'completed' })
      }
      now = deps.begin(metadata)
    },
    open: () => {
      if (owed.isMuted()) return undefined
      if (now === undefined) deps.unasked()
      return (now ??= deps.begin(null))
    },
    whole: () => {
      if (!owed.isMuted() && !isOfEarlier()) now?.quiet()
    },
    interrupted: (bySpeech) => {
      const wasMuted = owed.unmute()
      if (isOfEarlier() && now !== undefined) return
      bySpeech()
      if (wasMuted || now === undefined) return
      owed.add(false)
      end(now.isWhole() ? { status: 'completed' } : { status: 'cancelled', reason: 'turn_detected' })
    },
    turnComplete: (ending) => {
      if (owed.isMuted() || isOfEarlier()) {
        owed.paid()
        usage = null
        return
      }
      owed.clear()
      end(ending)
    },
    handOver: () => end({ status: 'completed' }),
    cancel: () => {
      owed.add(now?.isWhole() === false)
      end({ status: 'cancelled', reason: 'client_cancelled' })
    },
    fail: (error) => end({ status: 'failed', error }),
    used: (spent) => {
      usage = spent
    },
  }
}
