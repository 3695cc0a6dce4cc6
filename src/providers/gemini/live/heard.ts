import { heardItem, type Conversation } from './conversation.ts'
import type { Tray } from './tray.ts'

/** What the user says aloud, as the client is told of it. */
export interface Heard {
  /** So many milliseconds of sound came in. */
  took(ms: number): void
  /** Sound that belongs to no item yet, milliseconds. */
  uncommittedMs(): number
  /** The upstream noticed that the user speaks. */
  started(): void
  /** What was heard until now is an item. */
  commit(): void
  /** Some of it is written down. */
  wrote(text: string): void
  /** All of it is. */
  written(): void
}

/** How much of one transcript is held, characters: more than can be said in any session. */
const MAX_TRANSCRIPT_CHARS = 256 * 1024

interface Utterance {
  readonly id: string
  /** Where it began, milliseconds of sound. */
  readonly sinceMs: number
  untilMs: number
  transcript: string
  isCommitted: boolean
}

/** Makes it. `detects`: does the upstream find out by itself when somebody speaks? It is asked for each utterance. */
export function createHeard(tray: Tray, conversation: Conversation, detects: () => boolean): Heard {
  let totalMs = 0
  let uncommittedMs = 0
  let now: Utterance | undefined
  const written = (): void => {
    if (now === undefined || !now.isCommitted) return
    tellWritten(tray, conversation, now)
    now = undefined
  }
  const begin = (): Utterance => {
    written()
    const since = Math.max(0, totalMs - uncommittedMs)
    now = { id: tray.id('item'), sinceMs: since, untilMs: totalMs, transcript: '', isCommitted: false }
    const at = { audio_start_ms: Math.round(totalMs), item_id: now.id }
    if (detects()) tray.say({ type: 'input_audio_buffer.speech_started', ...at })
    return now
  }
  const open = (): Utterance => (now === undefined || now.isCommitted ? begin() : now)
  return {
    took: (ms) => {
      totalMs += ms
      uncommittedMs += ms
    },
    uncommittedMs: () => uncommittedMs,
    started: () => void open(),
    commit: () => {
      const said = open()
      said.isCommitted = true
      said.untilMs = totalMs
      uncommittedMs = 0
      const at = { audio_end_ms: Math.round(totalMs), item_id: said.id }
      if (detects()) tray.say({ type: 'input_audio_buffer.speech_stopped', ...at })
      const previous = conversation.last()
      tray.say({ type: 'input_audio_buffer.committed', previous_item_id: previous, item_id: said.id })
      const item = heardItem(said.id, null)
      conversation.add(item)
      conversation.done(item)
    },
    wrote: (text) => {
      const said = now ?? begin()
      if (said.transcript.length < MAX_TRANSCRIPT_CHARS) said.transcript += text
      const type = 'conversation.item.input_audio_transcription.delta'
      tray.say({ type, item_id: said.id, content_index: 0, delta: text })
    },
    written,
  }
}

function tellWritten(tray: Tray, conversation: Conversation, said: Utterance): void {
  const { id, transcript, sinceMs, untilMs } = said
  if (transcript === '') return
  tray.say({
    type: 'conversation.item.input_audio_transcription.completed',
    item_id: id,
    content_index: 0,
    transcript,
    // What it cost is not told apart; how long it was is known.
    usage: { type: 'duration', seconds: Math.max(0, Math.round(untilMs - sinceMs)) / 1000 },
  })
  conversation.keep(heardItem(id, transcript))
}
