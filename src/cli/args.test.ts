import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseArgs, type Command } from './args.ts'
import { helpText, OPTIONS } from './options.ts'
import type { Env } from './words.ts'

const ANYWHERE = { host: '0.0.0.0', port: 4000 }
const LOOPBACK = { host: '127.0.0.1', port: 4000 }
const FILE = { kind: 'file', path: 'config.yaml' } as const
const SERVE = { kind: 'serve', source: FILE, address: ANYWHERE, isDebug: false, notes: [] } as const

const COMMANDS: readonly (readonly [string, string, Env, Command])[] = [
  ['no argument is the demo', '', {}, { kind: 'demo', address: LOOPBACK, isDebug: false, hasTraffic: true }],
  [
    'the demo can be named',
    'demo',
    {},
    { kind: 'demo', address: LOOPBACK, isDebug: false, hasTraffic: true },
  ],
  [
    'a port alone is the demo on that port',
    '--port 4100',
    {},
    { kind: 'demo', address: { host: '127.0.0.1', port: 4100 }, isDebug: false, hasTraffic: true },
  ],
  [
    'HOST does not open the demo to the network',
    '',
    { HOST: '0.0.0.0' },
    { kind: 'demo', address: LOOPBACK, isDebug: false, hasTraffic: true },
  ],
  [
    'the demo can do without traffic',
    '--no-traffic',
    {},
    { kind: 'demo', address: LOOPBACK, isDebug: false, hasTraffic: false },
  ],
  [
    'health asks a gateway',
    'health --port 4100 --junit',
    {},
    { kind: 'show', address: { host: '0.0.0.0', port: 4100 }, form: 'junit' },
  ],
  [
    'health takes the config that holds the key, and goes on watching',
    'health config.yaml --watch',
    {},
    { kind: 'show', address: ANYWHERE, configPath: 'config.yaml', form: 'watch' },
  ],
  [
    'check --live takes names, money and time',
    'check config.yaml --live --only a,b* --max-cost 0.5 --timeout=30 --json',
    {},
    {
      kind: 'check-live',
      path: 'config.yaml',
      form: 'json',
      only: ['a', 'b*'],
      maxCost: 0.5,
      timeoutMs: 30_000,
    },
  ],
  [
    'explain takes a name and a file',
    'explain gpt-4o config.yaml',
    {},
    { kind: 'explain', name: 'gpt-4o', path: 'config.yaml', address: ANYWHERE },
  ],
  ['plan takes a file', 'plan config.yaml', {}, { kind: 'plan', path: 'config.yaml', isJson: false }],
  [
    'plan takes the file of the environment, and prints JSON',
    'plan --json',
    { CONFIG_FILE_PATH: 'x.yaml' },
    { kind: 'plan', path: 'x.yaml', isJson: true },
  ],
  ['a path alone is a config', 'config.yaml', {}, SERVE],
  ['--config names a config', '--config config.yaml', {}, SERVE],
  ['-c names a config', '-c config.yaml', {}, SERVE],
  ['a value may follow an equals sign', '--config=config.yaml', {}, SERVE],
  ['CONFIG_FILE_PATH names a config', '', { CONFIG_FILE_PATH: 'config.yaml' }, SERVE],
  ['the command line beats CONFIG_FILE_PATH', 'config.yaml', { CONFIG_FILE_PATH: 'other.yaml' }, SERVE],
  [
    'host and port come from the environment',
    'config.yaml',
    { HOST: '10.0.0.1', PORT: '8080' },
    { ...SERVE, address: { host: '10.0.0.1', port: 8080 } },
  ],
  [
    'host and port of the command line win',
    'config.yaml --host ::1 --port=0',
    { HOST: '10.0.0.1', PORT: '8080' },
    { ...SERVE, address: { host: '::1', port: 0 } },
  ],
  [
    'one model needs no file',
    '--model openai/gpt-4o --api_base http://localhost:1/v1 --api-version v1',
    {},
    {
      ...SERVE,
      source: { kind: 'model', model: 'openai/gpt-4o', apiBase: 'http://localhost:1/v1', apiVersion: 'v1' },
    },
  ],
  [
    '-m is --model',
    '-m gpt-4o',
    { CONFIG_FILE_PATH: 'x' },
    { ...SERVE, source: { kind: 'model', model: 'gpt-4o' } },
  ],
  ['--detailed_debug logs everything', 'config.yaml --detailed_debug', {}, { ...SERVE, isDebug: true }],
  [
    "an option of LiteLLM's that changes nothing here is skipped with a note",
    '--config config.yaml --num_workers 8 --drop_params',
    {},
    { ...SERVE, notes: ['--num_workers is not acted on', '--drop_params is not acted on'] },
  ],
  ['--health asks the running gateway', '--health', {}, { kind: 'health', address: ANYWHERE }],
  ['-health is --health', '-health', {}, { kind: 'health', address: ANYWHERE }],
  [
    '--health reads the key from a config',
    '--config config.yaml --health --port 4100',
    {},
    { kind: 'health', address: { host: '0.0.0.0', port: 4100 }, configPath: 'config.yaml' },
  ],
  ['check takes a file', 'check config.yaml', {}, { kind: 'check', path: 'config.yaml', isStrict: false }],
  [
    'check can be strict',
    'check --strict config.yaml',
    {},
    { kind: 'check', path: 'config.yaml', isStrict: true },
  ],
  [
    '--validate_config is check',
    '--config config.yaml --validate_config',
    {},
    { kind: 'check', path: 'config.yaml', isStrict: false },
  ],
  [
    'a file after -- may start with a dash',
    '-- -odd.yaml',
    {},
    { ...SERVE, source: { kind: 'file', path: '-odd.yaml' } },
  ],
  ['--version', '--version', {}, { kind: 'version' }],
  ['-v', '-v', {}, { kind: 'version' }],
  ['--help', 'config.yaml --help', {}, { kind: 'help' }],
]

