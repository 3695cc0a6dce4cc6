import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'

import { Ajv2020 } from 'ajv/dist/2020.js'
import { createApp } from '../src/app.ts'
import { OPTIONS } from '../src/cli/options.ts'
import { readConfigText } from '../src/read-config.ts'
import { createSource, toJson } from '../src/config/node.ts'
import { parseYaml } from '../src/config/yaml.ts'
import { systemClock } from '../src/core/clock.ts'
import { FAILURE_KINDS } from '../src/core/failure.ts'
import { HEALTH_STATES } from '../src/core/health.ts'
import { silentLog } from '../src/core/log.ts'
import { MODES } from '../src/core/mode.ts'
import { allAdapters } from '../src/providers/registry.ts'

const ADAPTERS = await allAdapters()

const ROOT = resolve(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** The part of a page below one heading, up to the next heading of any level. */
function section(page: string, heading: string): string {
  const start = page.indexOf(`\n${heading}\n`)
  assert.notEqual(start, -1, `no heading "${heading}"`)
  const rest = page.slice(start + heading.length + 2)
  const end = rest.search(/\n#{1,4} /)
  return end === -1 ? rest : rest.slice(0, end)
}

/** The code words in the first column of a table. */
function firstColumn(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''))
}

/** The modes that a cell of a table means: `all`, `all but …`, or a list. */
function modesIn(cell: string): readonly string[] {
  const [, but] = /^all(?: but (.*))?$/.exec(cell) ?? []
  if (!cell.startsWith('all')) return cell.split(', ')
  return MODES.filter((mode) => but?.split(', ').includes(mode) !== true)
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder)).flatMap((name) => {
    const path = join(folder, name)
    return statSync(join(ROOT, path)).isDirectory() ? filesBelow(path) : [path]
  })
}

const sources = filesBelow('src').filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
const code = sources.map(read).join('\n')

