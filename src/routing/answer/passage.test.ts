import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from '../../core/failure.ts'
import { scanObject } from '../../core/json-spans.ts'
import type { AskedChoices } from '../request/choices.ts'
import type { AnswerShape } from '../request/operation.ts'
import { kindOf, open, send } from './passage.fixture.ts'

const GOOD = '{"model":"up","choices":[{"index":0}]}'
const EVENTS = 'data: {"model":"up","choices":[]}\n\ndata: [DONE]\n\n'

test('the same bytes are judged the same, however they are cut', () => {
  const cases: readonly (readonly [boolean, string, string, string])[] = [
    [false, GOOD, 'end', GOOD],
    [false, `\n\n${GOOD}`, 'end', GOOD],
    [false, '<html>', 'wrong_shape', ''],
    [false, '{"error":1}', 'server_error', ''],
    [false, '', 'empty', ''],
    [false, EVENTS, 'wrong_shape', ''],
    [true, EVENTS, 'end', EVENTS],
    [true, 'data: {"error":1}\n\n', 'server_error', ''],
    [true, GOOD, 'wrong_shape', ''],
    [true, '', 'empty', ''],
    [true, 'data: [DONE]', 'end', 'data: [DONE]'],
  ]
  for (const [stream, text, end, expected] of cases) {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
        const { passage, seen } = open({ stream })
        passage.head(200, {})
        send(passage, text, splits)
        passage.end()
        assert.deepEqual([kindOf(seen), seen.text.trimStart()], [end, expected], text)
      }),
      { numRuns: 40 },
    )
  }
})

test('a large answer flows on before it is whole, and a break is then told as a break', () => {
  const { passage, seen } = open({ stream: false })
  passage.head(200, {})
  send(passage, `{"choices":["${'x'.repeat(70_000)}`)
  assert.equal(seen.status, 200)
  passage.data(Buffer.from('"'))
  passage.fail(new GatewayError('cut', 'gone'))
  assert.deepEqual([kindOf(seen), seen.text.length], ['cut', 70_014])
})

test('a small answer is sent whole, with its length', () => {
  const { passage, seen } = open({ stream: false })
  passage.head(201, {})
  send(passage, GOOD)
  assert.equal(seen.status, undefined)
  passage.end()
  assert.deepEqual(
    [seen.status, seen.headers],
    [201, { 'content-type': 'application/json', 'content-length': '38' }],
  )
})

test('the name asked for can be written over the answer’s model', () => {
  const { passage, seen } = open({ stream: false, model: 'mine' })
  passage.head(200, {})
  send(passage, GOOD)
  passage.end()
  assert.equal(seen.text, '{"model":"mine","choices":[{"index":0}]}')
})

test('an error text is read up to a bound, and a broken one still means its status', () => {
  const long = open({ stream: false })
  long.passage.head(500, {})
  send(long.passage, 'x'.repeat(65_537))
  assert.deepEqual([kindOf(long.seen), long.seen.stops], ['server_error', 1])
  const broken = open({ stream: true })
  broken.passage.head(503, {})
  broken.passage.data(Buffer.from('{"err'))
  broken.passage.fail(new GatewayError('cut', 'gone'))
  assert.equal(broken.seen.end instanceof GatewayError && broken.seen.end.message, '503 5')
})

const CHAT: AnswerShape = { kind: 'object', proof: 'choices', saysEnd: true }
const chunk = (delta: string, finish = 'null'): string =>
  `data: {"choices":[{"delta":{"content":${JSON.stringify(delta)}},"finish_reason":${finish}}]}\n\n`

test('a stream that ends in order without saying so was cut off, however it is cut', () => {
  const cases: readonly (readonly [text: string, end: string, passed: string])[] = [
    [chunk('a') + chunk('b', '"stop"'), 'end', chunk('a') + chunk('b', '"stop"')],
    [`${chunk('a')}data: [DONE]\n\n`, 'end', `${chunk('a')}data: [DONE]\n\n`],
    [`${chunk('a')}data: [DONE]`, 'end', `${chunk('a')}data: [DONE]`],
    [chunk('a').replace('null', ' "length"'), 'end', chunk('a').replace('null', ' "length"')],
    [chunk('a'), 'cut', chunk('a')],
    [
      chunk('[DONE]') + chunk('"finish_reason":"stop"'),
      'cut',
      chunk('[DONE]') + chunk('"finish_reason":"stop"'),
    ],
    [chunk('data: [DONE]'), 'cut', chunk('data: [DONE]')],
    [`${chunk('a')}data:[DONE]\r\n\r\n`, 'end', `${chunk('a')}data:[DONE]\r\n\r\n`],
    [`${chunk('a')}data: {"choices":[{"de`, 'cut', chunk('a')],
    // Nothing has reached the client: another deployment may be asked.
    ['data: {"choices":[{"de', 'cut', ''],
    [': still thinking\n\n', 'cut', ': still thinking\n\n'],
  ]
  for (const [text, end, expected] of cases)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
        const { passage, seen } = open({ stream: true, shape: CHAT })
        passage.head(200, {})
        send(passage, text, splits)
        passage.end()
        assert.deepEqual([kindOf(seen), seen.text, seen.overs], [end, expected, 1], text)
      }),
      { numRuns: 40 },
    )
})

