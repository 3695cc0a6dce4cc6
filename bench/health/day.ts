import type { Depth } from '../../src/core/depth.ts'
import type { Evidence } from '../../src/core/evidence.ts'
import { createEngine } from '../../src/health/engine/engine.ts'
import type { Engine } from '../../src/health/engine/engine.ts'
import type { Looked } from '../../src/health/engine/look.ts'
import { createPurse } from '../../src/health/engine/purse.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from '../../src/health/engine/rules.ts'
import { createDice } from './dice.ts'
import type { Dice } from './dice.ts'
import { DAY_MS, drawFleet, SYMPTOMS } from './fleet.ts'
import type { Model, Script, Sickness } from './fleet.ts'
import { createReferee } from './referee.ts'
import type { DayFigures, Referee } from './referee.ts'
import { createWoundClock } from './wound-clock.ts'
import type { WoundClock } from './wound-clock.ts'

const TIMEOUT_MS = 60_000
const FREE_LOOK_MS = 50
const USD_PER_DAY = 5
const FIRST_BYTE_SIGMA = 0.4

/** A day that runs: the real engine, a wound clock, and the world that the script makes. */
interface World {
  readonly models: readonly Model[]
  readonly clock: WoundClock
  readonly dice: Dice
  readonly referee: Referee
  readonly looking: Set<number>
}

/** Runs one day of a script. */
export function runDay(script: Script, seed: number): DayFigures {
  const dice = createDice(seed)
  const models = drawFleet(script, dice)
  const clock = createWoundClock()
  const referee = createReferee(models)
  const world: World = { models, clock, dice, referee, looking: new Set() }
  const credentials = Math.max(...models.map(({ credential }) => credential)) + 1
  const engine: Engine = createEngine({
    members: models,
    rules: DEFAULT_RULES,
    look: DEFAULT_LOOK_RULES,
    purse: createPurse(
      { usdPerDay: USD_PER_DAY, usdPerDayEach: Number.POSITIVE_INFINITY },
      credentials,
      clock.elapsed(),
    ),
    admission: { total: 64, perHost: () => 4, perCredential: 2 },
    hasLastResort: false,
    clock,
    random: () => dice.next(),
    lagMs: () => 0,
    probe: (index, rung, report) => {
      look(world, index, rung, engine.traffic.probeMs(index), report)
    },
    onTransition: (index, transition) => referee.transition(index, transition),
    onPoison: () => {},
  })
  engine.start()
  send(world, engine, script)
  clock.windTo(DAY_MS)
  engine.stop()
  return referee.figures()
}

function sicknessOf({ models, clock }: World, index: number): Sickness | undefined {
  const outage = models[index]?.outage
  const now = clock.elapsed()
  return outage !== undefined && now >= outage.from && now < outage.to ? outage.sickness : undefined
}

/** Poisson traffic over the whole fleet; each model is its own group. */
function send(world: World, engine: Engine, script: Script): void {
  const { models, clock, dice } = world
  const shares: number[] = []
  let total = 0
  for (const { rate } of models) shares.push((total += rate))
  let request = 0
  const next = (): void => {
    const index = positionOf(shares, dice.next() * total)
    request += 1
    if (index < models.length) ask(world, engine, index, request, script.blips)
    clock.after(dice.exponential(1000 / total), next)
  }
  clock.after(dice.exponential(1000 / total), next)
}

function positionOf(sums: readonly number[], value: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return low
}

function ask(world: World, engine: Engine, index: number, request: number, blips: number): void {
  const { models, clock, dice, referee } = world
  const now = clock.elapsed()
  const isEligible = engine.choices.weight(index, now) > 0
  if (!isEligible && engine.choices.lastResort([index], now) === undefined) {
    referee.refused()
    return
  }
  const { traffic } = engine
  const call = traffic.begin(index, {
    promptBytes: 1000,
    isStreamed: false,
    timeoutMs: TIMEOUT_MS,
    request,
    prompt: request,
    isTenantsOwn: false,
  })
  referee.requested(index, now)
  const fail = (afterMs: number, kind: 'timeout' | 'server_error'): void => {
    clock.after(afterMs, () => {
      referee.failed(index, clock.elapsed())
      traffic.failed(call, { kind, source: 'upstream' })
    })
  }
  const sickness = sicknessOf(world, index)
  if (sickness === 'hang') {
    fail(TIMEOUT_MS, 'timeout')
    return
  }
  if (sickness !== undefined) {
    const { kind, afterMs } = SYMPTOMS[sickness]
    clock.after(afterMs, () => {
      referee.failed(index, clock.elapsed())
      traffic.failed(call, { kind, source: 'upstream' })
    })
    return
  }
  if (dice.next() < blips) {
    fail(50, 'server_error')
    return
  }
  clock.after(dice.logNormal(models[index]?.firstByteMs ?? 1, FIRST_BYTE_SIGMA), () => {
    traffic.answered(call)
    traffic.succeeded(call)
  })
}

/** Climbs the ladder as the real one does: what costs nothing first. */
function look(
  world: World,
  index: number,
  rung: Depth,
  timeoutMs: number,
  report: (looked: Looked) => void,
): void {
  const { models, clock, referee, looking, dice } = world
  if (looking.has(index)) referee.duplicate()
  looking.add(index)
  const startedAt = clock.elapsed()
  const say = (kind: Evidence['kind'], depth: Depth, afterMs: number, isPaid: boolean): void => {
    clock.after(afterMs, () => {
      looking.delete(index)
      const at = clock.elapsed()
      report({ evidence: { kind, depth, source: 'probe', startedAt, at, isAttributable: true }, isPaid })
    })
  }
  const sickness = sicknessOf(world, index)
  const free = rung < 3 ? rung : 3
  if (sickness === 'refused' || sickness === 'host_gone' || (sickness === 'key_refused' && rung >= 3)) {
    referee.probed('free', 0)
    const { kind, afterMs } = SYMPTOMS[sickness]
    say(kind, free, afterMs, false)
    return
  }
  if (rung < 4) {
    referee.probed('free', 0)
    say('ok', free, FREE_LOOK_MS, false)
    return
  }
  referee.probed('paid', models[index]?.price ?? 0)
  if (sickness === 'hang') say('timeout', 4, timeoutMs, true)
  else if (sickness !== undefined)
    say(SYMPTOMS[sickness].kind, 4, FREE_LOOK_MS + SYMPTOMS[sickness].afterMs, true)
  else say('ok', 4, FREE_LOOK_MS + dice.logNormal(models[index]?.firstByteMs ?? 1, FIRST_BYTE_SIGMA), true)
}
