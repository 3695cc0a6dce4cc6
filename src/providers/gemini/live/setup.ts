import type { JsonObject } from '../../../core/json.ts'
import { numberOf, textOf } from '../../answer.ts'
import { speechConfig } from '../speech.ts'
import { liveTools, type Settings } from './settings.ts'
import { SOUND_FORMS } from './sound-form.ts'

/** The first frame of a Live session, which settles it for good (https://ai.google.dev/api/live#BidiGenerateContentSetup). */
export function setupFrame(settings: Settings, model: string): JsonObject {
  const { instructions, modality, voice, temperature, maxTokens, turns, transcription } = settings
  // There is no word for a choice: who must not call anything is told of nothing.
  const tools = settings.toolChoice === 'none' ? undefined : liveTools(settings.tools)
  const speaks = modality === 'audio'
  const language = textOf(transcription?.['language'])
  return {
    setup: {
      model,
      generationConfig: {
        responseModalities: [speaks ? 'AUDIO' : 'TEXT'],
        ...(temperature !== undefined && { temperature }),
        ...(maxTokens !== 'inf' && { maxOutputTokens: maxTokens }),
        ...(speaks && voice !== undefined && { speechConfig: speechConfig(voice) }),
      },
      ...(instructions !== '' && { systemInstruction: { parts: [{ text: instructions }] } }),
      ...(tools !== undefined && { tools }),
      ...inputConfig(turns),
      ...(transcription !== null && {
        inputAudioTranscription: language === undefined ? {} : { languageCodes: [language] },
      }),
      // https://ai.google.dev/gemini-api/docs/live-session#context-window-compression
      ...(settings.truncation === 'auto' && { contextWindowCompression: { slidingWindow: {} } }),
      // OpenAI's sessions always write down what they say.
      ...(speaks && { outputAudioTranscription: {} }),
    },
  }
}

/** OpenAI's threshold where nobody names one. */
const USUAL_THRESHOLD = 0.5

/**
 * https://ai.google.dev/api/live#RealtimeInputConfig. How loud and how long speech must be is told there in two steps:
 * OpenAI's threshold and eagerness become the nearer one.
 */
function inputConfig(turns: JsonObject | null): JsonObject {
  if (turns === null) return { realtimeInputConfig: { automaticActivityDetection: { disabled: true } } }
  const threshold = numberOf(turns['threshold']) ?? USUAL_THRESHOLD
  const eagerness = turns['eagerness']
  const padding = numberOf(turns['prefix_padding_ms'])
  const silence = numberOf(turns['silence_duration_ms'])
  const detection = {
    ...(threshold !== USUAL_THRESHOLD && {
      startOfSpeechSensitivity:
        threshold < USUAL_THRESHOLD ? 'START_SENSITIVITY_HIGH' : 'START_SENSITIVITY_LOW',
    }),
    ...(eagerness === 'low' && { endOfSpeechSensitivity: 'END_SENSITIVITY_LOW' }),
    ...(eagerness === 'high' && { endOfSpeechSensitivity: 'END_SENSITIVITY_HIGH' }),
    ...(padding !== undefined && { prefixPaddingMs: padding }),
    ...(silence !== undefined && { silenceDurationMs: silence }),
  }
  const config = {
    ...(Object.keys(detection).length > 0 && { automaticActivityDetection: detection }),
    ...(turns['interrupt_response'] === false && { activityHandling: 'NO_INTERRUPTION' }),
  }
  return Object.keys(config).length === 0 ? {} : { realtimeInputConfig: config }
}

/** The session as its client sees it, in today's form or the beta's. */
export function sessionView(
  settings: Settings,
  { id, model, isBeta }: { readonly id: string; readonly model: string; readonly isBeta: boolean },
): JsonObject {
  const { instructions, voice, temperature, maxTokens, tools, toolChoice, turns, transcription, truncation } =
    settings
  const { heardForm, spokenForm } = settings
  const common = {
    id,
    object: 'realtime.session',
    model,
    instructions,
    tools,
    tool_choice: toolChoice,
    ...(truncation !== undefined && { truncation }),
    ...(temperature !== undefined && { temperature }),
  }
  if (isBeta)
    return {
      ...common,
      modalities: modalitiesOf(settings, true),
      ...(voice !== undefined && { voice }),
      input_audio_format: SOUND_FORMS[heardForm].beta,
      output_audio_format: SOUND_FORMS[spokenForm].beta,
      input_audio_transcription: transcription,
      turn_detection: turns,
      max_response_output_tokens: maxTokens,
    }
  return {
    ...common,
    type: 'realtime',
    output_modalities: modalitiesOf(settings, false),
    max_output_tokens: maxTokens,
    audio: {
      input: {
        format: SOUND_FORMS[heardForm].today,
        transcription,
        noise_reduction: null,
        turn_detection: turns,
      },
      output: { format: SOUND_FORMS[spokenForm].today, ...(voice !== undefined && { voice }), speed: 1 },
    },
  }
}

/** What a session answers in; in the beta sound came with text. */
export function modalitiesOf({ modality }: Settings, isBeta: boolean): readonly string[] {
  return isBeta && modality === 'audio' ? ['audio', 'text'] : [modality]
}
