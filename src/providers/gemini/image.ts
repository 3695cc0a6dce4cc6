import { entryOf } from '../../core/entry-of.ts'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ImageRequest, ImageResponse } from '../../core/mode.ts'
import type { WireResponse } from '../../transport/wire.ts'
import type { Codec, Target } from '../adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { blockedPrompt, finishReason } from './finish.ts'
import type { Surface } from './surface.ts'

/**
 * Images: Imagen by `:predict` (https://ai.google.dev/gemini-api/docs/imagen), models that also talk by
 * `generateContent` (https://ai.google.dev/gemini-api/docs/image-generation).
 */
export function geminiImage(surface: Surface): Codec<'image_generation'> {
  return {
    encode: (request, target) => {
      const { method, body, dropped } = isImagen(target)
        ? toImagen(request, target)
        : toNative(request, target)
      return { ...postJson(surface.url(target, method), body), ...(dropped.length > 0 && { dropped }) }
    },
    decode: (response, target) => (isImagen(target) ? readImagen(response) : readNative(response)),
  }
}

function isImagen({ model }: Target): boolean {
  return /(^|\/)(imagen|imagegeneration)/.test(model)
}

interface Said {
  readonly method: string
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/** What both ways read alike. */
interface Wanted {
  readonly prompt: Json | undefined
  readonly count: number
  readonly shape: JsonObject
  readonly type?: string
  readonly rest: JsonObject
  readonly dropped: readonly string[]
}

/** The shapes that can be asked for, by width : height. */
const IMAGEN_SHAPES = new Set(['1:1', '3:4', '4:3', '9:16', '16:9'])
const NATIVE_SHAPES = new Set([...IMAGEN_SHAPES, '2:3', '3:2', '4:5', '5:4', '21:9'])

/** Whatever says no more than what is done anyway. */
const USUAL: Readonly<Record<string, readonly Json[]>> = {
  background: ['auto', 'opaque'],
  moderation: ['auto'],
  quality: ['auto', 'standard'],
  response_format: ['b64_json'],
  style: [],
  output_compression: [],
}

function wanted(request: ImageRequest, target: Target, shapes: ReadonlySet<string>): Wanted {
  const filled = withDefaults('image_generation', request, target.bodyDefaults)
  const { prompt, n, size, output_format: format, model: _, user: __, stream: ___, ...others } = filled
  const dropped = Object.entries(USUAL).flatMap(([name, usual]) => {
    const value = others[name]
    return value === undefined || value === null || usual.includes(value) ? [] : [name]
  })
  const shape = shapeOf(size)
  const isKnown = shape === undefined || shapes.has(shape)
  return {
    prompt,
    count: numberOf(n) ?? 1,
    shape: shape !== undefined && isKnown ? { aspectRatio: shape } : {},
    ...(typeof format === 'string' && { type: format === 'jpg' ? 'image/jpeg' : `image/${format}` }),
    rest: Object.fromEntries(Object.entries(others).filter(([name]) => !Object.hasOwn(USUAL, name))),
    dropped: [...dropped, ...(isKnown ? [] : ['size'])],
  }
}

/** `1792x1024` is asked for as 16:9: OpenAI's sizes are near the shapes that have names. */
const NEAR: Readonly<Record<string, string>> = { '7:4': '16:9', '4:7': '9:16', '10:7': '4:3', '7:10': '3:4' }

/** The shape of a size; undefined where any will do. Sizes in pixels cannot be asked for. */
function shapeOf(size: Json | undefined): string | undefined {
  if (size === undefined || size === null || size === 'auto') return undefined
  const [, width = '0', height = '0'] = /^(\d+)[x:](\d+)$/.exec(textOf(size) ?? '') ?? []
  const divisor = greatest(Number(width), Number(height))
  if (divisor === 0) return NO_SHAPE
  const exact = `${Number(width) / divisor}:${Number(height) / divisor}`
  return entryOf(NEAR, exact) ?? exact
}

/** What is no size at all is no shape that anybody knows. */
const NO_SHAPE = 'none'

function greatest(one: number, other: number): number {
  return other === 0 ? one : greatest(other, one % other)
}

function toImagen(request: ImageRequest, target: Target): Said {
  const { prompt, count, shape, type, rest, dropped } = wanted(request, target, IMAGEN_SHAPES)
  return {
    method: 'predict',
    body: {
      instances: [{ prompt }],
      parameters: {
        ...rest,
        sampleCount: count,
        ...shape,
        ...(type !== undefined && { outputOptions: { mimeType: type } }),
      },
    },
    dropped,
  }
}

/** One picture a request, in a form that the model chooses. */
function toNative(request: ImageRequest, target: Target): Said {
  const { prompt, count, shape, type, rest, dropped } = wanted(request, target, NATIVE_SHAPES)
  return {
    method: 'generateContent',
    body: {
      ...rest,
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        ...(Object.keys(shape).length > 0 && { imageConfig: shape }),
      },
    },
    dropped: [
      ...dropped,
      ...(count === 1 ? [] : ['n']),
      ...(type === undefined || type === 'image/png' ? [] : ['output_format']),
    ],
  }
}

