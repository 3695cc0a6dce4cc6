import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Config } from '../config/config.ts'
import { readConfigText } from '../read-config.ts'
import { needsRestart } from './restart.ts'

async function config(settings: string): Promise<Config> {
  const { config: read } = await readConfigText('c.yaml', `model_list: []\n${settings}`)
  assert.ok(read !== undefined)
  return read
}

test('what holds only after a restart is named, and the name is one that the schema knows', async () => {
  const before = await config('general_settings: { drain_delay: 1 }\n')
  const after = await config(
    'general_settings: { drain_delay: 2, global_max_parallel_requests: 7, client_headers_timeout: 7, client_request_timeout: 70,\n' +
      "  database_url: 'postgresql://db/x', use_shared_health_check: true, coordination_redis: { host: r, password: p } }\n" +
      "environment_variables: { PULSEGATE_LOG: 'debug' }\n",
  )
  const names = needsRestart(before, after)
  assert.deepEqual(names, [
    'general_settings.global_max_parallel_requests',
    'general_settings.client_headers_timeout',
    'general_settings.client_request_timeout',
    'general_settings.database_url',
    'general_settings.use_shared_health_check',
    'general_settings.coordination_redis',
    'PULSEGATE_LOG',
  ])
  const schema = readFileSync(new URL('../../config.schema.json', import.meta.url), 'utf8')
  for (const name of names.slice(0, 6)) assert.ok(schema.includes(`"${name.split('.')[1]}"`), name)
  assert.deepEqual(needsRestart(before, before), [])
})
