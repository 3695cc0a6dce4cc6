import { execFile } from 'node:child_process'
import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { keysIn, type TimedKeys } from './aws-fetch.ts'
import { misconfigured } from './aws-settings.ts'
import type { Env } from './key.ts'

/** A program that has said nothing by then is ended, milliseconds. */
const DEADLINE_MS = 20_000
const MAX_BYTES = 64 * 1024

/**
 * Keys that a program prints (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html, read
 * 2026-11-27). No shell reads its command. What it writes to stderr may hold secrets and is shown to nobody.
 */
export async function processKeys(profile: string, command: string, env: Env): Promise<TimedKeys> {
  const what = `the credential_process of profile "${profile}"`
  const words = wordsOf(command)
  const [file, ...args] = words ?? []
  if (file === undefined || file === '')
    throw misconfigured(`${what} is no command: a quotation mark is not closed, or it is empty`)
  const answer = parseJson(await printedBy(file, args, env, what))
  if (!isJsonObject(answer)) throw failed(`${what} printed no JSON object`)
  if (answer['Version'] !== 1) throw failed(`${what} printed keys of a Version that is not 1`)
  const { SessionToken, ...rest } = answer
  return keysIn(
    { ...rest, ...(SessionToken !== undefined && { Token: SessionToken }) },
    `${what} printed no keys`,
  )
}

function printedBy(file: string, args: readonly string[], env: Env, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...env }, timeout: DEADLINE_MS, maxBuffer: MAX_BYTES, windowsHide: true }
    const child = execFile(file, args, { ...options, killSignal: 'SIGKILL' }, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(failed(`${what} ${reasonOf(error)}`))
    })
    // Nobody will answer what it asks.
    child.stdin?.end()
  })
}

/** The error's own message would quote stderr. */
function reasonOf(
  error: Error & { readonly code?: unknown; readonly killed?: boolean; readonly signal?: unknown },
): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `printed more than ${MAX_BYTES / 1024} KB`
  if (error.killed === true) return `printed nothing within ${DEADLINE_MS / 1_000} seconds`
  if (typeof error.code === 'number')
    return `ended with the exit code ${error.code}; run it by hand to see why`
  return `could not be run (${typeof error.code === 'string' ? error.code : `signal ${String(error.signal)}`})`
}

function failed(message: string): GatewayError {
  return new GatewayError('auth', `no AWS credentials: ${message}`, { source: 'gateway' })
}

/** A command's words as a POSIX shell would part them, and nothing else of what a shell does. */
function wordsOf(command: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let rest = command.trim()
  while (rest !== '') {
    const [whole = '', , blank, single, double, escaped, plain] = PIECE.exec(rest) ?? []
    if (whole === '') return undefined
    if (blank === undefined)
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '')
    else if (word !== undefined) {
      words.push(word)
      word = undefined
    }
    rest = rest.slice(whole.length)
  }
  return word === undefined ? words : [...words, word]
}

/** Blanks, '…', "…", \x, or anything else but these. */
const PIECE = /^((\s+)|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+))/s
