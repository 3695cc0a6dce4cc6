import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/read-config.ts'
import type { Config } from '../../src/config/config.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Deployment } from '../../src/core/deployment.ts'
import { silentLog } from '../../src/core/log.ts'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { adapterFor } from '../../src/providers/registry.ts'
import { COMPATIBLE_ROWS } from '../../src/providers/openai-compatible/rows.ts'
import { serviceAccount } from './all-providers.ts'
import { runProgram, startGateway, withFolder } from './program.ts'

/** Configs that people really run. They are other people's data and stay outside of this repository. */
const FOLDER = join(import.meta.dirname, '../../../shared/configs')
const skip = existsSync(join(FOLDER, 'expected.json')) ? false : `no configs of the wild at ${FOLDER}`
const FILES = skip === false ? readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')) : []

const UNKNOWN = new Set(['agno', 'zhipu'])

/** Deployments that cannot be called for reasons of their own, by file: how many, and what must be said. */
const MISCONFIGURED: Readonly<Record<string, readonly [number, RegExp]>> = {
  // Which model stands for all of a server that its owner filled, nobody can know.
  '005-Kingsley-Cyber-polymath_v3.3.yaml': [2, /health_check_model/],
  '017-ingtranet-argocd-manifests.yaml': [1, /health_check_model/],
  '019-NullSense-dotfiles.yaml': [10, /environment variable LITELLM_ENVIRONMENT is not set/],
  '023-aws-samples-bedrock-litellm.yaml': [1, /aws_region_name|region/],
  '067-kafkapple-llm_promptfoo.yaml': [1, /is no address that can be called/],
  '085-BerriAI-litellm.yaml': [1, /no deployment is named: write azure\/<deployment>/],
}

/** Deployments whose address or account is nobody's: made up, or with two paths in one. */
const NOWHERE: Readonly<Record<string, readonly [number, RegExp]>> = {
  '025-aws-samples-sample-litellm-bedrock-gateway-on-eks.yaml': [3, /vpce-/],
  '067-kafkapple-llm_promptfoo.yaml': [1, /v1beta\/models\/v1\/projects/],
}

/** Every secret that the dummy environment holds starts like this. */
const DUMMY = 'dummy-secret-'

interface Prepared {
  readonly text: string
  readonly env: Readonly<Record<string, string>>
}

/** Where the providers are that are no rows of the table, by the beginning of their variables. */
const OTHERS: readonly (readonly [name: string, path: string])[] = [
  ['OPENAI', '/v1'],
  ['AZURE', ''],
  ['COHERE', ''],
  ['ANTHROPIC', ''],
  ['AZURE_AI', '/as-azure_ai/models'],
  ['GEMINI', '/as-gemini/v1beta'],
  ['VERTEXAI', '/as-vertex_ai'],
  ['MISTRAL', '/as-mistral/v1'],
  ['CODESTRAL', '/as-mistral/v1'],
  ['OLLAMA', ''],
  ['HUGGINGFACE', '/as-huggingface'],
  ['REPLICATE', '/as-replicate/v1'],
  ['DEEPGRAM', '/as-deepgram/v1'],
  ['ELEVENLABS', '/as-elevenlabs'],
  ['VOYAGE', '/as-voyage/v1'],
  ['JINA_AI', '/as-jina_ai/v1'],
  ['NVIDIA_NIM', '/as-nvidia_nim/v1'],
  ['WATSONX', '/as-watsonx'],
  ['DATABRICKS', '/as-databricks/serving-endpoints'],
]
/** Keys that the double can check; nothing is asked of a machine that there is not. */
const AWS = {
  AWS_ACCESS_KEY_ID: 'AKIAWILD',
  AWS_SECRET_ACCESS_KEY: 'secret-of-AKIAWILD',
  AWS_REGION: 'us-east-1',
  AWS_REGION_NAME: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
}

