import { describe } from 'node:test'
import { NO_POSTGRES } from './postgres.ts'
import { replicasAgree } from './replicas-agree.ts'
import { startPostgres } from './stores.ts'

describe('three replicas with Postgres', { skip: NO_POSTGRES }, () =>
  replicasAgree(startPostgres, ({ url }) => ({ DATABASE_URL: url })),
)
