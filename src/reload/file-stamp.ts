import { stat } from 'node:fs/promises'

/** Tells a file from what it was: another one in its place, written again, or gone. A link is what it leads to. */
export async function fileStamp(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
  }
}

/** File systems keep time in steps of some milliseconds, behind the clock. */
const STEP_MS = 50

/** Was it written, replaced or renamed after this moment, in milliseconds since 1970? */
export async function isNewerThan(path: string, at: number): Promise<boolean> {
  try {
    return (await stat(path)).ctimeMs > at - STEP_MS
  } catch {
    // What is not there was never newer; that it went is seen by its stamp.
    return false
  }
}
