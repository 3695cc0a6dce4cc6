import type { JsonObject } from '../../core/json.ts'
import type { HttpMode, Operations, SentFile, SideRoute } from '../../core/mode.ts'
import type { StreamSigns, Surface } from '../surfaces/surface.ts'

/** One thing that a client can ask a model to do by JSON or a form: everything in which it differs from the others. */
export interface Operation<M extends HttpMode = HttpMode> {
  readonly mode: M
  /** Present where the mode's deployments serve it beside the mode's own route. */
  readonly side?: SideRoute
  /** Present where it is asked for in another API's words. */
  readonly surface?: Surface
  /** What a request may be; default: JSON. */
  readonly accepts?: 'json' | 'form' | 'either'
  /** LiteLLM's name of the route, which its error sentences start with. */
  readonly route: string
  /** Members without which nothing is sent. What else a body needs is for the provider to say. */
  readonly required: readonly RequiredMember[]
  /** Does `"stream": true` ask for events? Elsewhere such a member is passed on like any other. `always`: the route does. */
  readonly streams: boolean | 'always'
  readonly answer: AnswerShape
  /** Asked for twice it is paid for twice, dearly: only what was surely not done is tried again. */
  readonly isCostly?: boolean
  /** For providers that have the mode in words of their own; absent: there is none, every codec relays. */
  readonly translation?: Translation<M>
}

/** A member that a body must have. */
export interface RequiredMember {
  readonly name: string
  readonly isArray?: boolean
  /** Another member that does as well. */
  readonly or?: string
}

/**
 * What makes a 2xx an answer: a JSON object with a filled list of that name, a transcript (a JSON object with a text
 * of that name, or bare text), or sound.
 */
export type AnswerShape =
  | {
      readonly kind: 'object'
      readonly proof: string
      /** Its streams say when they are complete, by `[DONE]` or a `finish_reason` of each choice: without either they were cut off. */
      readonly saysEnd?: boolean
      /** Its list may be empty, or no list at all: that it is there, and no error, makes the answer. */
      readonly isLoose?: boolean
      /** A member that does as well. */
      readonly orProof?: string
      /** One that a content filter has ended, a stream before any content, is none: somebody else is to be asked. */
      readonly heedsFilter?: boolean
      /** How its streams say what one looks for; absent: as OpenAI's. */
      readonly signs?: StreamSigns
    }
  | { readonly kind: 'transcript'; readonly proof: string }
  | { readonly kind: 'sound' }

/** An answer that may be something else than JSON. */
export type BareShape = Exclude<AnswerShape, { readonly kind: 'object' }>

/** An answer that is no JSON. */
export interface Sound {
  readonly contentType: string
  readonly bytes: Uint8Array
}

/** Writes events. */
export interface EventJson<Event> {
  json(event: Event): string
  /** The text that an event adds, where it says nothing else. */
  text?(event: Event): string | undefined
}

/** How OpenAI's words become the neutral request, and a decoded answer OpenAI's words again. */
export interface Translation<M extends HttpMode = HttpMode> {
  /**
   * `file` is that of a form, whose fields are the body.
   * @throws GatewayError bad_request (400, the client's doing) for a body that no provider could be asked with
   */
  read(body: JsonObject, file?: SentFile): Operations[M]['request']
  /** The answer in the form that this request asked for: JSON, or sound. */
  answer(value: Operations[M]['response'], request: Operations[M]['request']): JsonObject | Sound
  /** Is this event for who sent that request? */
  isWanted(event: Operations[M]['event'], request: Operations[M]['request']): boolean
  /** Does this event say that the stream is alive, and nothing else? */
  isPing?(event: Operations[M]['event']): boolean
  /** Writes the events of one stream; absent: as they are. */
  writer?(): EventJson<Operations[M]['event']>
  /** A whole answer as the events of a stream, for providers that do not stream. */
  events?(value: Operations[M]['response']): readonly Operations[M]['event'][]
}
