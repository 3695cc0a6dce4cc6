import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { refuse } from '../request/request.ts'
import { partsIn, resultOf, spokenPart, textIn, untold } from './generate-parts.ts'
import { camelled, thoughtsIn } from './generate-words.ts'
import { placed } from './placed.ts'
import { objectsOf, textOf } from './read-json.ts'
import type { WordsGround } from './surface.ts'

/** A call of an earlier turn. */
interface EarlierCall {
  readonly id: string
  isAnswered: boolean
}

/** Calls by an id, or by a function's name, in their order; those at the front that are answered are done with. */
type CallQueues = Map<string, EarlierCall[]>

/** What a conversation is read with. */
interface Reading {
  readonly ground: WordsGround
  readonly detail: Json | undefined
  /** Calls so far. */
  made: number
  /** Answers name them by their ids, or by the functions' names. */
  readonly byId: CallQueues
  readonly byName: CallQueues
}

/**
 * A conversation as a chat's messages (https://ai.google.dev/api/caching#Content). `detail`: how closely to look at
 * pictures that do not say it themselves.
 * @throws GatewayError bad_request for what cannot be said in a chat
 */
export function messagesOfContents(
  system: Json | undefined,
  contents: Json | undefined,
  ground: WordsGround,
  detail?: Json,
): readonly JsonObject[] {
  const reading: Reading = { ground, detail, made: 0, byId: new Map(), byName: new Map() }
  const said = objectsOf(contents, 'contents').flatMap((content, index) => {
    const path = `contents[${index}]`
    const parts = partsIn(content['parts'], path)
    switch (content['role']) {
      case 'model':
        return modelMessages(parts, path, reading)
      case 'user':
      // Google's older word for who answers calls.
      case 'function':
      case undefined:
      case null:
        return userMessages(parts, path, reading)
      default:
        throw refuse(`'${path}.role' must be 'user' or 'model'.`, 'contents')
    }
  })
  return [...systemMessages(system, ground), ...said]
}

function systemMessages(system: Json | undefined, ground: WordsGround): readonly JsonObject[] {
  if (system === undefined || system === null || system === '') return []
  const path = 'systemInstruction'
  if (typeof system === 'string') return [placed(ground, path, { role: 'system', content: system })]
  const parts = isJsonObject(system) ? partsIn(system['parts'], path) : []
  const texts = parts.map((part, index) => textIn(part, `${path}.parts[${index}]`))
  return texts.length === 0
    ? []
    : [placed(ground, path, { role: 'system', content: contentOf(texts.map(asText)) })]
}

function asText(text: string): JsonObject {
  return { type: 'text', text }
}

/** One text is a text: not everybody who speaks OpenAI's words takes parts. */
function contentOf(parts: readonly JsonObject[]): Json {
  const full = parts.filter(({ type, text }) => type !== 'text' || text !== '')
  const [only = { type: 'text', text: '' }, ...others] = full
  return others.length === 0 && only['type'] === 'text' ? (only['text'] ?? '') : full
}

/** A user's turn: results of functions first, as OpenAI wants them, each a message of its own. */
function userMessages(parts: readonly JsonObject[], path: string, reading: Reading): readonly JsonObject[] {
  const results: JsonObject[] = []
  const shown: JsonObject[] = []
  for (const [index, part] of parts.entries()) {
    const place = `${path}.parts[${index}]`
    const answered = part['functionResponse']
    if (isJsonObject(answered)) {
      const own = camelled(answered)
      const { text, others } = resultOf(own, place, reading.detail)
      const result = { role: 'tool', tool_call_id: answeredCall(own, place, reading), content: text }
      results.push(placed(reading.ground, place, result))
      shown.push(...others.map((each) => placed(reading.ground, place, each)))
    } else
      for (const each of spokenPart(part, place, reading.detail))
        shown.push(placed(reading.ground, place, each))
  }
  const isSilent = shown.length === 0 && results.length > 0
  if (isSilent) return results
  return [...results, placed(reading.ground, path, { role: 'user', content: contentOf(shown) })]
}

/** Google's models match answers with calls by the function's name where they have no ids. */
function answeredCall({ id, name }: JsonObject, path: string, { byId, byName }: Reading): string {
  const call = nextIn(byId, textOf(id)) ?? nextIn(byName, textOf(name))
  if (call === undefined)
    throw refuse(`'${path}.functionResponse' answers no functionCall of an earlier content.`, 'contents')
  call.isAnswered = true
  return call.id
}

function nextIn(queues: CallQueues, name: string | undefined): EarlierCall | undefined {
  const queue = name === undefined ? undefined : queues.get(name)
  while (queue?.[0]?.isAnswered === true) queue.shift()
  return queue?.[0]
}

function queue(queues: CallQueues, name: string, call: EarlierCall): void {
  const known = queues.get(name)
  if (known === undefined) queues.set(name, [call])
  else known.push(call)
}

/** A turn of the model's. What it thought goes to who can read it, where it came from there. */
function modelMessages(parts: readonly JsonObject[], path: string, reading: Reading): readonly JsonObject[] {
  const texts: string[] = []
  const made: JsonObject[] = []
  for (const [index, part] of parts.entries()) {
    const place = `${path}.parts[${index}]`
    const called = part['functionCall']
    if (!isJsonObject(called)) texts.push(textIn(part, place))
    else if (typeof called['name'] === 'string') {
      const { name, args } = called
      const id = textOf(called['id']) ?? `gemini_call_${reading.made}`
      reading.made += 1
      const call = { id, isAnswered: false }
      queue(reading.byId, id, call)
      queue(reading.byName, name, call)
      const text = JSON.stringify(args ?? {})
      made.push(placed(reading.ground, place, { id, type: 'function', function: { name, arguments: text } }))
    } else throw untold(part, place)
  }
  const thoughts = reading.ground.isRelayed
    ? undefined
    : parts.map(({ thoughtSignature: own }) => thoughtsIn(own)).find((own) => own !== undefined)
  const text = texts.join('')
  if (text === '' && made.length === 0) return []
  return [
    placed(reading.ground, path, {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(made.length > 0 && { tool_calls: made }),
      ...(thoughts !== undefined && { thinking_blocks: thoughts }),
    }),
  ]
}
