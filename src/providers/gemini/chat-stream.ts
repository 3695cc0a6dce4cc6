import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { ChatChunk } from '../../core/mode.ts'
import { createSseParser } from '../../transport/sse.ts'
import type { StreamDecoder, Target } from '../adapter.ts'
import { numberOf, textOf } from '../answer.ts'
import { kindOf, kindOfCodes } from '../classify.ts'
import { errorIn } from '../error-facts.ts'
import { annotationsOf } from './annotations.ts'
import { signatureField, wordsOf } from './candidate.ts'
import { blockedPrompt, finishReason, logprobsOf, usageOf } from './finish.ts'
import { eachOf } from '../each-of.ts'

/** What has come of one candidate so far. */
interface Progress {
  text: string
  calls: number
  images: number
  isSilent: boolean
  isFinished: boolean
}

/** What has come of the whole stream. */
interface Course {
  readonly candidates: Map<number, Progress>
  id: string
  model: string
  created: number
  usage: Json | undefined
}

/**
 * The stream of `streamGenerateContent?alt=sse` as OpenAI's chunks. Each event is a whole `GenerateContentResponse` with
 * what is new; nothing follows the last one (https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent).
 */
export function openGeminiStream(target: Target): StreamDecoder<ChatChunk> {
  const parser = createSseParser()
  const course: Course = { candidates: new Map(), id: '', model: target.model, created: 0, usage: undefined }
  const read = ({ data }: { readonly data: string }): readonly ChatChunk[] =>
    data === '[DONE]' ? [] : chunksOf(data, course)
  return {
    push: (bytes) => eachOf(parser.push(bytes), read),
    end: () => {
      const chunks = parser.end().flatMap(read)
      const all = [...course.candidates.values()]
      if (all.length === 0 || !all.every(({ isFinished }) => isFinished))
        throw new GatewayError('cut', 'the stream ended before its last event')
      const usage = usageOf(course.usage)
      return usage.usage === undefined ? chunks : [...chunks, { ...chunk(course, []), ...usage }]
    },
  }
}

/** More candidates than anybody may ask for are no answer. */
const MAX_CANDIDATES = 128

function chunksOf(data: string, course: Course): readonly ChatChunk[] {
  const event = parseJson(data)
  if (!isJsonObject(event))
    throw new GatewayError('wrong_shape', 'the stream holds an event that is no JSON object')
  throwIfBroken(event)
  course.id = textOf(event['responseId']) ?? course.id
  course.model = textOf(event['modelVersion']) ?? course.model
  course.created = secondsOf(event['createTime']) ?? course.created
  course.usage = event['usageMetadata'] ?? course.usage
  const candidates = event['candidates']
  return Array.isArray(candidates)
    ? candidates.filter(isJsonObject).flatMap((one, at) => candidateChunks(one, at, course))
    : []
}

/** Seconds since 1970 of Vertex AI's `createTime`. */
export function secondsOf(time: Json | undefined): number | undefined {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.floor(at / 1_000)
}

function throwIfBroken(event: JsonObject): void {
  const blocked = blockedPrompt(event)
  if (blocked !== undefined) throw blocked
  if (event['error'] === undefined) return
  const facts = errorIn(event) ?? { text: 'no reason given', codes: [] }
  throw new GatewayError(
    facts.status === undefined ? kindOfCodes(facts) : kindOf(facts.status, facts),
    `the stream broke off with an error: ${facts.text}`,
  )
}

function candidateChunks(candidate: JsonObject, at: number, course: Course): readonly ChatChunk[] {
  const index = numberOf(candidate['index']) ?? at
  const known = course.candidates.get(index)
  if (known === undefined && course.candidates.size >= MAX_CANDIDATES)
    throw new GatewayError('wrong_shape', `the stream holds more than ${MAX_CANDIDATES} answers`)
  const progress = known ?? { text: '', calls: 0, images: 0, isSilent: true, isFinished: false }
  course.candidates.set(index, progress)
  const delta = deltaOf(candidate, index, progress, course)
  const logprobs = logprobsOf(candidate['logprobsResult'])
  const chunks: ChatChunk[] = []
  if (Object.keys(delta).length > 0 || logprobs !== null) {
    const role = known === undefined ? { role: 'assistant', content: '' } : {}
    chunks.push(chunk(course, [{ index, delta: { ...role, ...delta }, logprobs, finish_reason: null }]))
  }
  const { isSilent, calls } = progress
  const finish = finishReason(candidate, { isSilent, hasCalls: calls > 0 })
  if (finish !== null && !progress.isFinished) {
    progress.isFinished = true
    chunks.push(chunk(course, [{ index, delta: {}, logprobs: null, finish_reason: finish }]))
  }
  return chunks
}

/** What is new in an event. */
function deltaOf(candidate: JsonObject, index: number, progress: Progress, course: Course): JsonObject {
  const content = candidate['content']
  const { calls: earlier, images: shown } = progress
  const words = wordsOf(isJsonObject(content) ? content['parts'] : undefined, {
    responseId: course.id,
    candidate: index,
    calls: earlier,
    images: shown,
  })
  progress.text += words.text
  progress.calls += words.calls.length
  progress.images += words.images.length
  const annotations = annotationsOf(candidate, progress.text)
  const delta = {
    ...(words.text !== '' && { content: words.text }),
    ...(words.reasoning !== '' && { reasoning_content: words.reasoning }),
    ...(words.calls.length > 0 && {
      tool_calls: words.calls.map((call, at) => ({ index: earlier + at, ...call })),
    }),
    ...(words.images.length > 0 && { images: words.images }),
    ...(annotations.length > 0 && { annotations }),
  }
  if (Object.keys(delta).length > 0) progress.isSilent = false
  return { ...delta, ...signatureField(words.signature) }
}

function chunk(course: Course, choices: readonly JsonObject[]): ChatChunk {
  const { id, created, model } = course
  return { id, object: 'chat.completion.chunk', created, model, choices }
}
