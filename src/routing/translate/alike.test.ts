import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  array,
  assert as assertProperty,
  constantFrom,
  integer,
  oneof,
  property,
  string,
  tuple,
} from 'fast-check'
import { GatewayError } from '../../core/failure.ts'
import { openAnthropicStream } from '../../providers/anthropic/chat.ts'
import { createChunkWriter } from './chunk-writer.ts'
import { eventSink } from './event-sink.ts'

const TARGET = { provider: 'anthropic', model: 'claude', base: 'https://host/v1', bodyDefaults: {} }

const event = (data: { readonly type: string } & Record<string, unknown>): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const delta = (index: number, more: Record<string, unknown>): string =>
  event({ type: 'content_block_delta', index, delta: more })
const said = (text: string, index = 0): string => delta(index, { type: 'text_delta', text })

const START = event({
  type: 'message_start',
  message: { id: 'msg_1', model: 'claude', usage: { input_tokens: 3 } },
})
const OPEN = event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
const END = [
  event({ type: 'content_block_stop', index: 0 }),
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }),
  event({ type: 'message_stop' }),
]
const CITED = {
  type: 'char_location',
  cited_text: 'x',
  document_title: 'A',
  start_char_index: 0,
  end_char_index: 1,
}

interface Read {
  readonly text: string
  /** How many events were written without being read. */
  readonly passed: number
  readonly failure?: string
}

/** What a client reads of these pieces; `asRead`: every one of them is read. */
function read(pieces: readonly Buffer[], asRead = false): Read {
  const { passed, ...whole } = openAnthropicStream(TARGET)
  let text = ''
  let count = 0
  let failure: string | undefined
  const told = (chars: number): void => {
    count++
    passed?.(chars)
  }
  const sink = eventSink(
    {
      head: () => {},
      data: (bytes) => {
        text += bytes.toString()
        return true
      },
      end: () => {},
      fail: (error) => {
        failure = error.message
      },
    },
    {
      decoder: { ...whole, ...(!asRead && { passed: told }) },
      isWanted: ({ choices }) => choices.length > 0,
      writer: createChunkWriter(),
    },
  )
  try {
    sink.head(200, {})
    for (const piece of pieces) sink.data(piece)
    sink.end()
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    failure = error.message
  }
  return { text, passed: count, ...(failure !== undefined && { failure }) }
}

const bytes = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text))

test('of many texts in a row only the first is read', () => {
  const pieces = bytes([START, OPEN, ...['Hel', 'lo', ' wor', 'ld', '!'].map((text) => said(text)), ...END])
  const { text, passed } = read(pieces)
  assert.equal(passed, 4)
  assert.equal(text, read(pieces, true).text)
})

test('a text that is not written as it stands, that stands elsewhere too, or that shares its piece is read', () => {
  const odd = ['text', 'say "hi"', 'Grüße', 'line\nend', 'back\\slash', '', 'index']
  const pieces = bytes([
    START,
    OPEN,
    ...odd.flatMap((text) => [said('plain one'), said(text), said('another')]),
    said('two') + said('at once'),
    ...END,
  ])
  const { text, passed } = read(pieces)
  assert.ok(passed > 0)
  assert.equal(text, read(pieces, true).text)
})

test('what a stream is told about its texts counts those that were not read', () => {
  const pieces = bytes([
    START,
    OPEN,
    said('first '),
    said('second '),
    delta(0, { type: 'citations_delta', citation: CITED }),
    ...END,
  ])
  const { text, passed } = read(pieces)
  assert.equal(passed, 1)
  assert.match(text, /"end_index":13\b/)
  assert.equal(text, read(pieces, true).text)
})

test('a stream in which nothing is like the event before is not looked at for ever', () => {
  const apart = (text: string, at: number): string => said(text).replace('{', `{"at":${at},`)
  const texts = Array.from({ length: 20 }, (_, at) => apart(`word ${at}`, at))
  const pieces = bytes([START, OPEN, ...texts, said('the same'), said('as this'), ...END])
  const { text, passed } = read(pieces)
  assert.equal(passed, 0)
  assert.equal(text, read(pieces, true).text)
})

test('however a stream is cut into pieces, and whatever its texts are, clients read the same', () => {
  const word = oneof(constantFrom('a', ' the', 'text', '"', '\\n', 'é', '', '"}}'), string({ maxLength: 6 }))
  const some = oneof(
    { weight: 6, arbitrary: word.map((text) => said(text)) },
    word.map((text) => said(text, 1)),
    word.map((thinking) => delta(0, { type: 'thinking_delta', thinking })),
    constantFrom(event({ type: 'ping' }), ': comment\n\n', 'data: {"type":"content_block_delta"', '\n', OPEN),
  )
  assertProperty(
    property(
      array(some, { maxLength: 12 }),
      array(tuple(integer({ min: 0, max: 2000 })), { maxLength: 5 }),
      (events, cuts) => {
        const all = [START, OPEN, ...events, ...END]
        const whole = Buffer.from(all.join(''))
        const ends = new Set(cuts.map(([at]) => at % whole.length))
        let at = 0
        // Between events mostly, and anywhere else sometimes.
        for (const each of all) ends.add((at += Buffer.byteLength(each)))
        const sorted = [...ends].sort((one, other) => one - other)
        const pieces = sorted.map((end, number) => whole.subarray(sorted[number - 1] ?? 0, end))
        const { passed: _, ...quick } = read(pieces)
        const { passed: __, ...asRead } = read(pieces, true)
        assert.deepEqual(quick, asRead)
      },
    ),
    { numRuns: 1000 },
  )
})
