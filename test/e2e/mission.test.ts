import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, complaints, eventually, hostsAt, keysOf, listAt, withStage } from './asking.ts'
import { freePort, runProgram, startGateway, withFolder, type Gateway } from './program.ts'

const FIXTURES = resolve(import.meta.dirname, '../fixtures/mission')
const TEXT = resolve(import.meta.dirname, '../../../shared/reference/mission-health-checks.txt')
const KEY = 'sk-1234'
const MASTER_KEY = `general_settings:\n  master_key: ${KEY}\n`
const noText = existsSync(TEXT) ? false : `${TEXT} is not there`
const noCurl = hasCurl() ? false : 'there is no curl on this machine'

const fixture = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8')
const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** What the upstream's headers leave in an entry. */
const LIMITS = { 'x-ratelimit-remaining-requests': '9', 'x-ratelimit-remaining-tokens': '900' } as const
const REGION = { 'x-ms-region': 'East US' } as const
const DATED = 'api-version=2023-07-01-preview'

interface Snippet {
  /** The files that make the config, in order. */
  readonly files: readonly string[]
  /** Of the last entry, without what differs from run to run. */
  readonly entry: Readonly<Record<string, unknown>>
  /** The one request that its probe makes. */
  readonly sends: string
}

const azure = (model: string, group: string, mode: string): Snippet['entry'] => ({
  api_base: 'AZURE_API_BASE',
  api_version: '2023-07-01-preview',
  model,
  ...LIMITS,
  ...REGION,
  model_name: group,
  mode,
  health_state: 'HEALTHY',
})
const plain = (model: string, group: string, mode: string, headers: object): Snippet['entry'] => ({
  model,
  ...headers,
  model_name: group,
  mode,
  health_state: 'HEALTHY',
})

const SNIPPETS: readonly Snippet[] = [
  {
    files: ['embedding.yaml'],
    entry: azure('azure/azure-embedding-model', 'azure-embedding-model', 'embedding'),
    sends: `POST /openai/deployments/azure-embedding-model/embeddings?${DATED}`,
  },
  {
    files: ['image-generation.yaml'],
    entry: azure('azure/dall-e-3', 'dall-e-3', 'image_generation'),
    sends: `POST /openai/deployments/dall-e-3/images/generations?${DATED}`,
  },
  {
    files: ['completion.yaml'],
    entry: azure('azure/text-davinci-003', 'azure-text-completion', 'completion'),
    sends: `POST /openai/deployments/text-davinci-003/completions?${DATED}`,
  },
  {
    files: ['audio-transcription.yaml'],
    entry: plain('whisper-1', 'whisper', 'audio_transcription', { ...LIMITS, ...REGION }),
    sends: 'POST /v1/audio/transcriptions',
  },
  {
    files: ['audio-transcription.yaml', 'audio-speech.yaml'],
    entry: plain('openai/tts-1', 'tts', 'audio_speech', { ...LIMITS, ...REGION }),
    sends: 'POST /v1/audio/speech',
  },
  {
    files: ['rerank.yaml'],
    entry: plain('cohere/rerank-english-v3.0', 'rerank-english-v3.0', 'rerank', { ...LIMITS, ...REGION }),
    sends: 'POST /v2/rerank',
  },
  {
    files: ['batch.yaml'],
    entry: {
      api_base: 'AZURE_API_BASE',
      model: 'azure/batch-gpt-4o-mini',
      ...LIMITS,
      ...REGION,
      model_name: 'batch-gpt-4o-mini',
      mode: 'batch',
      health_state: 'HEALTHY',
    },
    sends: 'GET /openai/batches?api-version=2024-10-21&limit=1',
  },
  {
    files: ['realtime.yaml'],
    entry: plain('openai/gpt-4o-realtime-audio', 'openai/gpt-4o-realtime-audio', 'realtime', {}),
    sends: 'WS /v1/realtime?model=gpt-4o-realtime-audio',
  },
]

