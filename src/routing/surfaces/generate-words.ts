import { isJsonObject, parseJson } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { ChatUsage } from './chat-answer.ts'
import { memberOf, textOf } from './read-json.ts'

/** The members of an object by the names of Google's JSON: protocol buffers take `snake_case` as well. */
export function camelled(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )
}

/** The member of an object under either name; an empty object where there is none. */
export function objectIn(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? camelled(value) : {}
}

/** Why the model stopped (https://ai.google.dev/api/generate-content#FinishReason). */
export function finishReason(finish: string | undefined, isRefused: boolean): string {
  if (finish === 'length') return 'MAX_TOKENS'
  // Calls of functions are how an answer may end well.
  return finish === 'content_filter' || isRefused ? 'SAFETY' : 'STOP'
}

/** Google counts thoughts beside what is said, OpenAI within it (https://ai.google.dev/api/generate-content#UsageMetadata). */
export function usageMetadata({ prompt, completion, cached, reasoning }: ChatUsage): JsonObject {
  return {
    promptTokenCount: prompt,
    ...(cached > 0 && { cachedContentTokenCount: cached }),
    candidatesTokenCount: Math.max(completion - reasoning, 0),
    ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
    totalTokenCount: prompt + completion,
  }
}

/** What every event and every answer has besides its candidates. */
export function responseOf(
  { id, model }: { readonly id: string; readonly model: string },
  candidates: readonly JsonObject[],
  usage: ChatUsage | undefined,
): JsonObject {
  return {
    candidates,
    ...(usage !== undefined && { usageMetadata: usageMetadata(usage) }),
    modelVersion: model,
    responseId: id,
  }
}

/** What the model says. Clients read the first part unseen. */
export function contentOf(parts: readonly JsonObject[]): JsonObject {
  return { role: 'model', parts: parts.length > 0 ? parts : [{ text: '' }] }
}

/** Pictures that a model made, of whom has a place for them. */
export function pictureParts(images: Json | undefined): readonly JsonObject[] {
  if (!Array.isArray(images)) return []
  return images.flatMap((image: Json) => {
    const url = textOf(memberOf(memberOf(image, 'image_url'), 'url')) ?? ''
    const [, mimeType, data] = /^data:([\w/+.-]+);base64,(.+)$/.exec(url) ?? []
    return data === undefined ? [] : [{ inlineData: { mimeType, data } }]
  })
}

/** Probabilities (https://ai.google.dev/api/generate-content#LogprobsResult); undefined where there are none. */
export function logprobsResult(content: readonly Json[]): JsonObject | undefined {
  if (content.length === 0) return undefined
  return {
    chosenCandidates: content.map(tokenOf),
    topCandidates: content.map((each) => {
      const top = memberOf(each, 'top_logprobs')
      return { candidates: Array.isArray(top) ? top.map(tokenOf) : [] }
    }),
  }
}

function tokenOf(each: Json): JsonObject {
  return { token: memberOf(each, 'token') ?? '', logProbability: memberOf(each, 'logprob') ?? 0 }
}

/**
 * What stands where Google's signature would: its third generation refuses calls without one, and a later turn may be
 * its to answer (https://ai.google.dev/gemini-api/docs/thought-signatures, "FAQs").
 */
const NO_SIGNATURE = 'skip_thought_signature_validator'

/**
 * The signature of a turn's first call. Claude wants what it thought before a call back as it was; clients hand signatures
 * back unread, so the thoughts travel in it.
 */
export function signatureOf(thoughts: readonly JsonObject[]): string {
  return thoughts.length === 0 ? NO_SIGNATURE : Buffer.from(JSON.stringify(thoughts)).toString('base64')
}

/** The thoughts in a signature; undefined where it is not one of ours. */
export function thoughtsIn(signature: Json | undefined): readonly JsonObject[] | undefined {
  if (typeof signature !== 'string' || !OUR_SIGNATURE.test(signature)) return undefined
  const blocks = parseJson(Buffer.from(signature, 'base64').toString())
  return Array.isArray(blocks) ? blocks.filter(isThought) : undefined
}

/** `[{"` in base64. */
const OUR_SIGNATURE = /^W3si/

function isThought(block: unknown): block is JsonObject {
  return isJsonObject(block) && (block['type'] === 'thinking' || block['type'] === 'redacted_thinking')
}
