import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureKind } from '../core/failure.ts'
import type { WireResponse } from '../transport/wire.ts'
import { createClassify } from './classify.ts'
import { cohere } from './cohere/adapter.ts'

const classify = createClassify()

function answer(status: number, body: unknown, headers: Record<string, string> = {}): WireResponse {
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
}

const openAi = (message: string, type: string | null = null, code: string | null = null) => ({
  error: { message, type, param: null, code },
})

const TABLE: readonly (readonly [string, number, unknown, FailureKind])[] = [
  [
    'a wrong key',
    401,
    openAi('Incorrect API key provided: sk-…', 'invalid_request_error', 'invalid_api_key'),
    'auth',
  ],
  [
    'a country that is not served',
    403,
    openAi(
      'Country, region, or territory not supported',
      'request_forbidden',
      'unsupported_country_region_territory',
    ),
    'auth',
  ],
  [
    'a model that is not there',
    404,
    openAi('The model `x` does not exist', 'invalid_request_error', 'model_not_found'),
    'not_found',
  ],
  ['an unknown path with an empty body', 404, '', 'not_found'],
  [
    'an Azure deployment that is not there',
    404,
    {
      error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
    },
    'not_found',
  ],
  ['an Azure path that is not there', 404, { statusCode: 404, message: 'Resource not found' }, 'not_found'],
  [
    'the wrong operation for an Azure deployment',
    400,
    {
      error: {
        code: 'OperationNotSupported',
        message: 'The chatCompletion operation does not work with the specified model',
      },
    },
    'bad_request',
  ],
  [
    'too many requests',
    429,
    openAi('Rate limit reached for requests', 'requests', 'rate_limit_exceeded'),
    'rate_limited',
  ],
  [
    'no credit, said with 429',
    429,
    openAi(
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
    'quota',
  ],
  ['no credit, said with 402', 402, openAi('Insufficient Balance'), 'quota'],
  [
    'no credit, said with 400',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' },
    },
    'quota',
  ],
  [
    'a bad key, said with 400',
    400,
    {
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
      },
    },
    'auth',
  ],
  [
    'the output limit reached',
    400,
    openAi('Could not finish the message because max_tokens or model output limit was reached.'),
    'bad_request',
  ],
  [
    'a renamed parameter',
    400,
    openAi(
      "Unsupported parameter: 'max_tokens' is not supported with this model.",
      'invalid_request_error',
      'unsupported_parameter',
    ),
    'bad_request',
  ],
  [
    'an Azure content filter',
    400,
    {
      error: {
        code: 'content_filter',
        message: 'The response was filtered',
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
    'content_policy',
  ],
  [
    'an image that moderation blocks',
    400,
    openAi(
      'Your request was rejected by the safety system.',
      'image_generation_user_error',
      'moderation_blocked',
    ),
    'content_policy',
  ],
  ['a timeout of the upstream', 408, openAi('upstream says 408'), 'timeout'],
  ['a conflict', 409, openAi('conflict'), 'bad_request'],
  [
    "FastAPI's complaint",
    422,
    {
      detail: [
        {
          type: 'extra_forbidden',
          loc: ['body', 'max_completion_tokens'],
          msg: 'Extra inputs are not permitted',
        },
      ],
    },
    'bad_request',
  ],
  ['a server error', 500, openAi('The server had an error', 'server_error'), 'server_error'],
  ['a gateway error page', 502, '<html><head><title>502 Bad Gateway</title></head></html>', 'server_error'],
  ['an overloaded server', 503, openAi('That model is currently overloaded'), 'overloaded'],
  [
    "Anthropic's overload",
    529,
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    'overloaded',
  ],
  ['an overload said with 500', 500, openAi('busy', 'engine_overloaded'), 'overloaded'],
  ['a redirect', 302, '', 'wrong_shape'],
]

for (const [what, status, body, kind] of TABLE) {
  test(`${what} is ${kind}`, () => assert.equal(classify(answer(status, body)).kind, kind))
}

const TEXTS: readonly (readonly [string, unknown, string])[] = [
  [
    'error.message with its code',
    openAi('No such key', 'x', 'invalid_api_key'),
    'answered 400 (invalid_api_key): No such key',
  ],
  ['error as text', { error: 'model is loading' }, 'answered 400: model is loading'],
  ['message', { message: 'invalid api token', id: '1' }, 'answered 400: invalid api token'],
  ['detail as text', { detail: 'Not allowed' }, 'answered 400: Not allowed'],
  [
    'detail as a list',
    {
      detail: [
        { loc: ['body', 'n'], msg: 'too big' },
        { loc: ['body'], msg: 'bad' },
      ],
    },
    'answered 400: body.n: too big; body: bad',
  ],
  [
    'detail as an object',
    { detail: { status: 'x', message: 'Voice not found' } },
    'answered 400 (x): Voice not found',
  ],
  ['err_msg', { err_code: 'Bad Request', err_msg: 'no audio' }, 'answered 400 (Bad Request): no audio'],
  ['fault.faultstring', { fault: { faultstring: 'Invalid ApiKey' } }, 'answered 400: Invalid ApiKey'],
  ['errors[0].message', { errors: [{ message: 'No route' }] }, 'answered 400: No route'],
  ['a list around the error', [{ error: { code: 400, message: 'in a list' } }], 'answered 400: in a list'],
  ['plain text on several lines', 'upstream\r\n  connect\terror', 'answered 400: upstream connect error'],
  ['a web page', '<html><title>Sign in</title>', 'answered 400: a web page titled "Sign in"'],
  ['nothing', '', 'answered 400: nothing in the body'],
]

for (const [what, body, message] of TEXTS) {
  test(`the reason is found in ${what}`, () => assert.equal(classify(answer(400, body)).message, message))
}

test('a very long reason is cut', () => {
  assert.equal(classify(answer(500, 'x'.repeat(9_000))).message.length, 'answered 500: '.length + 501)
})

test('a redirect names where it points, without the query', () => {
  const { message } = classify(answer(307, '', { location: 'https://login.test/x?token=secret' }))
  assert.equal(message, 'answered 307, a redirect to https://login.test/x; redirects are not followed')
})

const DATE = 'Mon, 23 Nov 2026 08:00:00 GMT'
const WAITS: readonly (readonly [string, number, Record<string, string>, number | undefined])[] = [
  ['retry-after in seconds', 429, { 'retry-after': '7' }, 7_000],
  ['retry-after in fractions', 503, { 'retry-after': '0.5' }, 500],
  ['retry-after-ms before retry-after', 429, { 'retry-after': '7', 'retry-after-ms': '250' }, 250],
  [
    "a date, by the answer's own clock",
    429,
    { 'retry-after': 'Mon, 23 Nov 2026 08:00:30 GMT', date: DATE },
    30_000,
  ],
  ['a date in the past', 429, { 'retry-after': 'Mon, 23 Nov 2026 07:00:00 GMT', date: DATE }, 0],
  ['a date without a clock', 429, { 'retry-after': DATE }, undefined],
  [
    'what is used up',
    429,
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '6m0s',
      'x-ratelimit-remaining-tokens': '9',
      'x-ratelimit-reset-tokens': '1s',
    },
    360_000,
  ],
  [
    'the nearer reset where neither says',
    429,
    { 'x-ratelimit-reset-requests': '1m1.5s', 'x-ratelimit-reset-tokens': '250ms' },
    250,
  ],
  [
    'a point in time',
    429,
    { 'x-ratelimit-reset': '1795420860000', date: 'Mon, 23 Nov 2026 08:00:00 GMT' },
    60_000,
  ],
  [
    "Azure's 0 and -1 are no time",
    429,
    { 'x-ratelimit-reset-requests': '0', 'x-ratelimit-reset-tokens': '-1' },
    undefined,
  ],
  ['a wait of -1', 429, { 'retry-after': '-1', date: DATE }, undefined],
  ['more than a day', 429, { 'retry-after': '999999' }, 86_400_000],
  ['a reset on another status', 500, { 'x-ratelimit-reset-requests': '6m0s' }, undefined],
  ['words', 429, { 'retry-after': 'soon' }, undefined],
]