const IMAGEN_EXPECTED = '"bytesBase64Encoded" in "predictions"'

/** `{predictions: [{mimeType, bytesBase64Encoded, prompt}]}`; what was filtered out has a reason in place of bytes. */
function readImagen(response: WireResponse): ImageResponse {
  const body = readAnswer(response, IMAGEN_EXPECTED)
  const listed = objects(body['predictions'])
  const images = listed.flatMap((one): JsonObject[] => {
    const bytes = textOf(one['bytesBase64Encoded'])
    if (bytes === undefined || bytes === '') return []
    const revised = textOf(one['prompt'])
    return [{ b64_json: bytes, ...(revised !== undefined && { revised_prompt: revised }) }]
  })
  if (images.length > 0) return imagesOf(response, images)
  const reason = listed.map((one) => textOf(one['raiFilteredReason'])).find((one) => one !== undefined)
  if (reason !== undefined) throw filtered(reason)
  throw notAnAnswer(response, body, IMAGEN_EXPECTED)
}

const NATIVE_EXPECTED = 'an image in "inlineData"'

function readNative(response: WireResponse): ImageResponse {
  const body = readAnswer(response, NATIVE_EXPECTED)
  const blocked = blockedPrompt(body)
  if (blocked !== undefined) throw blocked
  const candidates = objects(body['candidates'])
  const images = candidates.flatMap((candidate) => {
    const content = candidate['content']
    return objects(isJsonObject(content) ? content['parts'] : undefined).flatMap((part): JsonObject[] => {
      const inline = part['inlineData']
      const bytes = isJsonObject(inline) ? textOf(inline['data']) : undefined
      return bytes === undefined || bytes === '' || part['thought'] === true ? [] : [{ b64_json: bytes }]
    })
  })
  if (images.length > 0) return imagesOf(response, images, body['usageMetadata'])
  const [candidate] = candidates
  const finish = candidate === undefined ? null : finishReason(candidate, { isSilent: true, hasCalls: false })
  if (finish === 'content_filter') throw filtered(textOf(candidate?.['finishReason']) ?? finish)
  throw notAnAnswer(response, body, NATIVE_EXPECTED)
}

function imagesOf(response: WireResponse, data: readonly JsonObject[], usage?: Json): ImageResponse {
  const at = Date.parse(response.headers['date'] ?? '')
  const created = Number.isNaN(at) ? 0 : Math.floor(at / 1_000)
  return { images: data.length, whole: { created, data, ...tokensOf(usage) } }
}

/** https://platform.openai.com/docs/api-reference/images/object: `usage` */
function tokensOf(usage: Json | undefined): JsonObject {
  if (!isJsonObject(usage)) return {}
  const read = numberOf(usage['promptTokenCount']) ?? 0
  const written =
    (numberOf(usage['candidatesTokenCount']) ?? 0) + (numberOf(usage['thoughtsTokenCount']) ?? 0)
  return { usage: { input_tokens: read, output_tokens: written, total_tokens: read + written } }
}

function filtered(reason: string): GatewayError {
  return new GatewayError('content_policy', `no image was let through: ${reason}`, { upstreamStatus: 400 })
}

function objects(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
