import type { ServerResponse } from 'node:http'
import type { Clock } from '../core/clock.ts'
import { asGatewayError } from '../core/failure.ts'
import type { Redact } from '../core/secret.ts'
import type { RelayAnswer } from '../routing/answer/relay-answer.ts'
import { createAnswerWire } from './answer-wire.ts'
import { errorAnswer, errorEvent } from './error-answer.ts'
import type { ErrorWords } from './error-words.ts'
import type { RequestReport } from './request-report.ts'
import type { Step } from './steps.ts'

/** What an answer is written with. */
export interface ClientAnswerDeps {
  readonly response: ServerResponse
  /** Headers of every answer: call id, versions. */
  readonly headers: Readonly<Record<string, string>>
  /** The name of what is asked for, in the report. */
  readonly operation: string
  readonly redact: Redact
  readonly report: RequestReport
  readonly clock: Clock
  /** When an answer that is whole is sent. */
  readonly finish: Step
  /** Called when the client can take more, after `data` has said that it cannot. */
  readonly drained: () => void
  /** How this client reads errors; default: as OpenAI's. */
  readonly errors?: ErrorWords | undefined
}

/** An answer to a client of the gateway. */
export interface ClientAnswer extends RelayAnswer {
  /** What is asked for is told by the body: until it was read it went by another name. */
  countAs(operation: string): void
}

/** How long the rest of a body that we refuse is thrown away, so that the client can read why. Milliseconds. */
const LINGER_MS = 1000

/** Writes a relayed answer to the client's socket. After the first byte an error ends it honestly or breaks it off. */
export function createClientAnswer(deps: ClientAnswerDeps): ClientAnswer {
  const { response, headers, redact, report, errors } = deps
  const account = report.begun(deps.operation, headers)
  const wire = createAnswerWire(deps)
  let isOver = false
  const answer: ClientAnswer = {
    countAs: (operation) => void (account.operation = operation),
    meets: (deployment) => {
      account.group ??= deployment
      account.last = deployment
    },
    head: (status, own, copies) => {
      if (isOver || response.destroyed) return
      account.status = status
      account.own = own
      account.isStream = own['content-type']?.startsWith('text/event-stream') === true
      wire.head(status, own, copies, account.isStream)
    },
    // Nothing at all would be the last chunk.
    data: (chunk) => isOver || response.destroyed || chunk.length === 0 || wire.data(chunk),
    end: (facts) => {
      if (isOver) return
      isOver = true
      wire.end(
        () => report.over(account, { facts }),
        (thrown) => {
          isOver = false
          answer.fail(asGatewayError(thrown), {})
        },
      )
    },
    fail: (error, route, efforts) => {
      if (isOver) return
      isOver = true
      const isUnsent = wire.isUnsent()
      if (isUnsent) {
        // Of a head that was never written nobody has read a status.
        account.status = 0
        account.own = route
      }
      report.over(account, { failure: error, efforts })
      if (response.destroyed) return
      if (isUnsent) {
        const { status, headers: own, body } = errorAnswer(error, redact, undefined, errors)
        refuse(deps, status, { ...headers, ...route, ...own }, body)
      } else wire.breakOff(() => errorEvent(error, redact, errors))
    },
  }
  return answer
}

/**
 * Sends an error. Where the client is still sending its body the connection ends after it, but not before the
 * client had a moment to read: closing a socket with unread bytes resets it, and the answer is lost.
 */
function refuse(
  { response, clock }: ClientAnswerDeps,
  status: number,
  headers: Record<string, string>,
  body: string,
): void {
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const request = response.req
  if (request.complete) {
    response.writeHead(status, { ...headers, ...length }).end(body)
    return
  }
  response.writeHead(status, { ...headers, ...length, connection: 'close' }).write(body)
  request.resume()
  const stopWaiting = clock.after(LINGER_MS, () => response.end())
  request.once('end', () => response.end())
  response.once('close', stopWaiting)
}
