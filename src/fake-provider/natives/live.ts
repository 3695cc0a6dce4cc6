import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Step } from '../realtime-step.ts'
import { objectIn, readLiveMessage, setupObjection, textIn, type LiveMessage } from './live-shapes.ts'

/** What a session knows of itself. */
interface Live {
  readonly model: RegExp
  /** Who may say something. */
  readonly roles: readonly string[]
  phase: 'fresh' | 'setting' | 'ready'
  setup: JsonObject
  /** What was said since the model last answered. */
  words: string
  /** By the client's word, or because of sound that is not silent. */
  isSpeaking: boolean
  heardBytes: number
  /** It said something and does not stop by itself. */
  isTalking: boolean
  readonly calls: Set<string>
  called: number
}

/**
 * A Live session (https://ai.google.dev/api/live), as strict as its documentation: nothing but a `setup` of a model of this
 * name comes first, and only once; nothing is said before `setupComplete`; every message is one of four, of known fields.
 * The user's words are orders: to `talk on` until somebody interrupts, to `go away`, to `fall over`; where functions are
 * declared, two are called before the answer. Sound other than silence is speech, silence behind it its end.
 */
export function liveSession(model: RegExp, roles: readonly string[] = ['user', 'model']): readonly Step[] {
  const live: Live = {
    model,
    roles,
    phase: 'fresh',
    setup: {},
    words: '',
    isSpeaking: false,
    heardBytes: 0,
    isTalking: false,
    calls: new Set(),
    called: 0,
  }
  return [{ kind: 'converse', answer: (text) => answer(live, text) }]
}

function answer(live: Live, text: string): readonly Step[] {
  const message = readLiveMessage(text)
  if (typeof message === 'string') return refused(message)
  if (live.phase === 'fresh')
    return message.kind === 'setup' ? setUp(live, message.said) : refused(SETUP_FIRST)
  if (live.phase === 'setting' || message.kind === 'setup') return refused(SETUP_FIRST)
  return heard(live, message)
}

const SETUP_FIRST = 'setup must be the first message and only the first'
/** How the server refuses what it was told, and a model that it does not have (RFC 6455 §7.4.1). */
const INVALID = 1007
const POLICY = 1008
/** How long a setup takes, milliseconds: who does not wait for its end is found out. */
const SETUP_MS = 5

function refused(reason: string, code = INVALID): readonly Step[] {
  return [{ kind: 'close', code, reason: reason.slice(0, 120) }]
}

/** Its frames are binary. */
function send(message: JsonObject): Step {
  return { kind: 'send', data: Buffer.from(JSON.stringify(message)) }
}

function setUp(live: Live, setup: JsonObject): readonly Step[] {
  const { model } = setup
  if (typeof model !== 'string' || !live.model.test(model))
    return refused(
      `${JSON.stringify(model ?? null).slice(0, 60)} is not found for bidiGenerateContent.`,
      POLICY,
    )
  const wrong = setupObjection(setup)
  if (wrong !== undefined) return refused(wrong)
  live.setup = setup
  live.phase = 'setting'
  const note = (): void => {
    live.phase = 'ready'
  }
  return [{ kind: 'wait', ms: SETUP_MS }, { kind: 'note', note }, send({ setupComplete: {} })]
}

function heard(live: Live, { kind, said }: LiveMessage): readonly Step[] {
  switch (kind) {
    case 'clientContent':
      return content(live, said)
    case 'toolResponse':
      return outputs(live, objectsIn(said['functionResponses']))
    default:
      return input(live, said)
  }
}

/** Content interrupts whatever the model is doing. */
function content(live: Live, { turns, turnComplete }: JsonObject): readonly Step[] {
  for (const turn of objectsIn(turns)) {
    const parts = objectsIn(turn['parts'])
    const isWhole = parts.length > 0 && parts.every((part) => Object.keys(part).length === 1)
    if (!live.roles.includes(textIn(turn, 'role')) || !isWhole)
      return refused('Request contains an invalid argument.')
    if (turn['role'] === 'user') live.words += ` ${parts.map((part) => textIn(part, 'text')).join(' ')}`
  }
  const before = interrupted(live)
  return turnComplete === true ? [...before, ...turn(live)] : before
}

function outputs(live: Live, responses: readonly JsonObject[]): readonly Step[] {
  for (const { id, name, response } of responses) {
    if (
      typeof id !== 'string' ||
      typeof name !== 'string' ||
      !isJsonObject(response) ||
      !live.calls.delete(id)
    )
      return refused('Invalid function response: no such function call.')
  }
  return live.calls.size > 0 ? [] : said(live)
}

