import { entryOf } from '../../../core/entry-of.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { textOf } from '../../answer.ts'
import type { Answers } from './answers.ts'
import type { Conversation } from './conversation.ts'
import type { Heard } from './heard.ts'
import { base64Of, isFlaw, readItem } from './items.ts'
import type { Microphone } from './microphone.ts'
import { otherThan, type Settings } from './settings.ts'
import { heardSound, SOUND_FORMS, type Voice } from './sound-form.ts'
import type { Flaw, Tray } from './tray.ts'
import type { Unsaid } from './unsaid.ts'

/** The parts of a session that events work on. */
export interface LiveParts {
  readonly tray: Tray
  readonly conversation: Conversation
  readonly heard: Heard
  readonly microphone: Microphone
  readonly voice: Voice
  readonly answers: Answers
  readonly unsaid: Unsaid
  readonly settings: () => Settings
  /** What Live lacks is left out of a session instead of refused. */
  readonly mayDrop: boolean
  /** Tells the client what is settled. */
  readonly updated: () => void
  /** Settles other instructions; absent where the model cannot be told of them any more. */
  readonly instruct?: (instructions: string) => void
}

/** What an event does; what it returns is why it cannot be done. */
type Handler = (parts: LiveParts, event: JsonObject) => Flaw | undefined

/** OpenAI's client events (https://developers.openai.com/api/reference/resources/realtime), once the session is set up. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  'session.update': update,
  'input_audio_buffer.append': append,
  'input_audio_buffer.commit': commit,
  'input_audio_buffer.clear': clear,
  'conversation.item.create': create,
  'conversation.item.retrieve': retrieve,
  'conversation.item.delete': () =>
    unable('conversation.item.delete', 'what was said cannot be unsaid there'),
  'conversation.item.truncate': () =>
    unable('conversation.item.truncate', 'an interrupted answer ends there where it was interrupted'),
  'output_audio_buffer.clear': () => unable('output_audio_buffer.clear', 'it is of WebRTC and SIP alone'),
  'response.create': respond,
  'response.cancel': cancel,
}

/** Does what a client's event says; undefined where it is done. */
export function handleClientEvent(parts: LiveParts, event: JsonObject): Flaw | undefined {
  const handle = handlerOf(event)
  return handle === undefined ? unknownEvent(event) : handle(parts, event)
}

function handlerOf({ type }: JsonObject): Handler | undefined {
  return typeof type === 'string' ? entryOf(HANDLERS, type) : undefined
}

/** An event that no client has; undefined for one that is known. */
export function unknownEvent(event: JsonObject): Flaw | undefined {
  if (handlerOf(event) !== undefined) return undefined
  const { type } = event
  const named = JSON.stringify(type ?? null).slice(0, 100)
  return { message: `'type' is no event of a realtime client that can be carried: ${named}.`, param: 'type' }
}

function unable(type: string, why: string): Flaw {
  return {
    message: `${type} cannot be carried to Gemini Live: ${why}.`,
    param: 'type',
    code: 'unsupported_event',
  }
}

const FIXED =
  'cannot be changed any more: Gemini Live takes its settings once, with the first event of a session'

function update(parts: LiveParts, { session }: JsonObject): Flaw | undefined {
  if (!isJsonObject(session)) return { message: "'session' must be an object.", param: 'session' }
  const { settings, mayDrop, unsaid, instruct, updated } = parts
  const asked = instruct === undefined ? undefined : textOf(session['instructions'])
  const instructions = asked === undefined || asked === '' ? settings().instructions : asked
  const now = { ...settings(), instructions }
  const other = otherThan(now, session, { root: 'session', why: FIXED, mayDrop })
  if (other !== undefined) return other
  if (instructions !== settings().instructions) {
    if (!unsaid.turn(systemTurn(instructions))) return { ...TOO_MUCH, param: 'session.instructions' }
    instruct?.(instructions)
  }
  updated()
  return undefined
}

/** "Update system instructions during a session" (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/live-api). */
function systemTurn(text: string): JsonObject {
  return { role: 'system', parts: [{ text }] }
}

function append(parts: LiveParts, { audio }: JsonObject): Flaw | undefined {
  if (audio === '') return undefined
  const data = base64Of(audio)
  const { answers, heard, microphone, settings } = parts
  const { heardForm } = settings()
  if (data === undefined)
    return { message: `'audio' must be base64 of ${SOUND_FORMS[heardForm].what}.`, param: 'audio' }
  const sound = heardSound(data, heardForm)
  // What was added before this is said before it; while the model speaks it would interrupt it.
  if (answers.state() === 'none') sayTurns(parts, false)
  heard.took(sound.ms)
  microphone.take(sound.blob)
  return undefined
}

function sayTurns({ tray, unsaid, conversation }: LiveParts, turnComplete: boolean): void {
  const waiting = unsaid.hasTurns() && !unsaid.isWaiting() ? unsaid.takeTurns() : []
  const turns = turnComplete && waiting.length === 0 && conversation.last() === null ? NOBODY_SPOKE : waiting
  if (turnComplete || turns.length > 0)
    tray.send({ clientContent: { ...(turns.length > 0 && { turns }), turnComplete } })
}

/** Who asks for a response before anybody has said anything is greeted; a model must be told something. */
const NOBODY_SPOKE = [{ role: 'user', parts: [{ text: ' ' }] }]

