import { closest } from '../core/closest.ts'
import { FOREIGN_OPTIONS, OPTIONS, type ForeignOptionRow, type OptionRow } from './options.ts'

/** Where a gateway gets its deployments from. */
export type Source =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'model'
      readonly model: string
      readonly apiBase?: string
      readonly apiVersion?: string
    }

/** Where to listen, or whom to ask. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** What a command line asks for. */
export type Command =
  | {
      readonly kind: 'serve'
      readonly source: Source
      readonly address: Address
      readonly isDebug: boolean
      /** `--data-dir`: where the history is kept; absent: beside the config. */
      readonly dataDir?: string
      /** One sentence for each option of LiteLLM's that was skipped. */
      readonly notes: readonly string[]
    }
  | {
      readonly kind: 'demo'
      readonly address: Address
      readonly isDebug: boolean
      /** False (`--no-traffic`): it sends no requests of its own. */
      readonly hasTraffic: boolean
    }
  | { readonly kind: 'health'; readonly address: Address; readonly configPath?: string }
  | { readonly kind: 'check'; readonly path: string; readonly isStrict: boolean }
  | { readonly kind: 'plan'; readonly path: string; readonly isJson: boolean }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'misused'; readonly message: string }

/** The environment as this program reads it. */
export type Env = Readonly<Record<string, string | undefined>>

const DEFAULT_HOST = '0.0.0.0'
const DEMO_HOST = '127.0.0.1'
const DEFAULT_PORT = '4000'

/** What stands on a command line, before it is given a meaning. */
interface Words {
  readonly options: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
  readonly notes: readonly string[]
}

class Misuse extends Error {}

/** The command that `argv` (without node and the script) asks for. Pure; never throws. */
export function parseArgs(argv: readonly string[], env: Env): Command {
  try {
    return toCommand(readWords(argv), env)
  } catch (error) {
    if (error instanceof Misuse) return { kind: 'misused', message: error.message }
    throw error
  }
}

function toCommand(words: Words, env: Env): Command {
  const { options, positionals } = words
  if (options.has('help')) return { kind: 'help' }
  if (options.has('version')) return { kind: 'version' }
  const [first, ...rest] = positionals
  if (first === 'check' || options.has('validate_config'))
    return checkCommand(words, first === 'check' ? rest : positionals, env)
  if (first === 'plan') return planCommand(words, rest, env)
  if (options.has('json')) throw new Misuse('--json belongs to pulsegate plan FILE')
  if (options.has('strict')) throw new Misuse('--strict belongs to pulsegate check FILE')
  if (first === 'demo') return demoCommand(words, rest, env)
  return serveOrAsk(words, env)
}

function checkCommand(words: Words, paths: readonly string[], env: Env): Command {
  const path = configPath(words, paths, env)
  if (path === undefined) throw new Misuse('check needs a file: pulsegate check config.yaml')
  return { kind: 'check', path, isStrict: words.options.has('strict') }
}

function planCommand(words: Words, paths: readonly string[], env: Env): Command {
  const path = configPath(words, paths, env)
  if (path === undefined) throw new Misuse('plan needs a file: pulsegate plan config.yaml')
  return { kind: 'plan', path, isJson: words.options.has('json') }
}

function demoCommand(words: Words, rest: readonly string[], env: Env): Command {
  if (rest[0] !== undefined) throw new Misuse(`the demo takes no file, got ${JSON.stringify(rest[0])}`)
  for (const name of ['config', 'model', 'health'])
    if (words.options.has(name)) throw new Misuse(`the demo takes no --${name}`)
  return demoOf(words, env)
}

function serveOrAsk(words: Words, env: Env): Command {
  const { options, notes } = words
  const isDebug = options.has('debug')
  const path = configPath(words, words.positionals, options.has('model') ? {} : env)
  const address: Address = {
    host: options.get('host') ?? written(env['HOST']) ?? DEFAULT_HOST,
    port: port(words, env),
  }
  if (options.has('health'))
    return { kind: 'health', address, ...(path === undefined ? {} : { configPath: path }) }
  const source = sourceOf(words, path)
  if (source === undefined) return demoOf(words, env)
  if (options.has('no_traffic')) throw new Misuse('--no-traffic belongs to the demo')
  const dataDir = options.get('data_dir')
  return { kind: 'serve', source, address, isDebug, notes, ...(dataDir !== undefined && { dataDir }) }
}

function demoOf(words: Words, env: Env): Command {
  const { options } = words
  if (options.has('data_dir')) throw new Misuse('the demo keeps nothing: --data-dir needs a config')
  const [isDebug, hasTraffic] = [options.has('debug'), !options.has('no_traffic')]
  return { kind: 'demo', address: demoAddress(words, env), isDebug, hasTraffic }
}

function sourceOf({ options }: Words, path: string | undefined): Source | undefined {
  const model = options.get('model')
  const apiBase = options.get('api_base')
  const apiVersion = options.get('api_version')
  if (model === undefined) {
    if (apiBase !== undefined || apiVersion !== undefined)
      throw new Misuse(
        '--api_base and --api_version belong to --model; in a config they stand in litellm_params',
      )
    return path === undefined ? undefined : { kind: 'file', path }
  }
  if (path !== undefined) throw new Misuse(`give either a config (${path}) or --model, not both`)
  return {
    kind: 'model',
    model,
    ...(apiBase === undefined ? {} : { apiBase }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
  }
}

/** The demo stays on the loopback unless told otherwise on the command line: HOST is set by many shells. */
function demoAddress(words: Words, env: Env): Address {
  return { host: words.options.get('host') ?? DEMO_HOST, port: port(words, env) }
}

function configPath({ options }: Words, positionals: readonly string[], env: Env): string | undefined {
  const [path, extra] = positionals
  if (extra !== undefined) throw new Misuse(`one config at a time, got also ${JSON.stringify(extra)}`)
  const named = options.get('config')
  if (named !== undefined && path !== undefined)
    throw new Misuse(
      `one config at a time, got ${JSON.stringify(path)} and --config ${JSON.stringify(named)}`,
    )
  return named ?? path ?? written(env['CONFIG_FILE_PATH'])
}

function port({ options }: Words, env: Env): number {
  const option = options.get('port')
  const text = option ?? written(env['PORT']) ?? DEFAULT_PORT
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (number <= 65_535) return number
  const where = option === undefined ? 'the variable PORT' : '--port'
  throw new Misuse(`${where} must be a number from 0 to 65535, got ${JSON.stringify(text)}`)
}

/** An empty variable is an unset one. */
function written(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

function readWords(argv: readonly string[]): Words {
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
