import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readConfigText } from '../../src/read-config.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { HTTP_WAYS, SOCKET_WAYS, startEchoUpstream, type EchoUpstream } from './echo-upstream.ts'
import { runProgram, startGateway, withFolder, type Gateway } from './program.ts'

/**
 * Every canary holds this, and nothing else in these tests does. Six characters are the shortest piece of a
 * secret that counts as leaked.
 */
const SIGN = 'CANARY'

/** A secret as nasty as a header can carry: each of its characters is written in another way somewhere. */
const canary = (number: number): string => `sk-${SIGN}${String(number).padStart(2, '0')}+a/b=c&d"e\\f%25<g>`

/** One place of the config where a credential can be, as the lines of a deployment at this address. */
type Place = (base: string) => string

const openai = (base: string, rest: string): string =>
  `    litellm_params:\n      model: openai/gpt-4o\n      api_base: ${base}/v1\n${rest}`
const yamlText = (text: string): string => `'${text.replaceAll("'", "''")}'`
const inUrl = (text: string): string => encodeURIComponent(text)
const KEYED = '      api_key: sk-harmless-key\n'

const PLACES: Readonly<Record<string, Place>> = {
  'an api_key': (base) => openai(base, `      api_key: ${yamlText(canary(1))}\n`),
  'a variable': (base) => openai(base, '      api_key: os.environ/FROM_PROCESS\n'),
  'a variable of .env': (base) => openai(base, '      api_key: os.environ/FROM_FILE\n'),
  environment_variables: (base) => openai(base, '      api_key: os.environ/FROM_BLOCK\n'),
  'the variable of a provider': (base) => openai(base, ''),
  'a secret header': (base) =>
    openai(base, `${KEYED}      extra_headers: { x-api-token: ${yamlText(canary(6))} }\n`),
  'a header with a harmless name': (base) =>
    openai(base, `${KEYED}      headers: { x-tenant: ${yamlText(canary(7))} }\n`),
  'an authorization header': (base) =>
    openai(base, `      extra_headers: { Authorization: ${yamlText(`Bearer ${canary(22)}`)} }\n`),
  'an organization': (base) => openai(base, `${KEYED}      organization: ${yamlText(canary(8))}\n`),
  'a password in api_base': (base) => openai(base.replace('://', `://user:${inUrl(canary(9))}@`), ''),
  'a query in api_base': (base) =>
    `    litellm_params:\n      model: openai/gpt-4o\n      api_base: ${base}/v1?sig=${inUrl(canary(10))}\n${KEYED}`,
  'a credential_list': (base) => openai(base, '      litellm_credential_name: shared\n'),
  'unknown params': (base) =>
    openai(
      base,
      `${KEYED}      my_service_token: ${yamlText(canary(12))}\n      clientSecret: ${yamlText(canary(13))}\n` +
        `      auth_passphrase: ${yamlText(canary(14))}\n`,
    ),
  'an extra_body': (base) =>
    openai(base, `${KEYED}      extra_body: { login: { password: ${yamlText(canary(15))} } }\n`),
  health_check_params: (base) =>
    `${openai(base, KEYED)}    model_info:\n      health_check_params: { user_token: ${yamlText(canary(16))} }\n`,
  'an Azure key': (base) =>
    `    litellm_params:\n      model: azure/gpt-4o\n      api_base: ${base}\n      api_key: ${yamlText(canary(17))}\n`,
  'an Entra token': (base) =>
    `    litellm_params:\n      model: azure/gpt-4o\n      api_base: ${base}\n      azure_ad_token: ${yamlText(canary(18))}\n`,
  'a Cohere key': (base) =>
    `    litellm_params:\n      model: cohere_chat/command-r\n      api_base: ${base}\n      api_key: ${yamlText(canary(19))}\n`,
  'a key for transcriptions': (base) =>
    `    litellm_params:\n      model: openai/whisper-1\n      api_base: ${base}/v1\n      api_key: ${yamlText(canary(20))}\n`,
}

/** The key of a realtime session. */
const realtime: Place = (base) =>
  `    litellm_params:\n      model: openai/gpt-realtime\n      api_base: ${base}/v1\n      api_key: ${yamlText(canary(21))}\n`

