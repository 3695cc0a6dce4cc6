import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../core/message-of.ts'
import type { SqliteFile } from './sqlite-file.ts'
import { prepareFile, pruneFile, writeBatch } from './sqlite-file.ts'
import type { Answer, Call, DeskSettings, Found } from './sqlite-calls.ts'
import { readChecks, readIncidents, readLatest, readStandings, readUptime } from './sqlite-reads.ts'

/** Whoever touches the file: it answers one call after the other, at once. */
export type SqliteDesk = (call: Call) => Answer

/** What a desk holds. */
interface Desk {
  readonly settings: DeskSettings
  readonly Database: typeof import('node:sqlite').DatabaseSync
  file: SqliteFile | undefined
}

const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NO_DATABASE = 26

/** Opens a desk; the file itself is opened by the first call. Some versions of Node call the module experimental. */
export async function openDesk(settings: DeskSettings): Promise<SqliteDesk> {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    const { DatabaseSync } = await import('node:sqlite')
    const desk: Desk = { settings, Database: DatabaseSync, file: undefined }
    return (call) => answerTo(desk, call)
  } finally {
    process.emitWarning = emitWarning
  }
}

function answerTo(desk: Desk, call: Call): Answer {
  try {
    return { kind: 'done', found: perform(desk, call) }
  } catch (error) {
    if (isCorrupt(error)) return movedAside(desk, String(error))
    reopenAfter(desk, error)
    return { kind: 'failed', message: messageOf(error) }
  }
}

function perform(desk: Desk, call: Call): Found {
  if (call.name === 'close') {
    desk.file?.database.close()
    desk.file = undefined
    return {}
  }
  const file = (desk.file ??= openFile(desk))
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
      pruneFile(file, desk.settings.cap, call.now)
      return {}
  }
}

function openFile({ settings, Database }: Desk): SqliteFile {
  const { path } = settings
  if (path !== undefined) {
    // Error texts of upstreams are nobody else's to read.
    makeFolder(dirname(path))
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
  }
  const database = new Database(path ?? ':memory:')
  try {
    return prepareFile(database, settings)
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
function reopenAfter(desk: Desk, error: unknown): void {
  const code = codeOf(error)
  if (desk.settings.path === undefined || code === BUSY || code === FULL) return
  try {
    desk.file?.database.close()
  } catch {
    // It cannot even be closed; it is left to its fate.
  }
  desk.file = undefined
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
function movedAside(desk: Desk, why: string): Answer {
  const { path } = desk.settings
  try {
    desk.file?.database.close()
  } catch {
    // It is broken; that is why it goes.
  }
  desk.file = undefined
  if (path === undefined) return { kind: 'failed', message: why }
  const aside = `${path}.corrupt`
  try {
    renameSync(path, aside)
    for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
    return { kind: 'moved', message: `it is corrupt (${why})`, aside }
  } catch (error) {
    return {
      kind: 'failed',
      message: `it is corrupt (${why}) and cannot be moved aside: ${messageOf(error)}`,
    }
  }
}
