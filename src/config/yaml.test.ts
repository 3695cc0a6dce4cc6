import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { child, createSource, toJson } from './node.ts'
import { formatProblem } from './problem.ts'
import { parseYaml } from './yaml.ts'

const valueOf = (text: string): unknown => {
  const { root, problems } = parseYaml(createSource('c.yaml', text))
  assert.deepEqual(problems, [])
  assert.ok(root)
  return toJson(root)
}

const complaints = (text: string): readonly string[] =>
  parseYaml(createSource('c.yaml', text)).problems.map(formatProblem)

describe('a scalar is what PyYAML makes of it', () => {
  // Each expected value was printed by PyYAML 6.0.3.
  const table: readonly (readonly [string, unknown])[] = [
    ['yes', true],
    ['Off', false],
    ['ON', true],
    ['y', 'y'],
    ['tRUE', 'tRUE'],
    ['~', null],
    ['NULL', null],
    ['nULL', 'nULL'],
    ['010', 8],
    ['08', '08'],
    ['0o10', '0o10'],
    ['0x1F', 31],
    ['0b101', 5],
    ['80_000', 80000],
    ['-12', -12],
    ['12:30', 750],
    ['1:2:3', 3723],
    ['1e-6', '1e-6'],
    ['1.0e-6', 1e-6],
    ['1e+3', '1e+3'],
    ['1.', 1],
    ['.5', 0.5],
    ['-.5', '-.5'],
    ['.inf', Infinity],
    ['-.INF', -Infinity],
    ['.nan', NaN],
    ['1:30.5', 90.5],
    ['2023-07-01', '2023-07-01'],
    ['2023-7-1', '2023-7-1'],
    ['2023-07-01-preview', '2023-07-01-preview'],
    ['2023-07-01T12:30:45Z', '2023-07-01T12:30:45+00:00'],
    ['2023-7-1 12:30:45.5', '2023-07-01T12:30:45.500000'],
    ['2023-07-01 12:30:00 +5', '2023-07-01T12:30:00+05:00'],
    ['"yes"', 'yes'],
    ["'010'", '010'],
    ['!!str 010', '010'],
    ['!!int "3"', 3],
    ['a # comment', 'a'],
    ['a#b', 'a#b'],
  ]
  for (const [text, expected] of table) {
    test(text, () => assert.deepEqual(valueOf(`x: ${text}`), { x: expected }))
  }
})

describe('a text is read as it stands', () => {
  const table: readonly (readonly [string, string, unknown])[] = [
    ['with a byte order mark', '\uFEFFa: 1\n', { a: 1 }],
    ['with Windows line ends', 'a: 1\r\nb:\r\n  - x\r\n', { a: 1, b: ['x'] }],
    ['without a final newline', 'a: |\n  b', { a: 'b' }],
    ['with a leading ---', '---\na: 1\n', { a: 1 }],
    [
      'with TABs in quotes, blocks and comments',
      'a: "x\ty" #\tc\nb: |\n  p\tq\n# \t\nc: 1\n',
      { a: 'x\ty', b: 'p\tq\n', c: 1 },
    ],
    [
      "with a list closed at its key's column",
      'a:\n  b: [ # "one"\n    1,\n    2 # two\n  ]\n  c: {\n    d: 1\n  }\n',
      { a: { b: [1, 2], c: { d: 1 } } },
    ],
    [
      'with a closing bracket inside a block of text',
      'a: [\n  1\n]\nb: |\n  {\n  }\n',
      { a: [1], b: '{\n}\n' },
    ],
    ['with integer-like keys in their order', '{"10": a, "9": b}', { 10: 'a', 9: 'b' }],
    ['with an anchor and an alias', 'a: &x {p: 1}\nb: *x\n', { a: { p: 1 }, b: { p: 1 } }],
    [
      'with merged keys, its own winning',
      'a: &x {p: 1, q: 2}\nb:\n  q: 3\n  <<: *x\n',
      { a: { p: 1, q: 2 }, b: { p: 1, q: 3 } },
    ],
    [
      'with a list of merges, the first winning',
      'a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]\n',
      { a: { p: 1 }, b: { p: 2, r: 3 }, c: { p: 1, r: 3 } },
    ],
  ]
  for (const [name, text, expected] of table) test(name, () => assert.deepEqual(valueOf(text), expected))
})

test('merged keys come first, as in Python', () => {
  const { root } = parseYaml(createSource('c.yaml', 'b: 2\n<<: {a: 1, b: 3}\n'))
  assert.deepEqual(JSON.stringify(root && toJson(root)), '{"a":1,"b":2}')
})

