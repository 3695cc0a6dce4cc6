import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from './failure.ts'
import { isJsonObject } from './json.ts'
import { memberValue, requireUtf8, scanObject, spliceBody } from './json-spans.ts'

/** JSON.parse makes `__proto__` an own key, but spreading test objects would not keep it. */
const key = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('model', 'stream', 'a"b', 'c\\', '\u2028', 'é😀'),
  )
  .filter((each) => each !== '__proto__')
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('\\', '"', 'x', '{', ']', ',', '\n'), { maxLength: 300 })
    .map((each) => each.join('')),
  fc.nat(400).map((length) => `${'y'.repeat(length)}\\`),
)
const value = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 0, -1.5, 1e21, 1e-7),
    text,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).json
const object = fc.dictionary(key, value, { maxKeys: 8, noNullPrototype: true })
/** The same object in other clothes: indented, ASCII-escaped, with a byte order mark, padded. */
const written = fc
  .tuple(object, fc.constantFrom(0, 1, '\t', '\r\n '), fc.boolean(), fc.constantFrom('', '\uFEFF', ' \n\t'))
  .map(([data, indent, escaped, before]) => {
    const plain = JSON.stringify(data, null, indent)
    const ascii = plain.replaceAll(
      /[\u0080-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    return {
      data,
      body: Buffer.from(`${before}${escaped ? ascii : plain}${before === '\uFEFF' ? '' : before}`),
    }
  })

test('every member of any object is found, and its value reads as JSON.parse reads it', () => {
  fc.assert(
    fc.property(written, ({ body }) => {
      const expected: unknown = JSON.parse(body.toString().replace(/^\uFEFF/, ''))
      assert.ok(isJsonObject(expected))
      const spans = scanObject(body)
      assert.deepEqual(new Set(spans.members.map((member) => member.key)), new Set(Object.keys(expected)))
      for (const each of Object.keys(expected))
        assert.deepEqual(memberValue(body, spans, each), expected[each])
    }),
    { numRuns: 300 },
  )
})

test('edits change what they name and nothing else', () => {
  const edits = fc.record({
    set: fc.dictionary(key, value),
    defaults: fc.dictionary(key, value),
    picks: fc.array(fc.nat()),
    gone: fc.array(key),
  })
  fc.assert(
    fc.property(written, edits, ({ body }, { set, defaults, picks, gone }) => {
      const before: unknown = JSON.parse(body.toString().replace(/^\uFEFF/, ''))
      assert.ok(isJsonObject(before))
      const keys = Object.keys(before)
      const remove = [...gone, ...picks.flatMap((pick) => keys[pick % (keys.length || 1)] ?? [])]
      const texts = (values: Record<string, unknown>) =>
        Object.fromEntries(Object.entries(values).map(([k, v]) => [k, JSON.stringify(v)]))
      const after: unknown = JSON.parse(
        spliceBody(body, scanObject(body), { set: texts(set), defaults: texts(defaults), remove }).toString(),
      )
      const expected = new Map<string, unknown>(Object.entries(before).filter(([k]) => !remove.includes(k)))
      for (const [k, v] of Object.entries(defaults)) if (!keys.includes(k)) expected.set(k, v)
      for (const [k, v] of Object.entries(set)) expected.set(k, v)
      // Through JSON once more: it turns -0 into 0, as the wire does.
      assert.deepEqual(after, JSON.parse(JSON.stringify(Object.fromEntries(expected))))
    }),
    { numRuns: 500 },
  )
})

test('no object cut short is taken for a whole one', () => {
  fc.assert(
    fc.property(written, fc.nat(), ({ body }, cut) => {
      const open = body.indexOf('{')
      const prefix = body.subarray(0, open + (cut % (body.lastIndexOf('}') - open)))
      assert.throws(() => scanObject(prefix), {
        name: 'GatewayError',
        kind: 'bad_request',
        message: /unexpected end of data/,
      })
    }),
    { numRuns: 300 },
  )
})

test('text that is no object is refused with line, column and character', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"model": "a",', 'unexpected end of data: line 1 column 15 (char 14)'],
    ['', 'unexpected end of data: line 1 column 1 (char 0)'],
    ['[]', 'expected an object: line 1 column 1 (char 0)'],
    ['"model"', 'expected an object: line 1 column 1 (char 0)'],
    ['{"a": 1} x', 'trailing data: line 1 column 10 (char 9)'],
    ['{"a": 1}{"b": 2}', 'trailing data: line 1 column 9 (char 8)'],
    ['{"a": 1,}', 'expected a key in double quotes: line 1 column 9 (char 8)'],
    ["{'a': 1}", 'expected a key in double quotes: line 1 column 2 (char 1)'],
    ['{"a" 1}', "expected ':': line 1 column 6 (char 5)"],
    ['{"a": }', 'expected a value: line 1 column 7 (char 6)'],
    ['{"a": 1 "b": 2}', "expected ',' or '}': line 1 column 9 (char 8)"],
    ['{"a": 01}', 'expected a value: line 1 column 7 (char 6)'],
    ['{"a": True}', 'expected a value: line 1 column 7 (char 6)'],
    ['{"a": NaN}', 'expected a value: line 1 column 7 (char 6)'],
    ['{"a": [1}}', "unexpected '}': line 1 column 9 (char 8)"],
    ['{"a": {"b": [1, 2}}', "unexpected '}': line 1 column 18 (char 17)"],
    ['{"a": "\\', 'unexpected end of data: line 1 column 9 (char 8)'],
    ['{"a": "x\\"}', 'unexpected end of data: line 1 column 12 (char 11)'],
    ['{"\\x": 1}', 'invalid key: line 1 column 2 (char 1)'],
    ['{\n  "é😀": 1\n  "b": 2\n}', "expected ',' or '}': line 3 column 3 (char 14)"],
    ['\uFEFF{"a"}', "expected ':': line 1 column 5 (char 4)"],
  ]
  for (const [body, expected] of cases) {
    assert.throws(
      () => scanObject(Buffer.from(body)),
      (error) => {
        assert.ok(error instanceof GatewayError)
        assert.deepEqual(
          { message: error.message, status: error.clientStatus, param: error.param, source: error.source },
          {
            message: `Invalid JSON payload: ${expected}`,
            status: 400,
            param: 'request_body',
            source: 'client',
          },
        )
        return true
      },
      body,
    )
  }
})

