import type { Deployment } from '../core/deployment.ts'
import { isJsonObject } from '../core/json.ts'
import type { Json } from '../core/json.ts'
import type { HttpMode, Mode, Operations, UnprobedMode } from '../core/mode.ts'
import { isReasoningModel } from '../providers/catalogue.ts'

/** A question with one right answer. */
export interface Question {
  readonly prompt: string
  readonly answer: RegExp
}

/** What a check was answered with; a realtime session has no answer. */
export type Answered = Operations[HttpMode]['response'] | undefined

/** Any model that still knows what it says knows this. */
const USUAL: Question = {
  prompt: 'What is 17 + 25? Answer with the number alone.',
  answer: /\b42\b/,
}
/** A golden answer may be so many times as long as a usual check's; a model that thinks first needs room for it. */
const TIMES = 4
const TIMES_REASONING = 32
/** More of a foreign name is neither read nor repeated, and more of an answer not read. */
const MOST_CHARS = 200
const MOST_ANSWER_CHARS = 10_000

/** What a golden check asks; undefined where a mode's answers are neither right nor wrong. */
export function questionFor({ probe }: Deployment, mode: Mode): Question | undefined {
  return isWords(mode) ? (probe.expect?.golden ?? USUAL) : undefined
}

/** How many times the length of a usual check's answer, and so its price, a golden one's may have. */
export function goldenTimes(mode: Mode | UnprobedMode, knownModel: string): number {
  if (!isWords(mode)) return 1
  return isReasoningModel(knownModel) ? TIMES_REASONING : TIMES
}

function isWords(mode: Mode | UnprobedMode): boolean {
  return mode === 'chat' || mode === 'completion'
}

/**
 * Why an answer is another model's than the one that is expected; undefined where nothing speaks against it. A model
 * that answers by the very name it was asked by says nothing of itself.
 */
export function flawOf(
  { probe: { expect } }: Deployment,
  asked: string,
  value: Answered,
): string | undefined {
  if (expect === undefined || value === undefined) return undefined
  const named = 'model' in value && typeof value.model === 'string' ? value.model : undefined
  const model = named?.slice(0, MOST_CHARS)
  if (expect.model !== undefined && model !== undefined && model !== asked && !expect.model.test(model))
    return `answered as model "${model}", and health_check_expect.model is ${String(expect.model)}`
  const size = 'dimensions' in value && typeof value.dimensions === 'number' ? value.dimensions : undefined
  if (expect.dimensions !== undefined && size !== undefined && size !== expect.dimensions)
    return `answered with ${size} dimensions, and health_check_expect.dimensions is ${expect.dimensions}`
  return undefined
}

/** Was the question answered rightly? An answer that was cut short or filtered is not wrong. */
export function isRight({ answer }: Question, value: Answered): boolean {
  if (value === undefined) return true
  const whole = 'whole' in value && isJsonObject(value.whole) ? value.whole : value
  const listed: unknown = Reflect.get(whole, 'choices')
  const first: unknown = Array.isArray(listed) ? listed[0] : undefined
  if (!isJsonObject(first)) return true
  if (first['finish_reason'] === 'length' || first['finish_reason'] === 'content_filter') return true
  const { message } = first
  const said = isJsonObject(message) ? message['content'] : first['text']
  return answer.test(wordsOf(said).slice(0, MOST_ANSWER_CHARS))
}

/** Text, or the texts of its parts. */
function wordsOf(said: Json | undefined): string {
  if (typeof said === 'string') return said
  if (!Array.isArray(said)) return ''
  return said.map((part) => (isJsonObject(part) ? wordsOf(part['text']) : '')).join('')
}