const asking = (mode: 'chat' | 'completion', request: object): AskedChoices => {
  const body = Buffer.from(JSON.stringify(request))
  return { operation: { mode }, body, spans: scanObject(body) }
}
const choice = (index: number, finish: string | null): object => ({
  delta: { tool_calls: [{ index: 7 }] },
  finish_reason: finish,
  index,
})
const choices = (...all: readonly object[]): string => `data: ${JSON.stringify({ choices: all })}\n\n`

test('a stream of several choices is complete when each of them is, however it is cut', () => {
  const both = choices(choice(0, null)) + choices(choice(1, null)) + choices(choice(0, 'stop'))
  const two = asking('chat', { n: 2 })
  const cases: readonly (readonly [asked: AskedChoices, text: string, end: string])[] = [
    [two, both, 'cut'],
    [two, both + choices(choice(0, 'stop')), 'cut'],
    [two, both + choices(choice(1, 'length')), 'end'],
    [two, choices(choice(0, 'stop'), choice(1, 'stop')), 'end'],
    [two, `${both}data: [DONE]\n\n`, 'end'],
    [asking('chat', { n: 1, prompt: ['a', 'b'] }), both, 'end'],
    [asking('chat', {}), both, 'end'],
    [asking('completion', { prompt: ['a', 'b'] }), both, 'cut'],
    [asking('completion', { prompt: ['a', 'b'] }), both + choices(choice(1, 'stop')), 'end'],
    [asking('completion', { prompt: [[1], [2]], n: 2 }), both + choices(choice(1, 'stop')), 'cut'],
    [asking('completion', { prompt: [1, 2] }), both, 'end'],
    [asking('completion', { prompt: 'a' }), both, 'end'],
  ]
  for (const [asked, text, end] of cases)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
        const { passage, seen } = open({ stream: true, shape: CHAT, asked })
        passage.head(200, {})
        send(passage, text, splits)
        passage.end()
        assert.deepEqual([kindOf(seen), seen.text], [end, text], `${asked.body.toString()} ${text}`)
      }),
      { numRuns: 20 },
    )
})

test('an error event within a stream passes, and is told as a flaw of the answer', () => {
  const error = 'data: {"error":{"message":"overheated"}}\n\n'
  const text = chunk('the word "error" is none') + error
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
      const { passage, seen } = open({ stream: true, shape: CHAT })
      passage.head(200, {})
      send(passage, text, splits)
      passage.end()
      assert.deepEqual([kindOf(seen), seen.text, seen.facts?.flaw?.kind], ['end', text, 'server_error'])
    }),
  )
})

test('the time of a stream’s first event is told, whatever comments and pings came before it', () => {
  const { passage, seen, clock } = open({ stream: true, shape: CHAT })
  passage.head(200, {})
  clock.wind(10)
  passage.data(Buffer.from(': wait\n\n'))
  assert.deepEqual([seen.text, seen.events, seen.pings], [': wait\n\n', 0, 0])
  passage.data(Buffer.from('event: ping\ndata: {"type":"ping"}\n\n'))
  assert.deepEqual([seen.events, seen.pings], [0, 1])
  clock.wind(20)
  passage.data(Buffer.from(chunk('a', '"stop"')))
  clock.wind(40)
  passage.data(Buffer.from(': bye\n\n'))
  passage.end()
  assert.deepEqual([seen.events, seen.facts?.firstByteMs], [1, 30])
})

