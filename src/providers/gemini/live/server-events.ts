import type { Redact } from '../../../core/secret.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { textOf } from '../../answer.ts'
import { errorIn } from '../../error-facts.ts'
import type { LiveParts } from './client-events.ts'
import type { Ending, Response } from './response.ts'
import type { Voice } from './sound-form.ts'
import { liveUsage } from './usage.ts'

/**
 * Tells the client what a message of the upstream's means (https://ai.google.dev/api/live#BidiGenerateContentServerMessage).
 * One message may hold several things; what is new in it is passed over.
 */
export function handleServerMessage(parts: LiveParts, message: JsonObject, redact: Redact): void {
  const { serverContent, toolCall, toolCallCancellation, usageMetadata, goAway, voiceActivity } = message
  if (usageMetadata !== undefined) parts.answers.used(liveUsage(usageMetadata))
  if (isJsonObject(toolCallCancellation)) parts.unsaid.forget(textsIn(toolCallCancellation['ids']))
  if (isJsonObject(voiceActivity)) noticed(parts, voiceActivity['voiceActivityType'])
  if (isJsonObject(serverContent)) content(parts, serverContent)
  if (isJsonObject(toolCall)) calls(parts, objectsIn(toolCall['functionCalls']))
  if (isJsonObject(goAway)) {
    const left = textOf(goAway['timeLeft'])?.slice(0, 40)
    const when = left === undefined ? 'soon' : `in ${left}`
    parts.tray.fail(
      'session_expiring',
      `The upstream is going to end this session ${when}: open another one.`,
    )
  }
  if (message['error'] !== undefined) {
    const facts = errorIn(message)
    parts.tray.fail(
      redact(facts?.codes[0] ?? 'upstream_error'),
      redact(`The upstream failed: ${facts?.text ?? 'it does not say why'}`),
    )
  }
}

/** Speech, where the upstream says when it begins and ends. */
function noticed({ heard, settings }: LiveParts, type: Json | undefined): void {
  if (settings().turns === null) return
  if (type === 'ACTIVITY_START') heard.started()
  if (type === 'ACTIVITY_END' && heard.uncommittedMs() > 0) heard.commit()
}

function content(parts: LiveParts, said: JsonObject): void {
  const { answers, heard, settings, voice } = parts
  const { inputTranscription, interrupted, modelTurn, outputTranscription } = said
  const written = isJsonObject(inputTranscription) ? textOf(inputTranscription['text']) : undefined
  if (written !== undefined && written !== '' && settings().transcription !== null) heard.wrote(written)
  if (interrupted === true) voice.over()
  if (interrupted === true)
    answers.interrupted(() => {
      if (settings().turns !== null) heard.started()
    })
  if (isJsonObject(modelTurn))
    for (const part of objectsIn(modelTurn['parts'])) sayPart(() => answers.open(), part, voice)
  const spoken = isJsonObject(outputTranscription) ? textOf(outputTranscription['text']) : undefined
  if (spoken !== undefined && spoken !== '') answers.transcript(spoken)
  if (said['generationComplete'] === true) answers.whole()
  if (said['turnComplete'] === true) {
    voice.over()
    answers.turnComplete(endingOf(textOf(said['turnCompleteReason'])))
    heard.written()
  }
}

/** One part of what the model says. Its thoughts are its own. */
function sayPart(open: () => Response | undefined, part: JsonObject, voice: Voice): void {
  if (part['thought'] === true) return
  const text = textOf(part['text'])
  if (text !== undefined && text !== '') open()?.text(text)
  const inline = part['inlineData']
  const type = isJsonObject(inline) ? (textOf(inline['mimeType']) ?? '') : ''
  const data = isJsonObject(inline) ? textOf(inline['data']) : undefined
  if (data === undefined || data === '' || !type.startsWith('audio/')) return
  const sound = voice.take(data, type)
  if (sound !== '') open()?.sound(sound)
}

function calls({ answers, unsaid, tray }: LiveParts, listed: readonly JsonObject[]): void {
  const response = listed.length === 0 ? undefined : answers.open()
  if (response === undefined) return
  for (const { id: given, name: called, args } of listed) {
    const id = textOf(given)
    const name = textOf(called) ?? ''
    const callId = id ?? tray.id('call')
    unsaid.called(callId, { name, ...(id !== undefined && { id }) })
    response.call({ callId, name, args: JSON.stringify(isJsonObject(args) ? args : {}) })
  }
  answers.handOver()
}

/** Why a turn ended (https://ai.google.dev/api/live#TurnCompleteReason). */
function endingOf(reason: string | undefined): Ending {
  switch (reason) {
    case undefined:
    case 'TURN_COMPLETE_REASON_UNSPECIFIED':
    case 'NEED_MORE_INPUT':
      return { status: 'completed' }
    case 'MALFORMED_FUNCTION_CALL':
    case 'MAX_REGENERATION_REACHED': {
      const message = `The turn ended with ${reason}.`
      return { status: 'failed', error: { type: 'server_error', code: reason.toLowerCase(), message } }
    }
    // All others are about what was said, by either side.
    default:
      return { status: 'incomplete', reason: 'content_filter' }
  }
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function textsIn(value: Json | undefined): readonly string[] {
  const listed: readonly Json[] = Array.isArray(value) ? value : []
  return listed.filter((one) => typeof one === 'string')
}