const MISUSES: readonly (readonly [string, Env, string])[] = [
  ['--prot 4100', {}, 'unknown option --prot; did you mean --port?'],
  ['--heath', {}, 'unknown option --heath; did you mean --health?'],
  ['config.yaml --no-traffic', {}, '--no-traffic belongs to the demo'],
  ['--frobnicate', {}, 'unknown option --frobnicate'],
  ['-x', {}, 'unknown option -x'],
  ['--port', {}, '--port needs a value'],
  ['--config --port 4100', {}, '--config needs a value'],
  ['--config=', {}, '--config needs a value'],
  ['--health=yes', {}, '--health takes no value'],
  ['--port abc', {}, '--port must be a number from 0 to 65535, got "abc"'],
  ['--port 65536', {}, '--port must be a number from 0 to 65535, got "65536"'],
  ['--port -1', {}, '--port must be a number from 0 to 65535, got "-1"'],
  ['', { PORT: 'http' }, 'the variable PORT must be a number from 0 to 65535, got "http"'],
  ['a.yaml b.yaml', {}, 'one config at a time, got also "b.yaml"'],
  ['a.yaml --config b.yaml', {}, 'one config at a time, got "a.yaml" and --config "b.yaml"'],
  ['a.yaml --model gpt-4o', {}, 'give either a config (a.yaml) or --model, not both'],
  [
    'a.yaml --api_base http://x',
    {},
    '--api_base and --api_version belong to --model; in a config they stand in litellm_params',
  ],
  ['check', {}, 'check needs a file: pulsegate check config.yaml'],
  ['plan', {}, 'plan needs a file: pulsegate plan config.yaml'],
  ['check a.yaml --only x', {}, '--only belongs to pulsegate check FILE --live'],
  ['health --watch --json', {}, '--watch and --json do not go together'],
  ['explain x', {}, 'explain needs a file: pulsegate explain MODEL config.yaml'],
  ['check a.yaml --live --only a,,b', {}, '--only takes names with commas between them'],
  ['a.yaml --json', {}, '--json belongs to pulsegate health, plan FILE and check FILE --live'],
  ['a.yaml --strict', {}, '--strict belongs to pulsegate check FILE without --live'],
  ['demo a.yaml', {}, 'the demo takes no file, got "a.yaml"'],
  ['demo --model gpt-4o', {}, 'the demo takes no --model'],
  [
    'a.yaml --ssl_keyfile_path key.pem',
    {},
    '--ssl_keyfile_path is not supported: this gateway serves plain HTTP; put TLS in front of it and leave the option out',
  ],
]

const split = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '')

describe('the command line', () => {
  for (const [name, line, env, expected] of COMMANDS)
    test(name, () => assert.deepEqual(parseArgs(split(line), env), expected))

  for (const [line, env, message] of MISUSES)
    test(`"${line}" is refused: ${message}`, () => {
      assert.deepEqual(parseArgs(split(line), env), { kind: 'misused', message })
    })

  test('the help names every option', () => {
    const text = helpText()
    assert.deepEqual(
      OPTIONS.filter((row) => !text.includes(`--${row.name}`)),
      [],
    )
  })
})
