import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/failure.ts'
import { createRunningChats } from './running-chats.ts'

const REASON = new GatewayError('none_available', 'shutting down', { source: 'gateway' })

test('every chat that still runs is ended, and none that is over', () => {
  const chats = createRunningChats()
  const ended: string[] = []
  const begin = (name: string): (() => void) =>
    chats.add((reason) => ended.push(`${name}: ${reason.message}`))
  const [forgetFirst] = [begin('first'), begin('second')]
  forgetFirst?.()
  begin('third')
  const forgetFourth = begin('fourth')
  forgetFourth()
  chats.endAll(REASON)
  assert.deepEqual(ended.sort(), ['second: shutting down', 'third: shutting down'])
})

test('a chat that forgets itself while all are ended keeps no other from being ended', () => {
  const chats = createRunningChats()
  const ended: number[] = []
  for (const name of [1, 2, 3]) {
    const forget = chats.add(() => {
      ended.push(name)
      forget()
    })
  }
  chats.endAll(REASON)
  assert.deepEqual(ended, [1, 2, 3])
})
