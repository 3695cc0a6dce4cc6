import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ImageResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { bodyText } from '../error-facts.ts'
import { postJson } from '../post-json.ts'
import { unsayable } from './content.ts'
import { answeredAt } from './finish.ts'
import { modelName, modelUrl } from './model-id.ts'

const EXPECTED = 'a picture in "images"'

/** Pictures by InvokeModel: Amazon's in its words, Stability's in theirs. They come as base64, never as a URL. */
export const bedrockImage: Codec<'image_generation'> = {
  encode: (request, target) => {
    const filled = withDefaults('image_generation', request, target.bodyDefaults)
    const name = modelName(target.model)
    const { body, dropped } = name.startsWith('stability.') ? stabilityBody(filled) : amazonBody(filled)
    const url = filled['response_format'] === 'url' ? ['response_format'] : []
    return { ...postJson(modelUrl(target.base, target.model, 'invoke'), body), dropped: [...dropped, ...url] }
  },
  decode: decodeImages,
}

interface Said {
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/** OpenAI's members that change no picture, or that are said elsewhere in the body. */
const SAID = new Set([
  'prompt',
  'model',
  'n',
  'size',
  'quality',
  'response_format',
  'user',
  'moderation',
  'stream',
])
/** OpenAI's members that neither family can be told. */
const UNKNOWN = new Set(['background', 'output_compression', 'partial_images', 'style'])
/** OpenAI's words for quality in Nova's. */
const QUALITIES: Readonly<Record<string, string>> = { hd: 'premium', high: 'premium', premium: 'premium' }

/** https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html; Titan's is the same. */
function amazonBody(filled: JsonObject): Said {
  const [width, height] = sizeOf(filled['size'])
  const { textToImageParams, imageGenerationConfig, taskType, ...others } = rest(filled)
  const { negativeText, output_format: format, ...config } = others
  const quality = textOf(filled['quality'])
  const isOdd = format !== undefined && format !== 'png'
  const body = {
    taskType: taskType ?? 'TEXT_IMAGE',
    textToImageParams: {
      text: filled['prompt'],
      ...(negativeText !== undefined && { negativeText }),
      ...(isAmazonStyle(filled['style']) && { style: filled['style'] }),
      ...(isJsonObject(textToImageParams) && textToImageParams),
    },
    imageGenerationConfig: {
      numberOfImages: numberOf(filled['n']) ?? 1,
      ...(width !== undefined && { width, height }),
      ...(quality !== undefined && { quality: entryOf(QUALITIES, quality) ?? 'standard' }),
      ...config,
      ...(isJsonObject(imageGenerationConfig) && imageGenerationConfig),
    },
  }
  const dropped = unknown(filled).filter((name) => name !== 'style' || !isAmazonStyle(filled['style']))
  return { body, dropped: isOdd ? [...dropped, 'output_format'] : dropped }
}

/** Nova's styles are in capitals; OpenAI's are `vivid` and `natural`. */
function isAmazonStyle(style: Json | undefined): boolean {
  return typeof style === 'string' && /^[A-Z0-9_]+$/.test(style)
}

/** Stability's shapes by OpenAI's sizes: what they are asked for is a shape, not a size. */
const SHAPES: Readonly<Record<string, string>> = {
  '1024x1024': '1:1',
  '512x512': '1:1',
  '256x256': '1:1',
  '1792x1024': '16:9',
  '1024x1792': '9:16',
  '1536x1024': '3:2',
  '1024x1536': '2:3',
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-text-image.html */
function stabilityBody(filled: JsonObject): Said {
  if ((numberOf(filled['n']) ?? 1) > 1)
    throw unsayable('this model draws one picture a request: n must be 1', 'n')
  const size = textOf(filled['size'])
  const shape = size === undefined ? undefined : entryOf(SHAPES, size)
  const body = {
    mode: 'text-to-image',
    ...(shape !== undefined && { aspect_ratio: shape }),
    ...rest(filled),
    prompt: filled['prompt'],
  }
  const quality = textOf(filled['quality']) ?? 'auto'
  return {
    body,
    dropped: [
      ...unknown(filled),
      ...(size !== undefined && size !== 'auto' && shape === undefined ? ['size'] : []),
      ...(quality === 'auto' || quality === 'standard' ? [] : ['quality']),
    ],
  }
}

function rest(filled: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(filled).filter(([key, value]) => value != null && !SAID.has(key) && !UNKNOWN.has(key)),
  )
}

function unknown(filled: JsonObject): readonly string[] {
  return Object.keys(filled).filter(
    (key) => UNKNOWN.has(key) && filled[key] != null && filled[key] !== 'auto',
  )
}

/** `1024x1024`; `auto` is whatever the model takes. */
function sizeOf(size: Json | undefined): readonly [number, number] | readonly [] {
  if (size == null || size === 'auto') return []
  const [, width, height] = /^(\d{2,5})x(\d{2,5})$/.exec(textOf(size) ?? '') ?? []
  if (width === undefined) throw unsayable("'size' must be like 1024x1024", 'size')
  return [Number(width), Number(height)]
}

/** Stability's word for a picture that it keeps. */
const FILTERED = /filter|moderat|polic|blocked/i

/**
 * @throws GatewayError content_policy where a filter kept the pictures: Amazon says so in `error`, Stability in
 * `finish_reasons`
 */
function decodeImages(response: WireResponse): ImageResponse {
  const whole = parseJson(bodyText(response))
  const kept = isJsonObject(whole) ? reasonKept(whole) : undefined
  if (kept !== undefined)
    throw new GatewayError('content_policy', `answered ${response.status} without a picture: ${kept}`, {
      upstreamStatus: 400,
    })
  const body = readAnswer(response, EXPECTED)
  const listed = body['images']
  const images = Array.isArray(listed) ? listed.flatMap((one: Json) => textOf(one) ?? []) : []
  if (images.length === 0) throw notAnAnswer(response, body, EXPECTED)
  return {
    images: images.length,
    whole: { created: answeredAt(response), data: images.map((image) => ({ b64_json: image })) },
  }
}

function reasonKept({ error, finish_reasons: reasons }: JsonObject): string | undefined {
  const listed: readonly Json[] = Array.isArray(reasons) ? reasons : []
  return [error, ...listed].flatMap((one) => textOf(one) ?? []).find((text) => FILTERED.test(text))
}
