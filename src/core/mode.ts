import type { Json, JsonObject } from './json.ts'

/** The nine modes we probe: LiteLLM's words for `model_info.mode`. */
export const MODES = [
  'chat',
  'completion',
  'embedding',
  'image_generation',
  'audio_transcription',
  'audio_speech',
  'rerank',
  'batch',
  'realtime',
] as const

/** What a deployment is for, and so how it is called and probed. */
export type Mode = (typeof MODES)[number]

/** LiteLLM's modes that are chat in another API's words: the deployment is probed as it is spoken to there. */
export const SURFACE_MODES = ['responses', 'anthropic_messages'] as const

/** A mode of LiteLLM's that is chat in another API's words. */
export type SurfaceMode = (typeof SURFACE_MODES)[number]

/** LiteLLM's other modes: loaded and listed, but not probed (their entry says `checks_disabled`). */
export const UNPROBED_MODES = [
  'moderation',
  'ocr',
  'image_edit',
  'video_generation',
  'search',
  'vector_store',
  'evaluation',
] as const

/** A mode of LiteLLM's that we cannot probe. */
export type UnprobedMode = (typeof UNPROBED_MODES)[number]

/**
 * What is asked over plain HTTP: the modes but realtime, which is a WebSocket and is dialled instead, and moderation,
 * which is relayed and not probed.
 */
export type HttpMode = Exclude<Mode, 'realtime'> | 'moderation'

/** Routes that a mode's deployments serve beside the mode's own, and which mode that is. */
export const SIDE_ROUTES = {
  audio_translation: 'audio_transcription',
  image_edit: 'image_generation',
} as const satisfies Readonly<Record<string, HttpMode>>

/** A route beside a mode's own. */
export type SideRoute = keyof typeof SIDE_ROUTES

/** A route of a provider: a mode's own, or one beside it. */
export type RouteName = HttpMode | SideRoute

/** True for a route beside a mode's own. */
export function isSideRoute(route: RouteName): route is SideRoute {
  return Object.hasOwn(SIDE_ROUTES, route)
}

/** True for one of the nine. */
export function isMode(value: unknown): value is Mode {
  return (MODES as readonly unknown[]).includes(value)
}

/** True for chat in another API's words. */
export function isSurfaceMode(value: unknown): value is SurfaceMode {
  return (SURFACE_MODES as readonly unknown[]).includes(value)
}

/** True for one of LiteLLM's modes that we load but do not probe. */
export function isUnprobedMode(value: unknown): value is UnprobedMode {
  return (UNPROBED_MODES as readonly unknown[]).includes(value)
}

/**
 * OpenAI's JSON is the neutral form: what we read is typed, what we do not know is carried.
 * One line a mode: what goes in, what comes out, and what a stream is made of.
 */
export interface Operations {
  readonly chat: { readonly request: ChatRequest; readonly response: ChatResponse; readonly event: ChatChunk }
  readonly completion: {
    readonly request: CompletionRequest
    readonly response: CompletionResponse
    readonly event: JsonObject
  }
  readonly embedding: {
    readonly request: EmbeddingRequest
    readonly response: EmbeddingResponse
    readonly event: never
  }
  readonly image_generation: {
    readonly request: ImageRequest
    readonly response: ImageResponse
    readonly event: never
  }
  readonly audio_transcription: {
    readonly request: TranscriptionRequest
    readonly response: TranscriptionResponse
    readonly event: never
  }
  readonly audio_speech: {
    readonly request: SpeechRequest
    readonly response: SpeechResponse
    readonly event: never
  }
  readonly rerank: {
    readonly request: RerankRequest
    readonly response: RerankResponse
    readonly event: never
  }
  readonly batch: {
    readonly request: BatchListRequest
    readonly response: BatchListResponse
    readonly event: never
  }
  readonly moderation: {
    readonly request: ModerationRequest
    readonly response: ModerationResponse
    readonly event: never
  }
}

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: string
  readonly content?: Json
  readonly [key: string]: Json | undefined
}

