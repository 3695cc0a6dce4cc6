import { configPath, Misuse, port, readWords, written, type Env, type Words } from './words.ts'

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

/** How health is printed. */
export type Form = 'table' | 'json' | 'junit'

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
  | {
      readonly kind: 'show'
      readonly address: Address
      readonly configPath?: string
      readonly form: Form | 'watch'
    }
  | { readonly kind: 'check'; readonly path: string; readonly isStrict: boolean }
  | {
      readonly kind: 'check-live'
      readonly path: string
      readonly form: Form
      /** Groups, ids or models, with `*` for any text; absent: everything. */
      readonly only?: readonly string[]
      /** Dollars for all checks together; absent: whatever they cost. */
      readonly maxCost?: number
      /** For all checks together, milliseconds; absent: each has its own. */
      readonly timeoutMs?: number
    }
  | {
      readonly kind: 'explain'
      /** A group, an id or the beginning of one, or a model. */
      readonly name: string
      readonly path: string
      readonly address: Address
    }
  | { readonly kind: 'plan'; readonly path: string; readonly isJson: boolean }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'misused'; readonly message: string }

const DEFAULT_HOST = '0.0.0.0'
const DEMO_HOST = '127.0.0.1'

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
  if (first === 'health') return showCommand(words, rest, env)
  if (first === 'explain') return explainCommand(words, rest, env)
  refuseOptions(words, [])
  if (first === 'demo') return demoCommand(words, rest, env)
  return serveOrAsk(words, env)
}

function checkCommand(words: Words, paths: readonly string[], env: Env): Command {
  const path = configPath(words, paths, env)
  if (path === undefined) throw new Misuse('check needs a file: pulsegate check config.yaml')
  if (words.options.has('live')) return checkLiveCommand(words, path)
  refuseOptions(words, ['strict'])
  return { kind: 'check', path, isStrict: words.options.has('strict') }
}

function planCommand(words: Words, paths: readonly string[], env: Env): Command {
  const path = configPath(words, paths, env)
  if (path === undefined) throw new Misuse('plan needs a file: pulsegate plan config.yaml')
  refuseOptions(words, ['json'])
  return { kind: 'plan', path, isJson: words.options.has('json') }
}

function checkLiveCommand(words: Words, path: string): Command {
  refuseOptions(words, ['live', 'json', 'junit', 'only', 'max_cost', 'timeout'])
  const only = words.options
    .get('only')
    ?.split(',')
    .map((each) => each.trim())
  if (only?.includes('') === true) throw new Misuse('--only takes names with commas between them')
  const maxCost = amount(words, 'max_cost', 'dollars')
  const seconds = amount(words, 'timeout', 'seconds')
  if (seconds === 0) throw new Misuse('--timeout must be more than 0 seconds')
  return {
    kind: 'check-live',
    path,
    form: formOf(words),
    ...(only !== undefined && { only }),
    ...(maxCost !== undefined && { maxCost }),
    ...(seconds !== undefined && { timeoutMs: seconds * 1000 }),
  }
}

function amount({ options }: Words, name: string, unit: string): number | undefined {
  const text = options.get(name)
  if (text === undefined) return undefined
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return Number(text)
  throw new Misuse(`--${name.replaceAll('_', '-')} takes a number of ${unit}, got ${JSON.stringify(text)}`)
}

function showCommand(words: Words, rest: readonly string[], env: Env): Command {
  refuseOptions(words, ['json', 'junit', 'watch'])
  const path = configPath(words, rest, env)
  const form = formOf(words)
  const isWatched = words.options.has('watch')
  if (isWatched && form !== 'table') throw new Misuse(`--watch and --${form} do not go together`)
  return {
    kind: 'show',
    address: addressOf(words, env),
    ...(path !== undefined && { configPath: path }),
    form: isWatched ? 'watch' : form,
  }
}

function explainCommand(words: Words, [name, ...rest]: readonly string[], env: Env): Command {
  const usage = 'pulsegate explain MODEL config.yaml'
  refuseOptions(words, [])
  if (name === undefined) throw new Misuse(`explain needs a model's name or a deployment's id: ${usage}`)
  const path = configPath(words, rest, env)
  if (path === undefined) throw new Misuse(`explain needs a file: ${usage}`)
  return { kind: 'explain', name, path, address: addressOf(words, env) }
}

function formOf({ options }: Words): Form {
  if (options.has('json') && options.has('junit')) throw new Misuse('choose one of --json and --junit')
  return options.has('json') ? 'json' : options.has('junit') ? 'junit' : 'table'
}

/** Options that only some commands have. */
const BELONGS: ReadonlyMap<string, string> = new Map([
  ['json', 'pulsegate health, plan FILE and check FILE --live'],
  ['junit', 'pulsegate health and check FILE --live'],
  ['watch', 'pulsegate health'],
  ['strict', 'pulsegate check FILE without --live'],
  ['live', 'pulsegate check FILE'],
  ['only', 'pulsegate check FILE --live'],
  ['max_cost', 'pulsegate check FILE --live'],
  ['timeout', 'pulsegate check FILE --live'],
])

function refuseOptions({ options }: Words, taken: readonly string[]): void {
  for (const [name, owner] of BELONGS)
    if (options.has(name) && !taken.includes(name))
      throw new Misuse(`--${name.replaceAll('_', '-')} belongs to ${owner}`)
}

function addressOf(words: Words, env: Env): Address {
  const host = words.options.get('host') ?? written(env['HOST']) ?? DEFAULT_HOST
  return { host, port: port(words, env) }
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
  const address = addressOf(words, env)
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
