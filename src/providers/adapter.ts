import type { Deployment, Misconfiguration } from '../core/deployment.ts'
import type { GatewayError } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { BodyEdits, JsonSpans } from '../core/json-spans.ts'
import type { ChatRequest, HttpMode, Mode, Operations, SideRoute } from '../core/mode.ts'
import type { Secret } from '../core/secret.ts'
import type { WireRequest, WireResponse } from '../transport/wire.ts'
import type { AuthGround } from './auth/ground.ts'
import type { RealtimeFace } from './realtime-face.ts'
import type { RealtimeKeysFace } from './realtime-keys-face.ts'
import type { ResidenceFace } from './residence.ts'
import type { SurfaceFace } from './surface-face.ts'
import type { SurfaceName } from './surface-name.ts'

/** Where a deployment's requests go, resolved from config and environment. Holds no secret. */
export interface Target {
  readonly provider: string
  /** The model in the provider's words. */
  readonly model: string
  /** Base URL without a trailing slash and without a query. */
  readonly base: string
  readonly apiVersion?: string
  /** Where a provider's names depend on it: AWS's ARNs. */
  readonly region?: string
  /** The claude behind a name that does not tell; false: it is not to be asked in Anthropic's own words. */
  readonly claude?: string | false
  /** The deployment's defaults for JSON bodies. */
  readonly bodyDefaults: JsonObject
}

/** A request in a provider's words. */
export interface Encoded extends WireRequest {
  /** Members of the request, in OpenAI's names, that this provider cannot be told and whose loss changes the answer. */
  readonly dropped?: readonly string[]
}

/** The next request of a call that takes several. */
export interface NextRequest {
  readonly request: WireRequest
  /** How long to wait before it, milliseconds. */
  readonly afterMs: number
  /** Present where its answer is the stream that `openStream` reads; only that of step 0 may be. */
  readonly stream?: StreamedStep
}

/** What is to be known of a stream that is the answer of a later request. */
export interface StreamedStep {
  /** True: it is on another host than the deployment's, which gets no credentials. */
  readonly isKeyless: boolean
  /** Asked once the stream is over, for what it does not say: the decoder's `lastly` reads the answer. */
  readonly lastly?: WireRequest
}

/** One mode in one provider's words. Pure; never writes to its arguments (a retry encodes again). */
export interface Codec<M extends HttpMode> {
  /** Of a mode that only some of a provider's models have: is this one of them? Absent: all are. */
  readonly serves?: (target: Target) => boolean
  /** Those models in words. */
  readonly servedModels?: string
  /** @throws GatewayError bad_request (the client's doing) for what cannot be said at all */
  encode(request: Operations[M]['request'], target: Target): Encoded
  /**
   * Of a picture or document that a chat names by its http(s) URL: does the provider need its bytes? They are fetched
   * before `encode`, which then finds a `data:` URL in that place.
   */
  readonly inlines?: (url: string, target: Target) => boolean
  /** The member of the body in which the provider looks for what only some models know. Absent: the body itself. */
  readonly strangersIn?: (target: Target) => string | undefined
  /** Does it read Anthropic's `thinking`, and its `cache_control` on the whole of a request, as they are written? */
  readonly readsThinking?: (target: Target) => boolean
  /** Does it read `anthropic_beta` in a chat's body, in which what the client's header asks for is told too? */
  readonly readsBetas?: (target: Target) => boolean
  /** Does it refuse the `top_k` that OpenAI's chat does not have, and most who speak its words do? */
  readonly lacksTopK?: (target: Target) => boolean
  /**
   * Reads a 2xx answer.
   * @throws GatewayError empty, wrong_shape, server_error (an error inside a 200), content_policy
   */
  decode(response: WireResponse, target: Target): Operations[M]['response']
  /**
   * Present where one call takes several requests: what is to be sent after this 2xx; undefined where it is the answer,
   * or none that this provider gives. `step` is 0 after the first. Never throws: what is strange is for `decode` to name.
   */
  next?(
    response: WireResponse,
    request: Operations[M]['request'],
    target: Target,
    step: number,
  ): NextRequest | undefined
  /** What ends the work that this first 2xx began, for it would go on though nobody waits; undefined: nothing has to. */
  abandon?(first: WireResponse, target: Target): WireRequest | undefined
  /** True: a 2xx is what OpenAI's clients expect, byte by byte; it reaches them as it comes. */
  readonly answersAsIs?: true
  /** Present where the provider's stream must be translated; `first` is the call's first answer where it takes several. */
  openStream?(target: Target, first?: WireResponse): StreamDecoder<Operations[M]['event']>
  /** Present where a client's body needs no translation, only edits at its top level. */
  readonly relay?: RelayFace
  /** Where only some of a provider's models take OpenAI's words: are bodies for this one relayed? Default: all are. */
  readonly isRelayed?: (target: Target) => boolean
  /** The same for the routes beside the mode's own. */
  readonly sides?: { readonly [S in SideRoute]?: RelayFace }
}