function commit({ heard, settings, tray }: LiveParts): Flaw | undefined {
  if (heard.uncommittedMs() === 0)
    return {
      message: 'The input audio buffer is empty: nothing was appended since it was last committed.',
      param: null,
      code: 'input_audio_buffer_commit_empty',
    }
  // Where the upstream listens for the end by itself, it is told that no more sound comes.
  if (settings().turns !== null) tray.send({ realtimeInput: { audioStreamEnd: true } })
  heard.commit()
  return undefined
}

function clear({ heard, tray }: LiveParts): Flaw | undefined {
  if (heard.uncommittedMs() > 0)
    return unable('input_audio_buffer.clear', 'it has heard what was appended already')
  tray.say({ type: 'input_audio_buffer.cleared' })
  return undefined
}

function create(parts: LiveParts, { item, previous_item_id: previous }: JsonObject): Flaw | undefined {
  const { tray, conversation, unsaid } = parts
  const last = conversation.last()
  const isAtEnd = previous === undefined || previous === null || previous === (last ?? 'root')
  if (!isAtEnd)
    return {
      message:
        "'previous_item_id' must be left out: Gemini Live takes new items at the end of the conversation alone.",
      param: 'previous_item_id',
    }
  const { heardForm } = parts.settings()
  const read = readItem(tray, item, { mayInstruct: parts.instruct !== undefined, heardForm })
  if (isFlaw(read)) return read
  if (conversation.find(read.item.id) !== undefined)
    return { message: "'item.id' is the id of another item of the conversation.", param: 'item.id' }
  if ('callId' in read) {
    const outcome = unsaid.output(read.callId, read.response)
    if (outcome === 'unknown') return noSuchCall(read.callId)
    if (outcome === 'full') return TOO_MUCH
  } else {
    if (unsaid.isWaiting())
      return {
        message: `'item' cannot be a message while Gemini Live waits for the outputs of its calls: ${named(unsaid.open())}.`,
        param: 'item.type',
      }
    if (!unsaid.turn(read.turn)) return TOO_MUCH
  }
  conversation.add(read.item)
  conversation.done(read.item)
  return undefined
}

const TOO_MUCH: Flaw = {
  message: 'Too much was added to the conversation without a response.create.',
  param: 'item',
  code: 'too_large',
}

function noSuchCall(callId: string): Flaw {
  return {
    message: `'item.call_id' names no call that waits for an output (${callId.slice(0, 100)}): it has one, or was cancelled by an interruption, or never was.`,
    param: 'item.call_id',
  }
}

function named(callIds: readonly string[]): string {
  return callIds.slice(0, 8).join(', ').slice(0, 400)
}

function retrieve({ tray, conversation }: LiveParts, { item_id: id }: JsonObject): Flaw | undefined {
  const item = typeof id === 'string' ? conversation.find(id) : undefined
  if (item === undefined)
    return {
      message:
        "'item_id' names no item that is still held: the newest 64 are, without their sounds and pictures.",
      param: 'item_id',
      code: 'item_not_found',
    }
  tray.say({ type: 'conversation.item.retrieved', item })
  return undefined
}

const ASIDE = 'cannot be settled for one response: Gemini Live takes its settings once, for the whole session'

function respond(parts: LiveParts, { response = null }: JsonObject): Flaw | undefined {
  const { tray, answers, unsaid, microphone, settings } = parts
  if (response !== null && !isJsonObject(response))
    return { message: "'response' must be an object.", param: 'response' }
  const other = otherThan(settings(), response ?? {}, { root: 'response', why: ASIDE, mayDrop: false })
  if (other !== undefined) return other
  if (answers.state() === 'running')
    return {
      message: `Conversation already has an active response in progress: ${answers.id() ?? ''}. Wait until the response is finished before creating a new one.`,
      param: null,
      code: 'conversation_already_has_active_response',
    }
  const open = unsaid.open()
  if (open.length > 0)
    return {
      message: `Gemini Live answers once all of its calls have an output; there is none for ${named(open)}.`,
      param: 'response',
      code: 'function_call_output_missing',
    }
  // Outputs set the model going by themselves; content behind them would interrupt it.
  if (unsaid.isWaiting()) tray.send({ toolResponse: { functionResponses: unsaid.takeOutputs() } })
  else if (microphone.isOn()) {
    sayTurns(parts, false)
    microphone.off()
  } else sayTurns(parts, true)
  answers.ask(metadataOf(response))
  return undefined
}

/** Said again in the response's events. */
function metadataOf(response: JsonObject | null): Json {
  const metadata = response?.['metadata']
  return isJsonObject(metadata) && JSON.stringify(metadata).length <= MAX_METADATA_CHARS ? metadata : null
}

/** Sixteen pairs of 64 and 512 characters, and what JSON adds. */
const MAX_METADATA_CHARS = 16 * 1024

function cancel({ answers }: LiveParts, { response_id: id }: JsonObject): Flaw | undefined {
  const asked = textOf(id)
  if (answers.state() === 'none' || (asked !== undefined && asked !== answers.id()))
    return {
      message: 'Cancellation failed: no active response found.',
      param: asked === undefined ? null : 'response_id',
      code: 'response_cancel_not_active',
    }
  answers.cancel()
  return undefined
}