/** A client's own key. */
const CLIENT_KEY = canary(30)
const MASTER_KEY = `${canary(31).slice(0, 11)}-master`

const ENV = {
  FROM_PROCESS: canary(2),
  OPENAI_API_KEY: canary(5),
  // Where a provider's address is the environment's: a password and a query in it.
  GROQ_API_KEY: canary(33),
}

/** Secrets that are never sent anywhere, in every block of the file. */
const SETTINGS = `
environment_variables:
  FROM_BLOCK: ${yamlText(canary(4))}
credential_list:
  - credential_name: shared
    credential_values: { api_key: ${yamlText(canary(11))} }
litellm_settings:
  cache: true
  cache_params: { type: redis, host: localhost, password: ${yamlText(canary(40))} }
router_settings:
  redis_password: ${yamlText(canary(41))}
  num_retries: 0
general_settings:
  master_key: ${yamlText(MASTER_KEY)}
  database_url: postgres://user:${inUrl(canary(42))}@db.example/litellm
  background_health_checks: true
  health_check_on_request: always
  log_success_sample: 1
  drain_delay: 0
`

const entry = (group: string, lines: string): string => `  - model_name: ${group}\n${lines}`

/** Every place at every way to echo it; the group's name says which. */
function deployments(echo: string, fake: string): readonly (readonly [string, string])[] {
  const bases = [
    ...Object.keys(HTTP_WAYS).map((way) => [way, `${echo}/${way}`] as const),
    ['fake echo', `${fake}/echo`] as const,
    ['fake echo200', `${fake}/echo200`] as const,
  ]
  const http = Object.entries(PLACES).flatMap(([place, lines]) =>
    bases.map(([way, base]) => [`${place} at ${way}`, lines(base)] as const),
  )
  const socket = [
    ...SOCKET_WAYS.map((way) => [`a session at ${way}`, realtime(`${echo}/${way}`)] as const),
    ['a session at fake echo', realtime(`${fake}/echo`)] as const,
    ['a session at fake echo200', realtime(`${fake}/echo200`)] as const,
  ]
  const special = [
    [
      'a key of the client',
      openai(`${echo}/text`, `${KEYED}      configurable_clientside_auth_params: [api_key]\n`),
    ] as const,
    ['an address of the environment', '    litellm_params: { model: groq/llama-3.1-8b }\n'] as const,
    [
      'secrets in model_info',
      `${openai(`${echo}/text`, KEYED)}    model_info: { my_api_key: ${yamlText(canary(50))}, contact: { password: ${yamlText(canary(51))} } }\n`,
    ] as const,
  ]
  return [...http, ...socket, ...special]
}

/** The sign in base64, at each of the three ways it can lie in a text: the characters that are the same in all. */
const HIDDEN_SIGNS: readonly string[] = [0, 1, 2].map((shift) => {
  const text = Buffer.from(`${'\0'.repeat(shift)}${SIGN}`)
    .toString('base64')
    .replaceAll('=', '')
  return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + SIGN.length) * 8) / 6))
})

/** Where a text gives a canary away, with what stands around it; empty where it does not. */
function leaks(text: string): readonly string[] {
  return [SIGN, ...HIDDEN_SIGNS].flatMap((sign) => {
    const at = text.indexOf(sign)
    return at === -1 ? [] : [text.slice(Math.max(0, at - 120), at + 60)]
  })
}

function assertClean(what: string, text: string): void {
  assert.deepEqual(leaks(text), [], `a canary in ${what}`)
}

interface Shown {
  readonly status: number
  readonly text: string
}

/** An answer, headers and all, as one text. */
async function ask(
  url: string,
  path: string,
  init: RequestInit = {},
  key: string = MASTER_KEY,
): Promise<Shown> {
  const response = await fetch(url + path, {
    ...init,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  })
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  return { status: response.status, text: `${headers}\n\n${await response.text()}` }
}

const chat = (url: string, model: string, more: object = {}): Promise<Shown> =>
  ask(url, '/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'ping' }], ...more }),
  })

const OTHER_ROUTES: readonly (readonly [string, object])[] = [
  ['/v1/completions', { prompt: 'ping' }],
  ['/v1/embeddings', { input: 'ping' }],
  ['/v1/images/generations', { prompt: 'ping', stream: true }],
  ['/v1/audio/speech', { input: 'ping', voice: 'alloy' }],
  ['/v1/rerank', { query: 'ping', documents: ['a'] }],
]

