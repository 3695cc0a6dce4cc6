import type { JsonObject } from '../../core/json.ts'
import { argumentsOf } from './chat-answer.ts'
import type { ToolCall } from './chat-answer.ts'
import { signatureOf } from './generate-words.ts'

/** A call as a part; none of it where the budget cut it off in the middle. */
export function callPart(call: ToolCall, mayBeCut: boolean): readonly JsonObject[] {
  const { id, name } = call
  const args = argumentsOf(call, mayBeCut)
  return args === undefined ? [] : [{ functionCall: { ...(id !== '' && { id }), name, args } }]
}

/** Of parallel calls only the first is signed. */
export function signed(calls: readonly JsonObject[], thoughts: readonly JsonObject[]): readonly JsonObject[] {
  const [first, ...others] = calls
  return first === undefined ? [] : [{ ...first, thoughtSignature: signatureOf(thoughts) }, ...others]
}
