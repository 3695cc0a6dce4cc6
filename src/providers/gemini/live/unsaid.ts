import type { JsonObject } from '../../../core/json.ts'

/**
 * What the client added to the conversation and the upstream has not heard yet: content interrupts the model there, an
 * output sets it going, and OpenAI's sessions do neither before a response is asked for.
 */
export interface Unsaid {
  /** False where too much waits already. */
  turn(content: JsonObject): boolean
  hasTurns(): boolean
  takeTurns(): readonly JsonObject[]
  /** A call that the model waits for, by the id that the client knows. */
  called(callId: string, call: WaitingCall): void
  /** Calls that it waits for no longer. */
  forget(callIds: readonly string[]): void
  /** `unknown` where nothing waits for it, `full` where too much waits already. */
  output(callId: string, response: JsonObject): 'kept' | 'unknown' | 'full'
  /** Calls without an output. */
  open(): readonly string[]
  /** True while the model waits for outputs. */
  isWaiting(): boolean
  takeOutputs(): readonly JsonObject[]
}

/** A call in the upstream's words. */
export interface WaitingCall {
  readonly name: string
  /** Absent where the upstream named none. */
  readonly id?: string
}

/** Characters that wait at most; a frame may have 16 MB. */
const MAX_WAITING_CHARS = 12 * 1024 * 1024
/** Calls that the model waits for at most; it is told of no output of any that came before. */
const MAX_CALLS = 256

/** Makes it. */
export function createUnsaid(): Unsaid {
  let turns: JsonObject[] = []
  let chars = 0
  const calls = new Map<string, WaitingCall & { response?: JsonObject; chars: number }>()
  const outputChars = (): number => [...calls.values()].reduce((sum, call) => sum + call.chars, 0)
  return {
    turn: (content) => {
      const more = JSON.stringify(content).length
      if (chars + more > MAX_WAITING_CHARS && turns.length > 0) return false
      chars += more
      turns.push(content)
      return true
    },
    hasTurns: () => turns.length > 0,
    takeTurns: () => {
      const taken = turns
      turns = []
      chars = 0
      return taken
    },
    called: (callId, call) => {
      const [oldest] = calls.keys()
      if (calls.size >= MAX_CALLS && oldest !== undefined) calls.delete(oldest)
      calls.set(callId, { ...call, chars: 0 })
    },
    forget: (callIds) => {
      for (const callId of callIds) calls.delete(callId)
    },
    output: (callId, response) => {
      const call = calls.get(callId)
      if (call === undefined || call.response !== undefined) return 'unknown'
      const more = JSON.stringify(response).length
      const waiting = outputChars()
      if (waiting + more > MAX_WAITING_CHARS && waiting > 0) return 'full'
      calls.set(callId, { ...call, response, chars: more })
      return 'kept'
    },
    open: () => [...calls].flatMap(([callId, { response }]) => (response === undefined ? [callId] : [])),
    isWaiting: () => calls.size > 0,
    takeOutputs: () => {
      const outputs = [...calls.values()].map(({ id, name, response = {} }) =>
        id === undefined ? { name, response } : { id, name, response },
      )
      calls.clear()
      return outputs
    },
  }
}
