import type { AnswerFacts, Usage } from '../core/answer-facts.ts'
import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { GatewayError } from '../core/failure.ts'
import type { Log, LogFields } from '../core/log.ts'
import type { Redact } from '../core/secret.ts'
import { placeOf, rootOf } from '../core/message-of.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { AnswerHeaders } from '../routing/answer/answer-head.ts'
import type { Efforts } from '../routing/answer/explain.ts'

/** A request to a model, as far as it has come; written on by the one who answers it. */
export interface RequestAccount {
  /** The name of what is asked for. */
  operation: string
  /** Headers of every answer: call id, request id. */
  readonly common: AnswerHeaders
  /** By `Clock.precise`. */
  readonly startedMs: number
  /** Headers of this answer, or of its failure: who gave it, and after what. */
  own: AnswerHeaders
  /** What the client was told; 0 while nothing was. */
  status: number
  isStream: boolean
  /** Of the group that was asked for first, and whom the request came to last. */
  group: Deployment | undefined
  last: Deployment | undefined
}

/** What became of it. */
export interface RequestEnd {
  readonly facts?: AnswerFacts
  readonly failure?: GatewayError
  /** Where it failed everywhere. */
  readonly efforts?: Efforts | undefined
  /** It has a line of its own in the log: it is only counted. */
  readonly isLogged?: boolean
}

/** Told of every request to a model. */
export interface RequestReport {
  begun(operation: string, common: AnswerHeaders): RequestAccount
  /** One that goes on says what part of it has cost. */
  spent(account: RequestAccount, usage: Usage): void
  /** To be called once. */
  over(account: RequestAccount, end: RequestEnd): void
}

/** What a report is made of. */
export interface RequestReportDeps {
  readonly metrics: Pick<Metrics, 'begun' | 'finished' | 'spent'>
  readonly log: Log
  readonly redact: Redact
  readonly clock: Pick<Clock, 'precise'>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Share of the good answers that are logged; failures always are. */
  readonly logSuccessSample: number
}

/** Counts every request, and logs failures and a sample of the others: one line each, of ids and numbers. */
export function createRequestReport(deps: RequestReportDeps): RequestReport {
  const { metrics, log, redact, clock, random, logSuccessSample } = deps
  return {
    begun: (operation, common) => {
      metrics.begun()
      return {
        operation,
        common,
        startedMs: clock.precise(),
        own: {},
        status: 0,
        isStream: false,
        group: undefined,
        last: undefined,
      }
    },
    spent: ({ group }, usage) => metrics.spent(group, usage),
    over: (account, end) => {
      const durationMs = clock.precise() - account.startedMs
      const { facts, failure = facts?.flaw } = end
      metrics.finished({
        group: account.group,
        last: account.last,
        operation: account.operation,
        outcome: failure?.kind ?? 'ok',
        durationMs,
        firstTokenMs: account.isStream ? facts?.firstByteMs : undefined,
        usage: facts?.usage,
      })
      if (end.isLogged === true) return
      // A client that leaves is no failure of anybody.
      if (failure === undefined || failure.kind === 'cancelled') {
        if (random() < logSuccessSample) log.info('request_done', fieldsOf(account, end, durationMs, failure))
        return
      }
      const words = { source: failure.source, error: redact(failure.message), ...bugIn(failure) }
      const fields = { ...fieldsOf(account, end, durationMs, failure), ...words }
      if (failure.clientStatus >= 500) log.warn('request_failed', fields)
      else log.info('request_failed', fields)
    },
  }
}

/** Where our own code broke. */
function bugIn(failure: GatewayError): LogFields {
  return failure.kind === 'internal' ? { at: placeOf(rootOf(failure)) } : {}
}

/** Never a word of a request or an answer. */
function fieldsOf(
  { operation, common, own, status }: RequestAccount,
  { facts, efforts }: RequestEnd,
  durationMs: number,
  failure: GatewayError | undefined,
): LogFields {
  const usage = facts?.usage
  return {
    call_id: common['x-litellm-call-id'],
    request_id: common['x-request-id'],
    model_id: own['x-litellm-model-id'],
    model_group: own['x-litellm-model-group'],
    operation,
    reason: failure?.kind,
    status: status === 0 ? failure?.clientStatus : status,
    duration_ms: Math.round(durationMs),
    ttft_ms: facts?.firstByteMs === undefined ? undefined : Math.round(facts.firstByteMs),
    prompt_tokens: usage?.promptTokens,
    completion_tokens: usage?.completionTokens,
    ...(efforts === undefined ? countsIn(own) : countsOf(efforts)),
    bytes: facts?.bytes,
  }
}

/** Of an answer: what its headers say. */
function countsIn(own: AnswerHeaders): LogFields {
  const retries = own['x-litellm-attempted-retries']
  if (retries === undefined) return {}
  return { retries: Number(retries), fallbacks: Number(own['x-litellm-attempted-fallbacks'] ?? 0) }
}

/** Of a request that failed everywhere: one try in each group that was asked is no retry. */
function countsOf({ tries, groups }: Efforts): LogFields {
  return { retries: Math.max(tries - groups.length, 0), fallbacks: groups.length - 1 }
}