test('a body that is no UTF-8 is refused where its first broken character begins', () => {
  const isGood = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes)
  fc.assert(
    fc.property(written, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }), ({ body }, at, strange) => {
      const place = at % (body.length + 1)
      const bytes = Buffer.concat([body.subarray(0, place), strange, body.subarray(place)])
      if (isGood(bytes)) {
        requireUtf8(bytes)
        return
      }
      let good = bytes.length
      while (!isGood(bytes.subarray(0, good))) good--
      const before = bytes.toString('utf8', bytes.indexOf('\uFEFF') === 0 ? Math.min(3, good) : 0, good)
      const refused = new RegExp(`not UTF-8: line \\d+ column \\d+ \\(char ${Array.from(before).length}\\)$`)
      assert.throws(() => requireUtf8(bytes), { kind: 'bad_request', message: refused })
    }),
  )
})

test('a body built to exhaust memory is refused', () => {
  const deep = Buffer.from(`{"a":${'['.repeat(1001)}${']'.repeat(1001)}}`)
  const wide = Buffer.from(`{${Array.from({ length: 10_001 }, (_, n) => `"${n}":1`).join(',')}}`)
  assert.throws(() => scanObject(deep), /more than 1000 levels deep: line 1 column 1006/)
  assert.throws(() => scanObject(wide), /more than 10000 keys/)
})

test('the last of two members of one name counts, and an edit writes over both', () => {
  const body = Buffer.from('{"model": "a", "\\u006dodel": "b"}')
  const spans = scanObject(body)
  assert.equal(memberValue(body, spans, 'model'), 'b')
  assert.equal(
    spliceBody(body, spans, { set: { model: '"c"' } }).toString(),
    '{"model": "c", "\\u006dodel": "c"}',
  )
  assert.equal(spliceBody(body, spans, { remove: ['model'] }).toString(), '{}')
})

test('bytes that no edit names arrive as they were sent', () => {
  const cases: readonly (readonly [string, Parameters<typeof spliceBody>[2], string])[] = [
    ['{ "n" : 1.0 , "model":"a" }', { set: { model: '"b"' } }, '{ "n" : 1.0 , "model":"b" }'],
    ['{ "n" : 1.0 , "model":"a" }', { remove: ['n'] }, '{"model":"a" }'],
    ['{ "n" : 1.0 , "model":"a" }', { remove: ['model'] }, '{ "n" : 1.0 }'],
    ['{"a":1,"b":2,"c":3}', { remove: ['b'], set: { d: '4' } }, '{"a":1,"c":3,"d":4}'],
    ['{"a":1,"b":2}', { remove: ['a', 'b'], defaults: { c: '3' } }, '{"c":3}'],
    ['{"big": 12345678901234567890}', {}, '{"big": 12345678901234567890}'],
    ['\uFEFF {} ', { defaults: { a: '1' } }, '{"a":1}'],
    ['{"constructor":1}', { defaults: { toString: '2' } }, '{"constructor":1,"toString":2}'],
  ]
  for (const [body, edits, expected] of cases) {
    const bytes = Buffer.from(body)
    assert.equal(spliceBody(bytes, scanObject(bytes), edits).toString(), expected, body)
  }
})

test('a value that is broken inside is named when it is asked for', () => {
  const body = Buffer.from('{"model": {"a" 1}}')
  assert.throws(
    () => memberValue(body, scanObject(body), 'model'),
    /the value of 'model' is not valid: line 1 column 11/,
  )
})
