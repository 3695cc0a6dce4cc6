import { createHandClock } from '../core/clock.ts'
import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import type { HealthState } from '../core/health.ts'
import { createEngine } from '../health/engine/engine.ts'
import type { Engine } from '../health/engine/engine.ts'
import { createPurse } from '../health/engine/purse.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from '../health/engine/rules.ts'
import { createStanding } from '../health/engine/standing.ts'
import type { OutOfReach } from './choice/out-of-reach.ts'

/** For tests: nobody ever failed to connect. */
export const IN_REACH: OutOfReach = {
  leftMs: () => undefined,
  missed: () => undefined,
  missing: () => [],
}

/** For tests: a real health engine that never looks by itself; each deployment has a host and a key of its own. */
export function makeHealthLink(
  deployments: readonly Pick<Deployment, 'group'>[],
  {
    clock = createHandClock(),
    states = [],
    isTrafficHeeded = true,
  }: {
    readonly clock?: Pick<Clock, 'elapsed' | 'after'>
    readonly states?: readonly (HealthState | undefined)[]
    readonly isTrafficHeeded?: boolean
  } = {},
): { readonly engine: Engine; readonly failed: (index: number, error: string) => void } {
  const groups = [...new Set(deployments.map(({ group }) => group))]
  const engine = createEngine({
    members: deployments.map(({ group }, index) => ({
      host: index,
      credential: index,
      group: groups.indexOf(group),
      price: Infinity,
      hasFree: false,
    })),
    rules: { ...DEFAULT_RULES, isTrafficHeeded },
    look: { ...DEFAULT_LOOK_RULES, strategy: 'off' },
    purse: createPurse({ usdPerDay: 0, usdPerDayEach: 0 }, deployments.length, 0),
    admission: { total: 1, perHost: () => 1, perCredential: 1 },
    hasLastResort: true,
    clock,
    random: () => 0.5,
    lagMs: () => 0,
    probe: () => undefined,
    onTransition: () => undefined,
    onPoison: () => undefined,
  })
  states.forEach((state, index) => {
    const until = state === 'SATURATED' ? 60_000 : Infinity
    if (state !== undefined)
      engine.standings.adopt(index, { ...createStanding(0), state, until, lastOkAt: 0, lastEvidenceAt: 0 })
  })
  return { engine, failed: () => undefined }
}
