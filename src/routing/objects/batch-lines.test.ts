import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from '../../core/failure.ts'
import { createFormWriter } from '../../core/form-splice.ts'
import { createBatchLines, MAX_LINE_BYTES } from './batch-lines.ts'

const NAMES: ReadonlyMap<string, string> = new Map([
  ['nightly', 'gpt-4o'],
  ['same', 'same'],
  ['a "long" näme', 'x'],
  ['x', 'a-much-longer-name-than-before'],
])
const rename = (model: string): string | undefined => NAMES.get(model)

function chunksOf(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end))
}

function rewrite(text: string | Buffer, cuts: readonly number[] = [], isSurelyBatch = true): string {
  const lines = createBatchLines({ rename, isSurelyBatch })
  const out = chunksOf(Buffer.from(text), cuts).flatMap((chunk) => lines.push(chunk))
  return Buffer.concat([...out, ...lines.end()]).toString()
}

const request = (model: unknown, more: object = {}): string =>
  JSON.stringify({
    custom_id: 'ü1',
    method: 'POST',
    url: '/v1/x',
    body: { ...more, model, n: [1, { model }] },
  })

test('a model that a line names is written over with the provider’s, and nothing else is', () => {
  const cases: readonly (readonly [string, string])[] = [
    [request('nightly'), request('gpt-4o').replace('{"model":"gpt-4o"}', '{"model":"nightly"}')],
    [request('another'), request('another')],
    [request('same'), request('same')],
    [request(7), request(7)],
    ['{"custom_id":"1","body":{"input":"nightly"}}', '{"custom_id":"1","body":{"input":"nightly"}}'],
    ['{"custom_id":"1","model":"nightly"}', '{"custom_id":"1","model":"nightly"}'],
    ['{"messages":[],"body":{"model":"nightly"}}', '{"messages":[],"body":{"model":"nightly"}}'],
    ['{"custom_id":"1","body":["nightly"]}', '{"custom_id":"1","body":["nightly"]}'],
    [
      '{ "body" : { "model" : "\\u006eightly" , "x":1 } , "custom_id":2}',
      '{ "body" : { "model" : "gpt-4o" , "x":1 } , "custom_id":2}',
    ],
    [
      '{"custom_id":"1","body":{"model":"x","model":"nightly"}}',
      '{"custom_id":"1","body":{"model":"gpt-4o","model":"gpt-4o"}}',
    ],
    ['{"custom_id":"1","body":{"model":"nightly"}', '{"custom_id":"1","body":{"model":"nightly"}'],
    ['nightly {"body":{"model":"nightly"}}', 'nightly {"body":{"model":"nightly"}}'],
    ['', ''],
    ['  \t', '  \t'],
  ]
  for (const [line, expected] of cases) {
    assert.equal(rewrite(line), expected)
    assert.equal(rewrite(`${line}\r\n\n${line}\n`), `${expected}\r\n\n${expected}\n`)
  }
})

test('a file comes out the same however it is cut, and a byte order mark before it changes nothing', () => {
  const line = fc.oneof(
    fc.constantFrom(...NAMES.keys(), 'other').map((model) => request(model, { text: '☃"\n' })),
    fc.constantFrom('', ' ', '{', '{"custom_id":1}', 'no json at all', '[{"model":"x"}]', '\u0000'),
    fc.string(),
  )
  const ends = fc.constantFrom('\n', '\r\n')
  const start = fc.constantFrom('', '\uFEFF', request('nightly') + '\n')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(line, ends)),
      start,
      fc.array(fc.nat(), { maxLength: 40 }),
      fc.boolean(),
      (lines, first, cuts, isSurely) => {
        const text = first + lines.map((each) => each.join('')).join('')
        const whole = rewrite(text, [], isSurely)
        assert.equal(rewrite(text, cuts, isSurely), whole)
        const everyByte = Array.from(Buffer.from(text).keys())
        assert.equal(rewrite(text, everyByte, isSurely), whole)
      },
    ),
    { numRuns: 200 },
  )
})

test('what may be something else than a batch is one only if its first line is a request', () => {
  const line = `${request('nightly')}\n`
  const changed = rewrite(line)
  assert.notEqual(changed, line)
  assert.equal(rewrite(`\n${line}${line}`, [], false), `\n${changed}${changed}`)
  for (const first of ['%PDF-1.7\n', '{"messages":[]}\n', '{"custom_id":\n'])
    assert.equal(rewrite(first + line, [], false), first + line, first)
})

test('a line too long to be held is refused by its number, unless it is no request', () => {
  const long = 'x'.repeat(MAX_LINE_BYTES)
  const start = `${request('nightly')}\n\n`
  assert.throws(
    () => rewrite(`${start}{"custom_id":"${long}`, [7, 5_000_000]),
    (error) =>
      error instanceof GatewayError &&
      error.clientStatus === 413 &&
      error.param === 'file' &&
      /line 3 of the batch is longer than 8388608 bytes/.test(error.message),
  )
  for (const [text, isSurely] of [
    [`${start}${long}${long}`, true],
    [`{"custom_id":"${long}${long}`, false],
  ] as const)
    assert.equal(rewrite(text, [5_000_000], isSurely).length, text.length + (isSurely ? -'y'.length : 0))
})

test('in a form, only the file’s own bytes are written anew, and its size is no longer told', () => {
  const part = (head: string, content: string): string =>
    `--b\r\ncontent-disposition: form-data; ${head}\r\n\r\n${content}\r\n`
  const form = (model: string): string =>
    part('name="note"', request('nightly')) +
    part('name="file"; filename="in.jsonl"', `${request(model).replace('[1,', '[2,')}\n`) +
    part('name="other"; filename="in.jsonl"', request('nightly')) +
    '--b--\r\n'
  const expected = form('nightly').replace('"model":"nightly","n":[2', '"model":"gpt-4o","n":[2')
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
      const writer = createFormWriter('b', {
        set: {},
        defaults: {},
        remove: new Set(),
        refuse: new Set(),
        content: ({ name }) =>
          name === 'file' ? createBatchLines({ rename, isSurelyBatch: true }) : undefined,
      })
      const bytes = Buffer.from(form('nightly'))
      assert.equal(writer.seal(bytes.length), undefined)
      const out = chunksOf(bytes, cuts).flatMap((chunk) => writer.push(chunk))
      assert.equal(Buffer.concat([...out, ...writer.end()]).toString(), expected)
    }),
  )
})
