import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from './failure.ts'
import { createFormWriter } from './form-splice.ts'
import type { FormEdits } from './form-splice.ts'

const NO_EDITS: FormEdits = { set: {}, defaults: {}, remove: new Set(), refuse: new Set() }

interface Field {
  readonly name: string
  readonly filename?: string
  readonly content: string
}

/** A form as a client writes it. Texts are one byte a character. */
interface Written {
  readonly boundary: string
  readonly fields: readonly Field[]
  readonly preamble: string
  readonly epilogue: string
  readonly padding: string
}

function bytesOf({ boundary, fields, preamble, epilogue, padding }: Written): Buffer {
  const parts = fields.map(({ name, filename, content }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: audio/wav`
    return `--${boundary}${padding}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`
  })
  const start = preamble === '' ? '' : `${preamble}\r\n`
  return Buffer.from(`${start}${parts.join('')}--${boundary}--${epilogue}`, 'latin1')
}

/** The referee: splits whole text by its delimiter, and knows nothing of chunks. */
function parse(bytes: Buffer, boundary: string): readonly Field[] {
  const [, ...rest] = `\r\n${bytes.toString('latin1')}`.split(`\r\n--${boundary}`)
  const close = rest.findIndex((each) => each.startsWith('--'))
  assert.ok(close >= 0, 'it is closed')
  return rest.slice(0, close).map((each) => {
    const line = each.indexOf('\r\n')
    assert.equal(each.slice(0, line).trim(), '')
    const blank = each.indexOf('\r\n\r\n')
    const head = each.slice(line, blank)
    const name = / name="([^"]*)"/.exec(head)?.[1] ?? assert.fail(head)
    const filename = / filename="([^"]*)"/.exec(head)?.[1]
    const content = each.slice(blank + 4)
    return filename === undefined ? { name, content } : { name, content, filename }
  })
}

function write(bytes: Buffer, boundary: string, edits: FormEdits, cuts: readonly number[] = []): Buffer {
  const writer = createFormWriter(boundary, edits)
  const out = chunks(bytes, cuts).flatMap((chunk) => writer.push(chunk))
  return Buffer.concat([...out, ...writer.end()])
}

function chunks(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])]
  const sorted = places.sort((a, b) => a - b)
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end))
}

const BOUNDARY = fc.constantFrom('b', '----formdata-0123', "a'()+_,-./:=?b", 'x-x')
/** Contents that look like delimiters without being one. */
const CONTENT = fc
  .array(
    fc.constantFrom('\r', '\n', '\r\n', '-', '--', '\r\n-', '\r\n--', 'a', '\xff', '\0', 'b', 'x-x', 'text'),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''))
const FIELD = fc.record(
  {
    name: fc.constantFrom(
      'model',
      'file',
      'image[]',
      'prompt',
      'language',
      'tags',
      'timestamp_granularities[]',
    ),
    filename: fc.constantFrom('a.wav', 'b.png', 'model'),
    content: CONTENT,
  },
  { requiredKeys: ['name', 'content'] },
)
const FORM: fc.Arbitrary<Written> = fc
  .record({
    boundary: BOUNDARY,
    fields: fc.array(FIELD, { maxLength: 6 }),
    preamble: fc.constantFrom('', 'read me'),
    epilogue: fc.constantFrom('', '\r\n', '\r\nthe end\r\n'),
    padding: fc.constantFrom('', ' ', '\t '),
  })
  .map(({ fields, ...form }) => Object.assign(form, { fields: fields.map(plain) }))
  // A content with its own boundary in it is no form.
  .filter(({ boundary, fields }) =>
    fields.every(({ content }) => !`\n${content}`.replaceAll('\r', '\n').includes(`\n--${boundary}`)),
  )
/** fast-check's records have no prototype. */
const plain = ({ name, filename, content }: Field): Field =>
  filename === undefined ? { name, content } : { name, content, filename }
const CUTS = fc.array(fc.nat({ max: 2000 }), { maxLength: 20 })

test('a form without edits passes byte by byte, however it is split', () => {
  fc.assert(
    fc.property(FORM, CUTS, (form, cuts) => {
      const bytes = bytesOf(form)
      assert.deepEqual(write(bytes, form.boundary, NO_EDITS, cuts), bytes)
    }),
  )
})

const EDITS: FormEdits = {
  set: { model: 'whisper-1' },
  defaults: { language: 'de', timestamp_granularities: ['word', 'segment'] },
  remove: new Set(['tags']),
  refuse: new Set(),
}

/** What the edits mean, said of the fields alone; `added` at the end in any order. */
function edited(fields: readonly Field[]): {
  readonly kept: readonly Field[]
  readonly added: readonly Field[]
} {
  const has = (base: string): boolean => fields.some(({ name }) => name.startsWith(base))
  const first = fields.findIndex(({ name }) => name === 'model')
  const kept = fields.flatMap((field, at) => {
    if (field.name === 'model') return at === first ? [{ ...field, content: 'whisper-1' }] : []
    return field.name === 'tags' ? [] : [field]
  })
  const added = [
    ...(first === -1 ? [{ name: 'model', content: 'whisper-1' }] : []),
    ...(has('language') ? [] : [{ name: 'language', content: 'de' }]),
    ...(has('timestamp_granularities')
      ? []
      : ['word', 'segment'].map((content) => ({ name: 'timestamp_granularities[]', content }))),
  ]
  return { kept, added }
}

test('edits change what they name and nothing else, however the form is split', () => {
  fc.assert(
    fc.property(FORM, CUTS, (form, cuts) => {
      const { boundary, fields } = form
      const { kept, added } = edited(fields)
      assert.deepEqual(parse(write(bytesOf(form), boundary, EDITS, cuts), boundary), [...kept, ...added])
    }),
  )
})

test('a form that is sealed has the size that was told, and means the same', () => {
  fc.assert(
    fc.property(FORM, CUTS, fc.nat({ max: 2000 }), (form, cuts, place) => {
      const { boundary, fields } = form
      const bytes = bytesOf(form)
      const start = place % (bytes.length + 1)
      const writer = createFormWriter(boundary, EDITS)
      const before = writer.push(bytes.subarray(0, start))
      const size = writer.seal(bytes.length)
      const after = chunks(bytes.subarray(start), cuts).flatMap((chunk) => writer.push(chunk))
      const out = Buffer.concat([...before, ...after, ...writer.end()])
      assert.equal(out.length, size)
      const { kept, added } = edited(fields)
      const sorted = (list: readonly Field[]): readonly string[] =>
        list.map(({ name, content }) => `${name}=${content}`).sort()
      const meant = [...kept, ...added]
      assert.deepEqual(sorted(parse(out, boundary)), sorted(meant))
    }),
  )
})

const refusals: Readonly<Record<string, readonly [string, RegExp]>> = {
  'an empty body': ['', /closing boundary "--b--"/],
  'no delimiter at all': ['model=a', /closing boundary/],
  'a form that is cut off': ['--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', /closing boundary/],
  'bare line feeds': [
    '--b\nContent-Disposition: form-data; name="a"\n\nx\n--b--\n',
    /goes on with something else/,
  ],
  'a boundary after a bare line feed': [
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\n--b\r\n\r\n--b--',
    /half a line end/,
  ],
  'a boundary after a bare carriage return': [
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r--b\r\n\r\n--b--',
    /half a line end/,
  ],
  'a header with a line feed in it': [
    '--b\r\nX: y\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--',
    /no header/,
  ],
  'a header over two lines': [
    '--b\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\nx\r\n--b--',
    /no header/,
  ],
  'a name with a backslash': [
    '--b\r\nContent-Disposition: form-data; name="mod\\\\el"\r\n\r\nx\r\n--b--',
    /no plain name/,
  ],
  'a longer boundary': ['--bb\r\n\r\n', /goes on with something else/],
  'no headers': ['--b\r\n\r\nx\r\n--b--', /no header|Content-Disposition/],
  'no name': ['--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--', /no plain name/],
  'a name in two ways': [
    '--b\r\nContent-Disposition: form-data; name="a"; name="model"\r\n\r\nx\r\n--b--',
    /cannot be read/,
  ],
  'an encoded name': [
    '--b\r\nContent-Disposition: form-data; name="a"; name*=utf-8\'\'model\r\n\r\nx\r\n--b--',
    /no plain name/,
  ],
  'two dispositions': [
    '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"\r\n\r\nx\r\n--b--',
    /each part needs one/,
  ],
  'another disposition': [
    '--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--b--',
    /each part needs one/,
  ],
  'endless headers': [`--b\r\nX: ${'y'.repeat(9000)}`, /longer than 8192/],
  'too many parts': [
    `${'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'.repeat(1001)}--b--`,
    /more than 1000 parts/,
  ],
}

for (const [name, [text, message]] of Object.entries(refusals)) {
  test(`${name} is refused as the client's own mistake`, () => {
    const bytes = Buffer.from(text)
    for (const cuts of [[], [...bytes.keys()].slice(0, 300)]) {
      assert.throws(
        () => write(bytes, 'b', NO_EDITS, cuts),
        (error) => error instanceof GatewayError && error.clientStatus === 400 && message.test(error.message),
      )
    }
  })
}

test('names are read quoted and unquoted, in any case, among other headers', () => {
  const head = 'CONTENT-disposition : form-data; NAME=model ;'
  const form = Buffer.from(`--b\r\nX-Own: 1\r\n${head}\r\n\r\nold\r\n--b--`)
  assert.equal(write(form, 'b', EDITS_OF_MODEL).toString(), form.toString().replace('old', 'new'))
})

const EDITS_OF_MODEL: FormEdits = { ...NO_EDITS, set: { model: 'new' } }

test('a name that must not come is refused', () => {
  const form = Buffer.from('--b\r\nContent-Disposition: form-data; name="api_base"\r\n\r\nx\r\n--b--')
  const edits = { ...NO_EDITS, refuse: new Set(['api_base']) }
  assert.throws(() => write(form, 'b', edits), { param: 'api_base', clientStatus: 400 })
  assert.equal(write(form, 'b', { ...edits, remove: new Set(['api_base']) }).toString(), '--b--')
})

test('a default that holds the boundary is not written', () => {
  assert.throws(() => createFormWriter('b', { ...NO_EDITS, set: { model: 'x--by' } }), /occurs in the model/)
})
