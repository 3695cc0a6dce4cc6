import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { build } from 'esbuild'

const ROOT = resolve(import.meta.dirname, '..')
const MANIFEST: unknown = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'))

/**
 * Runs before the program. Written in words that a Node of ten years ago can read, so that it can say what is
 * missing; `require` is for the packages in the bundle that are not ES modules.
 */
function banner(needs: readonly [number, number]): string {
  const [major, minor] = needs
  return [
    "import { createRequire as pulsegateCreateRequire } from 'node:module';",
    "var pulsegateNode = process.versions.node.split('.').map(Number);",
    `if (pulsegateNode[0] < ${major} || (pulsegateNode[0] === ${major} && pulsegateNode[1] < ${minor})) {`,
    `  process.stderr.write('pulsegate needs Node ${major}.${minor} or newer; this is ' + process.version + '\\n');`,
    '  process.exit(2);',
    '}',
    'var require = pulsegateCreateRequire(import.meta.url);',
  ].join('\n')
}

/** What package.json says of the version, and of the Node that is needed. */
function readManifest(manifest: unknown): { version: string; needs: readonly [number, number] } {
  const isRead =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest && 'engines' in manifest
  if (!isRead || typeof manifest.version !== 'string')
    throw new Error('package.json has no version or no engines')
  const needs = /"node":">=(\d+)\.(\d+)"/.exec(JSON.stringify(manifest.engines))
  if (needs === null) throw new Error('package.json must say engines.node as ">=MAJOR.MINOR"')
  return { version: manifest.version, needs: [Number(needs[1]), Number(needs[2])] }
}

/** The licence of every package that went into the bundle: their terms ask for it to travel along. */
function licensesOf(inputs: readonly string[]): string {
  const folders = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [])
  const texts = [...new Set(folders)].sort().map((folder) => {
    const name = readdirSync(resolve(ROOT, folder)).find((file) => /^licen[cs]e/i.test(file))
    const text =
      name === undefined ? 'see its package.json' : readFileSync(resolve(ROOT, folder, name), 'utf8')
    return `${folder.replace(/^.*node_modules\//, '')}\n\n${text.trim()}\n`
  })
  return texts.join(`\n${'-'.repeat(78)}\n\n`)
}

const outfile = resolve(process.argv[2] ?? resolve(ROOT, 'dist/pulsegate.js'))
const { version, needs } = readManifest(MANIFEST)

const { metafile } = await build({
  metafile: true,
  entryPoints: [resolve(ROOT, 'src/main.ts')],
  outfile,
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  // Lowered below what we need, so that an older Node gets as far as the banner's sentence.
  target: 'node18',
  // A smaller text is 15 MB less memory; names stay, so that a stack can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  banner: { js: banner(needs) },
  define: { PULSEGATE_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
})
chmodSync(outfile, 0o755)
writeFileSync(resolve(outfile, '../THIRD-PARTY-LICENSES.txt'), licensesOf(Object.keys(metafile.inputs)))
console.log(`${outfile}: pulsegate ${version}`)
