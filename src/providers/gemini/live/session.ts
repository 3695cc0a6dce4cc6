import { isDeeperThan, isJsonObject, type JsonObject, parseJson } from '../../../core/json.ts'
import type { SessionGround, SessionTranslator } from '../../realtime-face.ts'
import { createAnswers } from './answers.ts'
import { handleClientEvent, type LiveParts } from './client-events.ts'
import { createConversation } from './conversation.ts'
import { createHeard } from './heard.ts'
import { createMicrophone } from './microphone.ts'
import { createOpening } from './opening.ts'
import { beginResponse } from './response.ts'
import { handleServerMessage } from './server-events.ts'
import { UNSETTLED, type Settings } from './settings.ts'
import { sessionView, setupFrame } from './setup.ts'
import { createVoice } from './sound-form.ts'
import { createTray, type Flaw, type Tray } from './tray.ts'
import { createUnsaid } from './unsaid.ts'

/** What a session is for. */
interface Model {
  /** As the client sees it. */
  readonly shown: string
  /** As Live's setup names it. */
  readonly named: string
  /** May it be instructed anew in a session? */
  readonly takesSystemTurns: boolean
}

/**
 * A session of Gemini Live in OpenAI's words. Live is set up once, before anything else is said: with the client's first
 * `session.update`, or with its first other event as it is. Until the upstream has taken that, what the client says waits.
 */
export function createLiveSession(model: Model, ground: SessionGround): SessionTranslator {
  const tray = createTray(ground)
  const id = tray.id('sess')
  let settings = UNSETTLED
  const view = (): JsonObject => sessionView(settings, { id, model: model.shown, isBeta: ground.isBeta })
  const parts: LiveParts = {
    ...assemble(tray, () => settings),
    settings: () => settings,
    mayDrop: ground.mayDrop,
    updated: () => tray.say({ type: 'session.updated', session: view() }),
    ...(model.takesSystemTurns && {
      instruct: (instructions) => {
        settings = { ...settings, instructions }
      },
    }),
  }
  const opening = createOpening(tray, ground.mayDrop, (asked) => {
    settings = asked
    tray.send(setupFrame(asked, model.named))
  })
  return {
    greeting: () => {
      tray.say({ type: 'session.created', session: view() })
      const conversation = { id: parts.conversation.id, object: 'realtime.conversation' }
      if (ground.isBeta) tray.say({ type: 'conversation.created', conversation })
      return tray.take().toClient
    },
    fromClient: (message) => {
      const event = parseJson(message)
      if (!isJsonObject(event)) tray.refuse(NO_JSON)
      else if (isDeeperThan(MAX_LEVELS, event)) tray.refuse(TOO_DEEP, event['event_id'])
      else if (opening.phase() === 'ready') handle(parts, event)
      else opening.take(event, message.length)
      return tray.take()
    },
    fromUpstream: (message) => {
      const said = parseJson(message)
      if (!isJsonObject(said) || isDeeperThan(MAX_LEVELS, said)) {
        tray.fail('upstream_garbled', 'The upstream said what is no message of Gemini Live.')
        return tray.take()
      }
      if (said['setupComplete'] !== undefined && opening.phase() === 'waiting')
        for (const event of opening.ready()) handle(parts, event)
      handleServerMessage(parts, said, ground.redact)
      return tray.take()
    },
    isWaiting: () => opening.phase() === 'waiting',
    ended: (code, reason) => {
      tellEnd(parts, opening.phase() === 'ready', code, reason)
      return tray.take().toClient
    },
  }
}

function assemble(tray: Tray, settings: () => Settings): Omit<LiveParts, 'settings' | 'mayDrop' | 'updated'> {
  const isManual = (): boolean => settings().turns === null
  const conversation = createConversation(tray)
  const heard = createHeard(tray, conversation, () => !isManual())
  const answers = createAnswers({
    spent: (usage) => tray.spent(usage),
    begin: (metadata) => beginResponse(tray, conversation, settings(), metadata),
    unasked: () => {
      if (heard.uncommittedMs() > 0) heard.commit()
    },
  })
  return {
    tray,
    conversation,
    heard,
    answers,
    microphone: createMicrophone(tray, isManual),
    voice: createVoice(() => settings().spokenForm),
    unsaid: createUnsaid(),
  }
}

function handle(parts: LiveParts, event: JsonObject): void {
  const flaw = handleClientEvent(parts, event)
  if (flaw !== undefined) parts.tray.refuse(flaw, event['event_id'])
}

/** Of an event's members in each other: more than any schema of a tool has. */
const MAX_LEVELS = 256

const TOO_DEEP: Flaw = {
  message: `The event is more than ${MAX_LEVELS} levels deep.`,
  param: null,
  code: 'invalid_json',
}

const NO_JSON: Flaw = { message: 'The message is no JSON object.', param: null, code: 'invalid_json' }

/** Codes by which a side ends what is done (RFC 6455 §7.4.1, and 1005: no code). */
const IN_ORDER: ReadonlySet<number> = new Set([1000, 1005])
/** Codes by which Live refuses what it was told: invalid data, against its rules. */
const REFUSALS: ReadonlySet<number> = new Set([1007, 1008])

function tellEnd({ answers, heard, tray }: LiveParts, isSetUp: boolean, code: number, reason: string): void {
  const words = reason === '' ? 'it does not say why' : reason
  const message = `The upstream ended the session (${code}): ${words}`
  const isRefusal = REFUSALS.has(code)
  const isCut = answers.state() === 'running'
  if (answers.state() !== 'none')
    answers.fail({
      type: isRefusal ? 'invalid_request_error' : 'server_error',
      code: 'upstream_closed',
      message,
    })
  heard.written()
  if (IN_ORDER.has(code) && isSetUp && !isCut) return
  if (isRefusal) tray.refuse({ message, param: null, code: 'upstream_closed' })
  else tray.fail('upstream_closed', message)
}
