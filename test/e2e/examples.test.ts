import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { ask, at, AUTH, complaints, eventually, hostsAt, KEY, listAt, withStage } from './asking.ts'
import { runProgram } from './program.ts'

const EXAMPLES = resolve(import.meta.dirname, '../../examples')
const files = readdirSync(EXAMPLES)

/** Deployments that an example takes out of the background loop: they stay unknown. */
const UNCHECKED: Readonly<Record<string, number>> = { 'background-checks.yaml': 1 }
/** The one host that an example writes itself; all others come from the environment. */
const WRITTEN_HOST = 'http://127.0.0.1:8000/v1'

describe('each example', () => {
  test('is a config', () => {
    assert.ok(files.length >= 13)
    assert.deepEqual(
      files.filter((file) => !file.endsWith('.yaml')),
      [],
    )
  })

  for (const file of files) {
    const text = readFileSync(join(EXAMPLES, file), 'utf8')

    test(`${file} passes the strict check without a word`, async () => {
      const env = { ...hostsAt({ url: 'http://127.0.0.1:9' }), LITELLM_MASTER_KEY: KEY }
      const run = await runProgram(['check', '--strict', file], { cwd: EXAMPLES, env })
      assert.equal(run.stderr, '')
      assert.match(run.stdout, new RegExp(`^${file}: OK, \\d+ deployments? in \\d+ model groups?\\n$`))
      assert.equal(run.code, 0)
    })

    test(`${file} is healthy, and each of its models is`, async () => {
      await withStage(
        (fake) => text.replace(WRITTEN_HOST, `${fake.url}/v1`),
        async ({ gateway }) => {
          const deployments = listAt((await ask(`${gateway.url}/model/info`, { headers: AUTH })).json, 'data')
          const unchecked = UNCHECKED[file] ?? 0
          assert.ok(deployments.length > unchecked)
          const { json } = await eventually(
            () => ask(`${gateway.url}/health`, { headers: AUTH }),
            (answer) => (at(answer.json, 'unknown_count') ?? 0) === unchecked,
          )
          assert.deepEqual(at(json, 'unhealthy_endpoints'), [])
          assert.equal(at(json, 'healthy_count'), deployments.length - unchecked)
          assert.deepEqual(complaints(gateway), [])
        },
        { env: { LITELLM_MASTER_KEY: KEY } },
      )
    })
  }
})
