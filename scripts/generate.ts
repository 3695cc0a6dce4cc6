import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { describeBlock, configSchema, type SettingDoc } from '../src/config/schema.ts'
import { deploymentSchema, infoShape, paramShape } from '../src/config/schema-deployment.ts'
import { generalSettings } from '../src/config/schema-general.ts'
import { librarySettings } from '../src/config/schema-library.ts'
import { routerSettings } from '../src/config/schema-router.ts'
import { METRICS } from '../src/metrics/table.ts'
import type { MetricRow } from '../src/metrics/table.ts'
import { providersPage } from './providers-page.ts'

/**
 * Writes docs/config.md and config.schema.json from the schema, docs/providers.md from what the adapters of providers say, and
 * docs/metrics.md from the table of metrics; with `--check`, only says whether they are true.
 */
async function main(isCheck: boolean): Promise<void> {
  const outputs = [
    { url: new URL('../docs/config.md', import.meta.url), name: 'docs/config.md', text: reference() },
    {
      url: new URL('../config.schema.json', import.meta.url),
      name: 'config.schema.json',
      text: jsonSchema(),
    },
    {
      url: new URL('../docs/providers.md', import.meta.url),
      name: 'docs/providers.md',
      text: providersPage(),
    },
    { url: new URL('../docs/metrics.md', import.meta.url), name: 'docs/metrics.md', text: metrics() },
  ]
  for (const { url, name, text } of outputs) {
    if (!isCheck) await writeFile(url, text)
    else if ((await readOrNothing(url)) !== text) {
      console.error(
        `${name} does not say what the source says; run \`npm run generate\` and commit the result`,
      )
      process.exitCode = 1
    }
  }
}

async function readOrNothing(url: URL): Promise<string> {
  try {
    return await readFile(url, 'utf8')
  } catch {
    // A file that is not there differs from any text.
    return ''
  }
}

function jsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Ours alone; editors know no such words.
      delete jsonSchema['acted']
      delete jsonSchema['secret']
      // A quoted number or boolean may come from a variable instead.
      if (jsonSchema.pattern !== undefined) jsonSchema.pattern = `${jsonSchema.pattern}|^os\\.environ/`
    },
  })
  return `${JSON.stringify({ ...schema, title: 'Pulsegate config.yaml (LiteLLM format)' }, null, 2)}\n`
}

function reference(): string {
  return [
    INTRODUCTION,
    section('Top level', describeBlock(configSchema)),
    section('`model_list` entries', describeBlock(deploymentSchema)),
    section('`litellm_params`', describeBlock({ shape: paramShape })),
    section('`model_info`', describeBlock({ shape: infoShape })),
    section('`general_settings`', describeBlock(generalSettings)),
    section('`litellm_settings`', describeBlock(librarySettings)),
    section('`router_settings`', describeBlock(routerSettings)),
    VARIABLES,
  ].join('\n')
}

/** Settings that do something first; the others by name only, so that the page stays readable. */
function section(title: string, settings: readonly SettingDoc[]): string {
  const acted = settings.filter((setting) => setting.acted)
  const kept = settings.filter((setting) => !setting.acted)
  const rows = acted.map(
    ({ name, type, description }) =>
      `| \`${name}\` | ${typeName(type)} | ${description.replaceAll('|', '\\|')} |`,
  )
  const table = rows.length === 0 ? [] : ['| setting | takes | what it does |', '|---|---|---|', ...rows, '']
  const names = kept.map(({ name }) => `\`${name}\``).join(', ')
  const others = kept.length === 0 ? [] : [`Loaded, not acted on yet: ${names}.`, '']
  return [`## ${title}`, '', ...table, ...others].join('\n')
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  boolean: 'true or false',
  array: 'list',
  object: 'map',
}