test('a canary that is there is seen, in each form', () => {
  for (const text of [canary(1), encodeURIComponent(canary(1)), JSON.stringify(canary(1))])
    assert.equal(leaks(text).length, 1, text)
  for (const before of ['', 'x', 'xy', 'Bearer '])
    assert.equal(leaks(Buffer.from(before + canary(1)).toString('base64')).length, 1, before)
})

for (const details of [true, false])
  describe(`with health_check_details ${details}, no secret is told on`, () => {
    let fake: FakeProvider
    let echo: EchoUpstream
    let gateway: Gateway
    let groups: readonly string[]
    let close = (): void => {}
    let folder = Promise.resolve()
    let config = ''

    before(async () => {
      fake = await startFakeProvider()
      echo = await startEchoUpstream()
      const all = deployments(echo.url, fake.url)
      groups = all.map(([group]) => group)
      const text = `model_list:\n${all.map(([group, lines]) => entry(group, lines)).join('')}${SETTINGS}  health_check_details: ${details}\n`
      const started = Promise.withResolvers<void>()
      const finished = new Promise<void>((resolve) => {
        close = resolve
      })
      folder = withFolder(
        { 'config.yaml': text, '.env': `FROM_FILE=${yamlText(canary(3))}\n` },
        async (cwd) => {
          config = `${cwd}/config.yaml`
          const host = echo.url.replace('://', `://user:${inUrl(canary(34))}@`)
          gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0', '--debug'], {
            cwd,
            env: { ...ENV, GROQ_API_BASE: `${host}/text?sig=${inUrl(canary(35))}` },
          })
          started.resolve()
          await finished
        },
      )
      folder.catch(started.reject)
      await started.promise
    })

    after(async () => {
      close()
      await folder
      await gateway.stop(5000)
      await Promise.all([fake.stop(), echo.stop()])
    })

    test('in GET /health, and every way to echo was really met', async () => {
      const { status, text } = await ask(gateway.url, '/health')
      assert.equal(status, 200)
      assertClean('GET /health', text)
      const heard = echo.heard(/CANARY/)
      const silent = [...Object.keys(HTTP_WAYS), ...SOCKET_WAYS].filter((way) => (heard.get(way) ?? 0) === 0)
      assert.deepEqual(silent, [])
      const sent = fake.journal().filter((one) => JSON.stringify([one.url, one.headers]).includes(SIGN))
      assert.ok(sent.length >= 30, `the fake heard ${sent.length}`)
      assert.ok(text.includes(details ? 'raw_request' : 'exception_status'))
    })

    test('in model info, models, readiness and the page', async () => {
      for (const path of ['/v1/model/info', '/model/info', '/v1/models', '/models', '/metrics', '/'])
        assertClean(path, (await ask(gateway.url, path)).text)
      for (const path of ['/health/readiness', '/health/readiness/details', '/health/liveliness'])
        assertClean(path, (await ask(gateway.url, path)).text)
    })

    test('in chat answers, whole and streamed', async () => {
      const asked = groups
        .filter((name) => !name.startsWith('a session'))
        .flatMap((group) => [{}, { stream: true }].map((more) => ({ group, more })))
      const failures: string[] = []
      for (let at = 0; at < asked.length; at += 16)
        await Promise.all(
          asked.slice(at, at + 16).map(async ({ group, more }) => {
            const [leak] = leaks((await chat(gateway.url, group, more)).text)
            if (leak !== undefined) failures.push(`${group} ${JSON.stringify(more)}: ${leak}`)
          }),
        )
      assert.ok(asked.length > 500, `${asked.length} requests`)
      assert.deepEqual(failures, [])
    })

    test('in the answers of every other route', async () => {
      const failures: string[] = []
      for (const group of groups.filter((name) => !name.startsWith('a session')))
        await Promise.all(
          OTHER_ROUTES.map(async ([path, body]) => {
            const init = { method: 'POST', body: JSON.stringify({ model: group, ...body }) }
            const [leak] = leaks((await ask(gateway.url, path, init)).text)
            if (leak !== undefined) failures.push(`${path} ${group}: ${leak}`)
          }),
        )
      assert.deepEqual(failures, [])
    })

    test("in an error about a client's own key", async () => {
      const { status, text } = await chat(gateway.url, 'a key of the client', { api_key: CLIENT_KEY })
      assert.equal(status, 400)
      assertClean('the answer', text)
    })

    test('in refusals of the gateway itself', async () => {
      const wrong = canary(60).slice(0, 15)
      assertClean('401', (await ask(gateway.url, '/health', {}, wrong)).text)
      assertClean('a route that is none', (await ask(gateway.url, `/nothing`)).text)
      assertClean(
        'a bad body',
        (await ask(gateway.url, '/v1/chat/completions', { method: 'POST', body: '{' })).text,
      )
    })

    test('by pulsegate --health and pulsegate check', async () => {
      const { port } = new URL(gateway.url)
      const asked = await runProgram(['--health', '--config', config, '--port', port], { env: ENV })
      assert.equal(asked.code, 1, asked.stderr)
      assertClean('--health', asked.stdout + asked.stderr)
      const checked = await runProgram(['check', config], { env: ENV })
      assert.match(checked.stdout, /starts with \d+ deployments/)
      assertClean('check', checked.stdout + checked.stderr)
    })

    test('in logs, table and all else that the program wrote, to its end', async () => {
      await gateway.stop(8000)
      const written = gateway.stdout() + gateway.stderr()
      assert.match(written, /request_failed/)
      assert.match(written, /unhealthy/)
      assertClean('the output', written)
    })
  })

