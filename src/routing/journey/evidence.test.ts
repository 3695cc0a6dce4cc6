import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import type { FailureDetails } from '../../core/failure.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { IN_REACH, makeHealthLink } from '../health.fixture.ts'
import { conclude, watch } from './evidence.ts'
import { createLedger } from '../choice/ledger.ts'
import { NOTHING } from '../request/need.ts'
import { OPERATIONS } from '../request/operations.ts'

/** Is a deployment doubted after one timeout that came so late, for a client with such patience? */
function isDoubtedAfter(
  tookMs: number,
  patience: { readonly timeoutMs?: number; readonly streamTimeoutMs?: number },
  details: FailureDetails = {},
): boolean {
  const clock = createHandClock()
  const deployment = aDeployment(0)
  const health = makeHealthLink([deployment], { clock, states: ['HEALTHY'] })
  const ledger = createLedger([deployment], { countsTokens: false }, clock)
  const deps = { health, outOfReach: IN_REACH, clock, ledger, settings: { requestTimeoutMs: 60_000 } }
  const attended = { need: NOTHING, promptBytes: 10, request: 1, prompt: 1 }
  const watched = watch(deps, deployment, attended, patience)
  clock.wind(tookMs)
  conclude(deps, watched, OPERATIONS.chat, { deployment }, new GatewayError('timeout', 'late', details))
  assert.equal(deps.ledger.inFlight(0), 0)
  return health.engine.standings.standing(0, clock.elapsed()).state === 'SUSPECT'
}

test('a client in a hurry takes no deployment from the others; a deployment that hangs is doubted', () => {
  assert.equal(isDoubtedAfter(5, { timeoutMs: 5 }), false)
  assert.equal(isDoubtedAfter(4, { streamTimeoutMs: 5 }), false)
  assert.equal(isDoubtedAfter(600, {}), true)
  assert.equal(isDoubtedAfter(600, { timeoutMs: 60_000 }), true)
  assert.equal(isDoubtedAfter(5, { timeoutMs: 5 }, { upstreamStatus: 408 }), true)
})
