import type { Usage } from '../../core/answer-facts.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import type { Line } from '../../providers/call.ts'
import type { surfaceFace } from '../../providers/surfaces.ts'
import type { AnswerHeaders } from '../answer/answer-head.ts'
import type { Limits, Stream, StreamSink } from '../road.ts'
import type { Dictionary } from './own-words.ts'
import type { Places } from './placed.ts'
import type { CountText } from './text-counter.ts'

/** A face of the providers for one surface. */
export type NativeFace = NonNullable<ReturnType<typeof surfaceFace>>

/** Another API in front of a mode's deployments. */
export interface Surface {
  /** Deployments whose provider speaks it are asked there in its own words. */
  readonly face: Parameters<typeof surfaceFace>[1]
  /** What the others lack, for a sentence: "its provider has no …". */
  readonly what: string
  /** For all others, by the mode's own words; absent: they cannot do it, unless `make` can. */
  readonly words?: SurfaceWords
  /** Answers for all others here, in the surface's words: what it takes is no work of the model's. */
  readonly make?: (body: JsonObject, line: Line, ground: WordsGround & { readonly isMocked: boolean }) => Make
  /** What a body must have unless the deployment's defaults have it, under one of these names. */
  readonly demands?: { readonly name: string; readonly settledBy: readonly string[] }
  /** A client's headers that providers who speak it read. */
  readonly passedHeaders?: readonly string[]
  /** How streams of it say what one looks for; absent: it has none. */
  readonly stream?: StreamSigns
  /** Members of the body that ask about what one deployment keeps. */
  readonly remembers?: 'response'
  /** Does the body ask for what only a provider who speaks it can do? Then those are asked, where a group has any. */
  readonly wantsNative?: (body: Buffer, spans: JsonSpans) => boolean
}

/** Gives an answer. */
export type Make = (limits: Limits, sink: StreamSink, means: MakeMeans) => Stream

/** What an answer is made with. */
export interface MakeMeans {
  readonly countText: CountText
  readonly tell: TellRoute
}

/** Changes what the head of an answer says of how it was come by; to be called before it. */
export type TellRoute = (change: (route: AnswerHeaders) => AnswerHeaders) => void

/** How a surface's words become the mode's, and back. */
export interface SurfaceWords {
  /**
   * @throws GatewayError bad_request (400, the client's doing) for what cannot be said in the mode's words at all
   */
  request(body: JsonObject, ground: WordsGround, isStream: boolean): Spoken
  answer(asked: JsonObject, ground: AnswerGround): AnswerWords
  /** What the surface calls the mode's members, where those are named to a client. */
  dictionary(asked: JsonObject): Dictionary
}

/** What is known of whoever is asked. */
export interface WordsGround {
  /** The model behind the deployment: it decides how some things are named. */
  readonly knownModel: string
  /** The body is passed on to who reads OpenAI's own words; else a codec reads the neutral form, which holds more. */
  readonly isRelayed: boolean
  /** It reads Anthropic's `thinking`, and a mark of caches on the whole, as they are written. */
  readonly readsThinking?: boolean
  /** It refuses a `top_k`. */
  readonly lacksTopK?: boolean
  /** Told where in the client's words the parts of the chat were said. */
  readonly places?: Places
}

/** What an answer is written with. */
export interface AnswerGround {
  readonly line: Line
  /** Seconds since 1970. */
  readonly now: number
}

/** A request in the mode's words. */
export interface Spoken {
  readonly body: JsonObject
  /** The client's members that nothing there stands for, and without which the answer would be to another question. */
  readonly lost: readonly string[]
  /** The same of what only has to do with cost, or with how an answer comes: named, and never refused. */
  readonly hints?: readonly string[]
  /** Members of `body` that whoever cannot be told them fulfils all the same. */
  readonly wishes?: readonly string[]
}

/** How members of a translated body are spoken of to the client. */
export interface Wording {
  /** What the client calls what stands at a path. */
  own(path: string): string
  /** Nobody is told that these were left out. */
  readonly wishes: readonly string[]
}

/** Writes answers in a surface's words. */
export interface AnswerWords {
  /** @throws GatewayError wrong_shape */
  whole(answer: JsonObject): JsonObject
  openStream(): EventWriter
}

/** Turns the mode's events into a surface's. */
export interface EventWriter {
  /** Text of the events that this one becomes; may be empty. @throws GatewayError wrong_shape */
  push(chunk: JsonObject): string
  /** The last events of a stream that ended well. */
  end(): string
  /**
   * The last events of one that failed, in the surface's own form of an answer; empty where it has not begun. Absent: a
   * failure is told as an error, and not as an answer.
   */
  failed?(error: GatewayError): string
}

/** What one looks for in a surface's own streams. */
export interface StreamSigns {
  /** Fits lines that may hold any of it, and no others if it can be helped. */
  readonly telling: RegExp
  /** Fits a line that ends an answer in order; absent: the end is not said. */
  readonly last?: RegExp
  /** What an event says the answer has cost; undefined where it says nothing. */
  usage(event: JsonObject): Partial<Usage> | undefined
  /** The error that an event is; undefined for all others. */
  error(event: JsonObject): JsonObject | undefined
}
