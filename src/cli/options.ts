/** How one option of the command line is written. */
export interface OptionRow {
  /** Long name without dashes, in LiteLLM's spelling; `-` and `_` are the same to us. */
  readonly name: string
  /** One letter, written with one dash. */
  readonly short?: string
  /** What the value is called in the help text; absent: the option is a switch. */
  readonly value?: string
  readonly help: string
}

/** The options we act on, in the order of the help text. */
export const OPTIONS: readonly OptionRow[] = [
  {
    name: 'config',
    short: 'c',
    value: 'FILE',
    help: 'the config to serve; also a bare FILE, or CONFIG_FILE_PATH',
  },
  { name: 'model', short: 'm', value: 'MODEL', help: 'serve one model without a config, e.g. openai/gpt-4o' },
  { name: 'api_base', value: 'URL', help: 'with --model: where it is served' },
  { name: 'api_version', value: 'VERSION', help: 'with --model: the API version to ask for' },
  {
    name: 'host',
    value: 'HOST',
    help: 'address to listen on, or to ask (HOST; default 0.0.0.0, the demo 127.0.0.1)',
  },
  { name: 'port', value: 'PORT', help: 'port to listen on, 0 for any free one (PORT; default 4000)' },
  {
    name: 'data_dir',
    value: 'DIR',
    help: 'where the history of health is kept, in pulsegate.db (default: beside the config)',
  },
  {
    name: 'health',
    help: 'ask the running gateway for its health, print the JSON; exit 0 all healthy, 1 not',
  },
  { name: 'no_traffic', help: 'with the demo: it sends no requests of its own' },
  { name: 'strict', help: 'with check: warnings fail too' },
  {
    name: 'live',
    help: 'with check: check every deployment once; exit 0 all healthy, 1 not',
  },
  {
    name: 'only',
    value: 'NAMES',
    help: 'with check --live: these groups, ids or models; commas, * for any text',
  },
  { name: 'max_cost', value: 'DOLLARS', help: 'with check --live: leave out what would cost more in all' },
  { name: 'timeout', value: 'SECONDS', help: 'with check --live: for all checks together' },
  { name: 'json', help: 'with health, plan, check --live: print JSON' },
  { name: 'junit', help: "with health, check --live: print JUnit's XML" },
  { name: 'watch', help: 'with health: go on, and show every change' },
  { name: 'validate_config', help: 'the same as check' },
  { name: 'debug', help: 'log everything (as LITELLM_LOG=DEBUG does)' },
  { name: 'version', short: 'v', help: 'print the version' },
  { name: 'help', short: 'h', help: 'print this' },
]

/** An option of LiteLLM's that we know and do not act on. */
export interface ForeignOptionRow {
  readonly name: string
  readonly takesValue: boolean
  /** Set where going on without it would do something else than was asked. */
  readonly refusal?: string
}

const SERVES_PLAIN_HTTP = 'this gateway serves plain HTTP; put TLS in front of it and leave the option out'

/** LiteLLM's other options, so that its command lines start here too: skipped with a note, or refused. */
export const FOREIGN_OPTIONS: readonly ForeignOptionRow[] = [
  { name: 'num_workers', takesValue: true },
  { name: 'alias', takesValue: true },
  { name: 'headers', takesValue: true },
  { name: 'temperature', takesValue: true },
  { name: 'max_tokens', takesValue: true },
  { name: 'request_timeout', takesValue: true },
  { name: 'max_budget', takesValue: true },
  { name: 'telemetry', takesValue: true },
  { name: 'log_config', takesValue: true },
  { name: 'keepalive_timeout', takesValue: true },
  { name: 'max_requests_before_restart', takesValue: true },
  { name: 'timeout_worker_healthcheck', takesValue: true },
  { name: 'drop_params', takesValue: false },
  { name: 'add_function_to_prompt', takesValue: false },
  { name: 'use_prisma_db_push', takesValue: false },
  { name: 'run_gunicorn', takesValue: false },
  { name: 'run_hypercorn', takesValue: false },
  { name: 'run_granian', takesValue: false },
  { name: 'reload', takesValue: false },
  { name: 'ssl_keyfile_path', takesValue: true, refusal: SERVES_PLAIN_HTTP },
  { name: 'ssl_certfile_path', takesValue: true, refusal: SERVES_PLAIN_HTTP },
  { name: 'test', takesValue: false, refusal: 'send a chat request with curl instead' },
  { name: 'test_async', takesValue: false, refusal: 'send chat requests with curl instead' },
  { name: 'num_requests', takesValue: true, refusal: 'it belongs to --test_async' },
  { name: 'save', takesValue: false, refusal: 'write a config.yaml instead' },
  { name: 'setup', takesValue: false, refusal: 'write a config.yaml instead' },
  { name: 'skip_server_startup', takesValue: false, refusal: 'use pulsegate check FILE' },
]

/** The text of `pulsegate --help`. */
export function helpText(): string {
  const options = OPTIONS.map((row) => {
    const long = `--${row.name}${row.value === undefined ? '' : ` ${row.value}`}`
    return `  ${row.short === undefined ? '    ' : `-${row.short}, `}${long.padEnd(24)}${row.help}`
  })
  return [
    'pulsegate: an LLM gateway that knows which of your models are alive',
    '',
    'Usage:',
    '  pulsegate                          a demo: models in nine modes, four of them sick',
    '  pulsegate config.yaml              serve the models of a LiteLLM config',
    '  pulsegate --model openai/gpt-4o    serve one model, its key from the environment',
    '  pulsegate check config.yaml        print what is wrong with a config, start nothing',
    '  pulsegate plan config.yaml         print what its health checks will cost a day, start nothing',
    '  pulsegate check config.yaml --live check its models once, without a server',
    '  pulsegate health                   show the health of the gateway that is running',
    '  pulsegate explain MODEL config.yaml',
    "                                     each of a model's settings and where it comes from, and how it is",
    '',
    'Options:',
    ...options,
    '',
    'Exit codes: 0 ok, 1 some models unhealthy, 2 bad config or usage or cannot ask, 3 a bug.',
    'Environment: LITELLM_MASTER_KEY, CONFIG_FILE_PATH, HOST, PORT, LITELLM_LOG or PULSEGATE_LOG (log level),',
    '             NO_COLOR, FORCE_COLOR.',
  ].join('\n')
}
