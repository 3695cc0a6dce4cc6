import { isJsonObject, type Json, type JsonObject, parseJson } from '../../../core/json.ts'
import { textOf } from '../../answer.ts'
import { givenId, type Item } from './conversation.ts'
import { heardSound, SOUND_FORMS, type SoundForm } from './sound-form.ts'
import type { Flaw, Tray } from './tray.ts'

/** What decides how an item is read. */
export interface ItemGround {
  /** May it be a system message? */
  readonly mayInstruct: boolean
  /** The form of its sounds. */
  readonly heardForm: SoundForm
}

/** An item that a client adds: as its conversation has it, and in Gemini's words. */
export type Added =
  | { readonly item: Item; readonly turn: JsonObject }
  | { readonly item: Item; readonly callId: string; readonly response: JsonObject }

/**
 * Reads `conversation.item.create` (https://ai.google.dev/api/caching#Content for what becomes of it).
 */
export function readItem(tray: Tray, written: Json | undefined, ground: ItemGround): Added | Flaw {
  if (!isJsonObject(written)) return flaw('item', 'must be an object')
  const id = givenId(written) ?? tray.id('item')
  switch (written['type']) {
    case 'message':
      return readMessage(id, written, ground)
    case 'function_call_output':
      return readOutput(id, written)
    default:
      return flaw(
        'item.type',
        'must be "message" or "function_call_output": nothing else can be added to a session of Gemini Live',
      )
  }
}

/** True where it is none that can be added. */
export function isFlaw(read: Added | Flaw): read is Flaw {
  return 'param' in read
}

function flaw(param: string, what: string): Flaw {
  return { message: `'${param}' ${what}.`, param }
}

const ROLES: ReadonlyMap<string, string> = new Map([
  ['user', 'user'],
  ['assistant', 'model'],
  ['system', 'system'],
])

function readMessage(id: string, { role, content }: JsonObject, ground: ItemGround): Added | Flaw {
  if (role === 'system' && !ground.mayInstruct)
    return flaw(
      'item.role',
      'cannot be "system": Gemini Live is instructed once, by the first session.update',
    )
  const named = typeof role === 'string' ? ROLES.get(role) : undefined
  if (named === undefined) return flaw('item.role', 'must be "user", "assistant" or "system"')
  const listed: readonly Json[] = Array.isArray(content) ? content : []
  if (listed.length === 0) return flaw('item.content', 'must be a list of parts, and not empty')
  const parts: JsonObject[] = []
  const shown: JsonObject[] = []
  for (const [at, one] of listed.entries()) {
    const read = readPart(one, `item.content[${at}]`, ground)
    if ('param' in read) return read
    parts.push(read.part)
    shown.push(read.shown)
  }
  return {
    item: { id, object: 'realtime.item', type: 'message', status: 'completed', role, content: shown },
    turn: { role: named, parts },
  }
}

interface ReadPart {
  readonly part: JsonObject
  /** As the client sees it again: without sounds and pictures. */
  readonly shown: JsonObject
}

function readPart(written: Json, where: string, { heardForm }: ItemGround): ReadPart | Flaw {
  if (!isJsonObject(written)) return flaw(where, 'must be an object')
  const { type } = written
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text': {
      const text = textOf(written['text'])
      if (text === undefined || text === '') return flaw(`${where}.text`, 'must be a text, and not empty')
      return { part: { text }, shown: { type, text } }
    }
    case 'input_audio': {
      const data = base64Of(written['audio'])
      if (data === undefined)
        return flaw(`${where}.audio`, `must be base64 of ${SOUND_FORMS[heardForm].what}`)
      const transcript = textOf(written['transcript']) ?? null
      const inlineData = heardSound(data, heardForm).blob
      return { part: { inlineData }, shown: { type, transcript } }
    }
    case 'input_image': {
      const [, mimeType = '', data = ''] = PICTURE.exec(textOf(written['image_url']) ?? '') ?? []
      if (mimeType === '') return flaw(`${where}.image_url`, 'must be a data: URI of a picture, in base64')
      return { part: { inlineData: { mimeType, data } }, shown: { type } }
    }
    default:
      return flaw(`${where}.type`, 'must be "input_text", "input_audio", "input_image" or "output_text"')
  }
}

const PICTURE = /^data:(image\/[\w.+-]{1,60});base64,([A-Za-z0-9+/]+={0,2})$/

/** Text that is base64 of something. */
export function base64Of(value: Json | undefined): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? value : undefined
}

function readOutput(id: string, { call_id: callId, output }: JsonObject): Added | Flaw {
  if (typeof callId !== 'string') return flaw('item.call_id', 'must name the call that this is the output of')
  if (typeof output !== 'string') return flaw('item.output', 'must be a text')
  const parsed = parseJson(output)
  return {
    item: {
      id,
      object: 'realtime.item',
      type: 'function_call_output',
      status: 'completed',
      call_id: callId,
      output,
    },
    callId,
    // "output" is Google's key for what is no object (https://ai.google.dev/api/caching#FunctionResponse).
    response: isJsonObject(parsed) ? parsed : { output },
  }
}
