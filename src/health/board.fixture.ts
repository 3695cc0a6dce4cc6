import type { Clock } from '../core/clock.ts'
import type { Deployment } from '../core/deployment.ts'
import { DEPTH } from '../core/depth.ts'
import type { Verdict } from '../core/verdict.ts'
import { createBoard } from './board.ts'
import type { Board, WritableBoard } from './board.ts'
import { createEngine } from './engine/engine.ts'
import type { Engine } from './engine/engine.ts'
import { makeMember } from './engine/engine.fixture.ts'
import { createPurse } from './engine/purse.ts'
import { DEFAULT_LOOK_RULES, DEFAULT_RULES } from './engine/rules.ts'
import { createRecord } from './record.ts'

/** For tests: a board over a real engine that never looks by itself. */
export function makeBoard(
  deployments: readonly Deployment[],
  clock: Clock,
): Board &
  Pick<WritableBoard, 'save' | 'restore' | 'failed'> & {
    readonly engine: Engine
    record(index: number, verdict: Verdict): void
  } {
  const engine: Engine = createEngine({
    members: deployments.map((_, index) => makeMember(index)),
    rules: DEFAULT_RULES,
    look: { ...DEFAULT_LOOK_RULES, strategy: 'off' },
    purse: createPurse({ usdPerDay: 0, usdPerDayEach: 0 }, deployments.length, 0),
    admission: { total: 1, perHost: () => 1, perCredential: 1 },
    hasLastResort: true,
    clock,
    random: () => 0.5,
    lagMs: () => 0,
    probe: () => undefined,
    onTransition: (index, transition) => board.moved(index, transition),
    onPoison: () => undefined,
  })
  const board = createBoard(deployments, { clock, standings: engine.standings })
  const record = createRecord({ clock, lagMs: () => 0 }, engine, board)
  return {
    ...board,
    engine,
    record: (index, verdict) => {
      const deployment = deployments[index]
      if (deployment !== undefined) record(deployment, verdict, DEPTH.answer)
    },
  }
}
