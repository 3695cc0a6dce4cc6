import { Worker } from 'node:worker_threads'
import type { Cancel, Clock } from '../core/clock.ts'
import type { HistoryStore } from '../core/history.ts'
import type { Log } from '../core/log.ts'
import type { Answer, Call, DeskSettings, Found } from './sqlite-calls.ts'
import { openDesk, type SqliteDesk } from './sqlite-desk.ts'

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

/** What takes longer holds up requests that anybody would notice, milliseconds. */
const SLOW_MS = 25
/** So long a thread waits for another process that holds the file, milliseconds: it serves nobody else. */
const BUSY_MS = 1000
/** Asked before anybody is served. */
const AT_START: ReadonlySet<Call['name']> = new Set(['open', 'standings', 'close'])

/**
 * A history in an SQLite file, or in memory. A second's rows are written in less than a millisecond, and a thread costs
 * 24 MB: the work is done here until it has taken too long once, and from then on by a thread of its own.
 */
export function createSqliteStore(deps: SqliteDeps): HistoryStore {
  const { path, log } = deps
  const settings: Settings = {
    ...(path !== undefined && { path }),
    cap: { bytes: deps.mostBytes ?? (path === undefined ? MEMORY_BYTES : FILE_BYTES) },
  }
  const hands = createHands(settings, deps)

  async function ask(call: Call): Promise<Found> {
    const answer = await hands.ask(call)
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
    close: () => hands.end(),
  }
}

type Settings = Omit<DeskSettings, 'busyMs'>

/** Who carries out what is asked. */
interface Hands {
  ask(call: Call): Promise<Answer>
  end(): Promise<void>
}

function createHands(settings: Settings, { clock, log }: SqliteDeps): Hands {
  const threads = createThreads({ ...settings, busyMs: BUSY_MS }, clock)
  let desk: Promise<SqliteDesk> | undefined
  let isSlow = false
  async function ask(call: Call): Promise<Answer> {
    if (isSlow) return threads.ask(call)
    desk ??= openDesk({ ...settings, busyMs: 0 })
    const at = await desk
    if (isSlow) return threads.ask(call)
    const beganMs = performance.now()
    const answer = at(call)
    const tookMs = performance.now() - beganMs
    if (tookMs > SLOW_MS && settings.path !== undefined && !AT_START.has(call.name)) {
      isSlow = true
      at({ name: 'close' })
      log.info('history_has_a_thread', { file: settings.path, call: call.name, took_ms: Math.round(tookMs) })
    }
    return answer
  }
  return {
    ask,
    end: async () => {
      if (!isSlow && desk !== undefined) (await desk)({ name: 'close' })
      await threads.end()
    },
  }
}

/** One thread at a time; whoever asks after one has failed gets the next. */
function createThreads(settings: DeskSettings, clock: SqliteDeps['clock']): Hands {
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
function startThread(settings: DeskSettings, ended: () => void): Thread {
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
