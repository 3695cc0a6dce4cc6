import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'junit2json'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { ask, at, AUTH, configOf, keysOf, UPSTREAM_KEY, withStage, type Stage } from './asking.ts'
import { freePort, runProgram, startProgram, withFolder, type Run } from './program.ts'

const PAIR = [
  { group: 'well', base: 'ok/v1' },
  { group: 'sick', base: 'e401/v1' },
] as const
const KEY = { LITELLM_MASTER_KEY: 'sk-1234' }
const portOf = ({ gateway }: Pick<Stage, 'gateway'>): string => new URL(gateway.url).port

const pulsegate = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> =>
  runProgram(args, { env: { COLUMNS: '80', ...KEY, ...env } })

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => Array.from(line).length))

async function withConfig(
  text: (fake: FakeProvider) => string,
  use: (file: string, fake: FakeProvider) => Promise<void>,
): Promise<void> {
  const fake = await startFakeProvider()
  try {
    await withFolder({ 'config.yaml': text(fake) }, (folder) => use(join(folder, 'config.yaml'), fake))
  } finally {
    await fake.stop()
  }
}

describe('pulsegate health', () => {
  test('shows a table of 80 columns without colours in a pipe, the sick ones first, and exits with 1', async () => {
    await withStage(configOf(PAIR), async (stage) => {
      const { code, stdout, stderr } = await pulsegate(['health', '--port', portOf(stage)])
      assert.equal(code, 1, stderr)
      const lines = stdout.trimEnd().split('\n')
      assert.match(lines[0] ?? '', /^MODEL +MODE +VERDICT +LATENCY +REASON$/)
      assert.match(lines[1] ?? '', /^sick +chat +✗ unhealthy +\d+ ms +auth \(401\): check the api_key/)
      assert.match(lines[2] ?? '', /^well +chat +✓ healthy +\d+ ms$/)
      assert.equal(lines.at(-1), '1 healthy, 1 unhealthy')
      assert.ok(longest(stdout) <= 80)
      assert.ok(!stdout.includes('\u001B'))
      const wide = await pulsegate(['health', '--port', portOf(stage)], { COLUMNS: '200', FORCE_COLOR: '1' })
      assert.ok(wide.stdout.includes('\u001B[31m'))
    })
  })

  test('exits with 0 where all are well, and takes the key from the config', async () => {
    await withStage(configOf(PAIR.slice(0, 1)), async (stage) => {
      await withFolder({ 'c.yaml': configOf(PAIR)(stage.fake) }, async (folder) => {
        const args = ['health', join(folder, 'c.yaml'), '--port', portOf(stage)]
        const { code, stderr } = await pulsegate(args, { LITELLM_MASTER_KEY: 'sk-other' })
        assert.equal(code, 0, stderr)
      })
      const json = await pulsegate(['health', '--json', '--port', portOf(stage)])
      assert.equal(json.code, 0)
      assert.equal(at(JSON.parse(json.stdout), 'healthy_count'), 1)
      const refused = await pulsegate(['health', '--port', portOf(stage)], { LITELLM_MASTER_KEY: 'sk-other' })
      assert.equal(refused.code, 2)
      assert.match(refused.stderr, /refused the key \(401\)/)
    })
    const nobody = await pulsegate(['health', '--port', String(await freePort())])
    assert.deepEqual([nobody.code, nobody.stdout], [2, ''])
    assert.match(nobody.stderr, /^pulsegate: nothing listens at .*: start the gateway/)
  })

  test("prints JUnit's XML that a third party reads", async () => {
    await withStage(configOf(PAIR), async (stage) => {
      const { code, stdout } = await pulsegate(['health', '--junit', '--port', portOf(stage)])
      assert.equal(code, 1)
      const read = await parse(stdout)
      assert.ok(read !== undefined && read !== null && 'testsuite' in read)
      const cases = read.testsuite?.[0]?.testcase ?? []
      assert.deepEqual(
        cases.map(({ classname, failure }) => [classname, failure?.[0]?.type]),
        [
          ['sick', 'auth'],
          ['well', undefined],
        ],
      )
      assert.match(cases[0]?.failure?.[0]?.inner ?? '', /answered 401/)
      assert.ok(!stdout.includes(UPSTREAM_KEY))
    })
  })

  test('--watch prints each change as a line, finds the gateway again, and ends with Ctrl-C', async () => {
    const port = String(await freePort())
    const config = configOf(PAIR)
    const fake = await startFakeProvider()
    await withFolder({ 'c.yaml': config(fake) }, async (folder) => {
      const serve = () => startProgram([join(folder, 'c.yaml'), '--port', port, '--host', '127.0.0.1'])
      let gateway = serve()
      await gateway.seen(/listening/)
      const watch = startProgram(['health', '--watch', '--port', port], { env: { COLUMNS: '80', ...KEY } })
      try {
        await watch.seen(/well +– UNKNOWN/)
        const post = (action: string) =>
          ask(`http://127.0.0.1:${port}/health/deployments/id-well/${action}`, {
            method: 'POST',
            headers: AUTH,
          })
        await post('isolate')
        await watch.seen(/^\d\d:\d\d:\d\d {2}well {2}UNKNOWN → ISOLATED/m)
        await gateway.stop()
        await watch.seen(/the connection to .* is lost; asking again every 3 s/)
        gateway = serve()
        await gateway.seen(/listening/)
        // It was taken out, and a restart does not put it back.
        await watch.seen(/UNKNOWN → ISOLATED[\s\S]*well +\S+ ISOLATED/)
        watch.signal('SIGINT')
        assert.equal((await watch.ended).code, 0)
      } finally {
        await watch.stop(0)
        await gateway.stop(0)
        await fake.stop()
      }
    })
    const nobody = await pulsegate(['health', '--watch', '--port', port])
    assert.equal(nobody.code, 2)
    assert.match(nobody.stderr, /nothing listens/)
  })
})

