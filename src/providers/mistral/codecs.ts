import type { JsonObject } from '../../core/json.ts'
import type { HttpMode } from '../../core/mode.ts'
import type { ProviderAdapter, RelayFace, Target } from '../adapter.ts'
import { defaultsOf, withDefaults } from '../body-defaults.ts'
import { batchCodec } from '../openai/batch.ts'
import { openAiCodecs } from '../openai/codecs.ts'
import { completionCodec } from '../openai/completion.ts'
import { embeddingCodec } from '../openai/embedding.ts'
import { jsonTexts, renamed, routeBelow, type Surface } from '../openai/surface.ts'
import { postJson } from '../post-json.ts'
import { withQuery } from '../route.ts'
import { sayable } from '../unsaid.ts'
import { decodeMistralChat, openMistralStream } from './chat-answer.ts'
import { isMistrals, LACKS, RENAMES, SILENT, toMistralChat } from './chat-request.ts'
import { toMistralCompletion } from './completion.ts'
import { transcription } from './transcription.ts'

/** Fill-in-the-middle is the one way to complete a text, and it answers with a message. */
const ROUTES: Surface = {
  url: (target, route) => {
    if (route === 'batch') return routeBelow(target.base, route, '/batch/jobs')
    return routeBelow(target.base, route, route === 'completion' ? '/fim/completions' : undefined)
  },
  completionAnswer: 'message',
}

const EMBED_LACKS: ReadonlySet<string> = new Set(['user', 'input_type', 'truncate'])
const EMBED_RENAMES = { dimensions: 'output_dimension' } as const

/** Mistral's modes: OpenAI's words, less what its strict bodies refuse. */
export const MISTRAL_CODECS: ProviderAdapter['codecs'] = {
  ...openAiCodecs(ROUTES),
  chat: {
    encode: (request, target) => {
      const { said, dropped } = toMistralChat(request, target)
      return { ...postJson(ROUTES.url(target, 'chat'), said), dropped }
    },
    decode: decodeMistralChat,
    openStream: openMistralStream,
    lacksTopK: () => true,
    relay: { ...relay('chat', LACKS, RENAMES, SILENT), takes: isMistrals },
  },
  completion: {
    ...completionCodec(ROUTES),
    encode: (request, target) => {
      const { said, dropped } = toMistralCompletion(request, target)
      return { ...postJson(ROUTES.url(target, 'completion'), said), dropped }
    },
  },
  embedding: {
    ...embeddingCodec(ROUTES),
    encode: (request, target) => encoded('embedding', request, target, EMBED_LACKS, EMBED_RENAMES),
    relay: relay('embedding', EMBED_LACKS, EMBED_RENAMES, [...EMBED_LACKS]),
  },
  audio_transcription: transcription(ROUTES),
  batch: {
    ...batchCodec(ROUTES),
    // Its jobs come in pages (https://docs.mistral.ai/api/endpoint/batch, read 2026-11-27).
    encode: ({ limit }, target) => ({
      method: 'GET',
      url: withQuery(ROUTES.url(target, 'batch'), 'page_size', String(limit)),
      headers: { accept: 'application/json' },
    }),
  },
  image_generation: 'unsupported',
  rerank: 'unsupported',
}

function encoded(
  mode: HttpMode,
  request: JsonObject,
  target: Target,
  lacks: ReadonlySet<string>,
  renames: Readonly<Record<string, string>>,
) {
  const { said, dropped } = sayable(withDefaults(mode, request, target.bodyDefaults), lacks)
  const body = { ...renamed(said, renames), model: target.model }
  return { ...postJson(ROUTES.url(target, mode), body), dropped }
}

/** As OpenAI's, without defaults that Mistral would refuse and without members that say nothing to it. */
function relay(
  mode: 'chat' | 'embedding',
  lacks: ReadonlySet<string>,
  renames: Readonly<Record<string, string>>,
  remove: readonly string[],
): RelayFace {
  return {
    url: (target) => ROUTES.url(target, mode),
    edits: (target) => {
      const { said } = sayable(defaultsOf(mode, target.bodyDefaults), lacks)
      return {
        set: { model: JSON.stringify(target.model) },
        defaults: jsonTexts(renamed(said, renames)),
        remove,
      }
    },
    renames,
  }
}