/** How to pass a client's request on without parsing it. */
export interface RelayFace {
  url(target: Target): string
  /**
   * Can this JSON body be passed on with edits at its top level, and will its answer be OpenAI's? Where not, it is
   * translated. Absent: always.
   */
  takes?(target: Target, body: Buffer, spans: JsonSpans): boolean
  /** The `accept` header; default JSON. */
  readonly accept?: string
  edits(target: Target): BodyEdits
  /** Headers that every such request has besides. */
  readonly headers?: Readonly<Record<string, string>>
  /** Members that this provider knows by another name: old → new. The value is carried over unread. */
  readonly renames?: Readonly<Record<string, string>>
}

/** A push parser: bytes in any split → events. */
export interface StreamDecoder<Event> {
  push(bytes: Uint8Array): readonly Event[]
  end(): readonly Event[]
  /**
   * Present where events whose bytes are equal but for a text, which stands in both as it is, mean the same but for that
   * text. Told of each that was passed on unread: how many characters its text has.
   */
  readonly passed?: (chars: number) => void
  /** What the answer to a step's `lastly` adds. Never throws: where it says nothing, nothing is added. */
  lastly?(response: WireResponse): readonly Event[]
}

/** Adds credentials and the deployment's own headers; runs last, for it may sign the body. */
export type Authorize = (request: WireRequest, ground: AuthGround) => WireRequest | Promise<WireRequest>

/** A deployment that can be called. */
export interface Connected {
  readonly target: Target
  readonly authorize: Authorize
  /** Every secret that `authorize` writes, wherever it came from, so that echoes of it can be blotted out. */
  readonly secrets: readonly Secret[]
  /** Secrets that became known after the start: tokens. Another list whenever there are others. */
  readonly freshSecrets?: () => readonly Secret[]
}

/** Where a provider keeps files and batches; what it says of them is in OpenAI's words. */
export interface ObjectsFace {
  /** The URL of a path below the base: `/files`, `/batches/{id}/cancel`, … */
  url(target: Target, path: string): string
}

/** The routes that hand out a key for one realtime session. */
export type RealtimeKeyRoute = 'client_secrets' | 'sessions' | 'transcription_sessions'

/** A request for any route of a provider, as its own clients write it. */
export interface PassedPath {
  readonly method: WireRequest['method']
  /** With its first slash and without a query. */
  readonly path: string
  /**
   * Present where the path names a group of the config's: what stands in that name's place, and then the deployment is
   * asked where it is, whatever place the path names.
   */
  readonly model?: string
}

/** How a provider's own API is asked at a deployment: what its clients write need not stand below the base. */
export interface PassThroughFace {
  /** The model that a path names, escaped as it stands there; undefined where it names none. */
  modelIn(path: string): string | undefined
  /**
   * How a body at this path names a model where it names one; undefined: its name there is left as it is. Absent: as the
   * config writes it, at paths that name none.
   */
  modelInBody?(path: string, model: string): string | undefined
  /** Are these names of one model, though they differ by more than what stands before a slash? */
  isSame?(one: string, other: string): boolean
  /** Without a query. @throws GatewayError bad_request (the client's doing) for what leads nowhere */
  url(target: Target, passed: PassedPath): string
  /** Is this deployment where the path is meant for? Absent: paths name no place. */
  suits?(target: Target, path: string): boolean
}