describe('the fixtures', () => {
  const originals = readdirSync(FIXTURES).filter((name) => name.endsWith('.original.txt'))

  test('stand in the mission text, line by line', { skip: noText }, () => {
    const text = linesOf(readFileSync(TEXT, 'utf8')).join('\n')
    assert.equal(originals.length, 19)
    for (const name of originals) assert.ok(text.includes(linesOf(fixture(name)).join('\n')), name)
  })

  test('are their originals with the indentation restored and nothing else changed', () => {
    const snippets = readdirSync(FIXTURES).filter((name) => name.endsWith('.yaml'))
    assert.equal(snippets.length, 10)
    for (const name of snippets)
      assert.deepEqual(linesOf(fixture(name)), linesOf(fixture(name.replace('.yaml', '.original.txt'))), name)
  })

  test('are their originals as curl lines, with only the broken JSON and the stray -D mended', () => {
    const words = (name: string): string =>
      linesOf(fixture(name))
        .join(' ')
        .replaceAll(/# 👈 UNIQUE MODEL ID|[\\,]/gu, '')
        .replaceAll(/\s+/g, ' ')
        .trim()
    const scripts = readdirSync(FIXTURES).filter((name) => name.endsWith('.sh'))
    assert.equal(scripts.length, 6)
    for (const name of scripts)
      assert.equal(words(name), words(name.replace('.sh', '.original.txt')).replace('-D ', '-d '), name)
  })
})

describe('each YAML snippet', () => {
  for (const { files, entry, sends } of SNIPPETS)
    test(`${files.at(-1) ?? ''} is loaded as it stands, and healthy`, async () => {
      await withStage(files.map(fixture).join(''), async ({ gateway, fake }) => {
        const { status, json } = await ask(`${gateway.url}/health`)
        assert.equal(status, 200)
        assert.equal(at(json, 'healthy_count'), files.length)
        assert.equal(at(json, 'unhealthy_count'), 0)
        assert.deepEqual(at(json, 'unhealthy_endpoints'), [])
        assert.deepEqual(lasting(listAt(json, 'healthy_endpoints').at(-1), fake), entry)
        assert.equal(fake.journal().filter(({ method }) => method !== 'WSMSG').length, files.length)
        assert.ok(
          fake.journal().some(({ method, url }) => `${method} ${url}` === sends),
          JSON.stringify(fake.journal()),
        )
        assert.deepEqual(complaints(gateway), [])
      })
    })

  test('background.yaml: the loop checks each model once, and GET /health asks nobody', async () => {
    await withStage(fixture('embedding.yaml') + fixture('background.yaml'), async ({ gateway, fake }) => {
      await gateway.seen(/^1 healthy, 0 unhealthy$/m)
      // Long enough that a live check could no longer reuse the first verdict.
      const { json } = await eventually(
        () => ask(`${gateway.url}/health`),
        (answer) =>
          Date.now() - Date.parse(String(at(answer.json, 'healthy_endpoints', 0, 'checked_at'))) > 1100,
      )
      assert.equal(at(json, 'healthy_count'), 1)
      assert.equal(fake.journal().length, 1)
    })
  })

  test('background.yaml with a short interval: the loop checks again and again', async () => {
    const background = fixture('background.yaml').replace(
      'health_check_interval: 300',
      'health_check_interval: 1',
    )
    await withStage(fixture('embedding.yaml') + background, async ({ gateway, fake }) => {
      await eventually(
        () => fake.journal().length,
        (requests) => requests >= 3,
      )
      const gaps = fake
        .journal()
        .slice(1)
        .map((entry, index) => entry.at - (fake.journal()[index]?.at ?? 0))
      for (const gap of gaps) assert.ok(gap >= 850 && gap <= 1500, `${gap} ms between two checks`)
      assert.deepEqual(complaints(gateway), [])
    })
  })

  test('details-off.yaml: an entry names the model and its state, and nothing else', async () => {
    await withStage(fixture('embedding.yaml') + fixture('details-off.yaml'), async ({ gateway, fake }) => {
      const healthy = await ask(`${gateway.url}/health`)
      assert.deepEqual(keysOf(at(healthy.json, 'healthy_endpoints', 0)), [
        'model',
        'model_id',
        'health_state',
        'checked_at',
      ])
      fake.order('azure-embedding-model', 'e401')
      const sick = await eventually(
        () => ask(`${gateway.url}/health`),
        ({ json }) => at(json, 'unhealthy_count') === 1,
      )
      assert.deepEqual(keysOf(at(sick.json, 'unhealthy_endpoints', 0)), [
        'model',
        'model_id',
        'exception_status',
        'health_state',
        'checked_at',
      ])
      assert.ok(!sick.text.includes(fake.url))
    })
  })
})

const BEDROCK =
  'model_list:\n  - model_name: bedrock-anthropic-claude-3\n    litellm_params: { model: "anthropic.claude-3-sonnet-20240229-v1:0" }\n'

describe('each curl line', { skip: noCurl }, () => {
  test('/health lists the two models that answer and the one that does not, with their api_base', async () => {
    const deployment = (fake: FakeProvider, place: string, order: string): string =>
      `  - model_name: gpt-3.5-turbo\n    litellm_params:\n      model: azure/gpt-35-turbo\n` +
      `      api_base: ${fake.url}/${order}/${place}/\n      api_key: os.environ/AZURE_API_KEY\n`
    await onEveryAddress(
      (fake) =>
        `model_list:\n${deployment(fake, 'canada', 'ok')}${deployment(fake, 'europe', 'ok')}${deployment(fake, 'france', 'e401')}${MASTER_KEY}`,
      async (gateway, fake) => {
        const answer = await curl('curl-health.sh', gateway)
        assert.equal(answer.status, 200)
        const shown = (list: string): unknown =>
          listAt(answer.json, list).map((one) => ({ model: at(one, 'model'), api_base: at(one, 'api_base') }))
        assert.deepEqual(shown('healthy_endpoints'), [
          { model: 'azure/gpt-35-turbo', api_base: `${fake.url}/ok/canada/` },
          { model: 'azure/gpt-35-turbo', api_base: `${fake.url}/ok/europe/` },
        ])
        assert.deepEqual(shown('unhealthy_endpoints'), [
          { model: 'azure/gpt-35-turbo', api_base: `${fake.url}/e401/france/` },
        ])
        assert.equal((await curl('curl-health-cached.sh', gateway)).status, 401)
      },
    )
  })

  test('readiness, liveliness, model info and chat by id answer as the text shows', async () => {
    const config =
      'model_list:\n  - model_name: gpt-4o\n    litellm_params: { model: openai/gpt-4o }\n' +
      '  - model_name: bedrock-anthropic-claude-3\n    litellm_params: { model: "anthropic.claude-3-sonnet-20240229-v1:0" }\n'
    await onEveryAddress(config + MASTER_KEY, async (gateway, fake) => {
      const ready = await curl('curl-readiness.sh', gateway)
      assert.equal(ready.status, 200)
      assert.deepEqual(ready.json, {
        status: 'connected',
        db: 'Not connected',
        cache: null,
        litellm_version: '1.100.5',
        success_callbacks: [],
      })
      assert.deepEqual(await curl('curl-liveliness.sh', gateway), {
        status: 200,
        text: `"I'm alive!"`,
        json: "I'm alive!",
      })
      const info = await curl('curl-model-info.sh', gateway)
      assert.equal(info.status, 200)
      const [chat, bedrock] = listAt(info.json, 'data')
      assert.deepEqual(keysOf(bedrock), ['model_name', 'litellm_params', 'model_info'])
      assert.equal(at(bedrock, 'model_name'), 'bedrock-anthropic-claude-3')
      assert.deepEqual(at(bedrock, 'litellm_params'), { model: 'anthropic.claude-3-sonnet-20240229-v1:0' })
      assert.match(String(at(bedrock, 'model_info', 'id')), /^[0-9a-f]{64}$/)
      const spoken = await curl('curl-chat-by-id.sh', gateway, String(at(chat, 'model_info', 'id')))
      assert.equal(spoken.status, 200)
      assert.equal(at(spoken.json, 'choices', 0, 'message', 'content'), 'pong')
      assert.deepEqual(fake.journal()[0]?.body, {
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'ping' }],
      })
    })
  })

  test('the bedrock model of the text is healthy and answers by its id, as it is written', async () => {
    await onEveryAddress(BEDROCK + MASTER_KEY, async (gateway, fake) => {
      const answer = await curl('curl-health.sh', gateway)
      const [entry] = listAt(answer.json, 'healthy_endpoints')
      assert.equal(at(entry, 'model'), 'anthropic.claude-3-sonnet-20240229-v1:0')
      const spoken = await curl('curl-chat-by-id.sh', gateway, String(at(entry, 'model_id')))
      assert.equal(spoken.status, 200)
      assert.equal(at(spoken.json, 'choices', 0, 'message', 'content'), 'pong')
      assert.deepEqual(fake.journal().at(-1)?.body, {
        messages: [{ role: 'user', content: [{ text: 'ping' }] }],
      })
    })
  })

  test('without any keys of AWS it is listed with what is missing, and is no crash', async () => {
    const env = {
      AWS_ACCESS_KEY_ID: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    }
    await onEveryAddress(
      BEDROCK + MASTER_KEY,
      async (gateway, fake) => {
        const answer = await curl('curl-health.sh', gateway)
        const [entry] = listAt(answer.json, 'unhealthy_endpoints')
        assert.equal(at(entry, 'reason'), 'misconfigured')
        assert.match(String(at(entry, 'error')), /no AWS credentials: set aws_access_key_id/)
        const refused = await curl('curl-chat-by-id.sh', gateway, String(at(entry, 'model_id')))
        assert.equal(refused.status, 503)
        assert.match(String(at(refused.json, 'error', 'message')), /MISCONFIGURED/)
        assert.equal(fake.journal().length, 0)
      },
      env,
    )
  })

  test('background checks on: the keyless line reads what is known', async () => {
    await onEveryAddress(fixture('embedding.yaml') + fixture('background.yaml'), async (gateway, fake) => {
      await gateway.seen(/^1 healthy, 0 unhealthy$/m)
      const answer = await curl('curl-health-cached.sh', gateway)
      assert.equal(at(answer.json, 'healthy_count'), 1)
      assert.equal(fake.journal().length, 1)
    })
  })
})

