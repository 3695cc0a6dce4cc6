import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { BLOB, CONTENT, misfit, TOOL, type Shape } from './google-shapes.ts'

/** What a client may send (https://ai.google.dev/api/live#BidiGenerateContentClientMessage), each in a message of its own. */
const MESSAGES: Readonly<Record<string, Shape>> = {
  /** https://ai.google.dev/api/live#BidiGenerateContentSetup; what generation cannot be told there is left out. */
  setup: {
    model: 'string',
    generationConfig: {
      candidateCount: 'number',
      maxOutputTokens: 'number',
      temperature: 'number',
      topP: 'number',
      topK: 'number',
      seed: 'number',
      presencePenalty: 'number',
      frequencyPenalty: 'number',
      responseModalities: ['string'],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'string' } }, languageCode: 'string' },
      mediaResolution: 'string',
      thinkingConfig: { includeThoughts: 'boolean', thinkingBudget: 'number', thinkingLevel: 'string' },
    },
    systemInstruction: CONTENT,
    tools: [TOOL],
    realtimeInputConfig: {
      automaticActivityDetection: {
        disabled: 'boolean',
        startOfSpeechSensitivity: 'string',
        endOfSpeechSensitivity: 'string',
        prefixPaddingMs: 'number',
        silenceDurationMs: 'number',
      },
      activityHandling: 'string',
      turnCoverage: 'string',
    },
    sessionResumption: { handle: 'string' },
    contextWindowCompression: { triggerTokens: 'any', slidingWindow: { targetTokens: 'any' } },
    inputAudioTranscription: { languageCodes: ['string'] },
    outputAudioTranscription: { languageCodes: ['string'] },
    proactivity: { proactiveAudio: 'boolean' },
  },
  clientContent: { turns: [CONTENT], turnComplete: 'boolean' },
  realtimeInput: {
    audio: BLOB,
    video: BLOB,
    text: 'string',
    activityStart: {},
    activityEnd: {},
    audioStreamEnd: 'boolean',
  },
  toolResponse: { functionResponses: [{ id: 'string', name: 'string', response: { '*': 'any' } }] },
}

/** One message of a client's. */
export interface LiveMessage {
  readonly kind: 'setup' | 'clientContent' | 'realtimeInput' | 'toolResponse'
  readonly said: JsonObject
}

/** Reads a message, or says what is wrong with it in the server's words. */
export function readLiveMessage(text: string): LiveMessage | string {
  const value = parsed(text)
  if (!isJsonObject(value)) return 'Request contains an invalid argument.'
  const wrong = misfit(value, MESSAGES)
  if (wrong !== undefined) return wrong
  const [kind, more] = Object.keys(value)
  const said = kind === undefined ? undefined : value[kind]
  const isOne =
    kind === 'setup' || kind === 'clientContent' || kind === 'realtimeInput' || kind === 'toolResponse'
  if (!isOne || more !== undefined || !isJsonObject(said)) return 'Request contains an invalid argument.'
  return { kind, said }
}

function parsed(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    return null // No JSON: refused like any other message that is none.
  }
}

/** https://ai.google.dev/gemini-api/docs/speech-generation#voices */
const VOICES: ReadonlySet<string> = new Set(
  'Zephyr Puck Charon Kore Fenrir Leda Orus Aoede Callirrhoe Autonoe Enceladus Iapetus Umbriel Algieba Despina Erinome Algenib Rasalgethi Laomedeia Achernar Alnilam Schedar Gacrux Pulcherrima Achird Zubenelgenubi Vindemiatrix Sadachbia Sadaltager Sulafat'.split(
    ' ',
  ),
)

const STARTS = ['START_SENSITIVITY_HIGH', 'START_SENSITIVITY_LOW']
const ENDS = ['END_SENSITIVITY_HIGH', 'END_SENSITIVITY_LOW']
const HANDLINGS = ['START_OF_ACTIVITY_INTERRUPTS', 'NO_INTERRUPTION']

/** What the setup's fields say that cannot be; undefined where nothing is. */
export function setupObjection(setup: JsonObject): string | undefined {
  const { responseModalities, speechConfig } = objectIn(setup, 'generationConfig')
  const [modality, more]: readonly Json[] = Array.isArray(responseModalities) ? responseModalities : ['AUDIO']
  if ((modality !== 'AUDIO' && modality !== 'TEXT') || more !== undefined)
    return 'The requested combination of response modalities is not supported by the model.'
  // Those that make sound themselves make nothing else.
  if (modality === 'TEXT' && /native-audio/.test(textIn(setup, 'model')))
    return 'Cannot extract voices from a non-audio request.'
  const voice = isJsonObject(speechConfig) ? voiceIn(speechConfig) : undefined
  if (voice !== undefined && !VOICES.has(voice))
    return `Requested voice api_name '${voice}' is not available for model.`
  const input = objectIn(setup, 'realtimeInputConfig')
  const detection = objectIn(input, 'automaticActivityDetection')
  const isOdd =
    !isOneOf(detection['startOfSpeechSensitivity'], STARTS) ||
    !isOneOf(detection['endOfSpeechSensitivity'], ENDS) ||
    !isOneOf(input['activityHandling'], HANDLINGS) ||
    [detection['prefixPaddingMs'], detection['silenceDurationMs']].some(
      (ms) => ms !== undefined && !Number.isInteger(ms),
    )
  return isOdd ? 'Invalid value at setup.realtime_input_config.' : undefined
}

function isOneOf(value: Json | undefined, words: readonly string[]): boolean {
  return value === undefined || (typeof value === 'string' && words.includes(value))
}

function voiceIn(config: JsonObject): string | undefined {
  const { voiceName } = objectIn(objectIn(config, 'voiceConfig'), 'prebuiltVoiceConfig')
  return typeof voiceName === 'string' ? voiceName : undefined
}

/** A member that is a text; an empty one where there is none. */
export function textIn(holder: JsonObject, name: string): string {
  const value = holder[name]
  return typeof value === 'string' ? value : ''
}

/** A member that is an object; an empty one where there is none. */
export function objectIn(holder: JsonObject, name: string): JsonObject {
  const value = holder[name]
  return isJsonObject(value) ? value : {}
}
