import { GatewayError, type FailureKind } from '../../core/failure.ts'
import { createClassify, type RefusalRule } from '../classify.ts'

/**
 * What Bedrock's exceptions mean beyond the common table
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html). The name stands in the
 * `x-amzn-errortype` header, with an address behind a colon at times.
 */
const RULES: readonly RefusalRule[] = [
  { code: /^ThrottlingException/, text: /per day|daily/i, kind: 'quota' },
  {
    code: /^(ThrottlingException|TooManyRequestsException|ServiceQuotaExceededException)/,
    kind: 'rate_limited',
  },
  {
    code: /^(UnrecognizedClient|InvalidSignature|ExpiredToken|MissingAuthenticationToken|InvalidClientTokenId|IncompleteSignature|SignatureDoesNotMatch|NotAuthorized|RequestExpired|OptInRequired|AccessDenied|FTUFormNotFilled)/,
    kind: 'auth',
  },
  { code: /^ModelNotReadyException/, kind: 'overloaded' },
  { code: /^ServiceUnavailable/, kind: 'overloaded' },
  { code: /^ModelTimeoutException/, kind: 'timeout' },
  {
    code: /^(ModelErrorException|ModelStreamErrorException|InternalServer|InternalFailure)/i,
    kind: 'server_error',
  },
  {
    code: /^ValidationException/,
    text: /blocked by (our )?content filter|content filter(s|ing) polic|responsible AI policy|AUP|acceptable use/i,
    kind: 'content_policy',
  },
  { code: /^ValidationException/, text: /on-demand throughput isn.t supported/i, kind: 'not_found' },
  { code: /^ValidationException/, text: /model identifier is invalid|end of its life/i, kind: 'not_found' },
  { code: /^(ResourceNotFoundException|UnknownOperationException)/, kind: 'not_found' },
  { code: /^ValidationException/, kind: 'bad_request' },
]

/** Names what a non-2xx answer means. */
export const classifyBedrock = createClassify(RULES)

/** The same of an exception inside a stream, where no status stands beside it. */
export function streamException(name: string, text: string): GatewayError {
  const word = name.charAt(0).toUpperCase() + name.slice(1)
  return new GatewayError(
    kindOfException(word, text),
    `the stream broke off with ${name}: ${text || 'no reason given'}`,
  )
}

function kindOfException(name: string, text: string): FailureKind {
  const rule = RULES.find((one) => one.code?.test(name) === true && (one.text?.test(text) ?? true))
  return rule?.kind ?? 'server_error'
}