describe('pulsegate check --live', () => {
  const config = configOf([
    ...PAIR,
    { group: 'slow', base: 'hang/v1' },
    { group: 'dear', base: 'ok/v1', model: 'openai/gpt-4o', info: ', input_cost_per_token: 1' },
  ])

  test('checks what is asked for once without a server: a table, and exit code 1 where one is sick', async () => {
    await withConfig(config, async (file, fake) => {
      const { code, stdout, stderr } = await pulsegate(['check', file, '--live', '--only', 'well,sic*'])
      assert.equal(code, 1, stderr)
      assert.match(stdout, /well +chat +✓ healthy/)
      assert.match(stdout, /sick +chat +✗ unhealthy +\d+ ms +auth \(401\)/)
      assert.match(stdout, /\n1 healthy, 1 unhealthy\n$/)
      assert.ok(longest(stdout) <= 80)
      assert.equal(fake.journal().length, 2)
      assert.ok(!`${stdout}${stderr}`.includes(UPSTREAM_KEY))
      const good = await pulsegate(['check', file, '--live', '--only', 'id-well'])
      assert.equal(good.code, 0)
    })
  })

  test('ends with its own deadline, and what is too dear is left out and said so', async () => {
    await withConfig(config, async (file, fake) => {
      const args = [
        'check',
        file,
        '--live',
        '--only',
        'well,slow,dear',
        '--timeout',
        '2',
        '--max-cost',
        '0.1',
      ]
      const { code, stdout } = await pulsegate(args, { COLUMNS: '120' })
      assert.equal(code, 1)
      assert.match(stdout, /slow +chat +✗ unhealthy +timeout: no verdict within the 2 s of --timeout/)
      assert.match(stdout, /dear +chat +– unchecked +left out: it would cost \$\d+/)
      assert.match(stdout, /\n1 healthy, 1 unhealthy, 1 not checked\n$/)
      assert.equal(fake.journal().length, 2)
      const dear = await pulsegate(['check', file, '--live', '--only', 'dear', '--max-cost', '0.1'])
      assert.equal(dear.code, 1)
      const cheap = await pulsegate(['check', file, '--live', '--only', 'well,dear', '--max-cost', '0.1'])
      assert.equal(cheap.code, 0)
    })
  })

  test("JSON is /health's, JUnit is read by a third party, and nothing else is on stdout", async () => {
    await withConfig(config, async (file) => {
      const args = ['check', file, '--live', '--only', 'well,sick']
      const json = await pulsegate([...args, '--json'])
      assert.equal(json.code, 1)
      assert.deepEqual(keysOf(JSON.parse(json.stdout)), [
        'healthy_endpoints',
        'unhealthy_endpoints',
        'healthy_count',
        'unhealthy_count',
      ])
      const junit = await pulsegate([...args, '--junit'])
      const read = await parse(junit.stdout)
      assert.ok(read !== undefined && read !== null && 'testsuite' in read)
      assert.deepEqual([read.tests, read.failures], [2, 1])
    })
  })

  test('a config that cannot be read, a name that nobody has and bad usage are exit code 2', async () => {
    await withConfig(config, async (file, fake) => {
      const typo = await pulsegate(['check', file, '--live', '--only', 'wel'])
      assert.deepEqual([typo.code, typo.stdout], [2, ''])
      assert.match(typo.stderr, /"wel"; did you mean well\?/)
      for (const args of [['--max-cost', 'much'], ['--timeout', '0'], ['--json', '--junit'], ['--strict']]) {
        const { code, stderr } = await pulsegate(['check', file, '--live', ...args])
        assert.equal(code, 2, args.join(' '))
        assert.match(stderr, /^pulsegate: .*\nTry pulsegate --help\.\n$/)
      }
      assert.equal((await pulsegate(['check', `${file}.no`, '--live'])).code, 2)
      assert.equal(fake.journal().length, 0)
    })
  })
})

