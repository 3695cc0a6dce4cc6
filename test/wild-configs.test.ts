import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import type { Loaded } from '../src/config/config.ts'
import { loadConfig } from '../src/config/load.ts'
import { formatProblem } from '../src/config/problem.ts'
import { resolveModel } from '../src/providers/registry.ts'

/** Configs that people really run. They are other people's data and stay outside of this repository. */
const FOLDER = join(import.meta.dirname, '../../shared/configs')
const isThere = existsSync(join(FOLDER, 'expected.json'))

const expectedSchema = z.record(
  z.string(),
  z.object({
    parses: z.boolean(),
    line: z.number().optional(),
    deployments: z.number().optional(),
    groups: z.number().optional(),
    ids: z.array(z.string().nullable()).optional(),
  }),
)

const expected = isThere
  ? expectedSchema.parse(JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')))
  : {}

/** Loads with no variable set, so that ids are those recorded. A part of a larger tree goes without the rest. */
function load(name: string): Promise<Loaded> {
  const readFile = (path: string): Promise<Uint8Array> =>
    path === name
      ? Promise.resolve(readFileSync(join(FOLDER, name)))
      : Promise.reject(new Error('not part of this test'))
  return loadConfig({ path: name, readFile, env: {}, resolve: resolveModel })
}

const skip = isThere ? false : `no configs of the wild at ${FOLDER}`

describe('every config of the wild is read as LiteLLM reads it', { skip }, () => {
  test('there are 61 of them', () => assert.equal(Object.keys(expected).length, 61))

  for (const [name, want] of Object.entries(expected)) {
    test(
      want.parses
        ? `${name}: ${want.deployments} deployments with their ids`
        : `${name} is refused at line ${want.line}`,
      async () => {
        const { config, problems } = await load(name)
        const fatal = problems.filter(({ severity }) => severity === 'fatal')
        if (!want.parses) {
          assert.deepEqual(
            fatal.map(({ line }) => line),
            [want.line],
          )
          return
        }
        assert.deepEqual(fatal.map(formatProblem), [])
        assert.equal(config?.deployments.length, want.deployments)
        assert.equal(new Set(config?.deployments.map(({ group }) => group)).size, want.groups)
        const ids = config?.deployments.map(({ id }, index) => (want.ids?.[index] === null ? null : id))
        assert.deepEqual(ids, want.ids)
      },
    )
  }

  test('every deployment has a provider, or a sentence that names the unknown one', async () => {
    for (const { config } of await Promise.all(Object.keys(expected).map(load))) {
      for (const { model, provider, misconfigured } of config?.deployments ?? []) {
        assert.ok(provider !== '' || misconfigured !== undefined, model)
      }
    }
  })

  test('every variable that a key is taken from is named, as none is set', async () => {
    for (const name of Object.keys(expected).filter((name) => expected[name]?.parses)) {
      const lines = (await load(name)).problems.map(({ message }) => message).join('\n')
      const text = readFileSync(join(FOLDER, name), 'utf8')
      for (const [, variable = ''] of text.matchAll(/^ +api_key: *["']?os\.environ\/(\w+)/gm)) {
        assert.ok(lines.includes(variable), `${name}: ${variable}`)
      }
    }
  })

  test('every model whose name says so gets its mode', async () => {
    const says: readonly (readonly [RegExp, string])[] = [
      [/rerank/i, 'rerank'],
      [/embed|minilm|e5-large/i, 'embedding'],
      [/whisper/i, 'audio_transcription'],
      [/(?:^|\W)tts/i, 'audio_speech'],
      [/dall-e|gpt-image|flash-image|pro-image|grok-imagine-image|flux/i, 'image_generation'],
    ]
    const wrong: string[] = []
    let checked = 0
    for (const { config } of await Promise.all(Object.keys(expected).map(load))) {
      for (const { model, mode, modeSource } of config?.deployments ?? []) {
        const want = says.find(([pattern]) => pattern.test(model))?.[1]
        if (want === undefined || modeSource === 'explicit') continue
        checked++
        if (mode !== want) wrong.push(`${model}: ${mode}, not ${want}`)
      }
    }
    assert.deepEqual(wrong, [])
    assert.ok(checked >= 28, `only ${checked} models say what they are`)
  })

  test('unknown and misplaced keys are reported with line and column', async () => {
    const table: readonly (readonly [string, string])[] = [
      [
        '053-deeprunnerai-litellm-deeprunner.yaml',
        ':50:3 litellm_settings.store_model_in_db: not read here; move it to general_settings',
      ],
      [
        '055-MycosoftLabs-mycosoft-mas.yaml',
        ':166:3 general_settings.health_check_path: unknown key, ignored',
      ],
      [
        '026-Tom-dlhy-hackathon_IBM_DIA.yaml',
        ':17:7 model_list.1.litellm_params.mode: not read here; move it to model_info (it is used as a hint until then)',
      ],
      [
        '059-ChangooLee-agent-portal.yaml',
        ':24:1 model_list: the key "model_list" stands twice (first on line 7): this one wins; remove the other',
      ],
    ]
    for (const [name, message] of table) {
      const lines = (await load(name)).problems.map(formatProblem)
      assert.ok(lines.includes(name + message), lines.join('\n'))
    }
  })
})

test('the ids of a recorded LiteLLM are reproduced', async () => {
  const url = new URL('goldens/litellm-1.100.5/01-nine-modes.json', import.meta.url)
  const golden = goldenSchema.parse(JSON.parse(readFileSync(url, 'utf8')))
  const { config } = await loadConfig({
    path: 'config.yaml',
    readFile: (path) =>
      path === 'config.yaml'
        ? Promise.resolve(Buffer.from(golden.config))
        : Promise.reject(new Error('no such file')),
    env: {},
    resolve: resolveModel,
  })
  const recorded = golden.steps.find(({ name }) => name === 'model info')?.answer.body
  const ids = infoSchema.parse(recorded).data.map(({ model_info }) => model_info.id)
  assert.equal(ids.length, 17)
  assert.deepEqual(
    config?.deployments.map(({ id }) => id),
    ids,
  )
})

const goldenSchema = z.object({
  config: z.string(),
  steps: z.array(z.object({ name: z.string(), answer: z.object({ body: z.unknown() }) })),
})
const infoSchema = z.object({ data: z.array(z.object({ model_info: z.object({ id: z.string() }) })) })
