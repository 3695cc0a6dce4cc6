import type { JsonObject } from '../core/json.ts'
import type { ErrorObject } from './error-answer.ts'

/** How the clients of one API read errors. */
export interface ErrorWords {
  /** `status` is the one that the client gets. */
  body(error: ErrorObject, status: number): JsonObject
  /** As the last event of a stream that had begun. */
  event(error: ErrorObject, status: number): string
}

/** OpenAI's envelope: the gateway's own, where a route has no other. */
export const OPENAI_ERRORS: ErrorWords = {
  body: (error) => ({ error: { ...error } }),
  event: (error) => `data: ${JSON.stringify({ error })}\n\n`,
}

/** OpenAI's, whose responses name their events (https://platform.openai.com/docs/api-reference/responses-streaming/error). */
export const RESPONSES_ERRORS: ErrorWords = {
  body: (error) => ({ error: { ...error } }),
  event: ({ type: code, message, param }) =>
    `event: error\ndata: ${JSON.stringify({ type: 'error', code, message, param })}\n\n`,
}

/** Anthropic's (https://docs.anthropic.com/en/api/errors). */
export const ANTHROPIC_ERRORS: ErrorWords = {
  body: anthropicBody,
  event: (error, status) => `event: error\ndata: ${JSON.stringify(anthropicBody(error, status))}\n\n`,
}

/** Google's (https://cloud.google.com/apis/design/errors). */
export const GOOGLE_ERRORS: ErrorWords = {
  body: googleBody,
  event: (error, status) => `data: ${JSON.stringify(googleBody(error, status))}\n\n`,
}

/** AWS's, whose clients go by the name of the exception (https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html). */
export const AWS_ERRORS: ErrorWords = {
  body: awsBody,
  event: (error, status) => `data: ${JSON.stringify(awsBody(error, status))}\n\n`,
}

/** A sentence alone: what Cohere's clients read. */
export const PLAIN_ERRORS: ErrorWords = {
  body: ({ message }) => ({ message }),
  event: ({ message }) => `data: ${JSON.stringify({ message })}\n\n`,
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function anthropicBody({ message }: ErrorObject, status: number): JsonObject {
  const type = ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { type, message } }
}

const GOOGLE_STATUSES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

function googleBody({ message }: ErrorObject, code: number): JsonObject {
  const status = GOOGLE_STATUSES[code] ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')
  return { error: { code, message, status } }
}

const AWS_EXCEPTIONS: Readonly<Record<number, string>> = {
  401: 'AccessDeniedException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
  504: 'ModelTimeoutException',
}

function awsBody({ message }: ErrorObject, status: number): JsonObject {
  const type = AWS_EXCEPTIONS[status] ?? (status < 500 ? 'ValidationException' : 'InternalServerException')
  return { __type: type, message }
}
