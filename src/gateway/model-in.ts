import type { FastifyRequest } from 'fastify'
import { queryText } from './json-reply.ts'

/** The model that a request names outside of its body: in the path, LiteLLM's header or the query. */
export function modelIn({ params, headers, query }: FastifyRequest): string | undefined {
  return queryText(params, 'model') ?? queryText(headers, 'x-litellm-model') ?? queryText(query, 'model')
}
