import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/**
 * Where the program is that the end-to-end tests start. They start it hundreds of times, and what is published is up in
 * two thirds of the time that the sources take; a test that is run alone finds none here and starts the sources.
 */
export const ENTRY = 'PULSEGATE_TEST_ENTRY'

/** Node's test runner calls it before the first test, in the process whose environment all tests inherit. */
export function globalSetup(): void {
  const entry = join(mkdtempSync(join(tmpdir(), 'pulsegate-bundle-')), 'pulsegate.js')
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../../scripts/build.ts'), entry])
  process.env[ENTRY] = entry
}

/** Node's test runner calls it after the last test. */
export function globalTeardown(): void {
  const entry = process.env[ENTRY]
  if (entry !== undefined) rmSync(dirname(entry), { recursive: true, force: true })
}
