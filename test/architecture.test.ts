import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'

/** Which of our folders a folder may import, and which npm packages: the table of ARCHITECTURE.md. */
const MAY_IMPORT: Readonly<
  Record<string, { readonly ours: readonly string[]; readonly npm: readonly string[] }>
> = {
  core: { ours: [], npm: [] },
  config: { ours: ['core'], npm: ['zod', 'js-yaml'] },
  transport: { ours: ['core'], npm: ['undici', 'ws'] },
  providers: { ours: ['core', 'transport'], npm: ['zod', '@pydantic/genai-prices'] },
  health: { ours: ['core', 'providers'], npm: [] },
  routing: { ours: ['core', 'providers', 'health'], npm: ['gpt-tokenizer'] },
  sharing: { ours: ['core', 'health'], npm: ['ioredis', 'pg'] },
  metrics: { ours: ['core'], npm: [] },
  store: { ours: ['core'], npm: ['pg'] },
  gateway: { ours: ['core', 'config', 'health', 'routing', 'metrics'], npm: ['fastify', 'ws', 'zod'] },
  parts: {
    ours: [
      'core',
      'config',
      'transport',
      'providers',
      'health',
      'routing',
      'metrics',
      'store',
      'sharing',
      'gateway',
    ],
    npm: [],
  },
  'fake-provider': { ours: ['core'], npm: ['ws'] },
  reload: { ours: ['core', 'config', 'read-config.ts'], npm: [] },
  cli: {
    ours: ['core', 'config', 'health', 'reload', 'fake-provider', 'json-log.ts', 'read-config.ts', 'app.ts'],
    npm: [],
  },
  'app.ts': { ours: ['core', 'config', 'health', 'metrics', 'parts'], npm: [] },
  'read-config.ts': { ours: ['config', 'providers'], npm: [] },
  'json-log.ts': { ours: ['core'], npm: ['pino'] },
  'main.ts': { ours: ['cli'], npm: [] },
}

/** Which provider folders may read another one's codecs, beside OpenAI's. */
const SIBLINGS: Readonly<Record<string, readonly string[]>> = {
  'azure-ai': ['anthropic', 'azure'],
  databricks: ['openai-compatible'],
  bedrock: ['anthropic'],
  assemblyai: ['openai-compatible'],
  vertex_ai: ['anthropic', 'gemini', 'mistral'],
  'nvidia-nim': ['openai-compatible'],
}

/** Whose words have nothing of OpenAI's; all others, and who is added, may read those. */
const STRANGERS: ReadonlySet<string> = new Set(['anthropic', 'bedrock', 'gemini', 'ollama'])

const siblingsOf = (folder: string): readonly string[] => [
  ...(SIBLINGS[folder] ?? []),
  ...(STRANGERS.has(folder) ? [] : ['openai']),
]

const SRC = resolve(import.meta.dirname, '../src')

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : []
  })
}

