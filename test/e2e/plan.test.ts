import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createWoundClock } from '../../bench/health/wound-clock.ts'
import { systemClock } from '../../src/core/clock.ts'
import { createRedact } from '../../src/core/secret.ts'
import { startFakeProvider } from '../../src/fake-provider/server.ts'
import { engineRulesOf } from '../../src/health/engine-rules.ts'
import { createEngine } from '../../src/health/engine/engine.ts'
import { createPurse } from '../../src/health/engine/purse.ts'
import { createMembers } from '../../src/health/members.ts'
import { DAY_MS } from '../../src/health/plan-day.ts'
import { createProbePrices } from '../../src/health/probe-price.ts'
import { DEFAULT_HEALTH_SETTINGS } from '../../src/health/settings.ts'
import { openLine } from '../../src/providers/call.ts'
import { createModelBook } from '../../src/providers/model-facts.ts'
import { loadAdaptersOf } from '../../src/providers/registry.ts'
import { readConfigText } from '../../src/read-config.ts'
import { createTransport } from '../../src/transport/transport.ts'
import { runProgram, startGateway, withFolder } from './program.ts'

/** Twelve deployments in the nine modes; two share a group, one is self-hosted. */
const FLEET = `model_list:
- {model_name: chat, litellm_params: {model: openai/gpt-4o-mini, api_key: sk-a}}
- {model_name: chat, litellm_params: {model: groq/llama-3.1-8b-instant, api_key: sk-g}}
- {model_name: thinker, litellm_params: {model: openai/gpt-5-pro, api_key: sk-a}}
- {model_name: old, litellm_params: {model: openai/gpt-3.5-turbo-instruct, api_key: sk-a}, model_info: {mode: completion}}
- {model_name: vectors, litellm_params: {model: openai/text-embedding-3-small, api_key: sk-a}}
- {model_name: painter, litellm_params: {model: openai/dall-e-3, api_key: sk-a}, model_info: {mode: image_generation}}
- {model_name: ears, litellm_params: {model: openai/whisper-1, api_key: sk-a}}
- {model_name: voice, litellm_params: {model: openai/tts-1, api_key: sk-a}}
- {model_name: ranks, litellm_params: {model: cohere/rerank-v3.5, api_key: sk-c}}
- {model_name: batches, litellm_params: {model: openai/gpt-4o, api_key: sk-a}, model_info: {mode: batch}}
- {model_name: live, litellm_params: {model: openai/gpt-4o-realtime-preview, api_key: sk-a}, model_info: {mode: realtime}}
- {model_name: home, litellm_params: {model: hosted_vllm/llama, api_base: 'http://engine:8000/v1'}}
general_settings:
  background_health_checks: true
`

