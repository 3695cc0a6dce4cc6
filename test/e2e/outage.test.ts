import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, closeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { ask, at, AUTH, complaints, eventually, keysOf, listAt, SETTINGS } from './asking.ts'
import { freePort, startGateway, withFolder } from './program.ts'

const MAIN = resolve(import.meta.dirname, '../../src/main.ts')
const FULL_DISK = '/dev/full'
const FAKE = pathToFileURL(resolve(import.meta.dirname, '../../src/fake-provider/server.ts')).href
const MODES: Readonly<Record<string, string>> = {
  chat: 'openai/gpt-4o',
  completion: 'text-completion-openai/gpt-3.5-turbo-instruct',
  embedding: 'openai/text-embedding-3-small',
  image_generation: 'openai/gpt-image-1',
  audio_transcription: 'openai/whisper-1',
  audio_speech: 'openai/tts-1',
  rerank: 'cohere/rerank-v3.5',
  batch: 'azure/gpt-4o-mini',
  realtime: 'openai/gpt-realtime',
}
const INTERVAL_MS = 1_000
const TIMEOUT_MS = 1_000
/** What is down is looked at every few seconds, and those that shared its fate come back over five. */
const LONGEST_WAIT_MS = 20_000

/** The fake provider as a process of its own, so that it can die as processes do. */
async function startFake(port: number): Promise<ChildProcess> {
  const script = `const { startFakeProvider } = await import(${JSON.stringify(FAKE)})
    await startFakeProvider({ port: ${port} }); console.log('up')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

function configAt(port: number): string {
  const entries = Object.entries(MODES).map(([mode, model]) => {
    const base = `http://127.0.0.1:${port}${model.startsWith('openai') || model.startsWith('text') ? '/v1' : ''}`
    return (
      `  - model_name: ${mode}\n    litellm_params: { model: ${model}, api_base: '${base}', api_key: sk-x }\n` +
      `    model_info: { mode: ${mode}, health_check_timeout: ${TIMEOUT_MS / 1000} }\n`
    )
  })
  const background = `  background_health_checks: true\n  health_check_interval: ${INTERVAL_MS / 1000}\n`
  return `model_list:\n${entries.join('')}${SETTINGS}${background}`
}

test('a provider killed and started again turns every verdict of all nine modes, both times in time', async () => {
  const port = await freePort()
  let fake = await startFake(port)
  try {
    await withFolder({ 'config.yaml': configAt(port) }, async (cwd) => {
      const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
      try {
        const report = async (): Promise<unknown> =>
          (await ask(`${gateway.url}/health`, { headers: AUTH })).json
        await gateway.seen(/^9 healthy, 0 unhealthy$/m)
        fake.kill('SIGKILL')
        const within = INTERVAL_MS + TIMEOUT_MS + 1_000
        const sick = await eventually(report, (json) => at(json, 'unhealthy_count') === 9, within)
        for (const entry of listAt(sick, 'unhealthy_endpoints'))
          assert.equal(at(entry, 'reason'), 'unreachable', JSON.stringify(entry))
        fake = await startFake(port)
        const back = within + LONGEST_WAIT_MS
        const well = await eventually(report, (json) => at(json, 'healthy_count') === 9, back)
        for (const entry of listAt(well, 'healthy_endpoints'))
          assert.ok(!keysOf(entry).includes('reason'), JSON.stringify(entry))
        assert.deepEqual(
          complaints(gateway).filter((line) => !line.includes('"event":"health_changed"')),
          [],
        )
      } finally {
        await gateway.stop(0)
      }
    })
  } finally {
    fake.kill('SIGKILL')
  }
})

const noFullDisk = existsSync(FULL_DISK) ? false : `there is no ${FULL_DISK} here`

test(
  'a disk that is full of logs ends no gateway, and keeps none from ending',
  { skip: noFullDisk },
  async () => {
    const port = await freePort()
    await withFolder({ 'config.yaml': configAt(port) }, async (cwd) => {
      const disk = openSync(FULL_DISK, 'w')
      const listen = await freePort()
      const gateway = spawn(
        process.execPath,
        [MAIN, 'config.yaml', '--host', '127.0.0.1', '--port', `${listen}`],
        {
          cwd,
          stdio: ['ignore', disk, disk],
        },
      )
      const ended = once(gateway, 'exit')
      try {
        const liveness = (): Promise<number> =>
          ask(`http://127.0.0.1:${listen}/livez`).then(
            ({ status }) => status,
            () => 0,
          )
        await eventually(liveness, (status) => status === 200)
        const report = async (): Promise<unknown> =>
          (await ask(`http://127.0.0.1:${listen}/health`, { headers: AUTH })).json
        await eventually(report, (json) => at(json, 'unhealthy_count') === 9)
        gateway.kill('SIGTERM')
        const late = setTimeout(() => gateway.kill('SIGKILL'), 5_000)
        assert.deepEqual(await ended, [0, null])
        clearTimeout(late)
      } finally {
        gateway.kill('SIGKILL')
        closeSync(disk)
      }
    })
  },
)
