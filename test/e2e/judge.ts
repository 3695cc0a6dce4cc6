import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './program.ts'

/** Where vendors' descriptions of their APIs are kept, a folder for each: they are not part of the repository. */
const SPECS = resolve(import.meta.dirname, '../../../shared/specs')

/** A vendor's description, and why a test cannot be run without it. */
export interface Description {
  readonly path: string
  readonly skip: string | false
}

/** Finds `openapi.json` or `openapi.yaml` of a vendor. */
export function descriptionOf(vendor: string): Description {
  const paths = ['json', 'yaml', 'yml'].map((ending) => resolve(SPECS, vendor, `openapi.${ending}`))
  const path = paths.find((one) => existsSync(one))
  if (path !== undefined) return { path, skip: false }
  return {
    path: '',
    skip: `${resolve(SPECS, vendor)} is not here: vendors' files are not part of the repository`,
  }
}

/** What the validating server said of one request. */
export interface Judged {
  readonly route: string
  /** `valid`, or what is wrong with it. */
  readonly judgement: string
}

/** A server of somebody's description. */
export interface Judge {
  readonly url: string
  /** What came by, oldest first. */
  readonly judged: readonly Judged[]
}

/** Serves the description with a validating mock server behind a pass-through that keeps its judgements. */
export async function withJudge(spec: string, use: (judge: Judge) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pulsegate-judge-'))
  const readable = join(folder, `openapi${extname(spec)}`)
  // Some refer to code samples beside them.
  await writeFile(readable, (await readFile(spec, 'utf8')).replaceAll(/^ *\$ref: ['"]?\.\/.*$/gm, ''))
  const port = await freePort()
  const steady = fileURLToPath(import.meta.resolve('@stdy/cli/steady.js'))
  const child = spawn(process.execPath, [steady, '-p', String(port), '--no-color', realpathSync(readable)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own: what is started is a launcher, and the server behind it does not hear its signals.
    detached: true,
    // Under CI it prints for one vendor's log reader, and never that it is ready.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  })
  const ended = once(child, 'close')
  const judged: Judged[] = []
  const front = createServer((incoming, answer) => passOn(incoming, answer, port, judged))
  try {
    await ready(child.stdout, ended)
    front.listen(0, '127.0.0.1')
    await once(front, 'listening')
    const address = front.address()
    assert.ok(address !== null && typeof address === 'object')
    await use({ url: `http://127.0.0.1:${address.port}`, judged })
  } finally {
    front.closeAllConnections()
    front.close()
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
}

async function ready(output: NodeJS.ReadableStream, ended: Promise<unknown>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ''
  output.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (text.includes('Ready to accept requests')) resolve()
  })
  void ended.then(() => reject(new Error(`the validating server ended:\n${text}`)))
  await promise
}

function passOn(incoming: IncomingMessage, answer: ServerResponse, port: number, judged: Judged[]): void {
  const { method = 'GET', url = '/', headers } = incoming
  const onward = ask({ host: 'localhost', port, method, path: url, headers }, (response) => {
    const said = response.headers
    const isValid = said['x-steady-request-valid'] === 'true' && said['x-steady-error-count'] === '0'
    const faults = Object.entries(said).filter(([name]) => /^x-steady-error-\d+-message$/.test(name))
    judged.push({
      route: `${method} ${String(said['x-steady-matched-path'])}`,
      judgement: isValid ? 'valid' : `${url}: ${faults.map(([, text]) => String(text)).join('; ')}`,
    })
    answer.writeHead(response.statusCode ?? 502, said)
    response.pipe(answer)
  })
  onward.on('error', () => answer.destroy())
  incoming.pipe(onward)
}