/** What the engine really sends on a day without traffic, or with so many requests a minute at each deployment. */
async function countedDay(text: string, callsPerMinute: number): Promise<{ probes: number; usd: number }> {
  const { config } = await readConfigText('config.yaml', text)
  assert.ok(config !== undefined)
  const { deployments, env } = config
  await loadAdaptersOf(deployments)
  const deps = {
    transport: createTransport({ clock: systemClock, userAgent: 'pulsegate/test' }),
    env,
    redact: createRedact([]),
  }
  const settings = { ...DEFAULT_HEALTH_SETTINGS, backgroundHealthChecks: true }
  const prices = createProbePrices({ book: createModelBook(), env, settings })
  await prices.load()
  const lines = deployments.map((deployment) => openLine(deployment, deps))
  const { members } = createMembers({
    deployments,
    lines: (index) => lines[index] ?? { misconfigured: { message: 'none' } },
    priceOf: (deployment) => prices.of(deployment),
    settings,
  })
  const { rules, look, purse: purseRules, admission, hasLastResort } = engineRulesOf(config.engine)
  const clock = createWoundClock()
  const counted = { probes: 0, usd: 0 }
  const engine = createEngine({
    members,
    rules,
    look,
    purse: createPurse(purseRules, members.length, 0),
    admission: { ...admission, perHost: () => admission.perHost },
    hasLastResort,
    clock,
    random: Math.random,
    lagMs: () => 0,
    probe: (index, rung, report) => {
      if (rung === 4) counted.probes += 1
      if (rung === 4) counted.usd += members[index]?.price ?? 0
      const startedAt = clock.elapsed()
      clock.after(50, () => {
        const at = clock.elapsed()
        const evidence = {
          kind: 'ok',
          depth: rung,
          source: 'probe',
          startedAt,
          at,
          isAttributable: true,
        } as const
        report({ evidence, isPaid: rung === 4 })
      })
    },
    onTransition: () => {},
    onPoison: () => {},
  })
  let request = 0
  const send = (index: number): void => {
    request += 1
    const facts = { promptBytes: 100, isStreamed: false, timeoutMs: 60_000, isTenantsOwn: false }
    const call = engine.traffic.begin(index, { ...facts, request, prompt: request })
    clock.after(400, () => {
      engine.traffic.answered(call)
      engine.traffic.succeeded(call)
    })
    clock.after((-Math.log(1 - Math.random()) * 60_000) / callsPerMinute, () => send(index))
  }
  engine.start()
  if (callsPerMinute > 0) members.forEach((_, index) => send(index))
  clock.windTo(DAY_MS)
  engine.stop()
  return counted
}

interface Printed {
  readonly totals: Readonly<
    Record<'idle' | 'busy' | 'litellm', { readonly probes: number; readonly usd: number }>
  >
  readonly budget: {
    readonly usd_per_day: number
    readonly cut: { readonly probes: number; readonly usd: number }
  }
  readonly deployments: readonly { readonly mode: string; readonly usd_per_check: number }[]
}

async function printed(text: string): Promise<Printed> {
  return withFolder({ 'config.yaml': text }, async (cwd) => {
    const run = await runProgram(['plan', 'config.yaml', '--json'], { cwd })
    assert.equal(run.code, 0, run.stderr)
    const plan: Printed = JSON.parse(run.stdout)
    return plan
  })
}

function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 0.2 * expected
}

