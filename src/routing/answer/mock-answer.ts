import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import type { Operation } from '../request/operation.ts'
import type { Limits, Stream, StreamSink } from '../road.ts'
import { orFail } from './tell-failure.ts'

/** What an answer is made of that nobody gave. */
export interface Mock {
  /** `mock_response`: the text, the vector, the whole answer, or the name of an error. */
  readonly response: Json
  readonly model: string
  readonly isStream: boolean
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
}

/** LiteLLM's numbers: nobody has counted. */
const USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 } as const
/** LiteLLM's error classes that a text can name, with what an upstream would have said. */
const ERRORS: ReadonlyMap<string, readonly [status: number, code: string]> = new Map(
  Object.entries<readonly [status: number, code: string]>({
    'litellm.AuthenticationError': [401, 'invalid_api_key'],
    'litellm.BadRequestError': [400, 'invalid_request_error'],
    'litellm.ContentPolicyViolationError': [400, 'content_policy_violation'],
    'litellm.ContextWindowExceededError': [400, 'context_length_exceeded'],
    'litellm.InternalServerError': [500, 'server_error'],
    'litellm.NotFoundError': [404, 'model_not_found'],
    'litellm.RateLimitError': [429, 'rate_limit_exceeded'],
    'litellm.ServiceUnavailableError': [503, 'overloaded'],
    'litellm.Timeout': [408, 'timeout'],
  }),
)
/** Characters of a streamed text per event; more where there would be too many events. */
const PIECE_CHARS = 20
const MOST_PIECES = 1000
const NOTHING_RUNNING: Stream = { resume: () => {}, cancel: () => {} }

/** True for what can be answered without anybody being asked. */
export function canMock({ mode }: Pick<Operation, 'mode'>): boolean {
  return mode === 'chat' || mode === 'completion' || mode === 'embedding'
}

/** Gives the answer, at once and whole, as an upstream would have. */
export function answerMock({ mode }: Operation, mock: Mock, sink: StreamSink): Stream {
  const named = typeof mock.response === 'string' ? mock.response : ''
  const [status, code] = ERRORS.get(named) ?? [200, '']
  const events = mock.isStream && status === 200 && mode !== 'embedding'
  sink.head(status, { 'content-type': events ? 'text/event-stream' : 'application/json' })
  const whole = status === 200 ? wholeOf(mode, mock) : errorOf(named, code)
  sink.data(Buffer.from(events ? streamOf(mode, mock) : JSON.stringify(whole)))
  sink.end()
  return NOTHING_RUNNING
}

/** The same after a while, where that is within the time that there is for it. */
export function answerLate(
  clock: Pick<Clock, 'after'>,
  waitMs: number,
  { timeoutMs }: Pick<Limits, 'timeoutMs'>,
  answer: () => void,
  sink: StreamSink,
): Stream {
  const stop = clock.after(Math.min(waitMs, timeoutMs), () => {
    if (waitMs > timeoutMs) sink.fail(new GatewayError('timeout', `no whole answer within ${timeoutMs} ms`))
    else orFail(sink, answer)
  })
  return {
    resume: () => {},
    cancel: () => {
      stop()
      sink.fail(new GatewayError('cancelled', 'the caller went away', { source: 'client' }))
    },
  }
}

function errorOf(name: string, code: string): JsonObject {
  return { error: { message: `${name}: this is a mock error (${code})`, type: code, code } }
}

function wholeOf(mode: Operation['mode'], mock: Mock): JsonObject {
  const { response, model } = mock
  if (isJsonObject(response)) return response
  if (mode === 'embedding') {
    const embedding = Array.isArray(response) ? response : [0]
    return { object: 'list', data: [{ object: 'embedding', index: 0, embedding }], model, usage: USAGE }
  }
  const text = textOf(mock)
  const end = { index: 0, finish_reason: 'stop' } as const
  return mode === 'chat'
    ? {
        ...headOf(mock, 'chat.completion'),
        choices: [{ ...end, message: { role: 'assistant', content: text } }],
        usage: USAGE,
      }
    : { ...headOf(mock, 'text_completion'), choices: [{ ...end, text, logprobs: null }], usage: USAGE }
}

function headOf({ id, created, model }: Mock, object: string): JsonObject {
  return { id, object, created, model }
}

function textOf({ response }: Mock): string {
  return typeof response === 'string' ? response : JSON.stringify(response)
}

function streamOf(mode: Operation['mode'], mock: Mock): string {
  const text = textOf(mock)
  const chars = Math.max(PIECE_CHARS, Math.ceil(text.length / MOST_PIECES))
  const pieces = text.match(new RegExp(`.{1,${chars}}`, 'gsu')) ?? []
  const head = headOf(mock, mode === 'chat' ? 'chat.completion.chunk' : 'text_completion')
  const event = (part: JsonObject, reason: string | null): string =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, ...part, finish_reason: reason }] })}\n\n`
  const isChat = mode === 'chat'
  return [
    ...(isChat ? [event({ delta: { role: 'assistant', content: '' } }, null)] : []),
    ...pieces.map((content) => event(isChat ? { delta: { content } } : { text: content }, null)),
    event(isChat ? { delta: {} } : { text: '' }, 'stop'),
    'data: [DONE]\n\n',
  ].join('')
}
