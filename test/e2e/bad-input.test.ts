import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { runProgram, startGateway, withFolder, type Run } from './program.ts'

const GOOD = `model_list:
  - model_name: gpt-4o
    litellm_params: { model: openai/gpt-4o, api_key: sk-canary-0123456789 }
`

/** A good model beside what is wrong, so that the test sees that it runs all the same. */
const withModel = (more: string): string => `${GOOD}${more}`

interface Refusal {
  readonly name: string
  readonly yaml?: string
  readonly files?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What the one message must say. */
  readonly says: RegExp
}

/** Nothing starts, exit 2, and one message that says where and what. */
const REFUSED: readonly Refusal[] = [
  { name: 'a file that is not YAML', yaml: 'model_list: [\n  - }', says: /config\.yaml:2:\d+/ },
  { name: 'an empty file', yaml: '', says: /config\.yaml.*(empty|model_list)/ },
  { name: 'a file of comments only', yaml: '# nothing yet\n', says: /config\.yaml.*(empty|model_list)/ },
  { name: 'a file that is one word', yaml: 'hello\n', says: /config\.yaml: must be a map/ },
  { name: 'no model_list', yaml: 'general_settings:\n  master_key: sk-1234\n', says: /model_list/ },
  {
    name: 'a model_list that is a map',
    yaml: 'model_list:\n  gpt-4o: openai\n',
    says: /config\.yaml:\d+:\d+ model_list: /,
  },
  {
    name: 'a model that is a number',
    yaml: 'model_list:\n  - model_name: a\n    litellm_params:\n      model: 17\n',
    says: /config\.yaml:4:\d+ model_list\.0\.litellm_params\.model: /,
  },
  {
    name: 'a cyclic include',
    yaml: withModel('include: [other.yaml]\n'),
    files: { 'other.yaml': 'include: [config.yaml]\n' },
    says: /config\.yaml.*other\.yaml.*config\.yaml/,
  },
  {
    name: 'an included file that is missing',
    yaml: withModel('include: [other.yaml]\n'),
    says: /other\.yaml/,
  },
  {
    name: 'a missing file',
    args: ['nowhere.yaml'],
    says: /nowhere\.yaml.*(not found|no such|does not exist|missing)/i,
  },
  { name: 'a directory in place of a file', args: ['.'], says: /directory|folder/ },
  {
    name: 'a file of 50 MB',
    yaml: `model_list: []\n# ${'x'.repeat(50_000_000)}`,
    says: /config\.yaml: .*32 MB/,
  },
  ...['0', 'abc', '-5', '"0"', '[300]'].map((interval) => ({
    name: `health_check_interval: ${interval}`,
    yaml: withModel(`general_settings:\n  health_check_interval: ${interval}\n`),
    says: /config\.yaml:5:\d+ general_settings\.health_check_interval: /,
  })),
  {
    name: 'a port that is not a number',
    yaml: GOOD,
    args: ['config.yaml', '--port', 'abc'],
    says: /--port must be a number/,
  },
  {
    name: 'a variable PORT that is not a number',
    yaml: GOOD,
    env: { PORT: 'http' },
    says: /PORT must be a number/,
  },
  {
    name: 'a host that is none of ours',
    yaml: GOOD,
    args: ['config.yaml', '--host', '203.0.113.1'],
    says: /203\.0\.113\.1 is no address/,
  },
  { name: 'an unknown option', args: ['--prot', '1'], says: /unknown option --prot; did you mean --port\?/ },
  { name: 'a --model without a name', args: ['--model', '', '--port', '0'], says: /--model needs a value/ },
]

interface Survivor {
  readonly name: string
  readonly yaml: string
  readonly says: RegExp
}

