import { closest } from '../core/closest.ts'
import { FOREIGN_OPTIONS, OPTIONS, type ForeignOptionRow, type OptionRow } from './options.ts'

/** The environment as this program reads it. */
export type Env = Readonly<Record<string, string | undefined>>

/** What stands on a command line, before it is given a meaning. */
export interface Words {
  readonly options: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
  readonly notes: readonly string[]
}

/** A command line that means nothing; the message is for the user. */
export class Misuse extends Error {}

const DEFAULT_PORT = '4000'

/**
 * The config that is named, by whichever way.
 * @throws Misuse where there are two
 */
export function configPath({ options }: Words, positionals: readonly string[], env: Env): string | undefined {
  const [path, extra] = positionals
  if (extra !== undefined) throw new Misuse(`one config at a time, got also ${JSON.stringify(extra)}`)
  const named = options.get('config')
  if (named !== undefined && path !== undefined)
    throw new Misuse(
      `one config at a time, got ${JSON.stringify(path)} and --config ${JSON.stringify(named)}`,
    )
  return named ?? path ?? written(env['CONFIG_FILE_PATH'])
}

/**
 * Where to listen, or whom to ask.
 * @throws Misuse where it is no port
 */
export function port({ options }: Words, env: Env): number {
  const option = options.get('port')
  const text = option ?? written(env['PORT']) ?? DEFAULT_PORT
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (number <= 65_535) return number
  const where = option === undefined ? 'the variable PORT' : '--port'
  throw new Misuse(`${where} must be a number from 0 to 65535, got ${JSON.stringify(text)}`)
}

/** An empty variable is an unset one. */
export function written(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/**
 * Sorts a command line.
 * @throws Misuse for an option that there is not, or without its value
 */
export function readWords(argv: readonly string[]): Words {
  const options = new Map<string, string>()
  const positionals: string[] = []
  const notes: string[] = []
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      positionals.push(...rest.splice(0))
    } else if (!word.startsWith('-') || word === '-') {
      positionals.push(word)
    } else {
      const option = readOption(word, rest)
      if (option.note === undefined) options.set(option.name, option.value)
      else notes.push(option.note)
    }
  }
  return { options, positionals, notes }
}

/** Reads one option and takes its value from `rest` where it has one. */
function readOption(word: string, rest: string[]): { name: string; value: string; note?: string } {
  const equals = word.indexOf('=')
  const spelt = equals < 0 ? word : word.slice(0, equals)
  const glued = equals < 0 ? undefined : word.slice(equals + 1)
  const name = spelt.replace(/^-+/, '').replaceAll('-', '_')
  const ours = findOurs(spelt, name)
  if (ours !== undefined)
    return { name: ours.name, value: valueOf(spelt, ours.value !== undefined, glued, rest) }
  const foreign = FOREIGN_OPTIONS.find((row) => row.name === name)
  if (foreign === undefined) throw new Misuse(unknownOption(spelt, name))
  return { name, value: '', note: skip(spelt, foreign, glued, rest) }
}

/** `-health` is how LiteLLM's own docs once wrote it, so a long name is taken with one dash, too. */
function findOurs(spelt: string, name: string): OptionRow | undefined {
  const wanted = name === 'detailed_debug' ? 'debug' : name
  return OPTIONS.find((row) => row.name === wanted || (row.short !== undefined && spelt === `-${row.short}`))
}

function valueOf(spelt: string, takesValue: boolean, glued: string | undefined, rest: string[]): string {
  if (!takesValue) {
    if (glued !== undefined) throw new Misuse(`${spelt} takes no value`)
    return 'true'
  }
  const value = glued ?? rest.shift()
  if (value === undefined || value === '' || (glued === undefined && /^--?[a-z]/i.test(value)))
    throw new Misuse(`${spelt} needs a value`)
  return value
}

function skip(spelt: string, row: ForeignOptionRow, glued: string | undefined, rest: string[]): string {
  if (row.refusal !== undefined) throw new Misuse(`${spelt} is not supported: ${row.refusal}`)
  valueOf(spelt, row.takesValue, glued, rest)
  return `${spelt} is not acted on`
}

function unknownOption(spelt: string, name: string): string {
  const close = closest(
    name,
    OPTIONS.map((row) => row.name),
  )
  return `unknown option ${spelt}${close === undefined ? '' : `; did you mean --${close}?`}`
}
