import assert from 'node:assert/strict'
import type { Connection } from '../core/deployment.ts'
import { Secret } from '../core/secret.ts'
import { deploymentOf } from './adapter.contract.ts'
import { openLine, type Line } from './call.ts'

const TRANSPORT = {
  send: () => assert.fail('something was sent'),
  stream: () => assert.fail('something was sent'),
  dial: () => assert.fail('something was sent'),
  openSocket: () => assert.fail('something was sent'),
  reach: () => Promise.resolve(true),
  close: () => Promise.resolve(),
} as const

/** The line of a deployment that nothing may be sent to; its adapter must have been loaded. */
export function lineOf(
  provider: string,
  upstreamModel: string,
  connection: Omit<Connection, 'headers'> = {},
): Line {
  const deployment = deploymentOf(provider, {
    upstreamModel,
    connection: { apiKey: new Secret('sk-key-of-the-test'), ...connection, headers: {} },
  })
  const opened = openLine(deployment, { transport: TRANSPORT, env: {}, redact: (text) => text })
  assert.ok('line' in opened, JSON.stringify(opened))
  return opened.line
}
