import { GatewayError } from '../../core/failure.ts'
import type { Json } from '../../core/json.ts'
import { memberValue } from '../../core/json-spans.ts'
import type { JsonSpans } from '../../core/json-spans.ts'
import { timeMs } from './asked-number.ts'

/** A failure that a client asks for, to see what follows from it; nothing is sent for it. */
export type MockTest = keyof typeof MOCK_TESTS

/** LiteLLM's members, and what each is to end in. */
const MOCK_TESTS = {
  mock_testing_fallbacks: {
    kind: 'server_error',
    status: 500,
    words: 'This is a mock exception for model=<model>, to trigger a fallback.',
  },
  mock_testing_context_window_fallbacks: {
    kind: 'bad_request',
    status: 400,
    words: 'This is a mock exception for model=<model>, to trigger a context window fallback.',
  },
  mock_testing_content_policy_fallbacks: {
    kind: 'content_policy',
    status: 400,
    words: 'This is a mock exception for model=<model>, to trigger a content policy fallback.',
  },
  mock_testing_rate_limit_error: {
    kind: 'rate_limited',
    status: 429,
    words: 'This is a mock rate limit error for model=<model>.',
  },
} as const

/** The first of the members that is `true`. */
export function readMockTest(
  body: Buffer,
  spans: JsonSpans,
  fields: readonly string[],
): MockTest | undefined {
  return fields.filter(isMockTest).find((field) => memberValue(body, spans, field) === true)
}

function isMockTest(field: string): field is MockTest {
  return Object.hasOwn(MOCK_TESTS, field)
}

/** The answer that a client wants without anybody being asked, and when. */
export function readMock(
  body: Buffer,
  spans: JsonSpans,
  fields: readonly string[],
): { readonly mockResponse?: Json; readonly mockDelayMs?: number } {
  if (fields.includes('mock_timeout') && memberValue(body, spans, 'mock_timeout') === true) return NO_ANSWER
  const mockResponse = fields.includes('mock_response') ? memberValue(body, spans, 'mock_response') : null
  if (mockResponse === null || mockResponse === undefined) return {}
  const mockDelayMs = timeMs(memberValue(body, spans, 'mock_delay'))
  return { mockResponse, ...(mockDelayMs !== undefined && { mockDelayMs }) }
}

/** Later than any timeout. */
const NO_ANSWER = { mockResponse: 'litellm.Timeout', mockDelayMs: Number.MAX_SAFE_INTEGER }

/** The failure; no deployment's doing, and no evidence against any. */
export function mockFailure(test: MockTest, model: string): GatewayError {
  const { kind, status, words } = MOCK_TESTS[test]
  const message = words.replace('<model>', () => model.slice(0, 256))
  return new GatewayError(kind, message, { source: 'gateway', status, isUnsent: true })
}
