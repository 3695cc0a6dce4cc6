import type { Deployment } from '../../core/deployment.ts'
import { asGatewayError, GatewayError } from '../../core/failure.ts'
import { cleaned } from '../../providers/call.ts'
import { foreignRequest, suitsPath } from '../../providers/pass-through.ts'
import type { ForeignRequest } from '../../providers/pass-through.ts'
import { createCopyHeaders } from '../answer/answer-head.ts'
import type { RelayAnswer } from '../answer/relay-answer.ts'
import { fillWildcards } from '../choice/directory.ts'
import type { Directory } from '../choice/directory.ts'
import { severalTries } from '../journey/several-tries.ts'
import type { Outcome, Try, TryDeps } from '../journey/several-tries.ts'
import { passContent } from '../objects/content.ts'
import { limitsOf, silenceOf } from '../relay.ts'
import type { Exchange, RelaySettings } from '../relay.ts'
import type { Stream, WireResponse } from '../road.ts'
import { modelNamed, ownersOf, ownOf } from './owners.ts'
import type { PassedProvider } from './owners.ts'

/** What pass-through runs on. */
export interface PassThroughDeps extends TryDeps {
  readonly deployments: readonly Deployment[]
  readonly directory: Directory
  readonly settings: TryDeps['settings'] & RelaySettings
}

/** A client's request in a provider's own words. */
export interface PassThroughRequest extends ForeignRequest {
  readonly provider: PassedProvider
}

/** Passes requests on to a provider with a deployment's credentials, and answers back as they come. */
export interface PassThrough {
  /** Never throws: whatever goes wrong becomes `answer.fail`. */
  call(request: PassThroughRequest, answer: RelayAnswer): Exchange
}

/** A path that leads out of where the deployment's base ends. */
const LEADS_OUT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)|\\/i

/** Makes it for one gateway. */
export function createPassThrough(deps: PassThroughDeps): PassThrough {
  return {
    call: (request, answer) => {
      const leaving = new AbortController()
      let running: Stream | undefined
      carry(deps, request, answer, leaving.signal, (stream) => {
        running = stream
      }).catch((error: unknown) => answer.fail(asGatewayError(error), {}))
      return { resume: () => running?.resume(), cancel: () => leaving.abort() }
    },
  }
}

/** A refusal in the provider's own words, without secrets. */
interface Refused {
  readonly attempt: Try
  readonly response: WireResponse
}

async function carry(
  deps: PassThroughDeps,
  request: PassThroughRequest,
  answer: RelayAnswer,
  signal: AbortSignal,
  runs: (stream: Stream) => void,
): Promise<void> {
  const { provider, method, path, headers, body } = request
  if (LEADS_OUT.test(path))
    throw refused(`/${provider.name}: a path may not hold '.' or '..' as a segment.`, 400)
  const own = ownOf(deps.deployments, provider)
  if (own[0] === undefined)
    throw refused(
      `/${provider.name}: no deployment of ${provider.name} is in the config: add one to model_list.`,
      404,
    )
  const model = modelNamed(own[0].provider, path, headers['content-type'] ?? '', body)
  const suits = ({ index }: Deployment): boolean => {
    const opened = deps.lines(index)
    return 'line' in opened && suitsPath(opened.line, path)
  }
  const { candidates, isGroup } = ownersOf(own, deps.directory, model, suits)
  let first: Refused | undefined
  const errand = {
    model: undefined,
    candidates,
    isSteady: false,
    isCostly: method !== 'GET',
    isWork: method === 'POST',
    answer,
    signal,
  }
  const outcome = await severalTries(deps, errand, (attempt) => {
    const { line, candidate, connectTimeoutMs } = attempt
    const { deployment } = line
    const inPlace = isGroup ? fillWildcards(line.target.model, candidate.captures) : undefined
    const silence = silenceOf(deps.settings, deployment, {})
    const limits = { ...limitsOf(deps.settings, deployment, {}, silence), connectTimeoutMs, signal }
    const wire = foreignRequest(line, request, inPlace)
    return passContent(attempt, wire, limits, answer, runs, (response) => {
      first ??= { attempt, response: cleaned(line, response) }
    })
  })
  if ('failure' in outcome) tell(answer, outcome, first)
}

/** What the provider said is told as it said it. */
function tell(
  answer: RelayAnswer,
  { failure, route }: Extract<Outcome<void>, { readonly failure: GatewayError }>,
  first: Refused | undefined,
): void {
  if (first === undefined || failure.upstreamStatus !== first.response.status) {
    answer.fail(failure, route)
    return
  }
  const { line } = first.attempt
  const { status, headers, body } = first.response
  const own = {
    ...route,
    'content-type': headers['content-type'] ?? 'application/json',
    'content-length': String(body.length),
    'x-pulsegate-error-source': 'upstream',
  }
  answer.head(status, own, createCopyHeaders()(headers, line.redact))
  answer.data(Buffer.from(body))
  answer.end({ bytes: body.length, flaw: failure })
}

function refused(message: string, status: 400 | 404): GatewayError {
  const kind = status === 404 ? 'not_found' : 'bad_request'
  return new GatewayError(kind, message, { status, source: 'client', param: 'path' })
}
