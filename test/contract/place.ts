import type { Listed } from '../e2e/health-answer.ts'

/** Where the calls of a contract go: straight to the provider, or through the gateway. */
export interface Place {
  /** `http://host:port`, without a path. */
  readonly url: string
  /** An address where nobody listens. */
  readonly goneUrl: string
  /** Where Gemini's API begins, if not there. */
  readonly geminiUrl?: string
}

/** One call of a vendor's client. What it resolves to, or raises, must be the same in both places. */
export interface Call {
  readonly name: string
  /** The class and status of the error it must come to; absent: an answer. */
  readonly raises?: string
  readonly run: (place: Place) => Promise<unknown>
}

/** Valid in both places; any other is refused in both. */
export const KEY = 'sk-valid-in-both-places'

/** Models by the names that both places know them under, and how the provider treats each. */
export const ORDERS: Readonly<Record<string, string>> = {
  'gpt-4o': 'ok',
  'my-gpt-4o': 'ok',
  'gpt-3.5-turbo-instruct': 'ok',
  'text-embedding-3-small': 'ok',
  'dall-e-3': 'ok',
  'tts-1': 'ok',
  'gpt-realtime': 'ok',
  'whisper-1': 'ok',
  'my-whisper': 'ok',
  'gpt-4o-transcribe': 'ok',
  'gpt-image-1': 'ok',
  'omni-moderation-latest': 'ok',
  'rerank-v3.5': 'ok',
  'claude-haiku-4-5': 'ok',
  'gemini-2.5-flash': 'ok',
  'gpt-bad-request': 'e400',
  'gpt-wrong-key': 'e401',
  'gpt-forbidden': 'e403',
  'gpt-not-found': 'e404',
  'gpt-conflict': 'e409',
  'gpt-unprocessable': 'e422',
  'gpt-too-often': 'e429r30',
  'gpt-broke': 'quota',
  'gpt-crashed': 'e500',
  'gpt-overloaded': 'e503r5',
  'whisper-crashed': 'e500',
  'whisper-too-often': 'e429r30',
  'whisper-wrong-key': 'e401',
  'rerank-too-often': 'e429r30',
  'rerank-wrong-key': 'e401',
  'rerank-not-found': 'e404',
  'rerank-crashed': 'e500',
}

/** What each model is for, where its name does not tell. */
const MODES: Readonly<Record<string, string>> = {
  'gpt-3.5-turbo-instruct': 'completion',
  'text-embedding-3-small': 'embedding',
  'dall-e-3': 'image_generation',
  'tts-1': 'audio_speech',
  'gpt-realtime': 'realtime',
  'gpt-4o-transcribe': 'audio_transcription',
  'gpt-image-1': 'image_generation',
  'omni-moderation-latest': 'moderation',
}

function modeOf(name: string): string {
  if (name.startsWith('rerank')) return 'rerank'
  return MODES[name] ?? (name.includes('whisper') ? 'audio_transcription' : 'chat')
}

const PROVIDERS: Readonly<Record<string, string>> = {
  rerank: 'cohere',
  my: 'azure',
  claude: 'anthropic',
  gemini: 'gemini',
}

/** The gateway's deployments: each of the provider's models under its own name. */
export function listedAt({ url, geminiUrl = url }: Pick<Place, 'url' | 'geminiUrl'>): readonly Listed[] {
  return Object.keys(ORDERS).map((name) => {
    const provider = PROVIDERS[name.split('-')[0] ?? ''] ?? 'openai'
    const base = provider === 'openai' ? `${url}/v1` : provider === 'gemini' ? geminiUrl : url
    return {
      model_name: name,
      litellm_params: { model: `${provider}/${name}`, api_base: base, api_key: KEY },
      model_info: { mode: modeOf(name) },
    }
  })
}
