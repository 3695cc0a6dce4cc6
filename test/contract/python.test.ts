import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { withModels } from '../e2e/health-answer.ts'
import { deadPort } from './fault-stage.ts'
import { KEY, listedAt, ORDERS } from './place.ts'

const run = promisify(execFile)
const DEADLINE_MS = 60_000

/** One with OpenAI's client installed: the variable's, else the system's. */
const PYTHON = process.env['PULSEGATE_PYTHON'] ?? 'python3'
const CALLS = join(import.meta.dirname, 'python-calls.py')

const OUTCOMES = z.record(
  z.string(),
  z.union([z.strictObject({ answer: z.unknown() }), z.strictObject({ raised: z.string() })]),
)

/** What must be raised; all other calls must be answered. */
const RAISED: Readonly<Record<string, string>> = {
  'gpt-bad-request': 'BadRequestError 400',
  'gpt-wrong-key': 'AuthenticationError 401',
  'gpt-forbidden': 'PermissionDeniedError 403',
  'gpt-not-found': 'NotFoundError 404',
  'gpt-conflict': 'ConflictError 409',
  'gpt-unprocessable': 'UnprocessableEntityError 422',
  'gpt-too-often': 'RateLimitError 429',
  'gpt-crashed': 'InternalServerError 500',
  'gpt-overloaded': 'InternalServerError 503',
  'a key that nobody gave out': 'AuthenticationError 401',
  'a server that is not there': 'APIConnectionError',
}

/** Why there is nobody to ask with, or false. */
async function isMissing(): Promise<string | false> {
  try {
    await run(PYTHON, ['-c', 'import openai'], { timeout: DEADLINE_MS })
    return false
  } catch {
    return `${PYTHON} has no openai package; name one that has it in PULSEGATE_PYTHON`
  }
}

describe("OpenAI's Python client finds at the gateway what it finds at the provider", async () => {
  const skip = await isMissing()
  test('in every call', { skip }, async () => {
    const fake = await startFakeProvider({ models: ORDERS, keys: [KEY] })
    const goneUrl = `http://127.0.0.1:${await deadPort()}`
    const outcomesAt = async (url: string): Promise<z.infer<typeof OUTCOMES>> => {
      const { stdout } = await run(PYTHON, [CALLS, url, goneUrl, KEY], { timeout: DEADLINE_MS })
      return OUTCOMES.parse(JSON.parse(stdout))
    }
    const settings = {
      general_settings: { master_key: KEY },
      router_settings: { num_retries: 0, disable_cooldowns: true },
    }
    try {
      await withModels(
        listedAt(fake),
        async ({ url }) => {
          const [direct, relayed] = await Promise.all([outcomesAt(fake.url), outcomesAt(url)])
          assert.deepEqual(relayed, direct)
          const raised = Object.entries(direct).flatMap(([name, outcome]) =>
            'raised' in outcome ? [[name, outcome.raised] as const] : [],
          )
          assert.deepEqual(Object.fromEntries(raised), RAISED)
        },
        settings,
      )
    } finally {
      await fake.stop()
    }
  })
})
