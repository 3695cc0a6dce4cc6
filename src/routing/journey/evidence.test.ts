import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHandClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/failure.ts'
import type { FailureDetails } from '../../core/failure.ts'
import { silentLog } from '../../core/log.ts'
import { createCooldowns } from '../choice/cooldown.ts'
import { aDeployment } from '../deployment.fixture.ts'
import { conclude, watch } from './evidence.ts'
import { createLedger } from '../choice/ledger.ts'
import { NOTHING } from '../request/need.ts'
import { OPERATIONS } from '../request/operations.ts'

/** Is a deployment put aside after one timeout that came so late, for a client with such patience? */
function isAsideAfter(
  tookMs: number,
  patience: { readonly timeoutMs?: number; readonly streamTimeoutMs?: number },
  details: FailureDetails = {},
): boolean {
  const clock = createHandClock()
  const deployment = aDeployment(0)
  const rules = { isEnabled: true, cooldownMs: 5000, allowedFailsByKind: {} }
  const cooldowns = createCooldowns(rules, {
    clock,
    log: silentLog,
    random: () => 0,
    reach: () => assert.fail('nobody looks'),
  })
  const deps = { cooldowns, clock, ledger: createLedger([deployment], { countsTokens: false }, clock) }
  const watched = watch(deps, deployment, NOTHING, patience)
  clock.wind(tookMs)
  conclude(deps, watched, OPERATIONS.chat, { deployment }, new GatewayError('timeout', 'late', details))
  assert.equal(deps.ledger.inFlight(0), 0)
  return cooldowns.cooling(0) !== undefined
}

test('a client in a hurry takes no deployment from the others; a deployment that hangs is put aside', () => {
  assert.equal(isAsideAfter(5, { timeoutMs: 5 }), false)
  assert.equal(isAsideAfter(4, { streamTimeoutMs: 5 }), false)
  assert.equal(isAsideAfter(600, {}), true)
  assert.equal(isAsideAfter(600, { timeoutMs: 60_000 }), true)
  assert.equal(isAsideAfter(5, { timeoutMs: 5 }, { upstreamStatus: 408 }), true)
})
