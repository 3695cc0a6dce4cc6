import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { startGateway, withFolder, type Gateway, type StartOptions } from './program.ts'

/** One deployment of a config, as `model_list` writes it. */
export interface Listed {
  readonly model_name: string
  readonly litellm_params: Readonly<Record<string, unknown>>
  readonly model_info?: Readonly<Record<string, unknown>>
}

const ENTRY = z.looseObject({
  model: z.string(),
  model_id: z.string(),
  model_name: z.string(),
  mode: z.string(),
  health_state: z.string(),
  exception_status: z.number().optional(),
  reason: z.string().optional(),
  error: z.string().optional(),
  checked_at: z.string().optional(),
})

const ANSWER = z.looseObject({
  healthy_endpoints: z.array(ENTRY),
  unhealthy_endpoints: z.array(ENTRY),
  healthy_count: z.number(),
  unhealthy_count: z.number(),
  unknown_count: z.number().optional(),
})

/** The answer of `GET /health`. */
export type HealthAnswer = z.infer<typeof ANSWER>

/** Starts the program on a `model_list` and settings, uses it, ends it. */
export function withModels<Result>(
  models: readonly Listed[],
  use: (gateway: Gateway) => Promise<Result>,
  settings: Readonly<Record<string, unknown>> = {},
  options: StartOptions = {},
): Promise<Result> {
  // JSON is YAML.
  const yaml = JSON.stringify({ model_list: models, ...settings })
  return withFolder({ 'config.yaml': yaml }, async (cwd) => {
    const args = ['config.yaml', '--host', '127.0.0.1', '--port', '0']
    const gateway = await startGateway(args, { cwd, ...options })
    try {
      return await use(gateway)
    } finally {
      await gateway.stop(0)
    }
  })
}

/** `GET /health`, parsed; `query` with its question mark. */
export async function askHealth(gateway: Gateway, query = ''): Promise<HealthAnswer> {
  const response = await fetch(`${gateway.url}/health${query}`)
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return ANSWER.parse(JSON.parse(text))
}

/**
 * Every deployment has the verdict that the table says, `healthy` or `reason exception_status`, and no other
 * deployment is there.
 */
export function assertVerdicts(answer: HealthAnswer, expected: Readonly<Record<string, string>>): void {
  const found = verdictsOf(answer)
  const names = new Set([...Object.keys(expected), ...found.keys()])
  const surprises = [...names].flatMap((name) => {
    const { verdict, why = '' } = found.get(name) ?? { verdict: 'absent' }
    return verdict === expected[name] ? [] : [`${name}: ${verdict}, not ${expected[name]}. ${why}`]
  })
  assert.deepEqual(surprises, [])
  assert.equal(answer.healthy_count + answer.unhealthy_count, found.size, 'one name for each deployment')
}

/** The gateway's clock decides when a verdict may be asked for anew: a live answer reuses those of the last second. */
export async function untilStale(answer: HealthAnswer): Promise<void> {
  const entries = [...answer.healthy_endpoints, ...answer.unhealthy_endpoints]
  const newest = Math.max(...entries.map(({ checked_at = '' }) => Date.parse(checked_at)))
  while (Date.now() - newest < 1_050) await wait(50)
}

interface Found {
  readonly verdict: string
  readonly why?: string | undefined
}

function verdictsOf(answer: HealthAnswer): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>()
  for (const { model_name } of answer.healthy_endpoints) found.set(model_name, { verdict: 'healthy' })
  for (const { model_name, reason, exception_status, error } of answer.unhealthy_endpoints) {
    found.set(model_name, { verdict: `${reason} ${exception_status}`, why: error })
  }
  return found
}
