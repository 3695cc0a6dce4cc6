import { asGatewayError } from '../../core/failure.ts'
import { isJsonObject } from '../../core/json.ts'
import type { JsonObject } from '../../core/json.ts'
import { scanObject } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { fittedBody, surfaceFace } from '../../providers/surfaces.ts'
import type { Line } from '../../providers/call.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import type { Operation } from '../request/operation.ts'
import { OPERATIONS } from '../request/operations.ts'
import { refuse } from '../request/request.ts'
import { withOurResponseIds } from './response-ids.ts'
import type { KnownResponse } from './response-ids.ts'
import { ownName } from './own-words.ts'
import type { Places } from './placed.ts'
import { reworded } from './reworded.ts'
import type { Make, NativeFace, Surface, WordsGround, Wording } from './surface.ts'

/** How one deployment is asked for what a client wants in a surface's words. */
export interface SurfaceAttempt {
  /** What is asked of the deployment. */
  readonly operation: Operation
  readonly body: Buffer
  readonly spans: JsonSpans
  /** Members that were left out, for nothing there stands for them. */
  readonly dropped: readonly string[]
  /** How members of `body` are spoken of to the client; absent: as they are called. */
  readonly wording?: Wording
  /** Present where the provider speaks the surface itself. */
  readonly native?: { readonly face: NativeFace; readonly headers: Readonly<Record<string, string>> }
  /** Present where the answer is made here. */
  readonly made?: Make
  /** Takes the deployment's answer and gives `answer` what the client reads. `stop` ends what is still to come. */
  readonly reword?: (answer: RelayAnswer, stop: () => void, nowSeconds: number) => RelayAnswer
}

/** What an attempt is made from. */
export interface SurfaceAsked {
  readonly operation: Operation
  readonly body: Buffer
  readonly spans: JsonSpans
  readonly stream: boolean
  /** The client's headers that providers who speak it themselves read. */
  readonly headers: Readonly<Record<string, string>>
  /** The response that the body goes on from, where the gateway gave its id. */
  readonly previous: KnownResponse | undefined
  readonly knownModel: string
  /** What cannot be said is left out, not refused. */
  readonly mayDrop: boolean
  /** The answer is made up here, in the mode's words. */
  readonly isMocked: boolean
}

/**
 * In the surface's own words where the provider speaks them, else in the mode's.
 * @throws GatewayError bad_request for what cannot be said there
 */
export function surfaceAttempt(surface: Surface, line: Line, asked: SurfaceAsked): SurfaceAttempt {
  const { operation, body, spans, stream, headers, isMocked } = asked
  if (surface.demands !== undefined) checkDemanded(surface.demands, line, asked)
  const isUsable = !isMocked || (surface.words ?? surface.make) === undefined
  const face = isUsable ? surfaceFace(line, surface.face, stream) : undefined
  if (face !== undefined && face.takes?.(line.target, body, spans) !== false) {
    const native = {
      operation,
      ...fittedBody(face, line.target, body, spans, headers),
      native: { face, headers },
    }
    if (surface.remembers === undefined) return native
    const { previous } = asked
    return {
      ...native,
      reword: (answer, stop) => withOurResponseIds(answer, line.deployment.id, previous, stream, stop),
    }
  }
  if (surface.make !== undefined) {
    const ground = { ...groundOf(line, asked), isMocked }
    return { operation, body, spans, dropped: [], made: surface.make(readObject(body), line, ground) }
  }
  if (surface.words === undefined)
    throw refuse(`${line.deployment.provider} has no ${surface.what}.`, 'model')
  return translated(surface.words, line, asked)
}

function checkDemanded(
  { name, settledBy }: NonNullable<Surface['demands']>,
  { target: { bodyDefaults } }: Line,
  { operation, spans }: SurfaceAsked,
): void {
  if (spans.members.some(({ key }) => key === name)) return
  if (settledBy.some((each) => bodyDefaults[each] !== undefined)) return
  throw refuse(`${operation.route}: Missing required parameter: '${name}'.`, name)
}

function translated(words: NonNullable<Surface['words']>, line: Line, asked: SurfaceAsked): SurfaceAttempt {
  const { body, stream, mayDrop } = asked
  const json = readObject(body)
  const { body: chat, lost, hints = [], wishes = [] } = words.request(json, groundOf(line, asked), stream)
  const [first] = lost
  if (first !== undefined && !mayDrop) {
    const member = first.split(' ')[0] ?? first
    throw refuse(
      `${line.deployment.provider} cannot be told '${first}' for this model: leave it out, or have it left out by drop_params.`,
      member,
    )
  }
  const bytes = Buffer.from(JSON.stringify(chat))
  return {
    operation: OPERATIONS.chat,
    body: bytes,
    spans: scanObject(bytes),
    dropped: [...lost, ...hints],
    wording: wordingOf(words, json, line, asked, wishes),
    reword: (answer, stop, now) => reworded(answer, words.answer(json, { line, now }), stream, stop),
  }
}

/** Whoever asks is told of a mistake: only then it is looked up where the chat's parts came from. */
function wordingOf(
  words: NonNullable<Surface['words']>,
  json: JsonObject,
  line: Line,
  asked: SurfaceAsked,
  wishes: readonly string[],
): Wording {
  return {
    wishes,
    own: (path) =>
      ownName(words.dictionary(json), path, () => {
        const places: Places = new Map()
        return { chat: words.request(json, { ...groundOf(line, asked), places }, asked.stream).body, places }
      }),
  }
}

function groundOf(line: Line, { knownModel }: SurfaceAsked): WordsGround {
  const codec = line.adapter.codecs.chat
  const isRelayed =
    codec === 'unsupported' || (codec.relay !== undefined && codec.isRelayed?.(line.target) !== false)
  const readsThinking = codec !== 'unsupported' && codec.readsThinking?.(line.target) === true
  const lacksTopK = codec !== 'unsupported' && codec.lacksTopK?.(line.target) === true
  return { knownModel, isRelayed, readsThinking, lacksTopK }
}

function readObject(body: Buffer): JsonObject {
  try {
    const json: unknown = JSON.parse(body.toString())
    if (isJsonObject(json)) return json
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw asGatewayError(error)
    throw refuse(`Invalid JSON payload: ${error.message}`, 'request_body')
  }
  throw refuse('the body must be a JSON object.', 'request_body')
}
