import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { startFakeProvider, type FakeProvider } from '../../src/fake-provider/server.ts'
import { runProgram, startGateway, startProgram, withFolder, type Gateway } from './program.ts'

const MAIN = resolve(import.meta.dirname, '../../src/main.ts')
const LOCAL = ['--host', '127.0.0.1', '--port', '0'] as const
const ESCAPE = '\u001B'
const MODES = [
  'chat',
  'completion',
  'embedding',
  'image_generation',
  'audio_transcription',
  'audio_speech',
  'rerank',
  'batch',
  'realtime',
]

async function withGateway(
  args: readonly string[],
  options: Parameters<typeof startGateway>[1],
  use: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const gateway = await startGateway(args, options)
  try {
    await use(gateway)
  } finally {
    await gateway.stop(0)
  }
}

async function withFake(use: (fake: FakeProvider) => Promise<void>): Promise<void> {
  const fake = await startFakeProvider()
  try {
    await use(fake)
  } finally {
    await fake.stop()
  }
}

function config(fake: FakeProvider, settings: string, orders: readonly string[] = ['ok']): string {
  const entries = orders.map(
    (order) =>
      `  - model_name: ${order}\n    litellm_params: { model: openai/gpt-4o, api_key: sk-upstream-key, api_base: '${fake.url}/${order}/v1' }\n`,
  )
  return `model_list:\n${entries.join('')}general_settings:\n${settings}`
}

const portOf = (url: string): string => new URL(url).port

/** It has begun again, in the same process, with what V8 and the C library take only at the start. */
function assertTuned(pid: number): void {
  const read = (name: string): readonly string[] => readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0')
  assert.ok(read('cmdline').includes('--no-memory-reducer'))
  assert.ok(read('environ').includes('MALLOC_ARENA_MAX=2'))
}

