import { systemClock } from '../../src/core/clock.ts'
import { createEngine } from '../../src/health/engine/engine.ts'
import type { Member } from '../../src/health/engine/engine.ts'
import { createPurse } from '../../src/health/engine/purse.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from '../../src/health/engine/rules.ts'
import { createDice } from './dice.ts'
import { quantile } from './table.ts'
import type { Row } from './table.ts'

const DEPLOYMENTS = 10_000
const HOSTS = 500
const CREDENTIALS = 1000
/** Each is looked at once in this time, as with `health_check_strategy: always`. */
const INTERVAL_MS = 300_000
const RUN_MS = 20_000
const LOOK_MS = 50

/** 10,000 deployments in real time, with looks that cost nothing but their scheduling. */
export async function measureScheduler(): Promise<readonly Row[]> {
  const dice = createDice(1)
  const looking = new Set<number>()
  const lateness: number[] = []
  let duplicates = 0
  const engine = createEngine({
    members: drawMembers(),
    rules: DEFAULT_RULES,
    look: { ...DEFAULT_LOOK_RULES, strategy: 'always', intervalMs: INTERVAL_MS },
    purse: createPurse(
      { usdPerDay: Number.POSITIVE_INFINITY, usdPerDayEach: Number.POSITIVE_INFINITY },
      CREDENTIALS,
      0,
    ),
    admission: { total: 64, perHost: () => 4, perCredential: 2 },
    hasLastResort: true,
    clock: systemClock,
    random: () => dice.next(),
    lagMs: () => 0,
    probe: (index, _rung, report) => {
      lateness.push(engine.scheduler.numbers().latenessMs)
      if (looking.has(index)) duplicates += 1
      looking.add(index)
      const startedAt = systemClock.elapsed()
      systemClock.after(LOOK_MS, () => {
        looking.delete(index)
        const at = systemClock.elapsed()
        report({
          evidence: { kind: 'ok', depth: 4, source: 'probe', startedAt, at, isAttributable: true },
          isPaid: false,
        })
      })
    },
    onTransition: () => {},
    onPoison: () => {},
  })
  engine.start()
  const before = process.cpuUsage()
  await new Promise((resolve) => {
    setTimeout(resolve, RUN_MS)
  })
  const { user, system } = process.cpuUsage(before)
  engine.stop()
  const core = (100 * (user + system)) / 1000 / RUN_MS
  return [
    figure(`10,000 deployments: % of a core (${lateness.length} looks)`, core, 2, 2),
    figure('10,000 deployments: lateness p99, ms', quantile(lateness, 0.99), 50, 0),
    figure('10,000 deployments: duplicate looks', duplicates, 0, 0),
  ]
}

function figure(name: string, value: number, must: number, digits: number): Row {
  return { name, value, worst: value, must, aim: must, digits, isMissed: !(value <= must) }
}

function drawMembers(): readonly Member[] {
  return Array.from({ length: DEPLOYMENTS }, (_, index): Member => ({
    host: index % HOSTS,
    credential: index % CREDENTIALS,
    group: index % 400,
    price: 0,
    hasFree: false,
  }))
}
