import { closeSync, openSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { systemClock, type Cancel, type Clock } from '../core/clock.ts'
import { placeOf } from '../core/message-of.ts'
import type { Redact } from '../core/secret.ts'
import type { Env } from './words.ts'
import { beginAgain, isTuned } from './begin-again.ts'
import { EXIT } from './exit-code.ts'
import { createTerminal, oneLine, type Terminal } from './terminal.ts'

/** Replaced by the version itself when the program is bundled. */
declare const PULSEGATE_VERSION: string | undefined

/** What a command has around it: everything it may read from or do to its process. */
export interface Shell {
  readonly terminal: Terminal
  readonly env: Env
  readonly version: string
  readonly clock: Clock
  readonly random: () => number
  /** It was started with what V8 takes only then. */
  readonly isTuned: boolean
  /** Starts the program anew so, in the same process and before anything is read; does nothing where that cannot be. */
  tune(): void
  /** Settles at the first SIGTERM or SIGINT from now on; the second one ends the process at once. */
  stopAsked(): Promise<StopSignal>
  /** Told of each SIGHUP until cancelled; one that says that our terminal is gone ends the process as ever. */
  readonly reloadAsked: (listener: () => void) => Cancel
  /** What a crash prints passes through this from now on. */
  hideSecrets(redact: Redact): void
}

/** A signal that asks the program to end. */
export type StopSignal = 'SIGTERM' | 'SIGINT'

const STOP_SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT']

/** A crash is one line; more than this of it helps nobody. */
const MAX_CRASH_CHARS = 500

/** The shell of the real process. Also makes a crash one line without secrets, and a closed pipe no crash. */
export function createShell(target: NodeJS.Process): Shell {
  let redact: Redact = (text) => text
  endQuietlyOnClosedPipe(target)
  target.on('uncaughtException', (error) => {
    target.stderr.write(`pulsegate: ${redact(crashLine(error))}\n`)
    target.exit(EXIT.bug)
  })
  return {
    terminal: createTerminal(target.stdout, target.stderr, target.env),
    env: target.env,
    version: readVersion(),
    clock: systemClock,
    random: Math.random,
    isTuned: isTuned(target),
    tune: () => beginAgain(target),
    stopAsked: () => stopAsked(target),
    reloadAsked: (listener) => reloadAsked(target, listener),
    hideSecrets: (next) => {
      redact = next
    },
  }
}

/**
 * `pulsegate … | head`: the reader has seen enough, and that is no failure. Any other trouble with writing, a full
 * disk for one, is no reason for a gateway to end: what it had to say is lost.
 */
function endQuietlyOnClosedPipe(target: NodeJS.Process): void {
  for (const stream of [target.stdout, target.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') target.exit(EXIT.ok)
    })
}

/**
 * The second signal exits by hand, with the status a shell gives for that signal: the kernel does not end
 * process 1 of a container by a signal's default action.
 */
function stopAsked(target: NodeJS.Process): Promise<StopSignal> {
  return new Promise((resolve) => {
    let isAsked = false
    for (const signal of STOP_SIGNALS)
      target.on(signal, () => {
        if (isAsked) target.exit(128 + constants.signals[signal])
        isAsked = true
        resolve(signal)
      })
  })
}

/** A window that is closed sends SIGHUP too: whoever ran in it should not live on unseen. */
function reloadAsked(target: NodeJS.Process, listener: () => void): Cancel {
  const isShown = (target.stdout.isTTY || target.stderr.isTTY) && hasTerminal()
  const heard = (): void => {
    if (isShown && !hasTerminal()) target.exit(128 + constants.signals.SIGHUP)
    listener()
  }
  target.on('SIGHUP', heard)
  return () => void target.off('SIGHUP', heard)
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    // There is none, or it has gone; either way nobody sees what is written.
    return false
  }
}

/** One line for whoever reads it at 3 a.m.: what broke, and where in our code. */
export function crashLine(error: unknown): string {
  const known = error instanceof Error ? error : new Error(String(error))
  const what = oneLine(`${known.name}: ${known.message}`).slice(0, MAX_CRASH_CHARS)
  const place = placeOf(known)
  return `this is a bug, please report it: ${what}${place === undefined ? '' : ` (in ${place})`}`
}

function readVersion(): string {
  if (typeof PULSEGATE_VERSION === 'string') return PULSEGATE_VERSION
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const isVersioned = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isVersioned && typeof manifest.version === 'string' ? manifest.version : '0.0.0'
}
