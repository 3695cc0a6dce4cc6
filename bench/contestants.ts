import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { freePort } from '../test/e2e/program.ts'
import { EMBEDDING_MODEL, KEY, MODEL, REALTIME_MODEL, SICK_MODEL, TRANSLATED_MODEL } from './messages.ts'
import { CONTESTANT_CORE, nextMessage, startPinned, type Pinned } from './pinned.ts'

/** A proxy that is measured. */
export interface Contestant {
  readonly name: 'nginx' | 'bare node' | 'pulsegate' | 'portkey' | 'litellm'
  readonly version: string
  readonly port: number
  /** Header lines that it needs and the others do not. */
  readonly headers?: readonly string[]
  readonly process: Pinned
}

/** The bundle, and where it writes its log. */
export interface Own extends Contestant {
  readonly logFile: string
}

const ROOT = resolve(import.meta.dirname, '..')
const START_DEADLINE_MS = 10_000

/** Says on which port a node script of the bench listens. */
export async function listeningPort(started: Pinned): Promise<number> {
  const isPort = (message: unknown): message is { readonly port: number } =>
    typeof message === 'object' && message !== null && 'port' in message && typeof message.port === 'number'
  return (await nextMessage(started, isPort, START_DEADLINE_MS)).port
}

/** node:http → undici, nothing else. */
export async function startBareNode(upstreamPort: number): Promise<Contestant> {
  const script = join(import.meta.dirname, 'bare-proxy.ts')
  const started = startPinned([process.execPath, script, String(upstreamPort)], CONTESTANT_CORE)
  return { name: 'bare node', version: process.version, port: await listeningPort(started), process: started }
}

/** The script that is measured. */
export const BUNDLE = join(ROOT, 'dist/pulsegate.js')

/** The bundle as it ships, with the configuration below and nothing switched off. Its log goes to a file. */
export async function startPulsegate(
  folder: string,
  upstreamPort: number,
  nodeFlags: readonly string[],
): Promise<Own> {
  const config = join(folder, 'config.yaml')
  const logFile = join(folder, 'pulsegate.log')
  writeFileSync(config, pulsegateConfig(upstreamPort))
  const command = [
    process.execPath,
    ...nodeFlags,
    BUNDLE,
    '--config',
    config,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
  ]
  const log = openSync(logFile, 'w')
  const started = startPinned(command, CONTESTANT_CORE, { stderr: log })
  closeSync(log)
  const port = await new Promise<number>((resolvePort, reject) => {
    let text = ''
    started.child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      text += more
      const found = /listening on http:\/\/[^:]+:(\d+)/.exec(text)?.[1]
      if (found !== undefined) resolvePort(Number(found))
    })
    started.child.once('exit', () =>
      reject(new Error(`pulsegate ended at start:\n${text}${readFileSync(logFile, 'utf8')}`)),
    )
  })
  const version = versionOf([process.execPath, BUNDLE, '--version'])
  return { name: 'pulsegate', version, port, process: started, logFile }
}

/** Six deployments in five groups, a master key; everything else is the default. */
export function pulsegateConfig(upstreamPort: number): string {
  const deployment = (
    group: string,
    model: string,
    key: string,
    mode: string,
  ): string => `  - model_name: ${group}
    litellm_params:
      model: ${model}
      api_base: http://127.0.0.1:${upstreamPort}${model.startsWith('openai/') ? '/v1' : ''}
      api_key: ${key}
    model_info:
      mode: ${mode}
`
  return `model_list:
${[
  deployment(MODEL, 'openai/gpt-4o-mini', 'sk-upstream-one-0123456789', 'chat'),
  deployment(MODEL, 'openai/gpt-4o-mini-2024-07-18', 'sk-upstream-two-0123456789', 'chat'),
  deployment(SICK_MODEL, 'openai/gpt-4o', 'sk-upstream-three-0123456789', 'chat'),
  deployment(EMBEDDING_MODEL, 'openai/text-embedding-3-small', 'sk-upstream-four-0123456789', 'embedding'),
  deployment(TRANSLATED_MODEL, 'anthropic/claude-sonnet-4-5', 'sk-upstream-six-0123456789', 'chat'),
  deployment(REALTIME_MODEL, 'openai/gpt-realtime', 'sk-upstream-five-0123456789', 'realtime'),
].join('')}general_settings:
  master_key: ${KEY}
`
}

/** nginx as a keep-alive reverse proxy in one process, or undefined where it is not installed. */
export async function startNginx(folder: string, upstreamPort: number): Promise<Contestant | undefined> {
  const version = versionOf(['nginx', '-v'])
  if (version === '') return undefined
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  writeFileSync(config, nginxConfig(folder, port, upstreamPort))
  const started = startPinned(['nginx', '-e', join(folder, 'nginx.log'), '-c', config], CONTESTANT_CORE)
  await accepting(port, START_DEADLINE_MS)
  return { name: 'nginx', version, port, process: started }
}

function nginxConfig(folder: string, port: number, upstreamPort: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_buffer_size 1m;
  client_max_body_size 100m;
  keepalive_requests 100000000;
  ${paths.map((path) => `${path}_temp_path ${folder}/${path};`).join(' ')}
  upstream provider {
    server 127.0.0.1:${upstreamPort};
    keepalive 128;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header connection "";
    }
    location /v1/realtime {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header upgrade $http_upgrade;
      proxy_set_header connection "upgrade";
    }
  }
}
`
}

/** The first line that a program says of its version; empty where there is no such program. */
export function versionOf([file = '', ...args]: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(file, args, { encoding: 'utf8' })
  return status === 0
    ? (`${stdout}${stderr}`.trim().split('\n')[0]?.replace('nginx version: ', '') ?? '')
    : ''
}

/** Resolves as soon as the port takes connections; rejects after the deadline. */
export async function accepting(port: number, deadlineMs: number): Promise<void> {
  const until = Date.now() + deadlineMs
  while (Date.now() < until) {
    const isOpen = await new Promise<boolean>((tell) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', () => tell(false))
      socket.once('connect', () => tell(true))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
    await new Promise((next) => setTimeout(next, 20))
  }
  throw new Error(`nothing listens on port ${port}`)
}
