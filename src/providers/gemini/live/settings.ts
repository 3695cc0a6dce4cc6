import { entryOf } from '../../../core/entry-of.ts'
import { GatewayError } from '../../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { toTools } from '../tools.ts'
import { SOUND_FORMS, soundForm, type SoundForm } from './sound-form.ts'
import type { Flaw } from './tray.ts'

/** What a client has settled of its session. */
export interface Settings {
  readonly instructions: string
  readonly modality: 'audio' | 'text'
  /** In the client's words; absent: the model's own. */
  readonly voice?: string
  /** The forms of what the client says and hears. */
  readonly heardForm: SoundForm
  readonly spokenForm: SoundForm
  readonly temperature?: number
  readonly maxTokens: number | 'inf'
  readonly tools: readonly Json[]
  readonly toolChoice: 'auto' | 'none'
  /** How the end of a turn is found; null: the client says it. */
  readonly turns: JsonObject | null
  /** How what is heard is written down; null: it is not. */
  readonly transcription: JsonObject | null
  /** `auto`: the oldest is forgotten where a conversation grows too long; absent: whatever the upstream does then. */
  readonly truncation?: 'auto' | 'disabled'
}

/** A session of which nothing was said. */
export const UNSETTLED: Settings = {
  instructions: '',
  modality: 'audio',
  heardForm: 'pcm',
  spokenForm: 'pcm',
  maxTokens: 'inf',
  tools: [],
  toolChoice: 'auto',
  turns: { type: 'server_vad', create_response: true, interrupt_response: true },
  transcription: null,
}

/** What Live has no words for: why, and what is settled where it may be left out. */
interface Lack {
  readonly lacks: string
  readonly left: Partial<Settings>
}

/** What a member settles, or what it should be instead. */
type Reader = (value: Json) => Partial<Settings> | string | Lack

function lack(lacks: string, left: Partial<Settings> = {}): Lack {
  return { lacks, left }
}

const LIVE_LACKS = 'cannot be carried to Gemini Live'

const NOTHING_SAID: Reader = () => ({})

/** A member that Live has no words for: fine as long as it says what is so anyway. */
function only(...usual: readonly Json[]): Reader {
  const words = usual.map((one) => JSON.stringify(one)).join(' or ')
  return (value) =>
    value === null || usual.includes(value) ? {} : lack(`${LIVE_LACKS}: leave it out or at ${words}`)
}

/** By the members' names of the beta; today's places stand below. */
const READERS: Readonly<Record<string, Reader>> = {
  // What a client repeats of the session that it was told of.
  id: NOTHING_SAID,
  object: NOTHING_SAID,
  model: NOTHING_SAID,
  expires_at: NOTHING_SAID,
  client_secret: NOTHING_SAID,
  // Of what is kept about a session, and not of the session.
  tracing: NOTHING_SAID,
  metadata: NOTHING_SAID,
  type: (value) => (value === 'realtime' ? {} : `${LIVE_LACKS}: it must be "realtime"`),
  truncation: (value) =>
    value === 'auto' || value === 'disabled'
      ? { truncation: value }
      : lack(`${LIVE_LACKS}: it may be "auto" or "disabled"`),
  parallel_tool_calls: only(true),
  speed: only(1),
  conversation: (value) => (value === 'auto' || value === null ? {} : `${LIVE_LACKS}: it must be "auto"`),
  prompt: only(null),
  reasoning: only(null),
  input_audio_noise_reduction: only(null),
  include: (value) =>
    value === null || (Array.isArray(value) && value.length === 0) ? {} : lack(`${LIVE_LACKS}: leave it out`),
  instructions: (value) => (typeof value === 'string' ? { instructions: value } : 'must be a text'),
  modalities: readModalities,
  output_modalities: readModalities,
  temperature: (value) => {
    if (value === null) return {}
    return typeof value === 'number' ? { temperature: value } : 'must be a number'
  },
  max_response_output_tokens: readMaxTokens,
  max_output_tokens: readMaxTokens,
  tools: readTools,
  tool_choice: (value) =>
    value === 'auto' || value === 'none'
      ? { toolChoice: value }
      : lack('must be "auto" or "none": Gemini Live cannot be told to call a function'),
  voice: (value) =>
    typeof value === 'string' && value !== ''
      ? { voice: value }
      : "must be the name of a voice, OpenAI's or Google's",
  input_audio_format: formReader((heardForm) => ({ heardForm })),
  output_audio_format: formReader((spokenForm) => ({ spokenForm })),
  input_audio_transcription: readTranscription,
  turn_detection: readTurns,
}

/** Where today's sessions have what stood at the top before. */
const PLACES: ReadonlyMap<string, string> = new Map([
  ['audio.input.format', 'input_audio_format'],
  ['audio.input.transcription', 'input_audio_transcription'],
  ['audio.input.turn_detection', 'turn_detection'],
  ['audio.input.noise_reduction', 'input_audio_noise_reduction'],
  ['audio.output.format', 'output_audio_format'],
  ['audio.output.voice', 'voice'],
  ['audio.output.speed', 'speed'],
])

/** One member of what a client said of its session, or of one response. */
interface Said {
  /** From the top of the event. */
  readonly path: string
  readonly settles: Partial<Settings> | string
}

/** Reads members in both forms, today's and the beta's; what nobody knows is named, or left out where it may be. */
function membersOf(given: JsonObject, root: string, mayDrop: boolean): readonly Said[] {
  return flat(given, '').map(([place, value]) => {
    const path = `${root}.${place}`.slice(0, MAX_PATH_CHARS)
    const name = PLACES.get(place) ?? (place.includes('.') ? '' : place)
    const read = entryOf(READERS, name)
    const settles = read?.(value) ?? lack('is no member that can be carried to Gemini Live')
    if (typeof settles === 'string' || !('lacks' in settles)) return { path, settles }
    return { path, settles: mayDrop ? settles.left : settles.lacks }
  })
}

