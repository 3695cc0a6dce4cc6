import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePort } from '../test/e2e/program.ts'
import { accepting, type Contestant } from './contestants.ts'
import { askOnce } from './ask-once.ts'
import { chatRequest, KEY, MODEL } from './messages.ts'
import { CONTESTANT_CORE, startPinned } from './pinned.ts'

/** The release that is compared with; another one would be another comparison. */
const PORTKEY = '@portkey-ai/gateway@1.15.2'
const PORTKEY_DEADLINE_MS = 30_000
const INSTALL_DEADLINE_MS = 180_000
/** It reads its price map and imports for seconds. */
const LITELLM_DEADLINE_MS = 90_000

/** A peer that serves, or why there is none. */
export type Peer = Contestant | { readonly missing: string }

/**
 * Portkey's gateway from the registry, installed into `folder`, never into the project. Its own production start:
 * `NODE_ENV=production`, no console page. It has no key check and no configuration file: headers name the upstream.
 * It listens on every interface and cannot be told otherwise.
 */
export async function startPortkey(folder: string, upstreamPort: number): Promise<Peer> {
  const home = join(folder, 'portkey')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{"private":true}')
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', PORTKEY]
  const { status, stderr } = spawnSync('npm', install, {
    cwd: home,
    encoding: 'utf8',
    timeout: INSTALL_DEADLINE_MS,
  })
  if (status !== 0) return { missing: `portkey could not be installed: ${firstLine(stderr)}` }
  const entry = join(home, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  const port = await freePort()
  return serving(
    {
      name: 'portkey',
      version: PORTKEY,
      port,
      headers: ['x-portkey-provider: openai', `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`],
      command: [process.execPath, entry, `--port=${port}`, '--headless'],
      env: { NODE_ENV: 'production' },
      log: join(folder, 'portkey.log'),
    },
    PORTKEY_DEADLINE_MS,
  )
}

/**
 * LiteLLM's proxy from a Python that has `litellm[proxy]`, as its own page on production asks for it: one worker for
 * one core, quiet log, `LITELLM_MODE=PRODUCTION`; a master key, no database.
 */
export async function startLitellm(folder: string, upstreamPort: number, python: string): Promise<Peer> {
  const asked = ['-c', 'from importlib.metadata import version; print(version("litellm"))']
  const { status, stdout } = spawnSync(python, asked, { encoding: 'utf8' })
  if (status !== 0) return { missing: `${python} has no litellm` }
  const script = join(dirname(python), 'litellm')
  if (!existsSync(script)) return { missing: `there is no ${script}: pip install 'litellm[proxy]'` }
  const config = join(folder, 'litellm.yaml')
  writeFileSync(config, litellmConfig(upstreamPort))
  const port = await freePort()
  const address = ['--host', '127.0.0.1', '--port', String(port)]
  return serving(
    {
      name: 'litellm',
      version: `litellm ${stdout.trim()}`,
      port,
      headers: [],
      command: [python, script, '--config', config, ...address, '--num_workers', '1', '--telemetry', 'False'],
      env: {
        LITELLM_MODE: 'PRODUCTION',
        LITELLM_LOG: 'ERROR',
        // Else it asks GitHub for prices at start.
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      },
      log: join(folder, 'litellm.log'),
    },
    LITELLM_DEADLINE_MS,
  )
}

function litellmConfig(upstreamPort: number): string {
  const deployment = (model: string, key: string): string => `  - model_name: ${MODEL}
    litellm_params:
      model: openai/${model}
      api_base: http://127.0.0.1:${upstreamPort}/v1
      api_key: ${key}
`
  return `model_list:
${deployment('gpt-4o-mini', 'sk-upstream-one-0123456789')}${deployment('gpt-4o-mini-2024-07-18', 'sk-upstream-two-0123456789')}litellm_settings:
  set_verbose: false
  json_logs: true
  request_timeout: 600
general_settings:
  master_key: ${KEY}
`
}

interface Launch extends Omit<Contestant, 'process'> {
  readonly headers: readonly string[]
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly log: string
}

/** Starts it and waits for a good answer to the very request that will be measured. */
async function serving(
  { name, version, port, headers, command, env, log }: Launch,
  deadlineMs: number,
): Promise<Peer> {
  const file = openSync(log, 'w')
  const started = startPinned(command, CONTESTANT_CORE, { stdout: file, stderr: file, env })
  closeSync(file)
  try {
    await accepting(port, deadlineMs)
    const { status, body } = await askOnce(port, chatRequest('small', port, headers), 10_000)
    if (status === 200 && body.includes('chat.completion'))
      return { name, version, port, headers, process: started }
    throw new Error(`it answered ${status}: ${body.slice(0, 300)}`)
  } catch (error) {
    await started.stop()
    const said = readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' | ')
    return { missing: `${name} does not serve: ${String(error)}; ${said.slice(0, 500)}` }
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}
