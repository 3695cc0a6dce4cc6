import { Worker } from 'node:worker_threads'
import type { Cancel, Clock } from '../core/clock.ts'
import type { HistoryStore } from '../core/history.ts'
import type { Log } from '../core/log.ts'
import type { Answer, Call, Found, WorkerSettings } from './sqlite-calls.ts'

/** What a store in SQLite needs. */
export interface SqliteDeps {
  /** The file; absent: in memory, gone with the process. */
  readonly path?: string
  /** Largest size of the file, or of the memory, bytes. */
  readonly mostBytes?: number
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
}

const FILE_BYTES = 256 * 1024 * 1024
const MEMORY_BYTES = 32 * 1024 * 1024
/** A disk that takes longer is none, milliseconds. */
const DEADLINE_MS = 5000
/** More calls at once are refused: nobody asks so much of a thread that answers. */
const MOST_WAITING = 64
/** The thread's own heap, megabytes: a page of rows, and no more. */
const LIMITS = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8, stackSizeMb: 2 }

/** A thread, and who waits for it. */
interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, (answer: Answer) => void>
}

/** A history in an SQLite file, or in memory; a thread of its own does the work. */
export function createSqliteStore(deps: SqliteDeps): HistoryStore {
  const { path, clock, log } = deps
  const settings: WorkerSettings = {
    ...(path !== undefined && { path }),
    cap: { bytes: deps.mostBytes ?? (path === undefined ? MEMORY_BYTES : FILE_BYTES) },
  }
  const threads = createThreads(settings, clock)

  async function ask(call: Call): Promise<Found> {
    const answer = await threads.ask(call)
    switch (answer.kind) {
      case 'done':
        return answer.found
      case 'failed':
        throw new Error(path === undefined ? answer.message : `${path}: ${answer.message}`)
      case 'moved':
        log.error('history_file_moved', { file: path, to: answer.aside, message: answer.message })
        return ask(call)
    }
  }

  return {
    kind: path === undefined ? 'memory' : 'sqlite',
    open: async () => void (await ask({ name: 'open' })),
    write: async (batch) => void (await ask({ name: 'write', batch })),
    ping: async () => void (await ask({ name: 'ping' })),
    standings: async () => (await ask({ name: 'standings' })).standings ?? [],
    checks: async (query) => (await ask({ name: 'checks', query })).checks ?? [],
    latest: async () => (await ask({ name: 'latest' })).checks ?? [],
    uptime: async (query) => (await ask({ name: 'uptime', query })).uptime ?? [],
    incidents: async (query) => (await ask({ name: 'incidents', query })).incidents ?? [],
    prune: async (now) => void (await ask({ name: 'prune', now })),
    close: () => threads.end(),
  }
}

/** One thread at a time; whoever asks after one has failed gets the next. */
function createThreads(
  settings: WorkerSettings,
  clock: SqliteDeps['clock'],
): { ask(call: Call): Promise<Answer>; end(): Promise<void> } {
  let thread: Thread | undefined
  let lastId = 0

  function start(): Thread {
    const made = startThread(settings, () => {
      if (thread === made) thread = undefined
    })
    return made
  }

  function ask(call: Call): Promise<Answer> {
    thread ??= start()
    const { worker, waiting } = thread
    if (waiting.size >= MOST_WAITING)
      return Promise.resolve({ kind: 'failed', message: 'it does not keep up with what it is asked' })
    const id = (lastId += 1)
    return new Promise((resolve) => {
      let cancel: Cancel = () => {}
      const settle = (answer: Answer): void => {
        cancel()
        waiting.delete(id)
        if (waiting.size === 0) worker.unref()
        resolve(answer)
      }
      waiting.set(id, settle)
      cancel = clock.after(DEADLINE_MS, () =>
        settle({ kind: 'failed', message: `no answer within ${DEADLINE_MS / 1000} s` }),
      )
      worker.ref()
      worker.postMessage({ id, call })
    })
  }

  return {
    ask,
    end: async () => {
      if (thread === undefined) return
      const { worker } = thread
      await ask({ name: 'close' })
      thread = undefined
      await worker.terminate()
    },
  }
}

/** The thread's own file stands beside this one, or beside the bundle. */
function startThread(settings: WorkerSettings, ended: () => void): Thread {
  const name = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js'
  const worker = new Worker(new URL(name, import.meta.url), {
    workerData: settings,
    execArgv: [],
    resourceLimits: LIMITS,
  })
  const waiting: Thread['waiting'] = new Map()
  const end = (message: string): void => {
    ended()
    for (const settle of waiting.values()) settle({ kind: 'failed', message })
  }
  worker.on('message', ({ id, answer }: { readonly id: number; readonly answer: Answer }) =>
    waiting.get(id)?.(answer),
  )
  worker.on('error', (error) => end(`its thread has failed: ${String(error)}`))
  worker.on('exit', () => end('its thread has ended'))
  // It holds the process only while somebody waits for an answer.
  worker.unref()
  return { worker, waiting }
}