const MAX_PATH_CHARS = 100

/** Members by their place; those of `audio` one by one. */
function flat(given: JsonObject, above: string): readonly (readonly [string, Json])[] {
  return Object.entries(given).flatMap(([name, value]): readonly (readonly [string, Json])[] => {
    if (value === undefined) return []
    const place = above + name
    const isFolder = place === 'audio' || place === 'audio.input' || place === 'audio.output'
    if (isFolder && (value === null || isJsonObject(value))) return flat(value ?? {}, `${place}.`)
    return [[place, value]]
  })
}

/** What a new session says of itself, or why it cannot be so: every reason at once. `mayDrop`: what Live lacks is left out. */
export function settled(session: JsonObject, mayDrop: boolean): Settings | Flaw {
  const members = membersOf(session, 'session', mayDrop)
  const wrong = flawOf(members)
  if (wrong !== undefined) return wrong
  const changes: Partial<Settings> = {}
  for (const { settles } of members) if (typeof settles !== 'string') Object.assign(changes, settles)
  return { ...UNSETTLED, ...changes }
}

/** What says something else than the session is settled to, and why that cannot be; undefined where nothing does. */
export function otherThan(
  now: Settings,
  given: JsonObject,
  { root, why, mayDrop }: { readonly root: string; readonly why: string; readonly mayDrop: boolean },
): Flaw | undefined {
  const members = membersOf(given, root, mayDrop)
  const others = members.filter(({ settles }) => typeof settles !== 'string' && !isSame(now, settles))
  return flawOf([
    ...members.filter(({ settles }) => typeof settles === 'string'),
    ...others.map(({ path }) => ({ path, settles: why })),
  ])
}

/** Only what is settled is looked at: the tools alone may be large, and a client can name any number of members. */
function isSame(now: Settings, settles: Partial<Settings>): boolean {
  const other: Readonly<Record<string, unknown>> = { ...now }
  return Object.entries(settles).every(
    ([name, value]) => JSON.stringify(value) === JSON.stringify(other[name]),
  )
}

function flawOf(members: readonly Said[]): Flaw | undefined {
  const wrong = members.flatMap(({ path, settles }) =>
    typeof settles === 'string' ? [{ path, reason: `'${path}' ${settles}` }] : [],
  )
  const [first] = wrong
  if (first === undefined) return undefined
  const reasons = wrong.slice(0, MAX_REASONS).map(({ reason }) => reason)
  return { message: `${reasons.join('; ')}.`, param: first.path }
}

const MAX_REASONS = 8

function readModalities(value: Json): Partial<Settings> | string {
  const asked: readonly Json[] = Array.isArray(value) ? value : []
  const isKnown = asked.length > 0 && asked.every((one) => one === 'text' || one === 'audio')
  // Who asks for both hears sound, and reads along: what is spoken is always written down too.
  return isKnown ? { modality: asked.includes('audio') ? 'audio' : 'text' } : 'must be ["audio"] or ["text"]'
}

function readMaxTokens(value: Json): Partial<Settings> | string {
  if (value === null) return {}
  const isCount = typeof value === 'number' && Number.isInteger(value) && value > 0
  return isCount || value === 'inf' ? { maxTokens: value } : 'must be a count of tokens, or "inf"'
}

function readTools(value: Json): Partial<Settings> | string {
  const tools: readonly Json[] | undefined = Array.isArray(value) ? value : undefined
  if (tools === undefined) return 'must be a list'
  try {
    liveTools(tools)
    return { tools }
  } catch (error) {
    if (error instanceof GatewayError) return `${LIVE_LACKS}: ${error.message.replace(/\.$/, '')}`
    throw error
  }
}

/** Functions, flat as they are in sessions, and Google's own tools, as Gemini has them. */
export function liveTools(tools: readonly Json[]): readonly JsonObject[] | undefined {
  const nested = tools.map((tool) =>
    isJsonObject(tool) && tool['type'] === 'function' && tool['function'] === undefined
      ? { type: 'function', function: tool }
      : tool,
  )
  return toTools(nested, undefined)
}

/** One of the forms that are Live's, or can be made of those. */
function formReader(settle: (form: SoundForm) => Partial<Settings>): Reader {
  const forms = Object.values(SOUND_FORMS).map(({ what }) => what)
  return (value) => {
    const form = soundForm(value)
    return form === undefined ? `must be one of ${forms.join(', ')}` : settle(form)
  }
}

function readTranscription(value: Json): ReturnType<Reader> {
  if (value === null) return { transcription: null }
  if (!isJsonObject(value)) return 'must be an object or null'
  const { prompt, ...rest } = value
  const hasPrompt = prompt !== undefined && prompt !== null && prompt !== ''
  if (!hasPrompt) return { transcription: value }
  return lack(`has a prompt, which ${LIVE_LACKS}`, { transcription: rest })
}

function readTurns(value: Json): ReturnType<Reader> {
  if (value === null) return { turns: null }
  if (!isJsonObject(value) || (value['type'] !== 'server_vad' && value['type'] !== 'semantic_vad'))
    return 'must be null, or of the type "server_vad" or "semantic_vad"'
  if (value['create_response'] === false)
    return `has create_response false, which ${LIVE_LACKS}: turn it off with null instead`
  const { idle_timeout_ms: idle = null, ...rest } = value
  return idle === null
    ? { turns: value }
    : lack(`has an idle_timeout_ms, which ${LIVE_LACKS}`, { turns: rest })
}
