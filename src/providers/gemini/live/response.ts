import type { Json, JsonObject } from '../../../core/json.ts'
import { callItem, type CalledFunction, type Conversation, type Item } from './conversation.ts'
import { createMessage, createOutput, type Output } from './output.ts'
import type { Settings } from './settings.ts'
import { modalitiesOf } from './setup.ts'
import { SOUND_FORMS } from './sound-form.ts'
import type { Tray } from './tray.ts'

/** How a response ended, and why where that has a name. */
export interface Ending {
  readonly status: 'completed' | 'cancelled' | 'incomplete' | 'failed'
  readonly reason?: 'turn_detected' | 'client_cancelled' | 'content_filter'
  readonly error?: JsonObject
}

/** A response that is under way, told in OpenAI's order. */
export interface Response {
  readonly id: string
  hasOutput(): boolean
  /** True once it is quiet. */
  isWhole(): boolean
  text(words: string): void
  /** Sound in the client's form, base64. */
  sound(data: string): void
  /** What the sound says. */
  transcript(words: string): void
  /** No more comes, but for what sound is written down of it. */
  quiet(): void
  call(called: CalledFunction): void
  end(ending: Ending, usage: JsonObject | null): void
}

/** Says that a response begins; what it is made of follows. */
export function beginResponse(
  tray: Tray,
  conversation: Conversation,
  settings: Settings,
  metadata: Json,
): Response {
  const id = tray.id('resp')
  const output = createOutput(tray, conversation, id)
  const message = createMessage(tray, output)
  let isWhole = false
  const about = { settings, metadata, conversationId: conversation.id, isBeta: tray.isBeta }
  tray.say({ type: 'response.created', response: responseView(id, about, 'in_progress', []) })
  return {
    id,
    hasOutput: () => output.count() > 0 || message.isOpen(),
    text: (words) => message.text(words),
    sound: (data) => message.sound(data),
    transcript: (words) => message.transcript(words),
    isWhole: () => isWhole,
    quiet: () => {
      isWhole = true
      message.quiet()
    },
    call: (called) => {
      message.close('completed')
      sayCall(output, called, tray.id('item'))
    },
    end: (ending, usage) => {
      message.close(ending.status === 'completed' ? 'completed' : 'incomplete')
      tray.say({ type: 'response.done', response: responseView(id, about, ending, output.items(), usage) })
    },
  }
}

/** A call comes whole: its arguments are one delta. */
function sayCall(output: Output, called: CalledFunction, itemId: string): void {
  const { callId, name, args } = called
  output.added(callItem(itemId, 'in_progress', called))
  output.say('response.function_call_arguments.delta', itemId, { call_id: callId, delta: args })
  output.say('response.function_call_arguments.done', itemId, { call_id: callId, name, arguments: args })
  output.finished(callItem(itemId, 'completed', called))
}

interface About {
  readonly settings: Settings
  readonly metadata: Json
  readonly conversationId: string
  readonly isBeta: boolean
}

function responseView(
  id: string,
  { settings, metadata, conversationId, isBeta }: About,
  ending: Ending | 'in_progress',
  output: readonly Item[],
  usage: JsonObject | null = null,
): JsonObject {
  const { voice, temperature, maxTokens, spokenForm } = settings
  const modalities = modalitiesOf(settings, isBeta)
  const named = voice !== undefined && { voice }
  return {
    object: 'realtime.response',
    id,
    status: ending === 'in_progress' ? ending : ending.status,
    status_details: ending === 'in_progress' || ending.status === 'completed' ? null : detailsOf(ending),
    output: [...output],
    conversation_id: conversationId,
    ...(isBeta
      ? { modalities, ...named, output_audio_format: SOUND_FORMS[spokenForm].beta }
      : {
          output_modalities: modalities,
          audio: { output: { format: SOUND_FORMS[spokenForm].today, ...named } },
        }),
    ...(temperature !== undefined && { temperature }),
    max_output_tokens: maxTokens,
    usage,
    metadata,
  }
}

function detailsOf({ status, reason, error }: Ending): JsonObject {
  return { type: status, ...(reason !== undefined && { reason }), ...(error !== undefined && { error }) }
}