function input(
  live: Live,
  { audio, activityStart, activityEnd, audioStreamEnd, text }: JsonObject,
): readonly Step[] {
  const isManual =
    objectIn(objectIn(live.setup, 'realtimeInputConfig'), 'automaticActivityDetection')['disabled'] === true
  const isControl = activityStart !== undefined || activityEnd !== undefined
  if (isControl && !isManual) return refused(NO_CONTROL)
  if (audioStreamEnd !== undefined)
    return isManual ? refused('Request contains an invalid argument.') : stopped(live)
  if (typeof text === 'string') live.words += ` ${text}`
  if (activityStart !== undefined) return spoke(live)
  if (activityEnd !== undefined)
    return live.isSpeaking ? stopped(live) : refused('Request contains an invalid argument.')
  return isJsonObject(audio) ? sound(live, audio, isManual) : []
}

const NO_CONTROL = 'Explicit activity control is not supported when automatic activity detection is enabled.'

function sound(live: Live, blob: JsonObject, isManual: boolean): readonly Step[] {
  const data = textIn(blob, 'data')
  const bytes = Buffer.from(data, 'base64')
  const isSound = /^audio\/pcm;rate=\d+$/.test(textIn(blob, 'mimeType')) && bytes.toString('base64') === data
  if (!isSound || (isManual && !live.isSpeaking)) return refused('Request contains an invalid argument.')
  const isSilent = bytes.every((byte) => byte === 0)
  if (isSilent && !isManual) return stopped(live)
  const steps = live.isSpeaking ? [] : spoke(live)
  live.heardBytes += bytes.length
  return steps
}

function spoke(live: Live): readonly Step[] {
  live.isSpeaking = true
  return interrupted(live)
}

/** The user has stopped: the model answers. */
function stopped(live: Live): readonly Step[] {
  if (!live.isSpeaking) return []
  live.isSpeaking = false
  const transcript = { serverContent: { inputTranscription: { text: `heard ${live.heardBytes} bytes` } } }
  live.heardBytes = 0
  return [...(live.setup['inputAudioTranscription'] === undefined ? [] : [send(transcript)]), ...turn(live)]
}

/** What ends when somebody interrupts. */
function interrupted(live: Live): readonly Step[] {
  const cancelled = [...live.calls]
  live.calls.clear()
  const steps: Step[] = cancelled.length > 0 ? [send({ toolCallCancellation: { ids: cancelled } })] : []
  if (!live.isTalking) return steps
  live.isTalking = false
  return [...steps, send({ serverContent: { interrupted: true } }), end(live)]
}

function turn(live: Live): readonly Step[] {
  const names = objectsIn(live.setup['tools']).flatMap((tool) => objectsIn(tool['functionDeclarations']))
  const name = names[0]?.['name']
  if (typeof name !== 'string') return said(live)
  const functionCalls = ['Paris', 'Oslo'].map((city) => {
    live.called += 1
    const id = `call-${live.called}`
    live.calls.add(id)
    return { id, name, args: { city } }
  })
  return [send({ toolCall: { functionCalls } })]
}

/** A sample or two; 16 bits each. */
const SOUND = 'AAABAAIAAwA='

function said(live: Live): readonly Step[] {
  const { words } = live
  live.words = ''
  if (words.includes('fall over'))
    return [{ kind: 'close', code: 1011, reason: 'Internal error encountered.' }]
  const before = words.includes('go away') ? [send({ goAway: { timeLeft: '10s' } })] : []
  live.isTalking = words.includes('talk on')
  const pieces = ['po', 'ng'].map((piece) => modelTurn(live, piece))
  if (live.isTalking) return [...before, ...(pieces[0] ?? [])]
  return [...before, ...pieces.flat(), send({ serverContent: { generationComplete: true } }), end(live)]
}

function modelTurn(live: Live, text: string): readonly Step[] {
  if (!isSpoken(live)) return [send({ serverContent: { modelTurn: { role: 'model', parts: [{ text }] } } })]
  const parts = [{ inlineData: { mimeType: 'audio/pcm;rate=24000', data: SOUND } }]
  const heard = send({ serverContent: { modelTurn: { role: 'model', parts } } })
  const written = live.setup['outputAudioTranscription'] !== undefined
  return [heard, ...(written ? [send({ serverContent: { outputTranscription: { text } } })] : [])]
}

function isSpoken({ setup }: Live): boolean {
  const { responseModalities } = objectIn(setup, 'generationConfig')
  return !(Array.isArray(responseModalities) && responseModalities.includes('TEXT'))
}

function end(live: Live): Step {
  const modality = isSpoken(live) ? 'AUDIO' : 'TEXT'
  const usageMetadata = {
    promptTokenCount: 30,
    cachedContentTokenCount: 10,
    responseTokenCount: 12,
    thoughtsTokenCount: 3,
    totalTokenCount: 45,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 20 },
      { modality: 'AUDIO', tokenCount: 10 },
    ],
    cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 10 }],
    responseTokensDetails: [{ modality, tokenCount: 12 }],
  }
  return send({ serverContent: { turnComplete: true }, usageMetadata })
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
