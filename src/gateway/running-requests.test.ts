import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/failure.ts'
import { createRunningRequests } from './running-requests.ts'

const REASON = new GatewayError('none_available', 'shutting down', { source: 'gateway' })

test('every request that still runs is ended, and none that is over', () => {
  const running = createRunningRequests()
  const ended: string[] = []
  const begin = (name: string): (() => void) =>
    running.add((reason) => ended.push(`${name}: ${reason.message}`))
  const [forgetFirst] = [begin('first'), begin('second')]
  forgetFirst?.()
  begin('third')
  const forgetFourth = begin('fourth')
  forgetFourth()
  running.endAll(REASON)
  assert.deepEqual(ended.sort(), ['second: shutting down', 'third: shutting down'])
})

test('a request that forgets itself while all are ended keeps no other from being ended', () => {
  const running = createRunningRequests()
  const ended: number[] = []
  for (const name of [1, 2, 3]) {
    const forget = running.add(() => {
      ended.push(name)
      forget()
    })
  }
  running.endAll(REASON)
  assert.deepEqual(ended, [1, 2, 3])
})