describe('pulsegate explain', () => {
  const config = ({ url }: FakeProvider): string => `model_list:
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o
      api_base: ${url}/e500/v1
      api_key: os.environ/MY_KEY
      temperature: 0.2
      timeout: 30
    model_info: { id: eu/1, health_check_timeout: 7, team_secret: hide-me-123 }
general_settings:
  master_key: sk-1234
  drain_delay: 0
router_settings: { num_retries: 1, default_litellm_params: { stream_timeout: 12, max_retries: 4, timeout: 99 } }
`

  const row = (stdout: string, name: string): string =>
    new RegExp(`^${name} +(.*)$`, 'm').exec(stdout)?.[1]?.replaceAll(/ {2,}/g, ' | ') ?? ''

  test('says of each setting what it is and where it comes from', async () => {
    await withConfig(config, async (file, { url }) => {
      const port = String(await freePort())
      const env = { MY_KEY: 'sk-mine-123456', HEALTH_CHECK_TIMEOUT_SECONDS: '9', SSL_VERIFY: 'False' }
      const { code, stdout, stderr } = await pulsegate(['explain', 'chat', file, '--port', port], {
        ...env,
        COLUMNS: '200',
      })
      assert.equal(code, 0, stderr)
      for (const [name, expected] of [
        ['model', `openai/gpt-4o | ${file}:4`],
        ['provider', "openai | the model's name"],
        ['mode', 'chat | default'],
        ['api_base', `${url}/e500/v1 | ${file}:5`],
        ['api_key', `[set] | $MY_KEY, ${file}:6`],
        ['timeout', `30 s | ${file}:8`],
        ['temperature', `0.2 | ${file}:7`],
        ['ssl_verify', 'false | $SSL_VERIFY'],
        ['num_retries', `4 (max_retries) | ${file}:13`],
        ['stream_timeout', `12 s | ${file}:13`],
        ['health_check_timeout', `7 s | ${file}:9`],
        ['health_check_interval', '300 s | default'],
        ['rpm', 'not set | default'],
      ])
        assert.equal(row(stdout, name ?? ''), expected, name)
      for (const secret of ['sk-mine-123456', 'hide-me-123', 'sk-1234'])
        assert.ok(!`${stdout}${stderr}`.includes(secret), secret)
      assert.match(stdout, /How it is: nobody knows here, for nothing listens at/)
    })
  })

  test('says in one paragraph how it is, from the gateway that runs', async () => {
    const env = { MY_KEY: 'sk-mine-123456' }
    await withStage(
      config,
      async (stage) => {
        await ask(`${stage.gateway.url}/health`, { headers: AUTH })
        await withFolder({ 'config.yaml': config(stage.fake) }, async (folder) => {
          const args = ['explain', 'eu/1', join(folder, 'config.yaml'), '--port', portOf(stage)]
          const { code, stdout, stderr } = await pulsegate(args, env)
          assert.equal(code, 0, stderr)
          const paragraph = stdout.slice(stdout.indexOf('How it is:')).trim()
          assert.ok(!paragraph.includes('\n\n'))
          const words = paragraph.replaceAll('\n', ' ')
          assert.match(words, /^How it is: SUSPECT for \d+ s: it answered with an error of its own \(5xx\)/)
          assert.match(words, /It gets traffic.* The last failure: .*answered 500/)
          assert.ok(!words.includes('sk-mine'))
        })
      },
      { env },
    )
  })

  test('a name that nobody has is answered with the nearest one, and exit code 2', async () => {
    await withConfig(config, async (file) => {
      const { code, stderr } = await pulsegate(['explain', 'chta', file])
      assert.equal(code, 2)
      assert.match(stderr, /"chta"; did you mean chat\?/)
      const nothing = await pulsegate(['explain'])
      assert.equal(nothing.code, 2)
      assert.match(nothing.stderr, /pulsegate explain MODEL config\.yaml/)
    })
  })
})
