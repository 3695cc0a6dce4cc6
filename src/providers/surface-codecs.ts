import { GatewayError } from '../core/failure.ts'
import { isJsonObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { scanObject } from '../core/json-spans.ts'
import type { ChatRequest, ChatResponse, SurfaceMode } from '../core/mode.ts'
import type { WireResponse } from '../transport/wire.ts'
import type { Codec, Target } from './adapter.ts'
import { notAnAnswer, numberOf, readAnswer, textOf } from './answer.ts'
import type { Line } from './call.ts'
import type { SurfaceFace } from './surface-face.ts'
import type { SurfaceName } from './surface-name.ts'
import { fittedBody, surfaceFace, surfaceRequest } from './surfaces.ts'

/** Which surface a mode of LiteLLM's means. */
const SURFACES: Readonly<Record<SurfaceMode, SurfaceName>> = {
  responses: 'responses',
  anthropic_messages: 'messages',
}

/** How a short chat is asked for, and its answer read, at a surface. */
interface SurfaceWords {
  request(messages: ChatRequest['messages'], budget: number | undefined, rest: JsonObject): JsonObject
  read(response: WireResponse, target: Target): ChatResponse
}

/** The line with a surface's words for a chat, as a probe needs them; itself where its provider does not speak them. */
export function asSurface(line: Line, mode: SurfaceMode): Line {
  const face = surfaceFace(line, SURFACES[mode])
  if (face === undefined) return line
  const { adapter } = line
  return {
    ...line,
    adapter: { ...adapter, codecs: { ...adapter.codecs, chat: surfaceCodec(face, WORDS[mode]) } },
  }
}

const NO_HEADERS = {}

/** A chat in a surface's words, sent as traffic is. */
function surfaceCodec(face: SurfaceFace, words: SurfaceWords): Codec<'chat'> {
  return {
    encode: (request, target) => {
      const { messages, max_tokens: most, max_completion_tokens: mostOfAll, ...rest } = request
      const asked = Buffer.from(JSON.stringify(words.request(messages, most ?? mostOfAll, rest)))
      const { body, spans } = fittedBody(face, target, asked, scanObject(asked), NO_HEADERS)
      return surfaceRequest(face, target, body, spans, NO_HEADERS).wire
    },
    decode: (response, target) => words.read(response, target),
  }
}

const WORDS: Readonly<Record<SurfaceMode, SurfaceWords>> = {
  responses: {
    request: (input, budget, { reasoning_effort: effort, ...rest }) => ({
      ...rest,
      input,
      ...(budget !== undefined && { max_output_tokens: budget }),
      ...(effort !== undefined && { reasoning: { effort } }),
      // Nobody asks for a probe again.
      store: false,
    }),
    read: readResponse,
  },
  anthropic_messages: {
    // Anthropic answers nobody who names no budget.
    request: (messages, budget = 16, rest) => ({ ...rest, messages, max_tokens: budget }),
    read: readMessage,
  },
}

const EXPECTED_RESPONSE = 'a response with an "output" array'

/** Proof of life: an output that holds something, or a response that its budget cut off before that. */
function readResponse(response: WireResponse, target: Target): ChatResponse {
  const body = readAnswer(response, EXPECTED_RESPONSE)
  const { output, status } = body
  if (body['object'] !== 'response' || !Array.isArray(output) || status === 'failed')
    throw notAnAnswer(response, body, EXPECTED_RESPONSE)
  const isCut = status === 'incomplete'
  const parts = output.flatMap((item: Json) => (isJsonObject(item) ? [item] : []))
  if (parts.length === 0 && !isCut) throw silent(response)
  const text = parts.flatMap((item) => textsOf(item['content'])).join('')
  return asChat(body, target, text, isCut ? 'length' : 'stop')
}

const EXPECTED_MESSAGE = 'a message with a "content" array'

/** Proof of life: a block, or a message that its budget cut off before that. */
function readMessage(response: WireResponse, target: Target): ChatResponse {
  const body = readAnswer(response, EXPECTED_MESSAGE)
  const { content, type, stop_reason: stop } = body
  if (type !== 'message' || !Array.isArray(content)) throw notAnAnswer(response, body, EXPECTED_MESSAGE)
  const isCut = stop === 'max_tokens'
  if (content.length === 0 && !isCut && stop !== 'refusal') throw silent(response)
  return asChat(body, target, textsOf(content).join(''), isCut ? 'length' : 'stop')
}

function silent({ status }: WireResponse): GatewayError {
  return new GatewayError('empty', `answered ${status} with a message that says nothing`)
}

function textsOf(parts: Json | undefined): readonly string[] {
  if (!Array.isArray(parts)) return []
  return parts.flatMap((part: Json) => (isJsonObject(part) ? [textOf(part['text']) ?? ''] : []))
}

function asChat(body: JsonObject, target: Target, content: string, finish: string): ChatResponse {
  const { id, model, created_at: created, usage } = body
  return {
    id: textOf(id) ?? '',
    object: 'chat.completion',
    created: numberOf(created) ?? 0,
    model: textOf(model) ?? target.model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
    ...(isJsonObject(usage) && { usage }),
  }
}