/** The config with every host replaced by the fake's and nothing else changed, and a value for every variable. */
function prepared(name: string, fake: string, account: string): Prepared {
  const original = readFileSync(join(FOLDER, name), 'utf8')
  const env: Record<string, string> = {
    ...Object.fromEntries(COMPATIBLE_ROWS.flatMap((row) => rowVariables(row, fake))),
    ...Object.fromEntries(
      OTHERS.flatMap(([name, path]) => [
        [`${name}_API_KEY`, DUMMY + name],
        [`${name}_API_BASE`, fake + path],
      ]),
    ),
    ...AWS,
    // Its double knows tokens by their beginning.
    DATABRICKS_API_KEY: 'dapi-1234567',
    GOOGLE_APPLICATION_CREDENTIALS: account,
    VERTEXAI_CREDENTIALS: account,
    VERTEXAI_PROJECT: 'a-project',
    AWS_BEDROCK_RUNTIME_ENDPOINT: `${fake}/as-bedrock`,
    WATSONX_IAM_URL: `${fake}/as-watsonx/identity/token`,
  }
  const bases = new Set(
    [...original.matchAll(/(?:api_base|base_url): *["']?os\.environ\/(\w+)/g)].map(
      ([, variable]) => variable,
    ),
  )
  for (const [, variable = ''] of original.matchAll(/os\.environ\/(\w+)/g))
    env[variable] ??= bases.has(variable) ? baseOf(variable, fake) : valueOf(variable)
  const text = original.replaceAll(
    /((?:api_base|base_url): *["']?)https?:\/\/[^/\s"'#]+/g,
    (_, key: string) => key + fake,
  )
  return { text, env }
}

/** The providers' own variables, their paths kept: where a config names no address, this is where they are. */
function rowVariables(row: (typeof COMPATIBLE_ROWS)[number], fake: string): readonly [string, string][] {
  const names = row.baseEnv ?? [`${row.id.toUpperCase().replaceAll('-', '_')}_API_BASE`]
  const path = row.base === undefined ? '/v1' : new URL(row.base).pathname
  return [
    ...row.keyEnv.map((key): [string, string] => [key, DUMMY + key]),
    ...names.map((base): [string, string] => [base, fake + path]),
  ]
}

/** An Azure resource has no path. */
function baseOf(variable: string, fake: string): string {
  return variable.includes('AZURE') ? fake : `${fake}/v1`
}

function valueOf(variable: string): string {
  if (variable.includes('VERSION')) return '2024-10-21'
  return /INTERVAL|TIMEOUT|RPM|TPM|PORT|SIZE/.test(variable) ? '300' : DUMMY + variable
}

const entry = z.looseObject({
  model_id: z.string(),
  model: z.string(),
  model_name: z.string(),
  mode: z.string(),
  reason: z.string().optional(),
  error: z.string().optional(),
})
const report = z.object({
  healthy_endpoints: z.array(entry),
  unhealthy_endpoints: z.array(entry),
  unknown_endpoints: z.array(entry).default([]),
})

/** What the health of a deployment must be, read off the config alone. */
type Wanted = 'healthy' | 'not built' | 'unchecked'

function wanted({ provider, unprobedMode, mode, modeSource }: Deployment): Wanted {
  if (adapterFor(provider) === undefined) return 'not built'
  // Nobody is made to pay for a picture because of a name.
  const isGuessedImage = mode === 'image_generation' && modeSource !== 'explicit'
  return unprobedMode !== undefined || isGuessedImage ? 'unchecked' : 'healthy'
}

/** Starts a gateway, waits until everything that is checked has a verdict, and asks for them. */
async function healthOf(
  config: Config,
): Promise<{ readonly text: string; readonly report: z.output<typeof report> }> {
  const app = await createApp(
    { ...config, general: { ...config.general, drainDelayMs: 0 } },
    {
      log: silentLog,
      clock: systemClock,
      random: () => 0.5,
      version: '1.0.0',
      host: '127.0.0.1',
      port: 0,
      checksAtStart: true,
    },
  )
  const isDone = (): boolean =>
    config.deployments.every(({ index }) => {
      const { verdict, reason } = app.board.health(index)
      return verdict !== undefined || reason === 'checks_disabled'
    })
  const done = Promise.withResolvers<void>()
  app.board.onChange(() => {
    if (isDone()) done.resolve()
  })
  try {
    const { url } = await app.start()
    if (isDone()) done.resolve()
    await done.promise
    const headers = { authorization: `Bearer ${config.general.masterKey?.reveal() ?? ''}` }
    const text = await (await fetch(`${url}/health`, { headers })).text()
    return { text, report: report.parse(JSON.parse(text)) }
  } finally {
    await app.stop()
  }
}

describe('every config of the wild is served and checked', { skip }, () => {
  let fake: FakeProvider
  let folder = ''
  const healthy = { count: 0, requests: 0 }

  before(async () => {
    fake = await startFakeProvider()
    folder = await mkdtemp(join(tmpdir(), 'pulsegate-wild-'))
    await writeFile(join(folder, 'account.json'), JSON.stringify(serviceAccount(fake.url)))
  })
  after(async () => {
    await fake.stop()
    await rm(folder, { recursive: true, force: true })
  })

  for (const name of FILES.filter((file) => !file.includes('-broken-')))
    test(name, async () => {
      const { text: yaml, env } = prepared(name, fake.url, join(folder, 'account.json'))
      await writeFile(join(folder, name), yaml)
      const { config, problems } = await readConfig(join(folder, name), {
        ...env,
        LITELLM_MODE: 'PRODUCTION',
      })
      assert.ok(config !== undefined, JSON.stringify(problems.filter(({ severity }) => severity === 'fatal')))
      fake.clearJournal()
      const { text, report: found } = await healthOf(config)
      assert.ok(!text.includes(DUMMY), 'a secret is shown')

      const { healthy_endpoints: up, unhealthy_endpoints: down, unknown_endpoints: unknown } = found
      assert.equal(up.length + down.length + unknown.length, config.deployments.length)
      const [exceptions, sentence] = MISCONFIGURED[name] ?? [0, /^$/]
      const [nowhere, address] = NOWHERE[name] ?? [0, /^$/]
      const lost = down.filter(({ error = '' }) => address.test(error))
      assert.equal(lost.length, nowhere)
      const [own, others] = [
        down.filter(({ error = '' }) => sentence.test(error)),
        down.filter(({ error = '' }) => !sentence.test(error) && !address.test(error)),
      ]
      assert.equal(own.length, exceptions)
      for (const { reason } of own) assert.equal(reason, 'misconfigured')

      const want = (kind: Wanted): readonly string[] =>
        config.deployments
          .filter(
            (one) => wanted(one) === kind && ![...own, ...lost].some(({ model_id }) => model_id === one.id),
          )
          .map(({ id }) => id)
          .toSorted()
      const ids = (entries: readonly z.output<typeof entry>[]): readonly string[] =>
        entries.map(({ model_id }) => model_id).toSorted()
      assert.deepEqual(
        others
          .filter(({ reason }) => reason !== 'misconfigured')
          .map(({ model, error }) => `${model}: ${error}`),
        [],
      )
      assert.deepEqual(ids(others), want('not built'))
      for (const { error = '', model_id } of others) {
        const provider = config.deployments.find(({ id }) => id === model_id)?.provider ?? ''
        const says = UNKNOWN.has(provider)
          ? `unknown provider "${provider}"`
          : `provider "${provider}" is not built yet`
        assert.ok(error.includes(says), error)
      }
      assert.deepEqual(ids(unknown), want('unchecked'))
      for (const { reason } of unknown) assert.equal(reason, 'checks_disabled')
      assert.deepEqual(ids(up), want('healthy'))
      // Some take a second request on their first check; more than two no deployment may cost.
      const { total } = fake.traffic()
      assert.ok(total >= up.length && total <= 2 * up.length, `${total} requests for ${up.length}`)
      healthy.count += up.length
      healthy.requests += total
    })

  test('528 of the 588 deployments are this version’s to call, and all of them are healthy', () => {
    assert.equal(healthy.count, 528)
    // Tokens, each once for every deployment that needs one, and a second request here and there.
    assert.ok(healthy.requests <= 1.2 * healthy.count, `${healthy.requests} requests`)
  })
})

describe('configs of the wild in the program itself', { skip }, () => {
  let fake: FakeProvider
  before(async () => {
    fake = await startFakeProvider()
  })
  after(() => fake.stop())

  const RUNS: readonly (readonly [string, RegExp, readonly RegExp[]])[] = [
    [
      '017-ingtranet-argocd-manifests.yaml',
      /13 deployments in 13 model groups/,
      [/:46:7 model_list\.3\.litellm_params\.mode: not read here; move it to model_info/],
    ],
    [
      '061-allanbrunobr-litellm-front.yaml',
      /7 deployments in 7 model groups/,
      [
        /:6:16 model_list\.0\.litellm_params\.api_key: "\$" names no variable here .* write os\.environ\/OPENAI_API_KEY/,
        /:64:1 spend_limits: unknown key, ignored/,
      ],
    ],
    [
      '085-BerriAI-litellm.yaml',
      /21 deployments in 8 model groups/,
      [/no deployment is named: write azure\/<deployment>/],
    ],
  ]
  for (const [name, size, lines] of RUNS)
    test(`${name} starts, says what is odd, and answers GET /health`, () => {
      const { text, env } = prepared(name, fake.url, '/nowhere')
      return withFolder({ [name]: text }, async (cwd) => {
        const gateway = await startGateway([name, '--port', '0', '--host', '127.0.0.1'], { cwd, env })
        try {
          assert.match(gateway.stdout(), size)
          for (const line of lines) {
            await gateway.seen(line)
            const times = gateway
              .stderr()
              .split('\n')
              .filter((each) => line.test(each)).length
            assert.equal(times, 1, `${line} ${times} times`)
          }
          const key = /master_key: *["']?(\S+?)["']?\s*$/m.exec(text)?.[1] ?? ''
          const response = await fetch(`${gateway.url}/health`, {
            headers: { authorization: `Bearer ${key}` },
          })
          const body = await response.text()
          assert.equal(response.status, 200, body)
          assert.ok(report.parse(JSON.parse(body)).healthy_endpoints.length > 0)
        } finally {
          await gateway.stop(0)
        }
        assert.ok(!(gateway.stdout() + gateway.stderr()).includes(DUMMY), 'a secret is printed')
      })
    })

  const BROKEN: readonly (readonly [string, RegExp])[] = [
    ['089-broken-trailofbits-buttercup.yaml', /^fatal: \S+yaml:112:\d+: not valid YAML: a TAB/m],
    ['091-broken-dialuplove-ai-hub.yaml', /^fatal: \S+yaml:10:\d+: not valid YAML: /m],
  ]
  for (const [name, says] of BROKEN)
    test(`${name} is refused with the line`, () =>
      withFolder({ [name]: readFileSync(join(FOLDER, name), 'utf8') }, async (cwd) => {
        const { code, stderr } = await runProgram([name, '--port', '0'], { cwd })
        assert.equal(code, 2)
        assert.match(stderr, says)
        assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
      }))
})

/** One of each kind of mistake, so that none hides another. */
const EVERYTHING_WRONG = `model_list:
  - model_name: fine
    litellm_params: { model: openai/gpt-4o, api_key: sk-canary-0123 }
  - model_name: typo
    litellm_params:
      model: openai/gpt-4o
      api_bse: https://example.com
      api_key: os.environ/NOT_SET_ANYWHERE
      mode: chat
      my_own_flag: 1
    model_info: { mode: chatt, id: twin }
  - model_name: prefix
    litelm_params: {}
    litellm_params: { model: grok/llama-3.1, api_key: $GROQ_API_KEY }
    model_info: { id: twin }
  - litellm_params: { model: 17 }
  - model_name: later
    litellm_params: { model: sagemaker/claude-3, timeout: soon, extra_headers: { a: os.environ/DEEP } }
  - just text
general_settings:
  health_check_interval: -5
  background_health_check: true
  request_timeout: 10
  master_key: sk-canary-4567
  master_key: sk-canary-8901
litellm_settings:
  callbacks: my_module.my_handler
  drop_parms: true
router_settings:
  num_retries: many
  enviroment: x
litellm_setings: {}
`

describe('pulsegate check on a file with every kind of mistake', () => {
  /** Where each problem is, in the order in which they must stand. */
  const PROBLEMS: readonly string[] = [
    'warning 7:7 api_bse did you mean "api_base"',
    'error 8:16 api_key NOT_SET_ANYWHERE is not set',
    'warning 9:7 mode move it to model_info',
    'warning 10:7 my_own_flag unknown key',
    'error 11:25 model_info.mode "chatt" is no mode',
    'warning 12:5 model_list.2 same id',
    'warning 13:5 litelm_params did you mean "litellm_params"',
    'error 14:30 model unknown provider "grok"; did you mean "xai"',
    'warning 14:55 api_key write os.environ/GROQ_API_KEY',
    'error 16:5 model_list.3 model_name is missing',
    'fatal 16:30 model must be',
    'error 18:30 model provider "sagemaker" is not built yet',
    'fatal 18:59 timeout must be a number',
    'warning 18:85 extra_headers.a "os.environ/" is replaced only',
    'fatal 19:5 model_list.5 must be a map',
    'fatal 21:26 health_check_interval must be a number above 0',
    'warning 22:3 background_health_check did you mean "background_health_checks"',
    'warning 23:3 request_timeout move it to litellm_settings',
    'warning 25:3 master_key stands twice',
    'warning 27:14 callbacks names Python code',
    'warning 28:3 drop_parms did you mean "drop_params"',
    'fatal 30:16 num_retries must be',
    'warning 31:3 enviroment unknown key',
    'warning 32:1 litellm_setings did you mean "litellm_settings"',
  ]

  test('names all of them at once, each with its place, in the order of the lines, and no secret', () =>
    withFolder({ 'config.yaml': EVERYTHING_WRONG }, async (cwd) => {
      const { code, stdout, stderr } = await runProgram(['check', 'config.yaml'], { cwd })
      assert.equal(code, 2)
      assert.ok(!(stdout + stderr).includes('sk-canary'))
      const lines = stderr.trimEnd().split('\n')
      const found = lines.slice(0, -1).map((line, at) => {
        const [severity = '', place = '', name = '', ...words] = (PROBLEMS[at] ?? '').split(' ')
        const isThere =
          line.startsWith(`${severity}: config.yaml:${place} `) &&
          line.split(' ')[2]?.includes(name) === true &&
          line.includes(words.join(' '))
        return isThere ? PROBLEMS[at] : line
      })
      assert.deepEqual(found, PROBLEMS)
      assert.match(lines.at(-1) ?? '', /^config\.yaml: refused, 5 fatal errors, 5 errors, 14 warnings$/)
    }))
})
