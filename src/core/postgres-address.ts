/** A PostgreSQL server and how to talk to it, in the words of the `pg` client. */
export interface PostgresAddress {
  readonly connectionString: string
  /** What is set at the start of each session. */
  readonly options?: string
}

/**
 * Reads LiteLLM's `database_url`. It may carry words that are Prisma's: `schema` is heeded, the rest means nothing
 * here. `sslmode` means what libpq means by it.
 */
export function postgresAddress(url: string): PostgresAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined) return { connectionString: url }
  const schema = parsed.searchParams.get('schema')
  const sslMode = parsed.searchParams.get('sslmode')
  parsed.search = ''
  if (sslMode !== null) {
    parsed.searchParams.set('sslmode', sslMode)
    parsed.searchParams.set('uselibpqcompat', 'true')
  }
  const isPlain = schema !== null && /^\w+$/.test(schema) && schema !== 'public'
  return { connectionString: parsed.href, ...(isPlain && { options: `-c search_path="${schema}"` }) }
}
