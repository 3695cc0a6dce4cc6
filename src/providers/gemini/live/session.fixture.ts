import assert from 'node:assert/strict'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { Translated } from '../../realtime-face.ts'
import { createLiveSession } from './session.ts'

const MODEL = { shown: 'gemini-live', named: 'models/gemini-live' }

/** The object that a message is. */
export function parsed(text: string): JsonObject {
  const value: Json = JSON.parse(text)
  assert.ok(isJsonObject(value))
  return value
}

/** A session, and what each side of it hears. */
export function open(isBeta = false, mayDrop = false, takesSystemTurns = false) {
  const session = createLiveSession(
    { ...MODEL, takesSystemTurns },
    {
      sessionId: 's',
      isBeta,
      mayDrop,
      redact: (text) => text.replaceAll('sk-secret', '[secret]'),
    },
  )
  const heard = ({ toClient, toUpstream }: Translated) => ({
    client: toClient.map(parsed),
    upstream: toUpstream.map(parsed),
  })
  return {
    session,
    client: (event: JsonObject) => heard(session.fromClient(JSON.stringify(event))),
    server: (message: JsonObject) => heard(session.fromUpstream(JSON.stringify(message))),
  }
}

/** One that is set up with these members. */
export function ready(session: JsonObject = {}, isBeta = false) {
  const live = open(isBeta)
  live.client({ type: 'session.update', session })
  live.server({ setupComplete: {} })
  return live
}

/** What the events are. */
export const types = (events: readonly JsonObject[]): readonly unknown[] => events.map(({ type }) => type)
/** Appends sound. */
export const audio = (data: string): JsonObject => ({ type: 'input_audio_buffer.append', audio: data })
/** Adds what the user writes. */
export const says = (text: string): JsonObject => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
})
/** The model says this. */
export const part = (one: JsonObject): JsonObject => ({
  serverContent: { modelTurn: { role: 'model', parts: [one] } },
})
/** The model says it aloud. */
export const sound = (data: string): JsonObject =>
  part({ inlineData: { mimeType: 'audio/pcm;rate=24000', data } })
/** Asks for a response. */
export const RESPOND = { type: 'response.create' }
/** The end of a turn of the model. */
export const TURN_COMPLETE = { serverContent: { turnComplete: true } }
/** Three samples. */
export const SOUND = 'AQACAAMA'
/** Ten milliseconds. */
export const TEN_MS = Buffer.alloc(480, 1).toString('base64')

/** What an error says. */
export function messageOf(error: JsonObject): string {
  const { message } = error
  assert.ok(typeof message === 'string')
  return message
}

/** The error that was all that the client heard. */
export function errorOf(events: readonly JsonObject[]): JsonObject {
  assert.deepEqual(types(events), ['error'])
  const error = events[0]?.['error']
  assert.ok(isJsonObject(error))
  return error
}