/** It starts, and says what is wrong with which deployment. */
const SURVIVED: readonly Survivor[] = [
  {
    name: 'an unknown provider',
    yaml: withModel('  - model_name: b\n    litellm_params: { model: together/llama, api_key: x }\n'),
    says: /config\.yaml:\d+:\d+ model_list\.1\S*: .*unknown provider "together"/,
  },
  {
    name: 'an unset variable',
    yaml: withModel(
      '  - model_name: b\n    litellm_params: { model: openai/gpt-4o, api_key: os.environ/NOT_SET_HERE }\n',
    ),
    says: /config\.yaml:\d+:\d+ model_list\.1\S*: .*NOT_SET_HERE/,
  },
  {
    name: 'an unknown mode',
    yaml: withModel(
      '  - model_name: b\n    litellm_params: { model: openai/gpt-4o, api_key: x }\n    model_info: { mode: chatt }\n',
    ),
    says: /config\.yaml:\d+:\d+ model_list\.1\.model_info\.mode: .*chatt.*did you mean "chat"/,
  },
  {
    name: 'two deployments of one id',
    yaml: withModel(
      '    model_info: { id: same }\n  - model_name: b\n    litellm_params: { model: openai/gpt-4o, api_key: x }\n    model_info: { id: same }\n',
    ),
    says: /same/,
  },
  {
    name: 'a deployment without a model',
    yaml: withModel('  - model_name: b\n    litellm_params: { api_key: x }\n'),
    says: /config\.yaml:\d+:\d+ model_list\.1\S*: .*model/,
  },
  {
    name: 'an unknown key',
    yaml: withModel('general_setings: {}\n'),
    says: /general_setings.*did you mean "general_settings"/,
  },
]

function assertPlainMessage(run: Pick<Run, 'stdout' | 'stderr'>, says: RegExp): void {
  assert.match(run.stderr, says)
  assert.doesNotMatch(run.stderr, /^\s+at /m, 'a stack trace')
  assert.doesNotMatch(run.stderr + run.stdout, /sk-canary/)
  assert.ok(!(run.stderr + run.stdout).includes('\u001B'), 'colour in a pipe')
}

describe('bad input', () => {
  for (const { name, yaml, files, args, env, says } of REFUSED)
    test(`${name} is refused with one clear message`, () =>
      withFolder({ ...(yaml === undefined ? {} : { 'config.yaml': yaml }), ...files }, async (cwd) => {
        const run = await runProgram(args ?? ['config.yaml'], { cwd, ...(env === undefined ? {} : { env }) })
        assertPlainMessage(run, says)
        assert.equal(run.code, 2, run.stderr)
        assert.equal(run.stdout, '')
        assert.ok(run.stderr.trimEnd().split('\n').length <= 3, run.stderr)
      }))

  for (const { name, yaml, says } of SURVIVED)
    test(`${name} is reported, and the other models run`, () =>
      withFolder({ 'config.yaml': yaml }, async (cwd) => {
        const gateway = await startGateway(['config.yaml', '--port', '0', '--host', '127.0.0.1'], { cwd })
        try {
          assertPlainMessage({ stdout: gateway.stdout(), stderr: gateway.stderr() }, says)
          const alive = await fetch(`${gateway.url}/health/liveliness`)
          assert.equal(alive.status, 200)
        } finally {
          await gateway.stop(0)
        }
      }))

  for (const { name, yaml, says } of SURVIVED)
    test(`${name} passes check, but not check --strict`, () =>
      withFolder({ 'config.yaml': yaml }, async (cwd) => {
        const lenient = await runProgram(['check', 'config.yaml'], { cwd })
        assertPlainMessage(lenient, says)
        assert.equal(lenient.code, 0)
        const strict = await runProgram(['check', '--strict', 'config.yaml'], { cwd })
        assertPlainMessage(strict, says)
        assert.equal(strict.code, 2)
      }))

  test('a port in use is refused with one clear message', () =>
    withFolder({ 'config.yaml': GOOD }, async (cwd) => {
      const holder = createServer()
      await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve))
      const address = holder.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      try {
        const run = await runProgram(['config.yaml', '--host', '127.0.0.1', '--port', String(port)], { cwd })
        assertPlainMessage(run, new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`))
        assert.equal(run.code, 2)
      } finally {
        holder.close()
      }
    }))
})