for (const [what, status, headers, wait] of WAITS) {
  test(`the wait is read from ${what}`, () =>
    assert.equal(classify(answer(status, {}, headers)).retryAfterMs, wait))
}

test("a Cohere trial key's month is quota, its minute is not", () => {
  const month = 'You are using a Trial key, which is limited to 1000 API calls / month.'
  assert.equal(cohere.classify(answer(429, { message: month })).kind, 'quota')
  assert.equal(
    cohere.classify(
      answer(429, { message: 'You are using a Trial key, which is limited to 40 API calls / minute.' }),
    ).kind,
    'rate_limited',
  )
})

const SCOPES: readonly (readonly [what: string, body: unknown, isKeyWide: boolean])[] = [
  [
    "OpenAI's of a model",
    openAi('Rate limit reached for gpt-4o in organization org-x on requests per min (RPM)'),
    false,
  ],
  [
    "Moonshot's of the account",
    openAi(
      'Your account org-x<ak-y> request reached organization max RPM: 3, please try again after 1 seconds',
      'rate_limit_reached_error',
    ),
    true,
  ],
  [
    "GitHub's of requests at once",
    openAi(
      'Rate limit of 2 per 0s exceeded for UserConcurrentRequests. Please wait 0 seconds before retrying.',
    ),
    true,
  ],
  [
    "GitHub's of a model",
    openAi(
      'Rate limit of 10 per 60s exceeded for UserByModelByMinute. Please wait 17 seconds before retrying.',
    ),
    false,
  ],
]

for (const [what, body, isKeyWide] of SCOPES) {
  test(`a limit on requests: ${what} is ${isKeyWide ? "the key's" : "the model's"}`, () => {
    const error = classify(answer(429, body))
    assert.deepEqual([error.kind, error.isKeyWide], ['rate_limited', isKeyWide])
  })
}
