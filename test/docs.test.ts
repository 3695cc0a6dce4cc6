import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'

import { FAILURE_KINDS } from '../src/core/failure.ts'
import { HEALTH_STATES } from '../src/core/health.ts'
import { MODES } from '../src/core/mode.ts'

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
    const pages = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'docs/health.md']
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
      'docs/config.md',
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