describe('what PyYAML refuses is one fatal problem at its line', () => {
  const table: readonly (readonly [string, string])[] = [
    ['a: 1\t\nb: 2\n', 'c.yaml:1:5: not valid YAML: a TAB is not allowed here; use spaces'],
    ['a: x\ty\n', 'c.yaml:1:5: not valid YAML: a TAB is not allowed here; use spaces'],
    ['a:\t1\n', 'c.yaml:1:3: not valid YAML: a TAB is not allowed here; use spaces'],
    ['a: 1 \t# c\n', 'c.yaml:1:6: not valid YAML: a TAB is not allowed here; use spaces'],
    ['- a: b\n    c: d\n', 'c.yaml:2:6: not valid YAML: bad indentation of a mapping entry'],
    [
      'a: 1\n---\nb: 2\n',
      'c.yaml:1:4: not valid YAML: a second document starts below this (---); a config is one document',
    ],
    [
      'a: *x\n',
      'c.yaml:1:4: not valid YAML: "*" starts an alias, and no anchor above has its name; quote the value if it is text',
    ],
    [
      'a: &x 1\nb: &x 2\n',
      'c.yaml:2:4: not valid YAML: this anchor stands twice (first on line 1); rename one',
    ],
    ['a: &x [*x]\n', 'c.yaml:1:8: not valid YAML: this alias stands inside of its own anchor'],
    [
      'a: !env X\n',
      'c.yaml:1:4: not valid YAML: "!" starts a tag, and this one cannot be read here; quote the value if it is text',
    ],
    [
      'a: !e!env X\n',
      'c.yaml:1:10: not valid YAML: "!" starts a tag, and this one cannot be read here; quote the value if it is text',
    ],
    ['a: !env {}\n', 'c.yaml:1:4: not valid YAML: this tag cannot be read here; remove it'],
    ['a: 2023-13-01\n', 'c.yaml:1:4: not valid YAML: "2023-13-01" looks like a date but is none; quote it'],
    ['a: =\n', 'c.yaml:1:4: not valid YAML: a lone "=" has no meaning here; quote it'],
    ['<<: 1\n', 'c.yaml:1:1: not valid YAML: "<<" takes a map or a list of maps'],
    ['[a]: 1\n', 'c.yaml:1:1: not valid YAML: a key must be plain text, not a list or a map'],
    ['a: b\u0007\n', 'c.yaml:1:5: not valid YAML: a control character is not allowed here'],
  ]
  for (const [text, expected] of table)
    test(JSON.stringify(text), () => assert.deepEqual(complaints(text), [expected]))
})

test('of two equal keys the last one wins, and both places are named', () => {
  const text = 'a:\n  b: 1\n  ü: 1\n  b: 2\n'
  assert.deepEqual(complaints(text), [
    'c.yaml:4:3 a.b: the key "b" stands twice (first on line 2): this one wins; remove the other',
  ])
  const { root } = parseYaml(createSource('c.yaml', text))
  assert.equal(JSON.stringify(root && toJson(root)), '{"a":{"b":2,"ü":1}}')
})

test('aliases of aliases cannot make a small file huge', () => {
  const lines = ['a0: &a0 [1,1,1,1,1,1,1,1,1,1]']
  for (let level = 1; level <= 8; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(',')}]`,
    )
  const [complaint = ''] = complaints(lines.join('\n'))
  assert.match(complaint, /aliases in here expand to millions of values/)
})

test('aliases of aliases cannot nest without end', () => {
  const lines = [
    'a0: &a0 [1]',
    ...Array.from({ length: 600 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}]`),
  ]
  assert.deepEqual(complaints(lines.join('\n')), [
    'c.yaml:1:1: not valid YAML: more than 500 levels of lists and maps; use fewer',
  ])
})

test('a key called __proto__ is data like any other', () => {
  const { root } = parseYaml(createSource('c.yaml', 'a: {__proto__: {admin: true}}'))
  const a = child(root, 'a')
  assert.ok(a)
  const json = toJson(a)
  assert.equal(JSON.stringify(json), '{"__proto__":{"admin":true}}')
  assert.equal(Reflect.getPrototypeOf(Object(json)), Object.prototype)
})

describe('a password that YAML takes for something else', () => {
  for (const start of ['!', '!!', '!a!', '!<', '*', '&', '%', '@', '`', '{', '[', '|', '>', '"', "'"]) {
    test(`is not repeated, and not passed over, where it starts with ${start}`, () => {
      for (const end of ['', ' x', ': x']) {
        const { problems } = parseYaml(createSource('c.yaml', `a:\n  key: ${start}Passw0rd${end}\n`))
        if (end === '') assert.equal(problems.length, 1)
        assert.doesNotMatch(problems.map(formatProblem).join('\n'), /Passw0rd/)
      }
    })
  }

  test('is said to be empty where it starts with &', () => {
    const { root, problems } = parseYaml(createSource('c.yaml', 'a:\n  - key: &Passw0rd\n'))
    assert.deepEqual(root && toJson(root), { a: [{ key: null }] })
    assert.deepEqual(problems.map(formatProblem), [
      'c.yaml:2:10 a.0.key: "&" starts an anchor, and nothing follows: this is empty; quote the value if it is text',
    ])
  })
})
