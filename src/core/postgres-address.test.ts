import assert from 'node:assert/strict'
import { test } from 'node:test'
import { postgresAddress } from './postgres-address.ts'

const BASE = 'postgresql://u:p@db.test:5432/llm'

test('of what a database_url carries, the schema and the TLS mode are heeded', () => {
  const cases: readonly (readonly [string, ReturnType<typeof postgresAddress>])[] = [
    [BASE, { connectionString: BASE }],
    [`${BASE}?connection_limit=5&pgbouncer=true`, { connectionString: BASE }],
    [`${BASE}?schema=public`, { connectionString: BASE }],
    [`${BASE}?schema=health`, { connectionString: BASE, options: '-c search_path="health"' }],
    [`${BASE}?schema=a"b`, { connectionString: BASE }],
    [`${BASE}?sslmode=require`, { connectionString: `${BASE}?sslmode=require&uselibpqcompat=true` }],
    ['host=db.test dbname=llm', { connectionString: 'host=db.test dbname=llm' }],
  ]
  for (const [url, expected] of cases) assert.deepEqual(postgresAddress(url), expected, url)
})