describe('pulsegate plan', () => {
  test('projects an idle day as the engine then spends it, within a fifth', async () => {
    const { totals } = await printed(FLEET)
    const counted = await countedDay(FLEET, 0)
    assert.ok(counted.probes > 250, String(counted.probes))
    assert.ok(isNear(totals.idle.probes, counted.probes), `${totals.idle.probes} ${counted.probes}`)
    assert.ok(isNear(totals.idle.usd, counted.usd), `${totals.idle.usd} ${counted.usd}`)
  })

  test('and so a day under another strategy, and with a budget that is too small', async () => {
    const always = `${FLEET}  health_check_strategy: always\n  health_check_budget: { usd_per_day: 0.5 }\n`
    const { totals, budget } = await printed(always)
    const counted = await countedDay(always, 0)
    assert.ok(isNear(totals.idle.probes, counted.probes), `${totals.idle.probes} ${counted.probes}`)
    assert.ok(isNear(totals.idle.usd, counted.usd), `${totals.idle.usd} ${counted.usd}`)
    assert.ok(
      totals.idle.usd <= 0.25 && budget.cut.usd > 0.5 && budget.cut.probes > 300,
      JSON.stringify(budget),
    )
  })

  test('projects next to nothing for a busy day, as it is', async () => {
    const { totals } = await printed(FLEET)
    const counted = await countedDay(FLEET, 2)
    assert.ok(totals.busy.probes < 40 && counted.probes < 40, `${totals.busy.probes} ${counted.probes}`)
    assert.ok(totals.busy.usd < 0.05 && counted.usd < 0.05, `${totals.busy.usd} ${counted.usd}`)
  })

  test('says what LiteLLM would spend: an answer of each at each interval', async () => {
    const { totals, deployments } = await printed(`${FLEET}  health_check_interval: 600\n`)
    const each = deployments.reduce((sum, { usd_per_check: price }) => sum + price, 0)
    assert.equal(totals.litellm.probes, 12 * 144)
    assert.ok(isNear(totals.litellm.usd, 144 * each))
    assert.deepEqual(new Set(deployments.map(({ mode }) => mode)).size, 9)
  })

  test('prints a table that fits into 80 columns, its sums and what the budget cuts', async () => {
    await withFolder({ 'config.yaml': FLEET }, async (cwd) => {
      const run = await runProgram(['plan', 'config.yaml'], { cwd, env: { COLUMNS: '80' } })
      assert.equal(run.code, 0)
      assert.equal(run.stderr, '')
      const lines = run.stdout.split('\n')
      assert.deepEqual(
        lines.filter((line) => line.length > 80),
        [],
      )
      assert.match(run.stdout, /^config\.yaml: 12 deployments in 11 model groups\nMODEL +MODE +\$\/CHECK/)
      assert.match(run.stdout, /^voice +audio_speech +3\.0e-4 +\d+ /m)
      assert.match(run.stdout, /^idle +\d+ +0\.\d+ +\d+$/m)
      assert.match(run.stdout, /^LiteLLM, each 300 s +3456 +1\d\.\d\d +0$/m)
      assert.match(run.stdout, /The budget of \$5\.00 a day cuts nothing/)
      assert.doesNotMatch(run.stdout, /is off/)
    })
  })

  test('says so where background checks are off, and why a deployment is never checked', async () => {
    const text = `model_list:
- {model_name: a, litellm_params: {model: openai/gpt-4o, api_key: sk-a}, model_info: {disable_background_health_check: true}}
- {model_name: b, litellm_params: {model: openai/dall-e-3, api_key: sk-a}}
- {model_name: c, litellm_params: {model: ghost/x}}
`
    await withFolder({ 'config.yaml': text }, async (cwd) => {
      const run = await runProgram(['plan', 'config.yaml'], { cwd, env: { COLUMNS: '80' } })
      assert.match(run.stdout, /^a .*unchecked: disable_background_health_check$/m)
      assert.match(run.stdout, /^b .*unchecked: this mode is not checked$/m)
      assert.match(run.stdout, /^c .*unchecked: misconfigured$/m)
      assert.match(run.stdout, /background_health_checks is off/)
    })
  })

  test('refuses what cannot be served with 2, and a strange key of our own block is one such', async () => {
    const text = `${FLEET}  health_check_budget: { usd_per_dya: 1 }\n`
    await withFolder({ 'config.yaml': text }, async (cwd) => {
      const run = await runProgram(['plan', 'config.yaml'], { cwd })
      assert.equal(run.code, 2)
      assert.equal(run.stdout, '')
      assert.match(run.stderr, /^fatal: config\.yaml:16:26 .*unknown key; did you mean "usd_per_day"\?$/m)
      assert.equal((await runProgram(['plan'], { cwd })).code, 2)
      assert.equal((await runProgram(['plan', 'nowhere.yaml'], { cwd })).code, 2)
    })
  })
})

test('a gateway with background checks says at start what they will cost', async () => {
  const fake = await startFakeProvider()
  try {
    const prices = 'input_cost_per_token: 0.001, output_cost_per_token: 0'
    const text = `model_list:
- {model_name: m, litellm_params: {model: openai/gpt-4o, api_key: sk-a, api_base: '${fake.url}/ok/v1', ${prices}}}
general_settings: {background_health_checks: true, drain_delay: 0}
`
    await withFolder({ 'config.yaml': text }, async (cwd) => {
      const gateway = await startGateway(['config.yaml', '--host', '127.0.0.1', '--port', '0'], { cwd })
      try {
        const [line] = await gateway.seen(/^.*"health_plan".*$/m)
        assert.match(line, /"deployments":1,"probes_per_day":2\d,"usd_per_day":0\.\d+/)
        assert.match(line, /"litellm_usd_per_day":4\.32,"budget_usd_per_day":5/)
      } finally {
        await gateway.stop()
      }
    })
  } finally {
    await fake.stop()
  }
})
