import type { Mode } from '../core/mode.ts'

/** Bare model names → the provider they mean. The first line that fits wins; sources: LiteLLM's own catalogue. */
const BARE_NAMES: readonly (readonly [RegExp, string])[] = [
  [
    /^(text-davinci-00\d|text-(curie|babbage|ada)-001|davinci-002|babbage-002|gpt-3\.5-turbo-instruct.*|ft:(davinci|babbage)-002.*)$/,
    'text-completion-openai',
  ],
  [
    /^(gpt-(?!oss)|ft:gpt-|chatgpt-|o[134]($|-)|codex-mini|computer-use-preview|whisper-1|tts-1|dall-e-|text-embedding-(3|ada)|gpt-image-|omni-moderation|text-moderation|sora-)/,
    'openai',
  ],
  [
    /^(arn:aws[\w-]*:bedrock:|((us|eu|apac|jp|au|ca|sa|global|us-gov)\.)?(anthropic|amazon|meta|cohere|mistral|ai21|stability|deepseek|writer|luma|openai|qwen|twelvelabs|minimax|moonshot|moonshotai|nvidia|google|zai)\.[\w-]+)/,
    'bedrock',
  ],
  [/^claude-/, 'anthropic'],
  [
    /^(gemini-|text-embedding-00|text-multilingual-embedding-|textembedding-gecko|imagen-|imagegeneration@|medlm-|chat-bison|text-bison)/,
    'vertex_ai',
  ],
  [/^command-/, 'cohere_chat'],
  [/^(embed-(english|multilingual|v4)|rerank-(english|multilingual|v[34])|rerank-v)/, 'cohere'],
  [/^(grok-\d)/, 'xai'],
  [/^mistral-(tiny|small|medium|large)/, 'mistral'],
]

/** The provider that a model name without prefix means. */
export function providerOfBareName(name: string): string | undefined {
  if (name === '*') return 'openai'
  return BARE_NAMES.find(([pattern]) => pattern.test(name))?.[1]
}

/** Well-known models whose mode is not chat: last path segment of the name, without a version's date. */
const MODES_BY_NAME: readonly (readonly [RegExp, Mode])[] = [
  [
    /^(text-davinci-00\d|text-(curie|babbage|ada)-001|davinci-002|babbage-002|gpt-3\.5-turbo-instruct)/,
    'completion',
  ],
  [/realtime|^gpt-4o-realtime|^gemini-(.*-)?live(-|$)|^gemini-.*-native-audio/, 'realtime'],
  [
    /^(whisper|gpt-4o(-mini)?-transcribe|distil-whisper|scribe_v\d|parakeet-|canary-|nova-[23](-|$)|voxtral-mini-transcribe|universal-\d|slam-1$|assemblyai-stt-)/,
    'audio_transcription',
  ],
  [
    /^(tts-1|gpt-4o-mini-tts|gpt-4o-tts|aura-|eleven_|playai-tts|kokoro|orpheus-|sonic-)|-tts(-|$)/,
    'audio_speech',
  ],
  [
    /^(dall-e-\d|gpt-image-|chatgpt-image|imagen-|imagegeneration|stable-diffusion|sdxl|sd3|flux[.-]|titan-image|amazon\.titan-image|nova-canvas|recraft|ideogram|stable-image|grok-2-image|cogview|gemini-[\w.-]*-image(-|$)|([a-z-]+\.)?(amazon\.(nova-canvas|titan-image)|stability\.))/i,
    'image_generation',
  ],
  [/rerank|ranker/i, 'rerank'],
  [
    /embed|^(voyage-|bge-|gte-|e5-|multilingual-e5|all-minilm|all-mpnet|nomic-ai-|mxbai-|snowflake-arctic-|uae-large|jina-clip|titan-e1|m2-bert-.*retrieval|paraphrase-)/i,
    'embedding',
  ],
]

/** The mode that the catalogue knows for this very model; undefined where it knows nothing but chat. */
export function knownMode(upstreamModel: string): Mode | undefined {
  const name = lastSegment(upstreamModel)
  return MODES_BY_NAME.find(([pattern]) => pattern.test(name))?.[1]
}

/**
 * Models that think before they speak: they take `max_completion_tokens` in place of `max_tokens` and no
 * `temperature` (https://platform.openai.com/docs/guides/reasoning). Azure deployments named after them count.
 */
export function isReasoningModel(model: string): boolean {
  const name = lastSegment(model).toLowerCase()
  if (model.startsWith('o_series/') || model.includes('/o_series/')) return true
  return /^(o[1-9]($|[-.])|gpt-[5-9](?!-chat)($|[-.]))/.test(name)
}

/** Those that know the effort `xhigh` (https://platform.openai.com/docs/guides/reasoning): since gpt-5.1-codex-max. */
export function knowsXhigh(model: string): boolean {
  return /^gpt-(5\.1-codex-max|5\.[2-9]|[6-9])/.test(lastSegment(model).toLowerCase())
}

function lastSegment(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1)
}