const tokens = fc.record({
  prompt_tokens: fc.nat(),
  completion_tokens: fc.nat(),
  total_tokens: fc.nat(),
})
const counted = (usage: {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
}): object => ({
  promptTokens: usage.prompt_tokens,
  completionTokens: usage.completion_tokens,
  totalTokens: usage.total_tokens,
})
/** What looks like usage to a careless eye. */
const LOOKALIKE = String.raw`"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":1}} \ "usage":`

test('usage is what JSON.parse of the whole finds, wherever an answer is split, large or small', () => {
  const sizes = fc.constantFrom(0, 100, 70_000)
  const splits = fc.array(fc.nat(), { maxLength: 8 })
  fc.assert(
    fc.property(tokens, sizes, splits, fc.boolean(), (usage, size, cuts, isLast) => {
      const content = LOOKALIKE + 'x'.repeat(size)
      const choices = [{ message: { content, usage: { prompt_tokens: 9, completion_tokens: 9 } } }]
      const body = isLast
        ? { choices, x_groq: { usage: {} }, usage }
        : { choices, usage, metadata: { usage: { input_tokens: 3 }, note: content.slice(0, 200) } }
      const { passage, seen } = open({ stream: false })
      passage.head(200, {})
      send(passage, JSON.stringify(body, null, size === 100 ? 2 : 0), cuts)
      passage.end()
      assert.deepEqual(seen.facts?.usage, counted(usage))
    }),
    { numRuns: 60 },
  )
})

test('a large answer’s usage is seen wherever its top level says it, however the answer is split', () => {
  const decoy = { usage: { prompt_tokens: 9, completion_tokens: 9 } }
  const many = Array.from({ length: 900 }, (_, at) => ({ at, note: '}]"\\', ...decoy }))
  const fillers: Readonly<Record<string, unknown>> = {
    nothing: [],
    one: [decoy],
    quoted: LOOKALIKE.repeat(80),
    many,
    deep: { deep: [[decoy, 'x'.repeat(66_000)]] },
    text: 'y'.repeat(70_000),
  }
  const filler = fc.constantFrom(...Object.keys(fillers))
  const splits = fc.array(fc.nat(), { maxLength: 40 })
  fc.assert(
    fc.property(tokens, filler, filler, filler, splits, fc.boolean(), (usage, a, b, c, cuts, isWide) => {
      const body = {
        a: fillers[a],
        choices: [{}],
        b: fillers[b],
        usage,
        c: fillers[c],
        end: 'z'.repeat(65_536),
      }
      const { passage, seen } = open({ stream: false })
      passage.head(200, {})
      send(passage, JSON.stringify(body, null, isWide ? 1 : 0), cuts)
      passage.end()
      assert.deepEqual(seen.facts?.usage, counted(usage))
    }),
    { numRuns: 60 },
  )
})

test('a large answer without usage at its top level costs nothing that can be counted', () => {
  const lost = { choices: [{ usage: { prompt_tokens: 1 } }], end: 'z'.repeat(70_000) }
  for (const text of [JSON.stringify(lost), `${JSON.stringify(lost).slice(0, -1)},"usage":null}`]) {
    const { passage, seen } = open({ stream: false })
    passage.head(200, {})
    send(passage, text, [66_000])
    passage.end()
    assert.deepEqual([kindOf(seen), seen.facts?.usage], ['end', undefined])
  }
})

test('a stream’s usage is that of its last event which says any, wherever it is split', () => {
  fc.assert(
    fc.property(tokens, tokens, fc.array(fc.nat(), { maxLength: 12 }), (early, usage, splits) => {
      const event = (more: object): string =>
        `data: ${JSON.stringify({ choices: [{ delta: {} }], ...more })}\n\n`
      const text =
        event({ usage: null }) +
        event({ usage: early }) +
        event({ usage, x_groq: { usage: { prompt_tokens: 1 } } }) +
        event({ usage: null }) +
        chunk(LOOKALIKE) +
        'data: [DONE]\n\n'
      const { passage, seen } = open({ stream: true, shape: CHAT })
      passage.head(200, {})
      send(passage, text, splits)
      passage.end()
      assert.deepEqual(seen.facts?.usage, counted(usage))
    }),
  )
})

