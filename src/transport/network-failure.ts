import { entryOf } from '../core/entry-of.ts'
import { GatewayError } from '../core/failure.ts'
import { messageOf } from '../core/message-of.ts'

/** How far an exchange had come when it broke. */
export type Progress = 'connecting' | 'waiting for headers' | 'reading the body'

/** OpenSSL's and Node's words for a certificate or handshake that is not acceptable. */
const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$)/

/** undici's codes for an answer that is no HTTP we accept; it asserts that a status has three digits. */
const GARBLED_CODE = /^(HPE_|ERR_ASSERTION$|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_RES_EXCEEDED_MAX_SIZE$)/
/** Of a body this is its early end; of a head, that it says two lengths, or one in a way that is none. */
const LENGTH_CODE = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'

/** A request that cannot be written at all: our own doing, not the network's. */
const UNWRITABLE_CODE = /^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|UND_ERR_REQ_CONTENT_LENGTH_MISMATCH)$/

/**
 * Names what went wrong below HTTP. Before the answer's head a broken connection is `unreachable`, after it
 * `cut`; certificates are `tls`; bytes that are no HTTP are `wrong_shape`.
 */
export function networkFailure(error: unknown, progress: Progress): GatewayError {
  if (error instanceof GatewayError) return error
  const code = codeOf(error)
  const message = `${words(error, code)} (${progress})`
  if (TLS_CODE.test(code)) return new GatewayError('tls', message, { cause: error })
  if (code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new GatewayError('timeout', `the upstream fell silent (${progress})`, { cause: error })
  }
  if (code === LENGTH_CODE && progress !== 'reading the body')
    return new GatewayError('wrong_shape', `the answer is not HTTP: its length is none (${code})`, {
      cause: error,
    })
  if (GARBLED_CODE.test(code) || (error instanceof Error && error.name === 'HTTPParserError'))
    return new GatewayError('wrong_shape', `the answer is not HTTP: ${message}`, { cause: error })
  if (UNWRITABLE_CODE.test(code))
    return new GatewayError('internal', message, { cause: error, source: 'gateway' })
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new GatewayError('cancelled', 'the gateway is shutting down', { cause: error, source: 'gateway' })
  }
  return new GatewayError(progress === 'reading the body' ? 'cut' : 'unreachable', message, {
    cause: error,
    isUnsent: progress === 'connecting',
    isRefused: progress === 'connecting' && isRefusal(error),
  })
}

/** Nobody answered at that address in the time that there was for it. */
export function noConnection(timeoutMs: number): GatewayError {
  const message = `no connection within ${timeoutMs} ms (connecting)`
  return new GatewayError('unreachable', message, { isUnsent: true })
}

/** The most telling code: of the error, of the first of an AggregateError's, or of its cause. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return error.cause === undefined ? '' : codeOf(error.cause)
}

/** Did whoever was asked say no, at each of a name's addresses? */
function isRefusal(error: unknown): boolean {
  return error instanceof AggregateError
    ? error.errors.length > 0 && error.errors.every(isRefusal)
    : codeOf(error) === 'ECONNREFUSED'
}

const PLAIN_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ENOTFOUND: 'the host name does not exist',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'the connection timed out',
  ERR_ASSERTION: 'what came is none',
  UND_ERR_SOCKET: 'the connection was closed',
  [LENGTH_CODE]: 'the body ended before its announced length',
}

function words(error: unknown, code: string): string {
  const plain = entryOf(PLAIN_WORDS, code)
  if (plain !== undefined) return `${plain} (${code})`
  const message = messageOf(error)
  return code === '' || message.includes(code) ? message : `${message} (${code})`
}