/** How a provider counts beforehand what a chat would amount to: for nothing, and without the model being asked. */
export interface TokenCount {
  /** Undefined: not for this model. @throws GatewayError bad_request as the chat's `encode` does */
  encode(request: ChatRequest, target: Target): WireRequest | undefined
  /** The same of a request in Anthropic's words, where these are counted as they are. */
  encodeMessages?(body: JsonObject, target: Target): WireRequest | undefined
  /** The tokens that a 2xx names; undefined where it names none. */
  decode(body: JsonObject): number | undefined
}

/** Members of a chat's or completion's body that models refuse, or leave out of account. */
export interface Refused {
  readonly fields: readonly string[]
  /** Which models; absent: all of the provider's. */
  readonly of?: (model: string) => boolean
  /** Those models in words. Absent: reasoning models. */
  readonly models?: string
}

/** Everything the program knows of one provider. */
export interface ProviderAdapter {
  readonly id: string
  readonly codecs: { readonly [M in HttpMode]: Codec<M> | 'unsupported' }
  readonly realtime: RealtimeFace | 'unsupported'
  readonly objects: ObjectsFace | 'unsupported'
  readonly realtimeKeys: RealtimeKeysFace | 'unsupported'
  /** Absent: a path is appended to the base, and its version stands in the place of the base's. */
  readonly passThrough?: PassThroughFace
  readonly tokenCount?: TokenCount
  /** Surfaces that it speaks itself: what is asked there in these words is passed on and not translated. */
  readonly surfaces?: { readonly [S in SurfaceName]?: SurfaceFace }
  /** Resolves base, key and version from the deployment, then from the environment. */
  connect(
    deployment: Deployment,
    env: Readonly<Record<string, string | undefined>>,
  ): Connected | Misconfiguration
  /** Does `connect` read more in this name of a model than a name? A wildcard's name is filled in before it, then. */
  readonly readsName?: (model: string) => boolean
  /** Names what a non-2xx answer means. */
  classify(response: WireResponse): GatewayError
  /**
   * The mode of all its models, where it has just one. Where the adapter is loaded later, this, the next and `hosts`
   * stand in the registry.
   */
  readonly onlyMode?: Mode
  /** The mode of those whose name says nothing. Absent: chat. */
  readonly usualMode?: Mode
  /** A cheap current chat model, for probing a wildcard deployment. */
  readonly cheapChatModel?: string
  /**
   * Where a GET is free, and shows that the server answers and takes the key: OpenAI's list of models. Absent, or
   * undefined: the provider has no such thing, or not there.
   */
  readonly freeUrl?: (target: Target) => string | undefined
  /** Another free request, which shows more; undefined: not for this one, which is asked for by `freeUrl`. */
  readonly freeRequest?: (target: Target) => WireRequest | undefined
  /** True where that GET needs no key: it proves the way there, and nothing of the key. */
  readonly isFreePublic?: boolean
  /** What `drop_params` leaves out of bodies. */
  readonly refuses?: readonly Refused[]
  /** Hosts in `api_base` that give the provider away where the model names none. */
  readonly hosts?: readonly string[]
  /** How it authenticates, in a few words, where the headers of a request do not show it: signatures, tokens. */
  readonly auth?: string
  /**
   * What its 2xx shows besides, for one deployment.
   * @throws GatewayError not_found where the model is not there
   */
  readonly freeProof?: (response: WireResponse, target: Target) => void
  /**
   * Of an engine that loads a model when it is asked, and may let another one go for it: nobody asks it for the sake of a
   * background check unless the model is in memory.
   */
  readonly residence?: ResidenceFace
  /** True where a host serves one request at a time (local engines): it is never probed twice at once. */
  readonly oneAtATime?: boolean
  /** True: it runs on its owner's machines, whatever its address. False: it never does. Absent: the address tells. */
  readonly isSelfHosted?: boolean
}