test('what cannot be counted is no usage', () => {
  const cases: readonly (readonly [string, object | undefined])[] = [
    ['{"prompt_tokens":3,"total_tokens":3}', { promptTokens: 3, completionTokens: 0, totalTokens: 3 }],
    ['{"input_tokens":3,"output_tokens":4}', { promptTokens: 3, completionTokens: 4, totalTokens: 7 }],
    [
      '{"prompt_tokens":3,"completion_tokens":null}',
      { promptTokens: 3, completionTokens: 0, totalTokens: 3 },
    ],
    ['{"prompt_tokens":"3","completion_tokens":1}', undefined],
    ['{"prompt_tokens":1.5,"completion_tokens":1}', undefined],
    ['{"prompt_tokens":-1,"completion_tokens":1}', undefined],
    ['{"type":"duration","seconds":9}', undefined],
    ['{"prompt_tokens":3,}', undefined],
    ['null', undefined],
    ['7', undefined],
  ]
  for (const [usage, expected] of cases)
    for (const stuffing of ['', 'x'.repeat(70_000)]) {
      const { passage, seen } = open({ stream: false })
      passage.head(200, {})
      send(passage, `{"choices":[{"a":"${stuffing}"}],"usage":${usage}}`)
      passage.end()
      assert.deepEqual([kindOf(seen), seen.facts?.usage], ['end', expected], usage)
    }
})

test('an answer that breaks off, or whose client leaves, counts nothing', () => {
  const { passage, seen } = open({ stream: true, shape: CHAT })
  passage.head(200, {})
  passage.data(Buffer.from('data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'))
  passage.fail(new GatewayError('cancelled', 'gone'))
  passage.end()
  assert.deepEqual([kindOf(seen), seen.facts, seen.overs], ['cancelled', undefined, 1])
})

const SOUND: AnswerShape = { kind: 'sound' }
const MP3 = { 'content-type': 'audio/mpeg' }

test('sound passes as it comes, and what is none is refused, however it is cut', () => {
  const busy = '{"error":{"message":"busy"}}'
  const events = 'data: {"type":"speech.audio.delta","audio":"AA=="}\n\n'
  const cases: readonly (readonly [string | undefined, string, string, string])[] = [
    ['audio/mpeg', 'ID3sound', 'end', 'ID3sound'],
    ['application/octet-stream', '  {not json', 'end', '  {not json'],
    ['audio/pcm', '{"not": json', 'end', '{"not": json'],
    ['audio/mpeg', busy, 'server_error', ''],
    ['application/json', busy, 'server_error', ''],
    ['application/json', '{"ok":true}', 'wrong_shape', ''],
    ['text/html', '<html>', 'wrong_shape', ''],
    [undefined, 'ID3sound', 'wrong_shape', ''],
    ['audio/mpeg', '', 'empty', ''],
    ['text/event-stream', events, 'end', events],
    ['text/event-stream', `data: ${busy}\n\n`, 'server_error', ''],
  ]
  for (const [type, text, end, expected] of cases) {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (splits) => {
        const { passage, seen } = open({ stream: false, shape: SOUND })
        passage.head(200, type === undefined ? {} : { 'content-type': type })
        send(passage, text, splits)
        passage.end()
        assert.deepEqual([kindOf(seen), seen.text], [end, expected], text)
      }),
      { numRuns: 40 },
    )
  }
})

test('the first bytes of sound reach the client before the last are there, with the length that was said', () => {
  const { passage, seen } = open({ stream: false, shape: SOUND })
  passage.head(200, { ...MP3, 'content-length': '8', 'content-encoding': 'identity', 'x-other': '1' })
  passage.data(Buffer.from('ID3'))
  assert.deepEqual(
    [seen.text, seen.headers],
    ['ID3', { 'content-type': 'audio/mpeg', 'content-length': '8', 'content-encoding': 'identity' }],
  )
  passage.fail(new GatewayError('cut', 'gone'))
  assert.equal(kindOf(seen), 'cut')
})

const TRANSCRIPT: AnswerShape = { kind: 'transcript', proof: 'text' }