/** What a setting takes. The quoted forms of numbers and booleans, which all of them take, are not repeated. */
function typeName(type: z.ZodType): string {
  const forms = formsOf(z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }))
  const words = forms
    // A word that YAML reads as a boolean (`off`) is listed as a word already.
    .filter((form) => form.const === undefined)
    .flatMap((form) =>
      form.enum === undefined
        ? [form.type ?? []].flat().flatMap((kind) => TYPE_NAMES[kind] ?? [])
        : form.enum.map((word) => `\`${word}\``),
    )
  const isQuoted = words[0] === 'true or false' || words[0] === 'number'
  const plain = isQuoted && words[1] === 'text' ? words.toSpliced(1, 1) : words
  return plain.length === 0 ? 'anything' : [...new Set(plain)].join(', ')
}

/** A form, and all that it may be instead. */
function formsOf(form: z.core.JSONSchema.BaseSchema): readonly z.core.JSONSchema.BaseSchema[] {
  return [form, ...(form.anyOf ?? []).flatMap(formsOf)]
}

function metrics(): string {
  return [METRICS_PAGE, ...Object.values(METRICS).map(metricRow), '', METRICS_NOTES].join('\n')
}

function metricRow({ name, type, unit, labels, help }: MetricRow): string {
  return `| \`${name}\` | ${type} | ${unit} | ${codes(labels)} | ${help} |`
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}

const METRICS_PAGE = `<!-- Written by scripts/generate.ts from src/metrics/table.ts. Do not edit. -->
# Metrics

\`GET /metrics\` answers in Prometheus's text format 0.0.4. It asks for the master key, as LiteLLM's does;
\`litellm_settings.require_auth_for_metrics_endpoint: false\` opens it. Prometheus sends the key with
\`authorization: { credentials: sk-… }\` in its \`scrape_configs\`.

| metric | type | counts | labels | what it says |
|---|---|---|---|---|`

const METRICS_NOTES = `- \`outcome\` is \`ok\` or the kind of a failure, as \`type\` in error bodies and \`reason\` in \`/health\`
  ([health.md](health.md)). \`cancelled\`: the client went away. An error event within a stream that had begun counts as
  its kind, although the client got a 200.
- \`model_group\` is the group that was asked for, as the config names it, also where a fallback answered; \`provider\` is
  the one asked last. Names that a client makes up become no labels: they count under an empty group.
- Tokens are those that providers count, read from their answers; streams say them where the client sets
  \`stream_options.include_usage\`. An answer that breaks off counts none. They are seen wherever an answer's top level says
  them, unless over 1 MB of it follows.
- Health checks are no requests: none of this counts them.
- A realtime session is one request, \`realtime\`, from its opening to its end. Closed in order by either side it is \`ok\`;
  \`cut\` where the upstream's connection broke, \`server_error\` where it closed with 1011 to 1014, \`cancelled\` where the
  client's broke.
- A series exists from its first request on.
`

const INTRODUCTION = `<!-- Written by scripts/generate.ts from src/config/schema.ts. Do not edit. -->
# Configuration

Pulsegate reads LiteLLM's \`config.yaml\`. \`pulsegate check config.yaml\` prints every problem with file, line and
column without starting anything; \`--strict\` makes warnings errors. Editors complete and check the file with
\`config.schema.json\` (\`# yaml-language-server: $schema=config.schema.json\`).

- The file is YAML 1.1, as PyYAML reads it: \`yes\`, \`no\`, \`on\`, \`off\` are booleans, \`010\` is 8, \`1e-6\` is text
  (\`1.0e-6\` is a number), an unquoted \`2024-10-21\` is a date, the last of two equal keys wins (with a warning), a TAB
  between tokens is an error.
- \`os.environ/NAME\` as a whole value is replaced by the variable: directly under \`litellm_params\` and
  \`credential_values\`, in \`environment_variables\`, and anywhere in the other blocks. A deployment whose variable is not
  set is listed as misconfigured; the others run. \`$NAME\` and \`\${NAME}\` are kept as they stand, with a warning.
- \`.env\` in the working directory completes the environment, unless \`LITELLM_MODE=PRODUCTION\`; \`\${NAME}\` and
  \`\${NAME:-default}\` are expanded in it. \`environment_variables\` completes the environment further. What is already set wins.
- Unknown keys are kept out and reported as warnings, with what was probably meant. Unknown \`litellm_params\` are
  sent upstream in the body, as LiteLLM does; those that look like a misspelt connection field are not.
- Wrong types of known settings, a missing \`model_list\`, files that include each other, more than 32 MB and text that
  is no YAML stop the start. An unset variable, an unknown provider or an unknown mode stop one deployment only.
- Without \`model_info.mode\` the mode comes from the names (\`model\`, \`base_model\`, \`model_name\`: embedding, rerank,
  whisper, tts, image, …), then from the catalogue of known models, then it is chat. A mode written under
  \`litellm_params\` is reported, and used as such a hint.
- A quoted number is a number and a quoted boolean a boolean. A setting left empty counts as not set.
`

