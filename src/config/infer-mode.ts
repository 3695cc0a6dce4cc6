import type { Mode, UnprobedMode } from '../core/mode.ts'

/**
 * What a model's name says about its mode, most telling first: a `bge-reranker` is no embedding model, a
 * `titan-embed-image` is one. Names are lower case with one dash between words, dots kept.
 */
const RULES: readonly (readonly [Mode | UnprobedMode, RegExp])[] = [
  ['rerank', /rerank|zerank/],
  ['moderation', /(?:^|-)(?:omni|text)-moderation(?:-|$)/],
  ['realtime', /(?:^|-)realtime(?:-|$)/],
  [
    'audio_transcription',
    /whisper|(?:^|-)transcri(?:be|ption)(?:-|$)|(?:^|-)(?:stt|asr|speech-to-text)(?:-|$)|parakeet/,
  ],
  [
    'audio_speech',
    /(?:^|-)x?tts(?:-|$)|text-to-speech|(?:^|-)kokoro(?:-|$)|(?:^|-)eleven-(?:multilingual|turbo|flash|v\d)/,
  ],
  [
    'embedding',
    /embed(?!ded)|minilm|text2vec|sentence-transformers|all-mpnet|(?:^|-)(?:e5|bge|gte|m3e|jina-clip)(?:-|$)/,
  ],
  ['embedding', /(?:^|-)voyage-(?:\d|code|law|finance|large|multi)|(?:^|-)instructor-(?:xl|large|base)$/],
  [
    'video_generation',
    /(?:^|-)sora(?:-\d|$)|(?:^|-)veo-?\d|imagine-video|(?:text|image)-to-video|(?:^|-)(?:t2v|i2v)(?:-|$)/,
  ],
  [
    'image_edit',
    /stability.*(?:inpaint|outpaint|erase|upscale|recolor|replace|background|style|control)|(?:^|-)image-edit(?:-|$)/,
  ],
  [
    'image_generation',
    /dall-?e(?:-|\d|$)|(?:^|-)imagen(?:-?\d|$|-(?:fast|ultra|preview))|(?:^|-)image-generat/,
  ],
  // `image` must be the last word but for versions and sizes: `gpt-image-1` draws, `image-understanding` looks.
  [
    'image_generation',
    /(?:^|-)image(?:-(?:\d[\w.]*|preview|pro|mini|fast|turbo|latest|flash|lite|hd|quality))*$/,
  ],
  ['image_generation', /(?:^|-)(?:flux(?:\.?\d[\w.]*)?|sdxl|sd-?(?:1\.5|2\.1|3|3\.5|xl)|sd3[\d.]*)(?:-|$)/],
  [
    'image_generation',
    /stable-(?:diffusion|image)|stability[.-](?:sd|core|ultra)|imagegeneration|titan-image|nova-canvas|nano-banana/,
  ],
  ['image_generation', /(?:^|-)(?:recraft|ideogram|seedream|hidream|kandinsky|cogview)/],
  ['completion', /turbo-instruct(?:-|$)|(?:^|-)(?:text-|code-)?davinci(?:-|$)|(?:^|-)babbage-002$/],
  ['completion', /(?:^|-)text-(?:curie|babbage|ada)-\d+$/],
]

/** The mode that a name gives away, if any. Pure; a wildcard says nothing. */
export function modeOfName(name: string): Mode | UnprobedMode | undefined {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '')
  return RULES.find(([, pattern]) => pattern.test(words))?.[0]
}