test('a transcript is JSON with a text, bare text or events, and nothing else is one, however it arrives', () => {
  const busy = '{"error":{"message":"busy"}}'
  const events = 'data: {"type":"transcript.text.delta","delta":"a"}\n\n'
  const cases: readonly (readonly [string | undefined, string, string, string])[] = [
    ['application/json', '{"text":"hello"}', 'end', '{"text":"hello"}'],
    ['application/json', '{"text":"","segments":[]}', 'end', '{"text":"","segments":[]}'],
    [undefined, '{"text":"hello"}', 'end', '{"text":"hello"}'],
    ['text/plain; charset=utf-8', '{"text":"hello"}', 'end', '{"text":"hello"}'],
    ['text/plain; charset=utf-8', 'hello\n', 'end', 'hello\n'],
    ['text/plain', '\n', 'end', '\n'],
    ['text/plain', ' '.repeat(100), 'end', ' '.repeat(100)],
    ['text/vtt', 'WEBVTT\n\n00:00', 'end', 'WEBVTT\n\n00:00'],
    ['application/x-subrip', '1\n00:00', 'end', '1\n00:00'],
    ['text/plain', '<laughter>', 'end', '<laughter>'],
    ['text/plain', '', 'empty', ''],
    ['application/json', '', 'empty', ''],
    ['application/json', '{"text":null}', 'wrong_shape', ''],
    ['application/json', '{"ok":true}', 'wrong_shape', ''],
    ['application/json', busy, 'server_error', ''],
    ['text/plain', busy, 'server_error', ''],
    ['text/html', '<html>', 'wrong_shape', ''],
    ['text/plain', '\n<!DOCTYPE html><title>', 'wrong_shape', ''],
    ['application/octet-stream', 'hello', 'wrong_shape', ''],
    ['text/event-stream', events, 'end', events],
    ['text/event-stream', `data: ${busy}\n\n`, 'server_error', ''],
  ]
  for (const [type, text, end, expected] of cases) {
    fc.assert(
      fc.property(fc.boolean(), fc.array(fc.nat(), { maxLength: 8 }), (stream, splits) => {
        // A wish for events is one: what cannot be streamed comes whole.
        const { passage, seen } = open({ stream, shape: TRANSCRIPT })
        passage.head(200, type === undefined ? {} : { 'content-type': type })
        send(passage, text, splits)
        passage.end()
        assert.deepEqual([kindOf(seen), seen.text], [end, expected], text)
      }),
      { numRuns: 40 },
    )
  }
})

test('bare text keeps its type, and JSON is called so', () => {
  for (const [type, text, expected] of [
    ['text/plain; charset=utf-8', 'hello', 'text/plain; charset=utf-8'],
    ['text/plain', '{"text":"hello"}', 'application/json'],
  ] as const) {
    const { passage, seen } = open({ stream: false, shape: TRANSCRIPT })
    passage.head(200, { 'content-type': type })
    send(passage, text)
    passage.end()
    assert.equal(seen.headers?.['content-type'], expected)
  }
})

test('a long text in place of sound is given up, not kept', () => {
  const { passage, seen } = open({ stream: false, shape: SOUND })
  passage.head(200, { 'content-type': 'text/plain' })
  send(passage, 'x'.repeat(65_537))
  assert.deepEqual([kindOf(seen), seen.stops, seen.text], ['wrong_shape', 1, ''])
})

test('each operation has its own list that makes an answer', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['data', '{"data":[{}]}', 'end'],
    ['results', '{"results":[{}]}', 'end'],
    ['data', '{"choices":[{}]}', 'wrong_shape'],
    ['results', '{"results":[]}', 'wrong_shape'],
  ]
  for (const [proof, text, end] of cases) {
    const { passage, seen } = open({ stream: false, shape: { kind: 'object', proof } })
    passage.head(200, {})
    send(passage, text)
    passage.end()
    assert.equal(kindOf(seen), end, text)
  }
})

test('a client that is full pauses the upstream; a waiting line does not', () => {
  const { passage, seen } = open({ stream: true, full: true })
  passage.head(200, {})
  assert.equal(passage.data(Buffer.from(EVENTS)), false)
  assert.equal(passage.data(Buffer.from('data: {"half')), true)
  assert.equal(seen.pauses, 1)
})

test('after the end nothing more reaches the client', () => {
  const { passage, seen } = open({ stream: true })
  passage.head(200, {})
  passage.abandon(new GatewayError('timeout', 'too slow'))
  passage.data(Buffer.from(EVENTS))
  passage.end()
  passage.fail(new GatewayError('cancelled', 'stopped'))
  assert.deepEqual([kindOf(seen), seen.text, seen.stops], ['timeout', '', 1])
})

test('an answer that is held to be renamed takes time by its size, and not by the number of its pieces', () => {
  const { passage, seen } = open({ stream: false, model: 'mine' })
  const body = Buffer.from(`{"choices":[${'1,'.repeat(1_000_000)}1],"model":"theirs"}`)
  const startedMs = performance.now()
  passage.head(200, {})
  for (let at = 0; at < body.length; at += 100) passage.data(body.subarray(at, at + 100))
  passage.end()
  assert.ok(seen.text.endsWith('"model":"mine"}'))
  assert.ok(performance.now() - startedMs < 1000)
})
