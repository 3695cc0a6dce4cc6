import { GatewayError } from '../../core/failure.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CompletionRequest, CompletionResponse } from '../../core/mode.ts'
import type { Codec, StreamDecoder, Target } from '../adapter.ts'
import { notAnAnswer, readAnswer, textOf } from '../answer.ts'
import { withDefaults } from '../body-defaults.ts'
import { postJson } from '../post-json.ts'
import { OPENAI_ALONE, sayable, type Sayable } from '../unsaid.ts'
import { ollamaUrl } from './address.ts'
import { createdOf, finishOf, idOf, logprobsOf, usageOf } from './answer-facts.ts'
import { openLines } from './lines.ts'
import { formatOf, thinkOf, withOptions } from './options.ts'

const EXPECTED = 'text in "response"'

/** OpenAI's members that Ollama's completions have no place for. */
const LACKS: ReadonlySet<string> = new Set([
  ...OPENAI_ALONE,
  'best_of',
  'echo',
  'logit_bias',
  'metadata',
  'n',
  'prediction',
  'prompt_cache_key',
])

/** Completions (https://docs.ollama.com/api/generate): `suffix` is fill-in-the-middle. */
export const ollamaGenerate: Codec<'completion'> = {
  encode: (request, target) => {
    const { said, dropped } = toGenerate(request, target)
    return { ...postJson(ollamaUrl(target, 'generate'), said), dropped }
  },
  strangersIn: () => 'options',
  decode: (response, target) => {
    const body = readAnswer(response, EXPECTED)
    const text = textOf(body['response'])
    if (text === undefined) throw notAnAnswer(response, body, EXPECTED)
    if (body['done_reason'] === 'load')
      throw new GatewayError('empty', `answered ${response.status} with a model loaded and nothing said`)
    return completionOf(body, text, target)
  },
  openStream,
}

function toGenerate(request: CompletionRequest, target: Target): Sayable {
  const { said, dropped } = sayable(withDefaults('completion', request, target.bodyDefaults), LACKS)
  const {
    prompt: _,
    model: __,
    stream,
    response_format: format,
    reasoning_effort: effort,
    logprobs,
    ...rest
  } = said
  return {
    said: {
      ...formatOf(format),
      ...thinkOf(effort, target.model),
      ...withOptions(rest),
      // Of a completion it is a number: how many of the most likely tokens.
      ...(typeof logprobs === 'number' ? { logprobs: true, top_logprobs: logprobs } : {}),
      model: target.model,
      prompt: request.prompt,
      stream: stream === true,
    },
    dropped,
  }
}

function completionOf(body: JsonObject, text: string, target: Target): CompletionResponse {
  const model = textOf(body['model']) ?? target.model
  return {
    text,
    model,
    whole: {
      id: idOf(body, 'cmpl'),
      object: 'text_completion',
      created: createdOf(body),
      model,
      choices: [{ index: 0, text, finish_reason: finishOf(body, false), logprobs: logprobsOf(body) }],
      ...usageOf(body),
    },
  }
}

function openStream(target: Target): StreamDecoder<JsonObject> {
  let first: JsonObject | undefined
  return openLines((body) => {
    first ??= body
    const isDone = body['done'] === true
    return [
      {
        id: idOf(first, 'cmpl'),
        object: 'text_completion',
        created: createdOf(first),
        model: textOf(body['model']) ?? target.model,
        choices: [
          {
            index: 0,
            text: textOf(body['response']) ?? '',
            finish_reason: isDone ? finishOf(body, false) : null,
            logprobs: null,
          },
        ],
        ...(isDone ? usageOf(body) : {}),
      },
    ]
  })
}
