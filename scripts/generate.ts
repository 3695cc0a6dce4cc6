import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { describeBlock, configSchema, type SettingDoc } from '../src/config/schema.ts'
import { deploymentSchema, infoShape, paramShape } from '../src/config/schema-deployment.ts'
import { generalSettings } from '../src/config/schema-general.ts'
import { librarySettings } from '../src/config/schema-library.ts'
import { routerSettings } from '../src/config/schema-router.ts'

/** Writes docs/config.md and config.schema.json from the schema; with `--check`, only says whether they are true. */
async function main(isCheck: boolean): Promise<void> {
  const outputs = [
    { url: new URL('../docs/config.md', import.meta.url), name: 'docs/config.md', text: reference() },
    {
      url: new URL('../config.schema.json', import.meta.url),
      name: 'config.schema.json',
      text: jsonSchema(),
    },
  ]
  for (const { url, name, text } of outputs) {
    if (!isCheck) await writeFile(url, text)
    else if ((await readOrNothing(url)) !== text) {
      console.error(
        `${name} does not say what the schema says; run \`npm run generate\` and commit the result`,
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
  const rows = acted.map(({ name, description }) => `| \`${name}\` | ${description.replaceAll('|', '\\|')} |`)
  const table = rows.length === 0 ? [] : ['| setting | what it does |', '|---|---|', ...rows, '']
  const names = kept.map(({ name }) => `\`${name}\``).join(', ')
  const others = kept.length === 0 ? [] : [`Loaded, not acted on yet: ${names}.`, '']
  return [`## ${title}`, '', ...table, ...others].join('\n')
}

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
- \`.env\` in the working directory completes the environment, unless \`LITELLM_MODE=PRODUCTION\`;
  \`environment_variables\` completes it further. What is already set wins.
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
| \`LITELLM_MASTER_KEY\` | The master key where the config has none. |
| \`DATABASE_URL\` | The database where the config has none. |
| \`LITELLM_MODE\` | \`PRODUCTION\`: \`.env\` is not read. |
| \`LITELLM_ENVIRONMENT\` | Compared with \`model_info.supported_environments\`. |
| \`HEALTH_CHECK_TIMEOUT_SECONDS\` | Seconds one check may take. Default: 60. |
| \`DEFAULT_HEALTH_CHECK_INTERVAL\` | \`health_check_interval\` where the config has none. |
| \`DEFAULT_HEALTH_CHECK_PROMPT\` | The text of probes other than chat. Default: \`test from litellm\`. |
| \`BACKGROUND_HEALTH_CHECK_MAX_TOKENS\` | Token budget of probes. Default: 16. |
| \`BACKGROUND_HEALTH_CHECK_MAX_TOKENS_REASONING\` | The same for reasoning models. |
| \`GRACEFUL_SHUTDOWN_TIMEOUT\` | Seconds streams may go on after the drain. Default: 30. |
`

await main(process.argv.includes('--check'))
