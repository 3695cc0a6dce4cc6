import { Worker } from 'node:worker_threads'
import type { Config } from '../config/config.ts'
import type { Problem } from '../config/problem.ts'
import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'
import type { FileSums } from '../read-config.ts'
import { unpacked } from './carry.ts'
import type { ConfigHead, KnownDeployments, ReadMessage, ReadOrder, SentDeployment } from './messages.ts'
import type { Printed } from './prints.ts'

/** Replaced by the name of the thread's own bundle when the program is bundled. */
declare const PULSEGATE_READ_THREAD: string | undefined

/** A config that was read beside what runs. */
export interface ReadAside {
  /** Absent where it was refused. */
  readonly config?: Config
  /** Of its deployments, by index. */
  readonly prints: readonly Printed[]
  readonly problems: readonly Problem[]
  readonly files: FileSums
}

/** What is served with now. */
export interface KnownConfig {
  readonly deployments: readonly Deployment[]
  readonly prints: readonly Printed[]
}

/** Ten thousand deployments take two seconds on a busy machine; a file that cannot be read to its end takes forever. */
const READ_WITHIN_MS = 60_000

/**
 * Reads a config in a thread of its own, so that nobody waits for it meanwhile. `known` is what need not be read again:
 * deployments that have not changed are those that are there already.
 * @throws Error where the thread fails, or takes too long
 */
export async function readAside(
  order: ReadOrder,
  known: Promise<KnownConfig>,
  clock: Pick<Clock, 'after'>,
): Promise<ReadAside> {
  const file = typeof PULSEGATE_READ_THREAD === 'string' ? PULSEGATE_READ_THREAD : './read-thread.ts'
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: { path: order.path, env: { ...order.env } },
    // Ten times what ten thousand deployments take; a thread that wants more is ended, and not the process.
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  })
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => undefined)
  worker.once('error', (error) => stopped.reject(error))
  worker.once('exit', (code) => stopped.reject(new Error(`the reading thread ended with ${code}`)))
  const stopWaiting = clock.after(READ_WITHIN_MS, () =>
    stopped.reject(new Error(`reading took longer than ${READ_WITHIN_MS / 1000} s`)),
  )
  try {
    return await Promise.race([collect(worker, known), stopped.promise])
  } finally {
    stopWaiting()
    worker.terminate().catch(() => undefined)
  }
}

async function collect(worker: Worker, known: Promise<KnownConfig>): Promise<ReadAside> {
  const before = await known
  let read: Extract<ReadMessage, { kind: 'read' }> | undefined
  const secrets: Secret[] = []
  const deployments: Deployment[] = []
  const prints: Printed[] = []
  const done = new Promise<void>((resolve) => {
    worker.on('message', (message: ReadMessage) => {
      switch (message.kind) {
        case 'read':
          read = message
          return
        case 'secrets':
          for (const value of message.values) secrets.push(new Secret(value))
          return
        case 'deployments':
          for (const sent of message.sent) {
            prints.push(sent.printed)
            const one = received(sent, deployments.length, before)
            if (one !== undefined) deployments.push(one)
          }
          return
        case 'done':
          resolve()
      }
    })
  })
  const told: KnownDeployments = { wholes: before.prints.map(({ whole }) => whole) }
  worker.postMessage(told)
  await done
  const { problems = [], files = new Map(), head } = read ?? {}
  if (head === undefined) return { prints, problems, files }
  return { config: configOf(head, deployments, secrets), prints, problems, files }
}

function configOf(head: ConfigHead, deployments: readonly Deployment[], secrets: readonly Secret[]): Config {
  return { ...unpacked(head), deployments, secrets }
}

/** One that has not changed is the one that is there, so that ten thousand of them are not held twice. */
function received(
  { known, deployment }: SentDeployment,
  index: number,
  { deployments }: KnownConfig,
): Deployment | undefined {
  const one = known === undefined ? deployment && unpacked(deployment) : deployments[known]
  if (one === undefined || one.index === index) return one
  return { ...one, index }
}