describe('a file that cannot be read does not show its secrets', () => {
  const key = canary(70)
  const files: Readonly<Record<string, string>> = {
    'a quote that is not closed': `model_list:\n  - litellm_params: { api_key: "${SIGN}70 }\n`,
    'a bracket that is not closed': `general_settings: { master_key: ${yamlText(key)}\n`,
    'a TAB after a key': `general_settings:\n  master_key: sk-${SIGN}70\t\nmodel_list: []\n`,
    'a colon in a key': `general_settings:\n  master_key: sk-${SIGN}70: more\n`,
    'a map in place of a key': `general_settings:\n  master_key: { a: ${yamlText(key)} }\nmodel_list: []\n`,
    'a list of keys': `model_list:\n  - model_name: a\n    litellm_params: { model: openai/a, api_key: [${yamlText(key)}] }\n`,
    'a key in place of a number': `model_list:\n  - model_name: a\n    litellm_params: { model: openai/a, timeout: ${yamlText(key)} }\ngeneral_settings:\n  health_check_interval: ${yamlText(key)}\n`,
    'a key in place of a map': `model_list:\n  - model_name: a\n    litellm_params: ${yamlText(key)}\n`,
    'a key in place of the file': `sk-${SIGN}70\n`,
    'a key in a block of its own': `api_key: ${yamlText(key)}\nmodel_list:\n  - model_name: a\n    api_key: ${yamlText(key)}\n    litellm_params: { model: openai/a }\n`,
    'a default in shell words': `model_list:\n  - model_name: a\n    litellm_params: { model: openai/a, api_key: "\${OPENAI_API_KEY:-sk-${SIGN}70}" }\n`,
    'a password that starts with a dollar sign': `general_settings: { master_key: $${SIGN} }\nmodel_list: []\n`,
  }
  for (const [name, text] of Object.entries(files))
    test(name, async () => {
      const { problems } = await readConfigText('config.yaml', text)
      assert.notEqual(problems.length, 0)
      assertClean('the problems', problems.map(formatProblem).join('\n'))
    })

  test('nor does pulsegate check, for all of them', async () => {
    const names = Object.keys(files).map((_, at) => `config-${at}.yaml`)
    const texts = Object.fromEntries(Object.values(files).map((text, at) => [`config-${at}.yaml`, text]))
    const includes = `include: [${names.slice(4).join(', ')}]\nmodel_list: []\n`
    await withFolder({ ...texts, 'config.yaml': includes }, async (cwd) => {
      for (const file of ['config.yaml', 'config-0.yaml']) {
        const { code, stdout, stderr } = await runProgram(['check', file], { cwd })
        assert.equal(code, 2, stderr)
        assertClean('check', stdout + stderr)
      }
    })
  })
})