/** Every module a file names: static and dynamic imports, and re-exports. */
function importsOf(source: string): readonly string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g
  return [...source.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The folder of src/ that a file belongs to, or its own name at the top level. */
function roomOf(path: string): string {
  return relative(SRC, path).split('/')[0] ?? ''
}

/** Tables of words that are read with brackets, by anything but a word that stands there: `entryOf` reads them. */
function bracketed(source: string): readonly string[] {
  const tables = source.matchAll(/const ([A-Z][A-Z\d_]*): (?:Readonly<|Partial<)*Record<string,/g)
  return [...tables].flatMap(
    ([, name = '']) => source.match(new RegExp(`\\b${name}\\[[^'\\]]+\\]`, 'g')) ?? [],
  )
}

/** What an import of one file breaks, or undefined. Pure, so that the test below can try it on a bad import. */
function breach(file: string, imported: string): string | undefined {
  const room = roomOf(file)
  const rules = MAY_IMPORT[room]
  const isTest = /\.(test|contract)\.ts$/.test(file)
  if (rules === undefined) return `${room} is not in the import table`
  if (imported === 'node:sqlite' && room !== 'store' && !isTest) return `${room} may not import node:sqlite`
  if (imported.startsWith('node:')) return undefined
  if (!imported.startsWith('.')) {
    const name = imported.startsWith('@')
      ? imported.split('/').slice(0, 2).join('/')
      : (imported.split('/')[0] ?? '')
    return rules.npm.includes(name) || isTest ? undefined : `${room} may not import the package ${name}`
  }
  const target = resolve(dirname(file), imported)
  const other = roomOf(target)
  if (other !== room)
    return rules.ours.includes(other) || isTest ? undefined : `${room} may not import ${other}`
  if (room !== 'providers') return undefined
  return siblingBreach(file, target)
}

function siblingBreach(file: string, target: string): string | undefined {
  const from = relative(SRC, file).split('/')
  const to = relative(SRC, target).split('/')
  const [, fromFolder] = from
  const [, toFolder] = to
  if (from.length < 3 || to.length < 3 || fromFolder === toFolder) return undefined
  if (fromFolder === undefined || toFolder === undefined || toFolder === 'auth') return undefined
  return siblingsOf(fromFolder).includes(toFolder)
    ? undefined
    : `providers/${fromFolder} may not import providers/${toFolder}`
}

describe('architecture', () => {
  test('every import goes down the table', () => {
    const breaches = filesBelow(SRC).flatMap((file) =>
      importsOf(readFileSync(file, 'utf8')).flatMap((imported) => {
        const problem = breach(file, imported)
        return problem === undefined ? [] : [`${relative(SRC, file)} imports ${imported}: ${problem}`]
      }),
    )
    assert.deepEqual(breaches, [])
  })

  test('no table is asked for a word of others with brackets, which finds what every object has', () => {
    const asked = filesBelow(SRC)
      .filter((file) => roomOf(file) !== 'fake-provider' && !/\.(test|fixture|contract)\.ts$/.test(file))
      .flatMap((file) =>
        bracketed(readFileSync(file, 'utf8')).map((found) => `${relative(SRC, file)}: ${found}`),
      )
    assert.deepEqual(asked, [])
    const bad = "const NAMES: Readonly<Record<string, string>> = { a: 'b' }\nNAMES['a'] ?? NAMES[word]"
    assert.deepEqual(bracketed(bad), ['NAMES[word]'])
  })

  test('ARCHITECTURE.md shows this very table', () => {
    const page = readFileSync(resolve(SRC, '../ARCHITECTURE.md'), 'utf8')
    const words = (cell = ''): readonly string[] => cell.split(', ').filter((word) => word !== '–')
    const rows = [...page.matchAll(/^\| `([\w-]+)` \| .* \| (.*) \| (.*) \|$/gm)].map(
      ([, folder = '', ours, npm]) => [folder, { ours: words(ours), npm: words(npm) }],
    )
    const folders = Object.entries(MAY_IMPORT).filter(([name]) => !name.endsWith('.ts'))
    const named = folders.map(([name, { ours, npm }]) => [
      name,
      { ours: ours.map((other) => other.replace(/\.ts$/, '')), npm },
    ])
    assert.deepEqual(rows, named)
  })

  for (const [file, imported, expected] of [
    ['core/mode.ts', '../config/schema.ts', 'core may not import config'],
    ['transport/send.ts', '../providers/adapter.ts', 'transport may not import providers'],
    ['gateway/server.ts', '../providers/registry.ts', 'gateway may not import providers'],
    ['gateway/server.ts', '../transport/wire.ts', 'gateway may not import transport'],
    ['health/checks.ts', 'node:sqlite', 'health may not import node:sqlite'],
    ['gateway/server.ts', '../store/sqlite.ts', 'gateway may not import store'],
    ['health/check.ts', 'undici', 'health may not import the package undici'],
    ['health/check.ts', '../transport/wire.ts', 'health may not import transport'],
    ['providers/openai/chat.ts', '../azure/adapter.ts', 'providers/openai may not import providers/azure'],
    ['providers/gemini/chat.ts', '../openai/chat.ts', 'providers/gemini may not import providers/openai'],
  ] as const) {
    test(`${file} importing ${imported} is refused`, () => {
      assert.equal(breach(join(SRC, file), imported), expected)
    })
  }

  test('imports are found in every form they are written in', () => {
    const source = [
      "import { a } from './a.ts'",
      "import type { B } from '../b.ts'",
      "import {\n  c,\n} from 'c'",
      "export { d } from './d.ts'",
      "const e = await import('./e.ts')",
      "import 'f'",
    ].join('\n')
    assert.deepEqual(importsOf(source), ['./a.ts', '../b.ts', 'c', './d.ts', './e.ts', 'f'])
  })

  test('no file re-exports a folder as a barrel, and none exports a default', () => {
    const offenders = filesBelow(SRC).filter((file) => {
      const source = readFileSync(file, 'utf8')
      return (
        /(^|\n)export \* from/.test(source) ||
        /(^|\n)export default/.test(source) ||
        file.endsWith('/index.ts')
      )
    })
    assert.deepEqual(
      offenders.map((file) => relative(SRC, file)),
      [],
    )
  })

  test('no name that says nothing', () => {
    const banned = /^(utils?|helpers?|common|manager|service|base|misc)\.ts$/
    const offenders = filesBelow(SRC).filter((file) => banned.test(file.split('/').at(-1) ?? ''))
    assert.deepEqual(offenders, [])
  })
})