function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((done) => {
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}

describe('the demo', () => {
  test('shows nine modes, and what ails the four sick models', async () => {
    await withGateway(['demo', '--port', '0'], {}, async (gateway) => {
      await gateway.seen(/Ctrl-C ends the demo/, 15_000)
      const rows = gateway
        .stdout()
        .split('\n')
        .filter((line) => /[✓✗]/.test(line))
      assert.deepEqual(
        MODES.filter((mode) => !rows.some((row) => row.includes(` ${mode} `))),
        [],
      )
      const sick = rows
        .filter((row) => row.includes('✗ unhealthy'))
        .map((row) => /\w+ \(\d+\)(?=: )/.exec(row)?.[0])
      assert.deepEqual(
        new Set(sick),
        new Set(['auth (401)', 'rate_limited (429)', 'timeout (408)', 'wrong_shape (500)']),
      )
      assert.equal(sick.length, 4)
      assert.equal(gateway.stdout().match(/^ {2}curl /gm)?.length, 6)
      assert.ok(!gateway.stdout().includes(ESCAPE))
      assert.equal(gateway.stderr(), '')
    })
  })

  test('prints curl lines that work', async () => {
    await withGateway(['demo', '--port', '0'], {}, async (gateway) => {
      await gateway.seen(/Ctrl-C ends the demo/, 15_000)
      const lines = gateway
        .stdout()
        .split('\n')
        .filter((line) => line.startsWith('  curl '))
      for (const line of lines) {
        const shown = await sh(`${line.trim()} -sf`)
        assert.equal(shown.code, 0, `${line}\n${shown.stdout}${shown.stderr}`)
      }
      assert.match((await sh(`${lines[2]?.trim()} -s`)).stdout, /"chat\.completion"/)
    })
  })

  test('is coloured where colour is asked for', async () => {
    const program = startProgram(['--port', '0'], { env: { FORCE_COLOR: '1' } })
    try {
      await program.seen(new RegExp(`${ESCAPE}\\[32m✓ healthy`))
    } finally {
      await program.stop()
    }
  })
})

describe('--health', () => {
  test('exits 0 when all are healthy, and prints nothing but the JSON, indented by four', async () => {
    await withFake((fake) =>
      withFolder({ 'config.yaml': config(fake, '  master_key: sk-1234\n  drain_delay: 0\n') }, (cwd) =>
        withGateway(['config.yaml', ...LOCAL], { cwd }, async ({ url }) => {
          const run = await runProgram(['--config', 'config.yaml', '--health', '--port', portOf(url)], {
            cwd,
          })
          assert.equal(run.code, 0, run.stderr)
          assert.match(run.stdout, /^\{\n {4}"healthy_endpoints": \[\n {8}\{\n/)
          assert.match(run.stdout, /"healthy_count": 1/)
          assert.equal(run.stderr, '')
        }),
      ),
    )
  })

  test('exits 1 when one is not; 2 without a key or with a wrong one', async () => {
    await withFake((fake) =>
      withFolder(
        { 'config.yaml': config(fake, '  master_key: sk-1234\n  drain_delay: 0\n', ['ok', 'e401']) },
        (cwd) =>
          withGateway(['config.yaml', ...LOCAL], { cwd }, async ({ url }) => {
            const ask = (key: string) =>
              runProgram(['-health', '--port', portOf(url)], { cwd, env: { LITELLM_MASTER_KEY: key } })
            const sick = await ask('sk-1234')
            assert.equal(sick.code, 1)
            assert.match(sick.stdout, /"unhealthy_count": 1/)
            const keyless = await ask('')
            assert.equal(keyless.code, 2)
            assert.match(keyless.stderr, /wants a key \(401\): set LITELLM_MASTER_KEY/)
            const wrong = await ask('sk-wrong')
            assert.equal(wrong.code, 2)
            assert.match(wrong.stderr, /refused the key \(401\)/)
            assert.doesNotMatch(wrong.stderr, /sk-wrong/)
          }),
      ),
    )
  })

  test('exits 2 with one sentence when nobody listens', async () => {
    const run = await runProgram(['--health', '--port', '1'])
    assert.deepEqual(run, {
      code: 2,
      signal: null,
      stdout: '',
      stderr:
        'pulsegate: nothing listens at http://127.0.0.1:1/health: start the gateway, or name its --host and --port\n',
    })
  })

  test('exits 2 when something else answers there', async () => {
    const other = createHttpServer((_, answer) => answer.end('<html>hello</html>'))
    await new Promise<void>((listening) => void other.listen(0, '127.0.0.1', listening))
    try {
      const address = other.address()
      const port = String(address !== null && typeof address === 'object' ? address.port : 0)
      const run = await runProgram(['--health', '--port', port])
      assert.equal(run.code, 2)
      assert.match(run.stderr, /is no gateway/)
    } finally {
      other.close()
    }
  })
})

describe('serving a config', () => {
  test('an open door on every address is warned about; one on the loopback is not', async () => {
    await withFake((fake) =>
      withFolder({ 'config.yaml': config(fake, '  drain_delay: 0\n') }, async (cwd) => {
        await withGateway(['config.yaml', '--port', '0'], { cwd }, async (gateway) => {
          await gateway.seen(/WARNING: no master key/)
          assert.match(
            gateway.stdout(),
            /listening on http:\/\/0\.0\.0\.0:\d+: 1 deployment in 1 model group\n/,
          )
        })
        await withGateway(['config.yaml', ...LOCAL], { cwd }, async (gateway) => {
          assert.doesNotMatch(gateway.stderr(), /WARNING/)
          if (process.platform === 'linux') assertTuned(gateway.pid)
        })
      }),
    )
  })

  test('background checks fill the table', async () => {
    await withFake((fake) =>
      withFolder(
        {
          'config.yaml': config(fake, '  drain_delay: 0\n  background_health_checks: true\n', ['ok', 'e500']),
        },
        (cwd) =>
          withGateway(['config.yaml', ...LOCAL], { cwd }, async (gateway) => {
            await gateway.seen(/^1 healthy, 1 unhealthy$/m)
            assert.match(gateway.stdout(), /^ok .*✓ healthy/m)
            assert.match(gateway.stdout(), /^e500 .*✗ unhealthy.*server_error \(500\)/m)
          }),
      ),
    )
  })

  test('one model needs no config', async () => {
    await withFake(async (fake) => {
      const args = ['--model', 'openai/gpt-4o', '--api_base', `${fake.url}/ok/v1`, ...LOCAL]
      await withGateway(args, { env: { OPENAI_API_KEY: 'sk-upstream-key' } }, async ({ url }) => {
        const answer = await fetch(`${url}/health`)
        assert.match(await answer.text(), /"healthy_count":1/)
      })
    })
  })

  test('known settings without effect are named, one line each', async () => {
    await withFake((fake) =>
      withFolder(
        { 'config.yaml': `${config(fake, '  drain_delay: 0\n')}litellm_settings:\n  cache: true\n` },
        (cwd) =>
          withGateway(['config.yaml', ...LOCAL, '--num_workers', '4'], { cwd }, async (gateway) => {
            await gateway.seen(/cache.*not acted on/)
            await gateway.seen(/--num_workers is not acted on/)
          }),
      ),
    )
  })
})

describe('the end', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`${signal} drains, ends with 0 and leaves the port free`, async () => {
      await withFake((fake) =>
        withFolder({ 'config.yaml': config(fake, '  drain_delay: 1\n') }, async (cwd) => {
          const gateway = await startGateway(['config.yaml', ...LOCAL], { cwd })
          gateway.signal(signal)
          await gateway.seen(/draining/)
          const status = async (path: string) => (await fetch(gateway.url + path)).status
          assert.equal(await status('/health/readiness'), 503)
          assert.equal(await status('/health/liveliness'), 200)
          assert.equal(await status('/v1/models'), 200)
          assert.deepEqual(await gateway.ended, { code: 0, signal: null })
          assert.ok(await isPortFree(Number(portOf(gateway.url))))
        }),
      )
    })

  test('a stream that runs is finished before the end', async () => {
    await withFake((fake) =>
      withFolder({ 'config.yaml': config(fake, '  drain_delay: 0\n', ['drip1']) }, async (cwd) => {
        const gateway = await startGateway(['config.yaml', ...LOCAL], { cwd })
        const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            model: 'drip1',
            stream: true,
            messages: [{ role: 'user', content: 'hi' }],
          }),
        })
        gateway.signal('SIGTERM')
        assert.match(await answer.text(), /data: \[DONE\]\s*$/)
        assert.deepEqual(await gateway.ended, { code: 0, signal: null })
      }),
    )
  })

  test('a second signal ends at once', async () => {
    await withFake((fake) =>
      withFolder({ 'config.yaml': config(fake, '  drain_delay: 600\n') }, async (cwd) => {
        const gateway = await startGateway(['config.yaml', ...LOCAL], { cwd })
        gateway.signal('SIGTERM')
        await gateway.seen(/draining/)
        gateway.signal('SIGTERM')
        assert.deepEqual(await gateway.ended, { code: 143, signal: null })
      }),
    )
  })

  test('a bug ends with 3 and one line, which holds no secret and no stack', async () => {
    const preload = `data:text/javascript,process.on('SIGUSR2',()=>{throw new TypeError('x sk-upstream-key y')})`
    const env = { NODE_OPTIONS: `--import "${preload}"`, PULSEGATE_LOG: 'silent' }
    await withFake((fake) =>
      withFolder({ 'config.yaml': config(fake, '  drain_delay: 0\n') }, async (cwd) => {
        const gateway = await startGateway(['config.yaml', ...LOCAL], { cwd, env })
        gateway.signal('SIGUSR2')
        assert.deepEqual(await gateway.ended, { code: 3, signal: null })
        assert.match(
          gateway.stderr(),
          /^pulsegate: this is a bug, please report it: TypeError: x \[secret\] y.*\n$/,
        )
      }),
    )
  })

  test('a reader that has seen enough is no failure', async () => {
    const help = await sh(`set -o pipefail; "${process.execPath}" "${MAIN}" --help | head -1`)
    assert.deepEqual(help, {
      code: 0,
      stdout: 'pulsegate: an LLM gateway that knows which of your models are alive\n',
      stderr: '',
    })
    const demo = await sh(`set -o pipefail; "${process.execPath}" "${MAIN}" demo --port 0 | head -1`)
    assert.equal(demo.code, 0, demo.stderr)
    assert.equal(demo.stderr, '')
  })
})

describe('small questions', () => {
  test('--version and --help answer at once', async () => {
    const version = await runProgram(['--version'])
    assert.match(version.stdout, /^pulsegate \d+\.\d+\.\d+\n$/)
    assert.equal(version.code, 0)
    const help = await runProgram(['--help'])
    assert.match(help.stdout, /Usage:/)
    assert.equal(help.code, 0)
  })

  test('check says how large a good config is', async () => {
    await withFake((fake) =>
      withFolder({ 'config.yaml': config(fake, '  drain_delay: 0\n', ['ok', 'e401']) }, async (cwd) => {
        const run = await runProgram(['check', '--strict', 'config.yaml'], { cwd })
        assert.deepEqual(run, {
          code: 0,
          signal: null,
          stdout: 'config.yaml: OK, 2 deployments in 2 model groups\n',
          stderr: '',
        })
      }),
    )
  })
})

function sh(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile('bash', ['-c', line], { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      done({ code, stdout, stderr })
    })
  })
}