describe('documentation', () => {
  const health = read('docs/health.md')

  test('docs/health.md lists every reason there is, and none that is not', () => {
    assert.deepEqual([...firstColumn(section(health, '## Reasons'))].sort(), [...FAILURE_KINDS].sort())
  })

  test('docs/health.md lists every state there is, and none that is not', () => {
    assert.deepEqual([...firstColumn(section(health, '## States'))].sort(), [...HEALTH_STATES].sort())
  })

  test('docs/health.md lists every mode there is, and none that is not', () => {
    const modes = firstColumn(section(health, '## What is sent, and what proves health'))
    assert.deepEqual([...modes].sort(), [...MODES].sort())
  })

  test('every setting named in docs/health.md is in the schema', () => {
    const schema = read('config.schema.json')
    const text = section(health, '## Settings').split('In the environment')[0] ?? ''
    const names = [...text.matchAll(/`([a-z_]+)`/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !['model_info', 'general_settings'].includes(name))
    assert.ok(names.length > 15)
    assert.deepEqual(
      names.filter((name) => !schema.includes(`"${name}"`)),
      [],
    )
  })

  test('every environment variable named in docs/health.md is read by the program', () => {
    const names = [...health.matchAll(/`([A-Z][A-Z_]{5,})`/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => name.includes('_') || name === 'HOST')
    const states: readonly string[] = HEALTH_STATES
    const unread = [...new Set(names)].filter((name) => !states.includes(name) && !code.includes(name))
    assert.deepEqual(unread, [])
  })

  test('docs/config.md lists every variable of the environment that is read, and none that is not', () => {
    const listed = firstColumn(section(read('docs/config.md'), '## Environment variables'))
    const used = [...code.matchAll(/\benv(?:\['([A-Z_]+)'\]|, '([A-Z_]+)')/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    )
    // What every terminal says of itself is no setting of ours.
    const own = used.filter((name) => !['TERM', 'COLUMNS'].includes(name))
    assert.deepEqual([...listed].sort(), [...new Set(own)].sort())
  })

  test('docs/cli.md lists every option there is, and none that is not', () => {
    const table = firstColumn(section(read('docs/cli.md'), '## Options'))
    assert.deepEqual([...table].sort(), OPTIONS.map(({ name }) => `--${name}`).sort())
  })

  test('docs/providers.md lists every provider that is built, and none that is not', () => {
    const page = read('docs/providers.md')
    const ids = ADAPTERS.map(({ id }) => `${id}/`).sort()
    for (const heading of ['## What each one serves', '## Addresses and keys'])
      assert.deepEqual([...firstColumn(section(page, heading))].sort(), ids)
  })

  test('docs/providers.md says of each provider what its adapter does', () => {
    const rows = section(read('docs/providers.md'), '## What each one serves')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split(' | '))
    assert.equal(rows.length, ADAPTERS.length)
    for (const [name = '', modes = '', streams, tools, look = '', auth = ''] of rows) {
      const adapter = ADAPTERS.find(({ id }) => name === `| \`${id}/\``)
      assert.ok(adapter !== undefined, name)
      const [all = '', ...partly] = modes.split('; ')
      const said = modesIn(all)
      for (const mode of MODES) {
        const has: boolean =
          mode === 'realtime' ? adapter.realtime !== 'unsupported' : adapter.codecs[mode] !== 'unsupported'
        const isMeant: boolean = has && (adapter.onlyMode ?? mode) === mode
        assert.equal(said.includes(mode), isMeant, `${name} ${mode}`)
      }
      const limited = MODES.filter((mode) => mode !== 'realtime' && hasSome(adapter.codecs[mode]))
      assert.deepEqual(
        partly.map((some) => some.split(' of ')[0]),
        limited,
        name,
      )
      assert.equal(tools === '–', !said.includes('chat'), name)
      assert.equal(streams === '–', !said.includes('chat') && !said.includes('completion'), name)
      assert.equal(look.includes('not of the key'), adapter.isFreePublic === true, name)
      assert.ok(look === '–' || adapter.freeUrl !== undefined, name)
      assert.ok(auth.length > 3, `${name}: how it authenticates is not said; set ProviderAdapter.auth`)
    }
  })

  test('README.md lists every route there is, and none that is not', async () => {
    const rows = [...read('README.md').matchAll(/^\| (`(?:GET|POST|DELETE) [^|]*)\|/gm)]
    const listed = rows.flatMap(([, cell = '']) =>
      Array.from(cell.matchAll(/(\/[^`]*)`/g), ([, path = '']) => path),
    )
    const { config } = await readConfigText(
      'config.yaml',
      'model_list: []\ngeneral_settings: {drain_delay: 0}\n',
    )
    assert.ok(config !== undefined)
    const routes: string[] = []
    const app = createApp(config, {
      log: silentLog,
      clock: systemClock,
      random: () => 0.5,
      version: '1.2.3',
      host: '127.0.0.1',
      port: 0,
    })
    const { url } = await app.start()
    try {
      // A path that is known refuses a method that it does not have; one that is not known says 404.
      for (const path of listed) {
        const answer = await fetch(url + path.replaceAll(/\{\w+\}/g, 'x'), { method: 'PATCH' })
        await answer.arrayBuffer()
        if (answer.status === 405) routes.push(path)
      }
    } finally {
      await app.stop()
    }
    assert.deepEqual(listed, routes)
    const written = filesBelow('src/gateway/routes').flatMap((file) =>
      Array.from(read(file).matchAll(/'(\/[a-z][\w/*-]*)'/g), ([, path = '']) => path),
    )
    assert.ok(written.length > 8)
    assert.deepEqual(
      written.filter((path) => !listed.some((each) => each.includes(path.replace(/\*$/, '')))),
      [],
    )
  })

  test('config.schema.json accepts every example, and marks what the program refuses', () => {
    const fits = new Ajv2020({ strict: false }).compile(JSON.parse(read('config.schema.json')))
    const examples = filesBelow('examples')
    assert.ok(examples.length > 10)
    for (const file of examples) {
      const { root } = parseYaml(createSource(file, read(file)))
      assert.ok(root !== undefined && fits(toJson(root)), `${file}: ${JSON.stringify(fits.errors)}`)
    }
    assert.ok(fits({ general_settings: { health_check_interval: 'os.environ/EVERY' } }))
    assert.ok(!fits({ general_settings: { health_check_interval: 'often' } }))
    assert.ok(!fits({ model_list: [{ model_name: ['a'] }] }))
  })

  test('every file that ARCHITECTURE.md and CONTRIBUTING.md name exists', () => {
    const words = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((page) =>
      [...read(page).matchAll(/`((?:src\/|test\/)?[a-z-]+\/[a-z/.-]*(?:\.ts|\/)?)`/g)].map(
        (match) => match[1] ?? '',
      ),
    )
    const missing = words.filter(
      (word) => !word.includes('<') && !existsSync(join(ROOT, word)) && !existsSync(join(ROOT, 'src', word)),
    )
    assert.deepEqual(missing, [])
  })

  test('ARCHITECTURE.md fits on a few screens', () => {
    assert.ok(read('ARCHITECTURE.md').split('\n').length <= 150)
  })

  test('every npm script that the pages name exists', () => {
    const scripts = read('package.json')
    const pages = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'docs/health.md', 'docs/performance.md']
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? ''),
    )
    assert.deepEqual(
      named.filter((name) => !scripts.includes(`"${name}":`)),
      [],
    )
  })

  test('links between the pages lead somewhere', () => {
    const pages = [
      'README.md',
      'CONTRIBUTING.md',
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'docs/health.md',
      'docs/cli.md',
      'docs/config.md',
      'docs/providers.md',
      'docs/performance.md',
      'docs/routing.md',
      'docs/metrics.md',
      'docs/realtime.md',
      'docs/files-and-batches.md',
      'docs/forms.md',
      'docs/network.md',
    ]
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !link.includes('://'))
        .filter((link) => !existsSync(resolve(ROOT, page, '..', link)))
        .map((link) => `${page}: ${link}`),
    )
    assert.deepEqual(broken, [])
  })
})

/** Has only some of its provider's models this mode? */
function hasSome(codec: { readonly serves?: unknown } | 'unsupported'): boolean {
  return codec !== 'unsupported' && codec.serves !== undefined
}
