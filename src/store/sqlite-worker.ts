import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { SqliteFile } from './sqlite-file.ts'
import { prepareFile, pruneFile, writeBatch } from './sqlite-file.ts'
import type { Answer, Call, Found, WorkerSettings } from './sqlite-calls.ts'
import { readChecks, readIncidents, readLatest, readStandings, readUptime } from './sqlite-reads.ts'

// The one thread that touches the file. What blocks here (a slow disk, a lock) blocks nobody's request.

// Some versions of Node call the module experimental, on everybody's stderr.
process.removeAllListeners('warning')
const { DatabaseSync } = await import('node:sqlite')

const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NO_DATABASE = 26

const settings: WorkerSettings = workerData
let file: SqliteFile | undefined

parentPort?.on('message', ({ id, call }: { readonly id: number; readonly call: Call }) => {
  parentPort?.postMessage({ id, answer: answerTo(call) })
})

function answerTo(call: Call): Answer {
  try {
    return { kind: 'done', found: perform(call) }
  } catch (error) {
    if (isCorrupt(error)) return movedAside(String(error))
    reopenAfter(error)
    return { kind: 'failed', message: sentenceOf(error) }
  }
}

function perform(call: Call): Found {
  if (call.name === 'close') {
    file?.database.close()
    file = undefined
    return {}
  }
  file ??= openFile()
  switch (call.name) {
    case 'open':
      return {}
    case 'ping':
      file.statement('SELECT 1').get()
      return {}
    case 'write':
      writeBatch(file, call.batch, Date.now())
      return {}
    case 'standings':
      return { standings: readStandings(file) }
    case 'checks':
      return { checks: readChecks(file, call.query) }
    case 'latest':
      return { checks: readLatest(file) }
    case 'uptime':
      return { uptime: readUptime(file, call.query) }
    case 'incidents':
      return { incidents: readIncidents(file, call.query) }
    case 'prune':
      pruneFile(file, settings.cap, call.now)
      return {}
  }
}

function openFile(): SqliteFile {
  const { path } = settings
  if (path !== undefined) {
    // Error texts of upstreams are nobody else's to read.
    makeFolder(dirname(path))
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
  }
  const database = new DatabaseSync(path ?? ':memory:')
  try {
    return prepareFile(database, settings.cap)
  } catch (error) {
    database.close()
    throw error
  }
}

/** One level only: asked for more, Node goes round for ever where nothing can be made, as below /proc. */
function makeFolder(folder: string): void {
  if (!existsSync(folder)) mkdirSync(folder)
}

/** Whatever has become of the file is looked at anew, unless it is only busy or full. */
function reopenAfter(error: unknown): void {
  const code = codeOf(error)
  if (settings.path === undefined || code === BUSY || code === FULL) return
  try {
    file?.database.close()
  } catch {
    // It cannot even be closed; it is left to its fate.
  }
  file = undefined
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, with all their kin. */
function isCorrupt(error: unknown): boolean {
  const code = codeOf(error)
  return code === CORRUPT || code === NO_DATABASE
}

/** SQLite's primary result code; 0 where it is none of its errors. */
function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
}

/** One such file is kept, for whoever wants to look into it. */
function movedAside(why: string): Answer {
  const { path } = settings
  try {
    file?.database.close()
  } catch {
    // It is broken; that is why it goes.
  }
  file = undefined
  if (path === undefined) return { kind: 'failed', message: why }
  const aside = `${path}.corrupt`
  try {
    renameSync(path, aside)
    for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
    return { kind: 'moved', message: `it is corrupt (${why})`, aside }
  } catch (error) {
    return {
      kind: 'failed',
      message: `it is corrupt (${why}) and cannot be moved aside: ${sentenceOf(error)}`,
    }
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