describe('each command line', () => {
  const commands = ['command-single-dash.original.txt', 'command-health.original.txt']

  test('a path alone serves that config, and -health and --health ask it', async () => {
    const fake = await startFakeProvider()
    const port = String(await freePort())
    try {
      await withFolder({ 'config.yaml': fixture('batch.yaml') + MASTER_KEY }, async (folder) => {
        const [path] = wordsOf('command-config.original.txt')
        assert.equal(path, '/path/to/config.yaml')
        const env = { ...hostsAt(fake), PORT: port }
        const gateway = await startGateway([join(folder, 'config.yaml')], { env })
        try {
          assert.match(gateway.stdout(), new RegExp(`listening on http://0\\.0\\.0\\.0:${port}: `))
          for (const command of commands) {
            const asked = await runProgram(wordsOf(command), { env: { PORT: port, LITELLM_MASTER_KEY: KEY } })
            assert.equal(asked.stderr, '')
            assert.equal(asked.code, 0)
            const report: unknown = JSON.parse(asked.stdout)
            assert.equal(at(report, 'healthy_endpoints', 0, 'model'), 'azure/batch-gpt-4o-mini')
            assert.equal(at(report, 'healthy_endpoints', 0, 'x-ms-region'), 'East US')
          }
        } finally {
          await gateway.stop(0)
        }
      })
    } finally {
      await fake.stop()
    }
  })

  test('-health and --health are what the text calls them', () => {
    assert.deepEqual(commands.map(wordsOf), [['-health'], ['--health']])
  })
})

