import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { child, createSource, type YamlNode } from './node.ts'
import { pythonJson, pythonStr } from './python-text.ts'
import { parseYaml } from './yaml.ts'

function nodeOf(yaml: string): YamlNode {
  const { root } = parseYaml(createSource('c.yaml', `x:\n  y: ${yaml}\n`))
  const node = root?.kind === 'map' ? root.entries.get('x')?.value : undefined
  const value = node?.kind === 'map' ? node.entries.get('y')?.value : undefined
  assert.ok(value)
  return value
}

// Each expected text was printed by CPython 3.11.
describe('str() of a YAML value', () => {
  const table: readonly (readonly [string, string])[] = [
    ['null', 'None'],
    ['yes', 'True'],
    ['off', 'False'],
    ['100', '100'],
    ['-0', '0'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['-0x1FFFFFFFFFFFFFF', '-144115188075855871'],
    ['1.0', '1.0'],
    ['-0.0', '-0.0'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['1.5e-7', '1.5e-07'],
    ['1234567890123456.0', '1234567890123456.0'],
    ['1.0e+16', '1e+16'],
    ['1.0e+100', '1e+100'],
    ['.inf', 'inf'],
    ['-.inf', '-inf'],
    ['.nan', 'nan'],
    ['2023-07-01', '2023-07-01'],
    ['2023-07-01T12:30:45Z', '2023-07-01 12:30:45+00:00'],
    ['[]', '[]'],
    ['[2023-07-01]', '[datetime.date(2023, 7, 1)]'],
    [
      '[2023-07-01T12:30:00-01:30]',
      '[datetime.datetime(2023, 7, 1, 12, 30, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=81000)))]',
    ],
    [`["it's", 'say "x"', "both ' and \\""]`, `["it's", 'say "x"', 'both \\' and "']`],
    [
      '["a\\nb\\t\\\\", "\\x07", "é", "\\u200b", "😀", "\\xa0"]',
      `['a\\nb\\t\\\\', '\\x07', 'é', '\\u200b', '😀', '\\xa0']`,
    ],
    ['[{a: [1.0, no]}, {1: x}]', `[{'a': [1.0, False]}, {1: 'x'}]`],
  ]
  for (const [yaml, expected] of table) test(yaml, () => assert.equal(pythonStr(nodeOf(yaml)), expected))
})

describe('json.dumps() of a YAML value', () => {
  const table: readonly (readonly [string, string])[] = [
    ['{a: 1, b: [1.0, null, true]}', '{"a": 1, "b": [1.0, null, true]}'],
    ['{50256: -100, yes: 1, ~: 2, 1.5: 3}', '{"50256": -100, "true": 1, "null": 2, "1.5": 3}'],
    ['{n: .nan, i: -.inf}', '{"n": NaN, "i": -Infinity}'],
    ['{n: "Größe 😀 \\x7f \\x01"}', '{"n": "Gr\\u00f6\\u00dfe \\ud83d\\ude00 \\u007f \\u0001"}'],
    ['{}', '{}'],
  ]
  for (const [yaml, expected] of table) test(yaml, () => assert.equal(pythonJson(nodeOf(yaml)), expected))
})

test('a missing key has no value', () => {
  assert.equal(child(nodeOf('{a: 1}'), 'b'), undefined)
})
