import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, parse, resolve } from 'node:path'
import { build } from 'esbuild'
import { z } from 'zod'

const ROOT = resolve(import.meta.dirname, '..')

/** What package.json says of what is built. */
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  engines: z.object({
    node: z
      .string()
      .regex(/^>=\d+\.\d+$/, { error: 'package.json must say engines.node as ">=MAJOR.MINOR"' }),
  }),
})

type Manifest = z.output<typeof manifestSchema>

/**
 * Runs before the program. Written in words that a Node of ten years ago can read, so that it can say what is
 * missing; `require` is for the packages in the bundle that are not ES modules.
 */
function banner({ engines }: Manifest): string {
  const [major, minor] = engines.node.replace('>=', '').split('.')
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

/** The package that is published: the bundle holds all it needs, so it depends on nothing. */
function published(manifest: Manifest): string {
  const { name, version, description, license, engines } = manifest
  const bin = { pulsegate: 'pulsegate.js' }
  return `${JSON.stringify({ name, version, description, license, type: 'module', bin, engines }, null, 2)}\n`
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

/** A piece of the program that several of its parts, or only some of its users, need. */
const PART = /^part-\w+\.js$/

const outfile = resolve(process.argv[2] ?? resolve(ROOT, 'dist/pulsegate.js'))
const folder = dirname(outfile)
if (folder === ROOT) throw new Error('the package goes into a folder of its own')
for (const name of existsSync(folder) ? readdirSync(folder) : [])
  if (PART.test(name)) rmSync(resolve(folder, name))
const manifest = manifestSchema.parse(JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')))

const { metafile } = await build({
  metafile: true,
  // Threads are programs of their own, beside the other.
  entryPoints: [
    { in: resolve(ROOT, 'src/main.ts'), out: parse(outfile).name },
    { in: resolve(ROOT, 'src/store/sqlite-worker.ts'), out: 'sqlite-worker' },
    { in: resolve(ROOT, 'src/reload/read-thread.ts'), out: 'read-thread' },
    { in: resolve(ROOT, 'src/routing/surfaces/count-thread.ts'), out: 'count-thread' },
  ],
  outdir: folder,
  // What only some need (the clients of Redis and of Postgres, the catalogue of prices) is loaded by those: 7 MB less.
  splitting: true,
  chunkNames: 'part-[hash]',
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  // Lowered below what we need, so that an older Node gets as far as the banner's sentence.
  target: 'node18',
  // A smaller text is 15 MB less memory; names stay, so that a stack can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  // The licences stand in a file of their own; one letter beyond ASCII would double what the whole text takes.
  legalComments: 'none',
  banner: { js: banner(manifest) },
  define: {
    PULSEGATE_VERSION: JSON.stringify(manifest.version),
    PULSEGATE_READ_THREAD: JSON.stringify('./read-thread.js'),
  },
  logLevel: 'warning',
})
chmodSync(outfile, 0o755)
writeFileSync(resolve(folder, 'THIRD-PARTY-LICENSES.txt'), licensesOf(Object.keys(metafile.inputs)))
writeFileSync(resolve(folder, 'package.json'), published(manifest))
for (const page of ['LICENSE', 'README.md']) copyFileSync(resolve(ROOT, page), resolve(folder, page))
console.log(`${outfile}: pulsegate ${manifest.version}`)
