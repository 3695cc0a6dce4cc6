import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { runProgram, startGateway } from './e2e/program.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '..')

/** Makes the running Node say that it is 20.20.2, before the program starts. */
const OLD_NODE =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}});" +
  "Object.defineProperty(process,'version',{value:'v20.20.2'})"

describe('the bundle', () => {
  let folder = ''
  let entry = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pulsegate-build-'))
    entry = join(folder, 'pulsegate.js')
    await run(process.execPath, [join(ROOT, 'scripts/build.ts'), entry])
  })
  after(() => rm(folder, { recursive: true, force: true }))

  test('is a program, its threads and parts of them, with the licences of what is in it beside it', async () => {
    const names = (await readdir(folder)).filter((name) => !/^part-\w+\.js$/.test(name))
    assert.deepEqual(names.sort(), [
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES.txt',
      'count-thread.js',
      'package.json',
      'pulsegate.js',
      'read-thread.js',
      'sqlite-worker.js',
    ])
    const licences = await readFile(join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
    for (const name of ['fastify', 'undici', 'ws', 'zod', 'pino', 'js-yaml', 'pg'])
      assert.match(licences, new RegExp(`^${name}\n\n[^-]*(MIT|Permission is hereby granted|Copyright)`, 'm'))
  })

  test('is a package of its own that depends on nothing', async () => {
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const { name, version, description }: Record<string, string> = JSON.parse(
      await readFile(join(ROOT, 'package.json'), 'utf8'),
    )
    assert.deepEqual(manifest, {
      name,
      version,
      description,
      license: 'MIT',
      type: 'module',
      bin: { pulsegate: 'pulsegate.js' },
      engines: { node: '>=22.19' },
    })
  })

  test('starts with the way to run it', async () => {
    assert.match(await readFile(entry, 'utf8'), /^#!\/usr\/bin\/env node\n/)
  })

  test('knows its version without a package.json', async () => {
    const { version }: { version: string } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    // `#!/usr/bin/env node` finds the Node that runs this test, wherever another one stands first.
    const PATH = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
    const { stdout } = await run(entry, ['--version'], { cwd: folder, env: { PATH } })
    assert.equal(stdout, `pulsegate ${version}\n`)
  })

  test('serves and checks from a folder with nothing in it', async () => {
    const gateway = await startGateway(['demo', '--port', '0'], { entry, cwd: folder })
    try {
      await gateway.seen(/Ctrl-C ends the demo/, 10_000)
      const answer = await fetch(`${gateway.url}/health`, { headers: { authorization: 'Bearer sk-1234' } })
      assert.equal(answer.status, 200)
    } finally {
      assert.deepEqual(await gateway.stop(), { code: 0, signal: null })
    }
  })

  test('reads a config and names what is wrong with it', async () => {
    const { code, stderr } = await runProgram(['nowhere.yaml'], { entry, cwd: folder })
    assert.equal(code, 2)
    assert.match(stderr, /nowhere\.yaml/)
  })

  test('says in one line what it needs on an older Node', async () => {
    const failed = await run(process.execPath, ['--import', OLD_NODE, entry, '--version'], {
      cwd: folder,
    }).then(
      () => undefined,
      (error: { code: number; stderr: string; stdout: string }) => error,
    )
    assert.deepEqual(
      { code: failed?.code, stderr: failed?.stderr, stdout: failed?.stdout },
      { code: 2, stderr: 'pulsegate needs Node 22.19 or newer; this is v20.20.2\n', stdout: '' },
    )
  })
})