/** `POST /chat/completions`. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[]
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly stream?: boolean
  readonly [key: string]: Json | undefined
}

/** What a chat answer must have to count as one: a non-empty `choices`. */
export interface ChatResponse {
  readonly id: string
  readonly object: 'chat.completion'
  readonly created: number
  readonly model: string
  readonly choices: readonly ChatChoice[]
  readonly usage?: JsonObject
  readonly [key: string]: Json | undefined
}

/** One of the answers in a ChatResponse. */
export interface ChatChoice {
  readonly index: number
  readonly message: JsonObject
  readonly finish_reason: string | null
  readonly [key: string]: Json | undefined
}

/** One event of a streamed chat, OpenAI's `chat.completion.chunk`. */
export interface ChatChunk {
  readonly id: string
  readonly object: 'chat.completion.chunk'
  readonly created: number
  readonly model: string
  readonly choices: readonly JsonObject[]
  readonly usage?: JsonObject
  readonly [key: string]: Json | undefined
}

/** `POST /completions`. */
export interface CompletionRequest {
  readonly prompt: string
  readonly max_tokens?: number
  readonly [key: string]: Json | undefined
}

/** `choices[0].text` is a string. */
export interface CompletionResponse {
  readonly text: string
  readonly model: string | undefined
  /** The whole answer as OpenAI writes it. */
  readonly whole: JsonObject
}

/** `POST /embeddings`. */
export interface EmbeddingRequest {
  readonly input: readonly string[]
  readonly [key: string]: Json | undefined
}

/** A vector for each input, in their order; at least one. */
export interface EmbeddingResponse {
  /** The first vector's length; never 0. */
  readonly dimensions: number
  readonly model: string | undefined
  /** Numbers, or base64 of little-endian 32-bit floats, as the provider sent them. */
  readonly vectors: readonly (string | readonly number[])[]
  /** OpenAI's `prompt_tokens` and `total_tokens`, where the provider counts. */
  readonly usage?: JsonObject
}

/** `POST /images/generations`. */
export interface ImageRequest {
  readonly prompt: string
  readonly [key: string]: Json | undefined
}

/** How many images came back; never 0. */
export interface ImageResponse {
  readonly images: number
  /** The answer as OpenAI writes it; from providers with words of their own. */
  readonly whole?: JsonObject
}

/** `POST /audio/transcriptions`, multipart. */
export interface TranscriptionRequest {
  readonly file: SentFile
  /** What was sent beside it, without brackets in the names; several of one name as a list. */
  readonly fields: Readonly<Record<string, string | readonly string[]>>
}

/** A file of a form. */
export interface SentFile {
  readonly name: string
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** The transcript; may be empty. */
export interface TranscriptionResponse {
  readonly text: string
  /** The answer as OpenAI writes it in `verbose_json`; from providers with words of their own. */
  readonly whole?: JsonObject
}

/** `POST /audio/speech`. */
export interface SpeechRequest {
  readonly input: string
  readonly voice: string
  readonly [key: string]: Json | undefined
}

/** The sound's size in bytes (never 0) and type. */
export interface SpeechResponse {
  readonly sizeBytes: number
  readonly contentType: string
  /** The sound itself; from providers that wrap it in words of their own. */
  readonly bytes?: Uint8Array
}

/** `POST /rerank`, Cohere's shape. */
export interface RerankRequest {
  readonly query: string
  readonly documents: readonly string[]
  readonly [key: string]: Json | undefined
}

/** Results in order of relevance; never empty. */
export interface RerankResponse {
  readonly results: readonly { readonly index: number; readonly relevance_score: number }[]
  /** The answer as Cohere writes it; from providers with words of their own. */
  readonly whole?: JsonObject
}

/** `GET /batches?limit=N`. */
export interface BatchListRequest {
  readonly limit: number
}

/** How many batches the page lists; may be 0. */
export interface BatchListResponse {
  readonly batches: number
}

/** `POST /moderations`. */
export interface ModerationRequest {
  readonly input: Json
  readonly [key: string]: Json | undefined
}

/** How many inputs were judged; never 0. */
export interface ModerationResponse {
  readonly results: number
}