const VARIABLES = `## Environment variables

| variable | what it does |
|---|---|
| \`CONFIG_FILE_PATH\` | The config to serve where the command line names none. |
| \`HOST\`, \`PORT\` | Where to listen without \`--host\` and \`--port\`. Default: \`0.0.0.0\`, 4000. |
| \`PULSEGATE_LOG\`, \`LITELLM_LOG\` | The level of the log: debug, info, warning, error, critical or silent. Default: info. |
| \`NO_COLOR\`, \`FORCE_COLOR\` | No colours, or colours even where nothing is a terminal. |
| \`LITELLM_MASTER_KEY\` | The master key where the config has none. |
| \`DATABASE_URL\` | Kept as a secret; no database is used yet. |
| \`LITELLM_MODE\` | \`PRODUCTION\`: \`.env\` is not read. |
| \`LITELLM_ENVIRONMENT\` | Compared with \`model_info.supported_environments\`. |
| \`HEALTH_CHECK_TIMEOUT_SECONDS\` | Seconds one check may take. Default: 60. |
| \`DEFAULT_HEALTH_CHECK_INTERVAL\` | \`health_check_interval\` where the config has none. |
| \`DEFAULT_HEALTH_CHECK_PROMPT\` | The text of probes other than chat. Default: \`test from litellm\`. |
| \`BACKGROUND_HEALTH_CHECK_MAX_TOKENS\` | Token budget of probes. Default: 16. |
| \`BACKGROUND_HEALTH_CHECK_MAX_TOKENS_REASONING\` | The same for reasoning models. |
| \`GRACEFUL_SHUTDOWN_TIMEOUT\` | Seconds streams may go on after the drain. Default: 30. |
| \`HTTPS_PROXY\` | The HTTP proxy on the way to https and wss upstreams: \`http://user:password@host:port\`. |
| \`HTTP_PROXY\` | The same for http and ws upstreams. |
| \`ALL_PROXY\` | The same for both, where the other is not set. |
| \`NO_PROXY\` | Upstreams that are reached without it: names (with all below them), addresses, CIDR ranges, each with a port or without; \`*\` is all. Loopback is always one, unless \`<-loopback>\` is listed. All four may be written in lower case, which wins. |
| \`SSL_VERIFY\` | \`litellm_settings.ssl_verify\`, and beats it. |
| \`REDIS_URL\` | \`general_settings.coordination_redis.url\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_HOST\` | \`general_settings.coordination_redis.host\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_PORT\` | \`general_settings.coordination_redis.port\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_USERNAME\` | \`general_settings.coordination_redis.username\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_PASSWORD\` | \`general_settings.coordination_redis.password\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_DB\` | \`general_settings.coordination_redis.db\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_SSL\` | \`general_settings.coordination_redis.ssl\`, where neither that nor \`cache_params\` names a Redis. |
| \`REDIS_NAMESPACE\` | \`general_settings.coordination_redis.namespace\`, where neither that nor \`cache_params\` names a Redis. |
| \`SSL_CERT_FILE\` | A PEM file of the authorities to trust, in place of Node's. |

Keys and addresses of providers: [providers.md](providers.md).
`

await main(process.argv.includes('--check'))