/** What the text has after `litellm`. */
function wordsOf(name: string): readonly string[] {
  const [, rest = ''] = /\blitellm (\S.*)$/.exec(fixture(name).trim()) ?? []
  return rest.split(' ')
}

/** An entry without id, time and duration, which are checked for their form; the fake's address by its variable. */
function lasting(entry: unknown, fake: FakeProvider): Readonly<Record<string, unknown>> {
  if (typeof entry !== 'object' || entry === null) return {}
  const kept = Object.entries(entry).filter(
    ([name]) => !['model_id', 'checked_at', 'latency_ms', 'since', 'next_check_at'].includes(name),
  )
  assert.match(String(at(entry, 'model_id')), /^[0-9a-f]{64}$/)
  assert.match(String(at(entry, 'checked_at')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.ok(Number.isInteger(at(entry, 'latency_ms')))
  return Object.fromEntries(
    kept.map(([name, value]) => [name, value === fake.url ? 'AZURE_API_BASE' : value]),
  )
}

/** The program as the text runs it: on 0.0.0.0. Only the port is ours. */
async function onEveryAddress(
  config: string | ((fake: FakeProvider) => string),
  use: (gateway: Gateway, fake: FakeProvider) => Promise<void>,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const fake = await startFakeProvider()
  try {
    await withFolder({ 'config.yaml': typeof config === 'string' ? config : config(fake) }, async (cwd) => {
      const env = { ...hostsAt(fake), ...more }
      const gateway = await startGateway(['config.yaml', '--port', '0'], { cwd, env })
      try {
        await use(gateway, fake)
      } finally {
        await gateway.stop(0)
      }
    })
  } finally {
    await fake.stop()
  }
}

interface CurlAnswer {
  readonly status: number
  readonly text: string
  readonly json: unknown
}

/** Runs a curl line in a shell, its port (and the id it leaves out) filled in. Curl's own rc file reports the status. */
function curl(name: string, gateway: Gateway, id?: string): Promise<CurlAnswer> {
  const line = fixture(name)
    .replaceAll(':4000', `:${new URL(gateway.url).port}`)
    .replaceAll('634b87c444..', id ?? '634b87c444..')
  return withFolder({}, async (home) => {
    await writeFile(
      join(home, '.curlrc'),
      'silent\nshow-error\nmax-time = 15\nwrite-out = "%{stderr}%{http_code}"\n',
    )
    return new Promise((done, reject) => {
      const env = { PATH: process.env['PATH'], CURL_HOME: home, NO_PROXY: '*' }
      execFile('sh', ['-c', line], { env, timeout: 20_000 }, (error, text, status) => {
        if (error !== null) reject(error)
        else done({ status: Number(status), text, json: JSON.parse(text) })
      })
    })
  })
}

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    // Not found, or not to be run: the tests that need it say so.
    return false
  }
}
