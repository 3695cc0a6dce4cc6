import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { askOnce } from './ask-once.ts'
import { BUNDLE, pulsegateConfig } from './contestants.ts'
import { spreadOf, shownSpread, table } from './figures.ts'
import type { Ground } from './ground.ts'
import { groupOf, largeConfig } from './large-config.ts'
import { chatRequest, KEY, MODEL } from './messages.ts'

/** The bundle, started as a user starts it. */
export interface StartedBundle {
  readonly pid: number
  readonly url: string
  readonly port: number
  /** From the spawn to the first whole answer. */
  readonly firstAnswerMs: number
  stderr(): string
  stop(): Promise<void>
}

/** What starts took, and what they held then, run by run. */
export interface Starts {
  readonly name: 'small' | 'large'
  readonly title: string
  readonly firstAnswerMs: readonly number[]
  readonly rssMb: readonly number[]
}

const START_LIMIT_MS = 30_000
const LARGE = 10_000
const RUNS = 5
/** What a start has left to do when it has answered, before its memory counts as idle. */
const SETTLE_MS = 1000

/** Waits until a start counts as over. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
}

/**
 * Starts the bundle, not held on a core, and asks it as soon as it says that it listens: for a chat answer of `model`,
 * or only whether it is alive.
 */
export async function startBundle(bundle: string, config: string, model?: string): Promise<StartedBundle> {
  const from = performance.now()
  const child = spawn(process.execPath, [bundle, config, '--host', '127.0.0.1', '--port', '0'], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let stderr = ''
  let stdout = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGTERM'), 100).unref()
    await ended
  }
  try {
    const url = await new Promise<string>((done, fail) => {
      const timer = setTimeout(
        () => fail(new Error(`not listening after ${START_LIMIT_MS} ms: ${stderr}`)),
        START_LIMIT_MS,
      )
      child.once('exit', (code) => fail(new Error(`ended with ${code}: ${stderr.slice(0, 2000)}`)))
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
        const found = /listening on (http:\/\/\S+): /.exec(stdout)?.[1]
        if (found === undefined) return
        clearTimeout(timer)
        done(found)
      })
    })
    const port = Number(new URL(url).port)
    const { status, body } = await askOnce(port, firstRequest(port, model), START_LIMIT_MS)
    if (status !== 200) throw new Error(`the first answer is ${status}: ${body}`)
    return {
      pid: child.pid ?? 0,
      url,
      port,
      firstAnswerMs: performance.now() - from,
      stderr: () => stderr,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function firstRequest(port: number, model: string | undefined): Buffer | string {
  if (model === MODEL) return chatRequest('small', port)
  const head = `host: 127.0.0.1:${port}\r\nauthorization: Bearer ${KEY}\r\n`
  if (model === undefined) return `GET /health/liveliness HTTP/1.1\r\n${head}\r\n`
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] })
  return (
    `POST /v1/chat/completions HTTP/1.1\r\n${head}content-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}

/** Memory that a process holds, MB of 1,000,000 bytes: now, and at its highest. Linux only. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string): number =>
    (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1_000_000
  return { now: mb('VmRSS'), peak: mb('VmHWM') }
}

/** Cold starts, a new process each: from the spawn to the first 200 of a chat request, small and large in turns. */
export async function measureStarts(
  { folder, upstreamPort }: Ground,
  runs = RUNS,
): Promise<readonly Starts[]> {
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }
  const base = `http://127.0.0.1:${upstreamPort}/v1`
  const kinds = [
    { name: 'small', title: 'five deployments', config: pulsegateConfig(upstreamPort), model: MODEL },
    {
      name: 'large',
      title: `${LARGE} deployments`,
      config: largeConfig(LARGE, base, 0).text,
      model: groupOf(7),
    },
  ] as const
  const files = kinds.map(({ name, config }) => write(`start-${name}.yaml`, config))
  const starts = kinds.map(({ name, title }) => ({
    name,
    title,
    firstAnswerMs: new Array<number>(),
    rssMb: new Array<number>(),
  }))
  for (let run = 0; run < runs; run++)
    for (const [at, { model }] of kinds.entries()) {
      const started = await startBundle(BUNDLE, files[at] ?? '', model)
      await settled()
      starts[at]?.firstAnswerMs.push(started.firstAnswerMs)
      starts[at]?.rssMb.push(memoryOf(started.pid).now)
      await started.stop()
    }
  return starts
}

/** For reading. */
export function reportStarts(starts: readonly Starts[]): string {
  const rows = [
    ['', 'to the first 200, ms', 'RSS MB a second later'],
    ...starts.map(({ title, firstAnswerMs, rssMb }) => [
      title,
      shownSpread(spreadOf(firstAnswerMs), 0),
      shownSpread(spreadOf(rssMb), 0),
    ]),
  ]
  return `cold start of the bundle, on all cores\n${table(rows)}`
}
